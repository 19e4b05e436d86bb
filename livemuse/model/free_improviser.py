"""Improvising in free time, with a model of the family ``performance``: one note after another.

It owns the model's state. Planned notes keep a snapshot each, so that going back to the last one that sounded costs
nothing. Pure but for the model: the same calls in the same order give the same notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from livemuse.model.memory import FEWEST_NOTES, LAST_ONSET_S, RETOLD_NOTES, Memory, Remembering
from livemuse.model.pitches import HEARD_PITCHES, REMEMBERED, Reach, closing_classes, pitch_nats, reach_of
from livemuse.model.styles import style_for
from livemuse.music.ceilings import LONGEST_REST_S, Ceilings, Hand
from livemuse.music.chance import uniform
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.protocols import Stepper
from livemuse.music.sampling import Draw, Floats, draw
from livemuse.music.schedule import Extension, Plan
from livemuse.music.styles import NO_STYLE
from livemuse.music.turntaking import SILENCES_S
from livemuse.music.vocabulary import HEADS, VOCABULARY, Vocabulary

_RESTRIKE_S: Final = 0.06  # the same pitch is not struck again sooner
_NUMBERS: Final = {head: number for number, head in enumerate(HEADS)}
_FINE: Final = len(HEADS)  # draws 4-7 place a value inside its bin
_LIKELIEST: Final = 16  # pitches that may come next, over which a silence is weighed
_FACTORS: Final = {
    "pitch": "temperature_pitch",
    "step": "temperature_time",
    "duration": "temperature_time",
    "velocity": "temperature_velocity",
}
"""The control that is a factor on the temperature of each head."""


Words = tuple[int, int, int, int]
"""A note as it is fed: (pitch, step bin, duration bin, velocity bin)."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything the next note depends on, after some note."""

    state: Any
    onset_s: float | None  # of the last note
    recent: tuple[int, ...]  # pitches of whoever played, oldest first
    heard: tuple[int, ...]  # pitches of the player alone
    hand: Hand  # never changed once it is in a moment
    mix: str = NO_STYLE  # the control `style` that the state was told of with its last notes
    told: tuple[tuple[Any, Words], ...] = ()  # those notes, each with the state before it


class _Rules:
    """What of a take's plan holds for all its notes, and its draws, each with a name of its own."""

    def __init__(self, plan: Plan) -> None:
        controls = plan.controls
        temperature, top_k, top_p = (controls.number(n) for n in ("temperature", "top_k", "top_p"))
        self.controls = controls
        self.ceilings = Ceilings.of(controls)
        self.density, self.loudness = controls.number("density"), controls.number("velocity")
        self._how = {head: Draw(temperature * controls.number(f), int(top_k), top_p) for head, f in _FACTORS.items()}
        self._seed, self._key = int(controls["seed"]), (plan.turn, 0, plan.revision)  # 0: the only candidate

    def draw(self, logits: Floats, head: str, index: int) -> int:
        """The value of a head for note ``index``."""
        return draw(logits, self._how[head], uniform(self._seed, *self._key, index, _NUMBERS[head]))

    def inside(self, words: Vocabulary, head: str, value: int, index: int) -> float:
        """A number inside bin ``value``: by chance, or its centre where the temperature is 0."""
        if self._how[head].temperature <= 0.0:
            return words.centre(head, value)
        return words.value(head, value, uniform(self._seed, *self._key, index, _FINE + _NUMBERS[head]))


@dataclass(slots=True)
class _Take:
    plan: Plan
    rules: _Rules
    reach: Reach | None
    moments: list[_Moment]  # [before the first note, after note 0, ...]
    notes: list[PlannedNote]
    done: bool = False

    @property
    def index(self) -> int:
        """The number of the next note."""
        return self.plan.first_index + len(self.notes)


class FreeImproviser(Remembering[_Moment, _Take]):
    """One partner with a memory: what was heard and played, and the takes being made."""

    def __init__(self, stepper: Stepper, memory: Memory | None = None, vocabulary: Vocabulary = VOCABULARY) -> None:
        self._stepper = stepper
        self._vocabulary = vocabulary
        told = memory if memory is not None else Memory()
        super().__init__(_Moment(self._start(told.mix), None, (), (), told.hand, told.mix))
        self.listen(told.window)
        self._now = replace(self._now, heard=told.heard)
        self._peeked: tuple[_Moment, list[tuple[float, int]], list[_Moment]] = (self._now, [], [self._now])

    def begin(self, plan: Plan) -> None:
        """Make ready to improvise a take; the tail of the call is fed for this take alone."""
        moment = self._in_style(self._now, plan.controls.text("style"))
        for note in plan.tail:
            moment = self._after(moment, note)
        self._takes[plan.take] = _Take(plan, _Rules(plan), reach_of(moment.heard), [moment], [])

    def extend(self, take_id: int, until_s: float, most: int = 64) -> Extension:
        """Up to ``most`` more notes, until one lies past ``until_s``; nothing for a take that is settled."""
        take = self._takes.get(take_id)
        if take is None:
            return Extension(take_id, (), (), True)
        notes: list[PlannedNote] = []
        shortened: list[PlannedNote] = []
        while not take.done and len(notes) < most and (not take.notes or take.notes[-1].onset_s <= until_s):
            made = self._next_note(take)
            if made is None:
                take.done = True
                break
            notes.append(made[0])
            shortened += made[1]
            left = take.plan.notes_left
            take.done = take.done or (left is not None and len(take.notes) >= left)
        return Extension(take_id, tuple(notes), tuple(shortened), take.done)

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        """How likely it is, after what was heard and this tail, that nothing more is struck for so long after the last
        onset: for each of ``SILENCES_S``, over the pitches that are likeliest to come next.
        """
        state = self._peek(tail).state
        logits = self._stepper.logits(state, "pitch", ())
        pitches = np.argpartition(logits, -_LIKELIEST)[-_LIKELIEST:]
        weights = np.exp(logits[pitches] - logits.max(), dtype=np.float64)  # (k,)
        steps = self._stepper.step_logits(state, pitches.tolist())
        steps = np.exp(steps - steps.max(1, keepdims=True), dtype=np.float64)  # (k, n)
        step = (weights / weights.sum()) @ (steps / steps.sum(1, keepdims=True))  # (n,)
        at_edges = np.append(np.cumsum(step[::-1])[::-1], 0.0)  # not before each edge
        found = np.interp(SILENCES_S, self._vocabulary.step_edges_s, at_edges)
        return tuple(round(float(share), 4) for share in found)

    def _peek(self, tail: Sequence[Note]) -> _Moment:
        """The moment after a tail that is not final; its notes are fed once each, as long as they then had sounded."""
        keys = [(note.onset_s, note.pitch) for note in tail]
        base, known, moments = self._peeked
        if base is not self._now:
            known, moments = [], [self._now]
        same = 0
        while same < min(len(known), len(keys)) and known[same] == keys[same]:
            same += 1
        moments = moments[: same + 1]
        for note in tail[same:]:
            moments.append(self._after(moments[-1], note))
        self._peeked = (self._now, keys, moments)
        return moments[-1]

    # --- one note ------------------------------------------------------------------------------------------------

    def _after(self, moment: _Moment, note: Note) -> _Moment:
        step_s = 0.0 if moment.onset_s is None else max(note.onset_s - moment.onset_s, 0.0)
        words = self._vocabulary
        fed = (
            note.pitch,
            words.step_bin(step_s),
            words.duration_bin(note.duration_s),
            words.velocity_bin(note.velocity),
        )
        moment = self._fed(moment, fed)
        onset_s = note.onset_s if moment.onset_s is None else max(note.onset_s, moment.onset_s)
        recent = (*moment.recent, note.pitch)[-REMEMBERED:]
        return replace(moment, onset_s=onset_s, recent=recent, heard=(*moment.heard, note.pitch)[-HEARD_PITCHES:])

    def _start(self, mix: str) -> Any:
        labels = self._stepper.labels
        return self._stepper.start(style_for(mix, labels)) if labels else self._stepper.start()

    def _fed(self, moment: _Moment, words: Words) -> _Moment:
        """The moment with one note more in its state, told in its style."""
        state, told = self._told(moment, words)
        return replace(moment, state=state, told=told)

    def _told(self, moment: _Moment, words: Words) -> tuple[Any, tuple[tuple[Any, Words], ...]]:
        """The state after one note more, told in the style of the moment; and the last notes so told."""
        labels = self._stepper.labels
        if not labels:
            return self._stepper.feed(moment.state, words), ()
        state = self._stepper.feed(moment.state, words, style_for(moment.mix, labels))
        return state, (*moment.told, (moment.state, words))[-RETOLD_NOTES:]

    def _in_style(self, moment: _Moment, mix: str) -> _Moment:
        """The moment as it is where this mix is asked for: the last notes are told anew, so the next one obeys it."""
        if mix == moment.mix:
            return moment
        if not self._stepper.labels:
            return replace(moment, mix=mix)
        short = len(moment.told) < RETOLD_NOTES  # all that ever was
        told = replace(moment, mix=mix, told=(), state=self._start(mix) if short else moment.told[0][0])
        for _, words in moment.told:
            told = self._fed(told, words)
        return told

    def _next_note(self, take: _Take) -> tuple[PlannedNote, list[PlannedNote]] | None:
        plan, moment, rules, index = take.plan, take.moments[-1], take.rules, take.index
        pitch = self._pitch(take)
        exact_s = plan.start_s if not take.notes else None
        timed = self._onset(take, pitch) if exact_s is None else self._exact(moment, exact_s)
        if plan.closing and (timed is None or timed[0] > plan.last_onset_s):
            timed, take.done = self._exact(moment, max(plan.last_onset_s, moment.onset_s or 0.0)), True
            pitch = self._pitch(take, closing_classes(rules.controls))
        if timed is None:
            return None
        onset_s, step_bin = timed
        if not take.notes:
            onset_s = max(onset_s, moment.hand.earliest_s(rules.ceilings))
        duration_bin, duration_s = self._value(take, "duration", (pitch, step_bin))
        if plan.closing and take.done:
            duration_s = plan.end_s - onset_s
        velocity_bin, velocity = self._value(take, "velocity", (pitch, step_bin, duration_bin))
        duration_s = min(duration_s, plan.end_s - onset_s)
        loud = round(velocity * rules.loudness)
        hand = moment.hand.copy()
        note, shortened = hand.place(PlannedNote(plan.take, index, onset_s, pitch, duration_s, loud), rules.ceilings)
        state, told = self._told(moment, (pitch, step_bin, duration_bin, velocity_bin))
        recent = (*moment.recent, pitch)[-REMEMBERED:]
        take.moments.append(_Moment(state, note.onset_s, recent, moment.heard, hand, moment.mix, told))
        take.notes.append(note)
        return note, shortened

    def _pitch(self, take: _Take, classes: frozenset[int] | None = None) -> int:
        """The pitch of the next note, of these pitch classes alone where they are given and the register has any."""
        moment, rules = take.moments[-1], take.rules
        logits = self._stepper.logits(moment.state, "pitch", ())
        logits = logits - pitch_nats(rules.controls, moment.recent, take.reach)
        if classes is not None:
            inside = np.array([pitch % 12 in classes for pitch in range(len(logits))])
            logits = np.where(inside, logits, -np.inf) if np.isfinite(logits[inside]).any() else logits
        return rules.draw(logits, "pitch", take.index)

    def _exact(self, moment: _Moment, start_s: float) -> tuple[float, int]:
        step_s = 0.0 if moment.onset_s is None else max(start_s - moment.onset_s, 0.0)
        return start_s, self._vocabulary.step_bin(step_s)

    def _onset(self, take: _Take, pitch: int) -> tuple[float, int] | None:
        """(onset, step bin) of the next note, or None where none fits before the end."""
        plan, moment, rules = take.plan, take.moments[-1], take.rules
        previous_s = moment.onset_s if moment.onset_s is not None else plan.not_before_s
        struck_s = max((n.onset_s for n in take.notes[-8:] if n.pitch == pitch), default=float("-inf"))
        earliest_s = max(previous_s, plan.not_before_s, moment.hand.earliest_s(rules.ceilings), struck_s + _RESTRIKE_S)
        latest_s = max(previous_s, plan.not_before_s) + LONGEST_REST_S
        missing = FEWEST_NOTES - take.index
        if missing > 0:
            latest_s = min(latest_s, previous_s + max(plan.end_s - LAST_ONSET_S - previous_s, 0.0) / (missing + 1))
        if earliest_s > plan.end_s - LAST_ONSET_S:
            return None
        words = self._vocabulary
        low = words.step_bin((earliest_s - previous_s) * rules.density)
        high = max(words.step_bin((latest_s - previous_s) * rules.density), low)
        logits = self._stepper.logits(moment.state, "step", (pitch,))
        step_bin = low + rules.draw(logits[low : high + 1], "step", take.index)
        onset_s = previous_s + rules.inside(words, "step", step_bin, take.index) / rules.density
        onset_s = max(min(onset_s, latest_s), earliest_s)
        return (onset_s, step_bin) if onset_s <= plan.end_s - LAST_ONSET_S else None

    def _value(self, take: _Take, head: str, drawn: tuple[int, ...]) -> tuple[int, float]:
        """(bin, number inside it) of the duration or velocity."""
        logits = self._stepper.logits(take.moments[-1].state, head, drawn)
        value = take.rules.draw(logits, head, take.index)
        return value, take.rules.inside(self._vocabulary, head, value, take.index)

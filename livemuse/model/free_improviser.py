"""Improvising in free time, with a model of the family ``performance``: one note after another.

It owns the model's state. Planned notes keep a snapshot each, so that going back to the last one that sounded costs
nothing. Pure but for the model: the same calls in the same order give the same notes.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from livemuse.model.memory import FEWEST_NOTES, LAST_ONSET_S, WINDOW_NOTES, Memory
from livemuse.model.pitches import HEARD_PITCHES, REMEMBERED, Reach, pitch_nats, reach_of
from livemuse.music.ceilings import LONGEST_REST_S, Ceilings, Hand
from livemuse.music.chance import uniform
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.protocols import Stepper
from livemuse.music.sampling import Draw, draw, within
from livemuse.music.schedule import Extension, Plan
from livemuse.music.vocabulary import HEADS, VOCABULARY, Vocabulary

_RESTRIKE_S: Final = 0.06  # the same pitch is not struck again sooner
_FINE: Final = len(HEADS)  # draws 4-7 place a value inside its bin


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything the next note depends on, after some note."""

    state: Any
    onset_s: float | None  # of the last note
    recent: tuple[int, ...]  # pitches of whoever played, oldest first
    heard: tuple[int, ...]  # pitches of the player alone
    hand: Hand  # never changed once it is in a moment


@dataclass(slots=True)
class _Take:
    plan: Plan
    reach: Reach | None
    moments: list[_Moment]  # [before the first note, after note 0, ...]
    notes: list[PlannedNote]
    done: bool = False


class FreeImproviser:
    """One partner with a memory: what was heard and played, and the takes being made."""

    def __init__(self, stepper: Stepper, memory: Memory | None = None, vocabulary: Vocabulary = VOCABULARY) -> None:
        self._stepper = stepper
        self._vocabulary = vocabulary
        self._takes: dict[int, _Take] = {}
        self._window: deque[Note] = deque(maxlen=WINDOW_NOTES)
        told = memory if memory is not None else Memory()
        self._now = _Moment(stepper.start(), None, (), (), told.hand)
        self.listen(told.window)
        self._now = replace(self._now, heard=told.heard)

    @property
    def busy(self) -> bool:
        """Whether a take is under way."""
        return bool(self._takes)

    @property
    def memory(self) -> Memory:
        """What another model is told of the evening so far."""
        return Memory(tuple(self._window), self._now.heard, self._now.hand)

    def listen(self, notes: Sequence[Note]) -> None:
        """These notes sounded, in the order of their onsets."""
        for note in notes:
            self._now = self._after(self._now, note)
            self._window.append(note)

    def begin(self, plan: Plan) -> None:
        """Make ready to improvise a take; the tail of the call is fed for this take alone."""
        moment = self._now
        for note in plan.tail:
            moment = self._after(moment, note)
        self._takes[plan.take] = _Take(plan, reach_of(moment.heard), [moment], [])

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
            take.done = left is not None and len(take.notes) >= left
        return Extension(take_id, tuple(notes), tuple(shortened), take.done)

    def settle(self, take_id: int, last_index: int | None) -> None:
        """Notes up to ``last_index`` sounded; what was planned after it never was."""
        take = self._takes.pop(take_id, None)
        if take is not None and last_index is not None:
            played = min(last_index - take.plan.first_index + 1, len(take.notes))
            self._now = take.moments[played]
            self._window.extend(take.plan.tail)
            self._window.extend(Note(n.onset_s, n.pitch, n.duration_s, n.velocity) for n in take.notes[:played])

    # --- one note ------------------------------------------------------------------------------------------------

    def _after(self, moment: _Moment, note: Note) -> _Moment:
        step_s = 0.0 if moment.onset_s is None else max(note.onset_s - moment.onset_s, 0.0)
        words = self._vocabulary
        state = self._stepper.feed(
            moment.state,
            (
                note.pitch,
                words.step_bin(step_s),
                words.duration_bin(note.duration_s),
                words.velocity_bin(note.velocity),
            ),
        )
        onset_s = note.onset_s if moment.onset_s is None else max(note.onset_s, moment.onset_s)
        recent = (*moment.recent, note.pitch)[-REMEMBERED:]
        return _Moment(state, onset_s, recent, (*moment.heard, note.pitch)[-HEARD_PITCHES:], moment.hand)

    def _next_note(self, take: _Take) -> tuple[PlannedNote, list[PlannedNote]] | None:
        plan, moment = take.plan, take.moments[-1]
        controls, ceilings = plan.controls, Ceilings.of(plan.controls)
        index = plan.first_index + len(take.notes)
        chance = _Chance(plan, index)
        pitch = self._pitch(moment, take.reach, chance)
        exact_s = plan.start_s if not take.notes else None
        timed = self._onset(take, pitch, chance, ceilings) if exact_s is None else self._exact(moment, exact_s)
        if timed is None:
            return None
        onset_s, step_bin = timed
        if not take.notes:
            onset_s = max(onset_s, moment.hand.earliest_s(ceilings))
        duration_bin, duration_s = self._value(moment.state, "duration", (pitch, step_bin), chance)
        velocity_bin, velocity = self._value(moment.state, "velocity", (pitch, step_bin, duration_bin), chance)
        duration_s = min(duration_s, plan.end_s - onset_s)
        loud = round(velocity * controls.number("velocity"))
        hand = moment.hand.copy()
        note, shortened = hand.place(PlannedNote(plan.take, index, onset_s, pitch, duration_s, loud), ceilings)
        state = self._stepper.feed(moment.state, (pitch, step_bin, duration_bin, velocity_bin))
        take.moments.append(_Moment(state, note.onset_s, (*moment.recent, pitch)[-REMEMBERED:], moment.heard, hand))
        take.notes.append(note)
        return note, shortened

    def _pitch(self, moment: _Moment, reach: Reach | None, chance: "_Chance") -> int:
        logits = self._stepper.logits(moment.state, "pitch", ())
        nats = pitch_nats(chance.controls, moment.recent, reach)
        return draw(logits - nats, chance.draw("pitch"), chance.u("pitch"))

    def _exact(self, moment: _Moment, start_s: float) -> tuple[float, int]:
        step_s = 0.0 if moment.onset_s is None else max(start_s - moment.onset_s, 0.0)
        return start_s, self._vocabulary.step_bin(step_s)

    def _onset(self, take: _Take, pitch: int, chance: "_Chance", ceilings: Ceilings) -> tuple[float, int] | None:
        """(onset, step bin) of the next note, or None where none fits before the end."""
        plan, moment = take.plan, take.moments[-1]
        density = plan.controls.number("density")
        previous_s = moment.onset_s if moment.onset_s is not None else plan.not_before_s
        struck_s = max((n.onset_s for n in take.notes[-8:] if n.pitch == pitch), default=float("-inf"))
        earliest_s = max(previous_s, plan.not_before_s, moment.hand.earliest_s(ceilings), struck_s + _RESTRIKE_S)
        latest_s = max(previous_s, plan.not_before_s) + LONGEST_REST_S
        missing = FEWEST_NOTES - (plan.first_index + len(take.notes))
        if missing > 0:
            latest_s = min(latest_s, previous_s + max(plan.end_s - LAST_ONSET_S - previous_s, 0.0) / (missing + 1))
        if earliest_s > plan.end_s - LAST_ONSET_S:
            return None
        words, step = self._vocabulary, (earliest_s - previous_s) * density
        low = words.step_bin(step)
        high = max(words.step_bin((latest_s - previous_s) * density), low)
        logits = within(self._stepper.logits(moment.state, "step", (pitch,)), low, high)
        step_bin = draw(logits, chance.draw("step"), chance.u("step"))
        onset_s = previous_s + chance.inside(words, "step", step_bin) / density
        onset_s = max(min(onset_s, latest_s), earliest_s)
        return (onset_s, step_bin) if onset_s <= plan.end_s - LAST_ONSET_S else None

    def _value(self, state: Any, head: str, drawn: tuple[int, ...], chance: "_Chance") -> tuple[int, float]:
        index = draw(self._stepper.logits(state, head, drawn), chance.draw(head), chance.u(head))
        return index, chance.inside(self._vocabulary, head, index)


class _Chance:
    """The draws of one note, each with a name of its own."""

    def __init__(self, plan: Plan, index: int) -> None:
        self.controls = plan.controls
        self._key = (plan.turn, 0, plan.revision, index)  # 0: the only candidate
        self._seed = int(plan.controls["seed"])

    def u(self, head: str) -> float:
        return uniform(self._seed, *self._key, HEADS.index(head))

    def draw(self, head: str) -> Draw:
        controls = self.controls
        factor = {"pitch": "temperature_pitch", "velocity": "temperature_velocity"}.get(head, "temperature_time")
        return Draw(
            controls.number("temperature") * controls.number(factor),
            int(controls.number("top_k")),
            controls.number("top_p"),
        )

    def inside(self, words: Vocabulary, head: str, index: int) -> float:
        """A value inside bin ``index``: by chance, or its centre where the temperature is 0."""
        if self.draw(head).temperature <= 0.0:
            return words.centre(head, index)
        return words.value(head, index, uniform(self._seed, *self._key, _FINE + HEADS.index(head)))

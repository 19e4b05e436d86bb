"""The improviser: hears notes, and makes the next ones, each drawn under the rules of the moment.

It owns the model's state. Planned notes keep a snapshot each, so that going back to the last one that sounded costs
nothing. Pure but for the model: the same calls in the same order give the same notes.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from livemuse.music.ceilings import LONGEST_REST_S, Ceilings, Hand
from livemuse.music.chance import uniform
from livemuse.music.notes import PIANO_HIGH, PIANO_LOW, Note, PlannedNote
from livemuse.music.protocols import Stepper
from livemuse.music.sampling import Draw, draw, ruled, within
from livemuse.music.schedule import Extension, Plan
from livemuse.music.theory import parse_key
from livemuse.music.vocabulary import HEADS, VOCABULARY, Vocabulary

WINDOW_NOTES: Final = 512  # the rolling window: what a newly chosen model is told of the evening so far
FEWEST_NOTES: Final = 3  # an answer has room for so many, however long its rests
_RESTRIKE_S: Final = 0.06  # the same pitch is not struck again sooner
_REMEMBERED: Final = 12  # notes that weigh on whether a pitch comes again
_FADE: Final = 0.8  # how much less each older one of them weighs
_REPEAT_NATS: Final = 4.0  # how much less likely each return makes a pitch, at repetition 0
_KEY_NATS: Final = 3.0  # how fast key_strength weighs: 0.5 costs a note outside the key 2 nats, 0.9 costs it 7
_LAST_ONSET_S: Final = 0.15  # no note is struck later than this before the end
_FINE: Final = len(HEADS)  # draws 4-7 place a value inside its bin


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything the next note depends on, after some note."""

    state: Any
    onset_s: float | None  # of the last note
    recent: tuple[int, ...]  # pitches, oldest first
    hand: Hand  # never changed once it is in a moment


@dataclass(slots=True)
class _Take:
    plan: Plan
    moments: list[_Moment]  # [before the first note, after note 0, ...]
    notes: list[PlannedNote]
    done: bool = False


class Improviser:
    """One partner with a memory: what was heard and played, and the takes being made."""

    def __init__(self, stepper: Stepper, vocabulary: Vocabulary = VOCABULARY) -> None:
        self._stepper = stepper
        self._vocabulary = vocabulary
        self._now = _Moment(stepper.start(), None, (), Hand())
        self._takes: dict[int, _Take] = {}
        self._window: deque[Note] = deque(maxlen=WINDOW_NOTES)
        self._next_stepper: Stepper | None = None

    def listen(self, notes: Sequence[Note]) -> None:
        """These notes sounded, in the order of their onsets."""
        for note in notes:
            self._now = self._after(self._now, note)
            self._window.append(note)

    def change_model(self, stepper: Stepper) -> None:
        """Go on with another model, told of the rolling window; at once, or when the take under way is settled."""
        self._next_stepper = stepper
        if not self._takes:
            self._take_up_model()

    def _take_up_model(self) -> None:
        if self._next_stepper is None:
            return
        self._stepper, self._next_stepper = self._next_stepper, None
        window = list(self._window)
        self._window.clear()
        self._now = _Moment(self._stepper.start(), None, (), self._now.hand)
        self.listen(window)

    def begin(self, plan: Plan) -> None:
        """Make ready to improvise a take; the tail of the call is fed for this take alone."""
        moment = self._now
        for note in plan.tail:
            moment = self._after(moment, note)
        self._takes[plan.take] = _Take(plan, [moment], [])

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
        if not self._takes:
            self._take_up_model()

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
        return _Moment(state, onset_s, (*moment.recent, note.pitch)[-_REMEMBERED:], moment.hand)

    def _next_note(self, take: _Take) -> tuple[PlannedNote, list[PlannedNote]] | None:
        plan, moment = take.plan, take.moments[-1]
        controls, ceilings = plan.controls, Ceilings.of(plan.controls)
        index = plan.first_index + len(take.notes)
        chance = _Chance(plan, index)
        pitch = self._pitch(moment, chance)
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
        take.moments.append(_Moment(state, note.onset_s, (*moment.recent, pitch)[-_REMEMBERED:], hand))
        take.notes.append(note)
        return note, shortened

    def _pitch(self, moment: _Moment, chance: "_Chance") -> int:
        controls = chance.controls
        register = controls.text("register")
        low, high = (PIANO_LOW, PIANO_HIGH) if register == "auto" else (int(p) for p in register.split("-"))
        weaker: dict[int, float] = {}
        nats = _REPEAT_NATS * (1.0 - controls.number("repetition"))
        for age, pitch in enumerate(reversed(moment.recent)):
            weaker[pitch] = weaker.get(pitch, -nats) + nats * _FADE**age
        weaker = {pitch: weight for pitch, weight in weaker.items() if weight > 0.0}  # once is no repetition
        forbidden = self._out_of_key(controls.text("key"), controls.number("key_strength"), (low, high), weaker)
        logits = within(self._stepper.logits(moment.state, "pitch", ()), low, high)
        return draw(ruled(logits, forbidden=forbidden, weaker=weaker), chance.draw("pitch"), chance.u("pitch"))

    @staticmethod
    def _out_of_key(key: str, strength: float, register: tuple[int, int], weaker: dict[int, float]) -> list[int]:
        """Pitches outside the key: forbidden at strength 1, else weakened in ``weaker``."""
        if key == "off" or strength <= 0.0:
            return []
        inside = parse_key(key).pitch_classes
        outside = [p for p in range(128) if p % 12 not in inside]
        if strength < 1.0:
            for pitch in outside:
                weaker[pitch] = weaker.get(pitch, 0.0) - _KEY_NATS * math.log(1.0 - strength)
            return []
        if all(p % 12 not in inside for p in range(register[0], register[1] + 1)):
            return []  # a register so narrow that the key has no note in it: the register holds
        return outside

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
            latest_s = min(latest_s, previous_s + max(plan.end_s - _LAST_ONSET_S - previous_s, 0.0) / (missing + 1))
        if earliest_s > plan.end_s - _LAST_ONSET_S:
            return None
        words, step = self._vocabulary, (earliest_s - previous_s) * density
        low = words.step_bin(step)
        high = max(words.step_bin((latest_s - previous_s) * density), low)
        logits = within(self._stepper.logits(moment.state, "step", (pitch,)), low, high)
        step_bin = draw(logits, chance.draw("step"), chance.u("step"))
        onset_s = previous_s + chance.inside(words, "step", step_bin) / density
        onset_s = max(min(onset_s, latest_s), earliest_s)
        return (onset_s, step_bin) if onset_s <= plan.end_s - _LAST_ONSET_S else None

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

"""What an improviser remembers of the evening, whatever the family of its model; and what it tells its successor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from livemuse.model.imitating import beat_of
from livemuse.model.rolling import Rolling
from livemuse.model.shaping import key_of
from livemuse.music.candidates import Wanted
from livemuse.music.ceilings import Hand
from livemuse.music.controls import Controls
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Chosen, Extension, Plan
from livemuse.music.styles import NO_STYLE

WINDOW_NOTES: Final = 512  # the rolling window: what a newly chosen model is told of the evening so far
FEWEST_NOTES: Final = 3  # an answer has room for so many, however long its rests
RETOLD_NOTES: Final = 8  # where another style is asked for, so many of the last are told anew, in that style
LAST_ONSET_S: Final = 0.15  # no note is struck later than this before the end
_KNOWN_BY: Final = 12  # last notes, by which one knows a call again
_HEARD: Final = frozenset({"key", "tempo", "chords"})  # what auto comes to may differ a little when it begins


@dataclass(frozen=True, slots=True)
class Memory:
    """The notes of both, oldest first; the pitches of the player alone; what livemuse's hand plays; and the styles.

    And the player's motifs, which reach farther back than the notes.
    """

    window: tuple[Note, ...] = ()
    heard: tuple[int, ...] = ()
    hand: Hand = field(default_factory=Hand)  # never changed once it is here
    mix: str = NO_STYLE  # what was asked for last, as the control `style` has it
    loud: tuple[int, ...] = ()  # the velocities of the player alone
    motifs: MotifMemory = field(default_factory=MotifMemory)  # never changed once it is here


class _Moment(Protocol):
    """Everything the next note depends on, after some note."""

    @property
    def heard(self) -> tuple[int, ...]: ...

    @property
    def hand(self) -> Hand: ...

    @property
    def mix(self) -> str: ...

    @property
    def loud(self) -> tuple[int, ...]: ...


Made = tuple[PlannedNote, list[PlannedNote]]
"""A note, and those that end sooner because of it."""

M = TypeVar("M", bound=_Moment)


class _Take(Protocol[M]):
    """An answer that is being made."""

    plan: Plan
    moments: list[M]  # [before the first note, after note 0, ...]
    notes: list[PlannedNote]

    @property
    def done(self) -> bool: ...


T = TypeVar("T", bound=_Take)  # type: ignore[type-arg]


@dataclass(slots=True)
class _Call(Generic[M]):
    """The moment a turn began at, to which one comes back for another answer."""

    turn: int
    moment: M
    start_s: float  # of the first answer
    window: tuple[Note, ...]
    heard_since: deque[Note] = field(default_factory=lambda: deque(maxlen=WINDOW_NOTES))


class Remembering(ABC, Generic[M, T]):
    """The part of an improviser that remembers: what was heard and played, and the takes that are being made."""

    def __init__(self, now: M) -> None:
        self._now = now
        self._takes: dict[int, T] = {}
        self._window: deque[Note] = deque(maxlen=WINDOW_NOTES)
        self._motifs = MotifMemory()
        self._call: _Call[M] | None = None
        self._next_call: _Call[M] | None = None  # whose answer has not sounded yet
        self._phrase: deque[Note] = deque(maxlen=WINDOW_NOTES)  # the player's, since livemuse played
        self._last_answer: tuple[int, list[Note]] = (0, [])  # (turn, its notes)
        self._rolling: tuple[tuple[object, ...], Rolling] | None = None  # for which call, and the candidates
        self._rolled_for: tuple[float, float, Controls] | None = None  # when, and how
        self._rolls = False

    @property
    def busy(self) -> bool:
        """Whether a take is under way."""
        return bool(self._takes)

    @property
    def memory(self) -> Memory:
        """What another model is told of the evening so far."""
        now = self._now
        return Memory(tuple(self._window), now.heard, now.hand, now.mix, now.loud, self._motifs.copy())

    @property
    def motifs(self) -> MotifMemory:
        """What the player played, as it can be taken up by the next take: one under way has a copy of its own."""
        return self._motifs

    @motifs.setter
    def motifs(self, memory: MotifMemory) -> None:
        self._motifs = memory

    def listen(self, notes: Sequence[Note]) -> None:
        """These notes sounded, in the order of their onsets."""
        for note in notes:
            self._hear(note)
            self._motifs.hear(note)
            for call in (self._call, self._next_call):
                if call is not None:
                    call.heard_since.append(note)

    def begin(self, plan: Plan) -> None:
        """Make ready to improvise a take; the tail of the call is fed for this take alone."""
        take = self._takes[plan.take] = self._open(plan, self._after_tail(plan))
        self._rolls = False
        call = self._call
        if plan.revision == 0 and (call is None or call.turn != plan.turn):
            self._next_call = _Call(plan.turn, take.moments[0], plan.not_before_s, (*self._window, *plan.tail))

    def extend(self, take_id: int, until_s: float, most: int = 64) -> Extension:
        """Up to ``most`` more notes, until one lies past ``until_s``; nothing for a take that is settled."""
        take = self._takes.get(take_id)
        if take is None:
            return Extension(take_id, (), (), True)
        notes: list[PlannedNote] = []
        shortened: list[PlannedNote] = []
        while not take.done and len(notes) < most and (not take.notes or take.notes[-1].onset_s <= until_s):
            made = self._next(take)
            if made is not None:
                notes.append(made[0])
                shortened += made[1]
        return Extension(take_id, tuple(notes), tuple(shortened), take.done)

    def remember(self, earlier: MotifMemory | None, at_s: float) -> None:
        """What was played in an earlier session may be taken up too; None: nothing that was struck before ``at_s``."""
        if earlier is None:
            self._motifs.clear(at_s)
        else:
            self._motifs = self._motifs.after(earlier)

    def settle(self, take_id: int, last_index: int | None) -> None:
        """Notes up to ``last_index`` sounded; what was planned after it never was."""
        self._rolls = False
        take = self._takes.pop(take_id, None)
        if take is not None and last_index is not None:
            played = min(last_index - take.plan.first_index + 1, len(take.notes))
            self._now = take.moments[played]
            self._window.extend(take.plan.tail)
            for note in take.plan.tail:
                self._motifs.hear(note)
            self._motifs.beat(beat_of(take.plan))
            notes = [Note(n.onset_s, n.pitch, n.duration_s, n.velocity) for n in take.notes[:played]]
            self._window.extend(notes)
            self._phrase.clear()
            turn, before = self._last_answer
            self._last_answer = (take.plan.turn, [*before, *notes] if turn == take.plan.turn else notes)
            if self._next_call is not None and self._next_call.turn == take.plan.turn:
                self._call, self._next_call = self._next_call, None

    def discard(self, turn: int, at_s: float) -> None:
        """Forget what was played of this turn, as if its call had just ended and the answer were to begin at ``at_s``.

        What the ceilings count stays: it has sounded.
        """
        call = self._call
        if call is None or call.turn != turn:
            return
        self._now = self._back(call.moment, at_s - call.start_s)
        self._window = deque(call.window, WINDOW_NOTES)
        self._last_answer = (0, [])
        for note in call.heard_since:
            self._hear(note)

    # --- candidates ----------------------------------------------------------------------------------------------

    def roll(self, plan: Plan) -> None:
        """Begin to roll candidates for an answer that may be wanted soon; ``roll_on`` does the work."""
        basis, exactly = self._basis(plan), (plan.not_before_s, plan.end_s, plan.controls)
        if self._rolling is None or self._rolling[0] != basis or self._rolled_for != exactly:
            self._rolling = basis, self._candidates(plan, int(plan.controls.number("candidates")))
            self._rolled_for = exactly
        self._rolls = True

    def roll_on(self) -> bool:
        """Roll a little further, some milliseconds at most; whether there is more to roll."""
        if not self._rolls or self._rolling is None:
            return False
        rolling = self._rolling[1]
        if not rolling.over:
            rolling.go_on()
        self._rolls = not rolling.over
        return self._rolls

    def choose(self, plan: Plan) -> Chosen | None:
        """The best of the candidates that were rolled for this call; None where there are none."""
        rolling, self._rolling, self._rolls = self._rolling, None, False
        if rolling is None or rolling[0] != self._basis(plan):
            return None
        return rolling[1].chosen(plan.take)

    def _wanted(self, plan: Plan, surprise: float | None = None) -> Wanted:
        """What candidates for this plan are held against."""
        call = (*self._phrase, *plan.tail)
        return Wanted(call, self._last_answer[1], key_of(plan) or plan.context.likely_key, plan.end_s, surprise)

    def _basis(self, plan: Plan) -> tuple[object, ...]:
        last = [*self._window, *plan.tail][-_KNOWN_BY:]
        controls = {name: value for name, value in plan.controls.items() if name not in _HEARD}
        return plan.turn, controls, [(note.onset_s, note.pitch) for note in last]

    def _hear(self, note: Note) -> None:
        self._now = self._after(self._now, note)
        self._window.append(note)
        self._phrase.append(note)

    @abstractmethod
    def _after_tail(self, plan: Plan) -> M:
        """The moment after the tail of the call."""

    @abstractmethod
    def _open(self, plan: Plan, moment: M) -> T:
        """A take with this plan, from a moment on."""

    @abstractmethod
    def _next(self, take: T) -> Made | None:
        """One more note of a take; or one step towards it, or none where the take is done."""

    @abstractmethod
    def _candidates(self, plan: Plan, count: int) -> Rolling:
        """So many answers that might be given, to be rolled ahead."""

    @abstractmethod
    def _back(self, moment: M, late_s: float) -> M:
        """An earlier moment so much later once more, with livemuse's hand as it is now."""

    @abstractmethod
    def _after(self, moment: M, note: Note) -> M:
        """The moment after one more note was heard."""

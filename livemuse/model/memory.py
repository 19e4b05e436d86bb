"""What an improviser remembers of the evening, whatever the family of its model; and what it tells its successor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from livemuse.music.ceilings import Hand
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Plan
from livemuse.music.styles import NO_STYLE

WINDOW_NOTES: Final = 512  # the rolling window: what a newly chosen model is told of the evening so far
FEWEST_NOTES: Final = 3  # an answer has room for so many, however long its rests
RETOLD_NOTES: Final = 8  # where another style is asked for, so many of the last are told anew, in that style
LAST_ONSET_S: Final = 0.15  # no note is struck later than this before the end


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


M = TypeVar("M", bound=_Moment)


class _Take(Protocol[M]):
    """An answer that is being made."""

    plan: Plan
    moments: list[M]  # [before the first note, after note 0, ...]
    notes: list[PlannedNote]


T = TypeVar("T", bound=_Take)  # type: ignore[type-arg]


class Remembering(ABC, Generic[M, T]):
    """The part of an improviser that remembers: what was heard and played, and the takes that are being made."""

    def __init__(self, now: M) -> None:
        self._now = now
        self._takes: dict[int, T] = {}
        self._window: deque[Note] = deque(maxlen=WINDOW_NOTES)
        self._motifs = MotifMemory()

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
            self._now = self._after(self._now, note)
            self._window.append(note)
            self._motifs.hear(note)

    def remember(self, earlier: MotifMemory | None, at_s: float) -> None:
        """What was played in an earlier session may be taken up too; None: nothing that was struck before ``at_s``."""
        if earlier is None:
            self._motifs.clear(at_s)
        else:
            self._motifs = self._motifs.after(earlier)

    def settle(self, take_id: int, last_index: int | None) -> None:
        """Notes up to ``last_index`` sounded; what was planned after it never was."""
        take = self._takes.pop(take_id, None)
        if take is not None and last_index is not None:
            played = min(last_index - take.plan.first_index + 1, len(take.notes))
            self._now = take.moments[played]
            self._window.extend(take.plan.tail)
            for note in take.plan.tail:
                self._motifs.hear(note)
            self._window.extend(Note(n.onset_s, n.pitch, n.duration_s, n.velocity) for n in take.notes[:played])

    @abstractmethod
    def _after(self, moment: M, note: Note) -> M:
        """The moment after one more note was heard."""

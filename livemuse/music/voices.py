"""The lines in which a motif can lie, taken out of polyphonic playing as it comes: one note after another, no waiting.

A line is known by its intervals, so that what comes back in another key is the same. Three lines go through the same
notes, because none of them is always the tune: ``upper`` is the skyline with an ear for streams (a note far below the
last one of the line is an accompaniment, the farther the sooner it comes), ``tops`` is the highest note of every chord,
``all`` is every note as it was struck. Sources: the skyline of Uitdenbogerd and Zobel 1999; streams by pitch and time
after Bregman 1990.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from livemuse.music.notes import Note
from livemuse.music.returns import CHORD_S, Returns

Kind = Literal["upper", "tops", "all"]
KINDS: Final[tuple[Kind, ...]] = ("upper", "tops", "all")

LONGEST_MATCH: Final = 10  # intervals that are compared, going back
_FALL: Final = 7.0  # semitones down that the upper line may leap among accompaniment
_FALL_ALONE: Final = 16.0  # and where it has been alone for a while
_FALL_A_S: Final = 8.0  # and more for each second since its last note
_LET_GO_S: Final = 2.0  # a line that has been silent for so long goes on wherever the music does
_ALONE: Final = 4  # notes in a row that were all of the line: it is alone
_REACH: Final[dict[Kind, int]] = {"upper": 4, "tops": 0, "all": 1}  # how far the next note of what comes back may lie
_LOOKED_AT: Final = 48  # earlier places with the same interval that are compared, the latest first


class Voice:
    """One line through what was played; places in it are counted from 0."""

    __slots__ = ("_count", "_searching", "_where", "at", "intervals", "kind", "returns", "searched")

    def __init__(self, kind: Kind, searched: bool = True) -> None:
        self.kind: Kind = kind
        self.searched = searched and _REACH[kind] > 0  # for what comes back in it
        self.at: list[int] = []  # which of the notes belong to it
        self.intervals: list[int | None] = []  # from its note before; None where a phrase begins
        self.returns = Returns(_REACH[kind])
        self._where: dict[int, list[int]] = {}  # interval -> the places it leads to
        self._count = 0  # notes of it in this phrase
        self._searching = True

    def copy(self) -> Voice:
        """A voice that can go its own way."""
        other = Voice(self.kind, self.searched)
        other.at, other.intervals, other.returns = self.at.copy(), self.intervals.copy(), self.returns.copy()
        other._count = self._count
        other._where = {interval: places.copy() for interval, places in self._where.items()}
        return other

    def hear(self, notes: Sequence[Note], begins: bool, *, searching: bool = True) -> None:
        """The last of ``notes`` is new; ``begins`` where a phrase begins with it; ``searching`` for what came back."""
        self._searching = searching
        index = len(notes) - 1
        if begins or not self.at:
            self._append(notes, None)
            return
        joins = self._joins(notes, index)
        if joins == "instead":
            begins = self.intervals[-1] is None
            self._drop_last()
        if joins != "no":
            before = None if begins or not self.at else notes[self.at[-1]].pitch
            self._append(notes, None if before is None else notes[index].pitch - before)

    def times(self, interval: int) -> int:
        """How often an interval stands in it."""
        return len(self._where.get(interval, ()))

    def matches(self, intervals: Sequence[int | None]) -> list[tuple[int, int]]:
        """(place, how many of the intervals lead to it, going back) of the latest places to which the last one does."""
        last = intervals[-1] if intervals else None
        if last is None:
            return []
        found = []
        for place in reversed(self._where.get(last, ())[-_LOOKED_AT:]):
            length = 1
            while (
                length < min(len(intervals), place + 1, LONGEST_MATCH)
                and intervals[-1 - length] is not None
                and self.intervals[place - length] == intervals[-1 - length]
            ):
                length += 1
            found.append((place, length))
        return found

    def _joins(self, notes: Sequence[Note], index: int) -> Literal["yes", "no", "instead"]:
        note, last = notes[index], notes[self.at[-1]]
        if self.kind == "all":
            return "yes"
        gap_s = note.onset_s - last.onset_s
        if gap_s < CHORD_S:
            return "instead" if note.pitch > last.pitch else "no"
        if self.kind == "tops" or gap_s > _LET_GO_S:
            return "yes"
        alone = len(self.at) >= _ALONE and self.at[-_ALONE] == index - _ALONE
        fall = (_FALL_ALONE if alone else _FALL) + _FALL_A_S * gap_s
        return "yes" if note.pitch >= last.pitch - fall else "no"

    def _append(self, notes: Sequence[Note], interval: int | None) -> None:
        self.at.append(len(notes) - 1)
        self.intervals.append(interval)
        self._count = 1 if interval is None else self._count + 1
        if interval is not None:
            self._where.setdefault(interval, []).append(len(self.at) - 1)
        if self.searched:
            self.returns.hear(notes, self.at, self._count, searching=self._searching)

    def _drop_last(self) -> None:
        place = len(self.at) - 1
        self.at.pop()
        interval = self.intervals.pop()
        self._count -= 1
        if interval is not None:
            self._where[interval].pop()
        if self.searched:
            self.returns.drop(place)

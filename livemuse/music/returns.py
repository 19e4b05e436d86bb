"""What came back: runs of a line that stood there before, in whatever key and tempo, foreign notes in between or not.

Two notes of a line are in the same relation as two earlier ones if their interval is the same and the time between them
is, in proportion to the tempo of both runs. Runs grow note by note over such pairs; a few notes of the line between two
that agree are passed over, because in real playing an accompaniment breaks into every tune. The proportions are what
tells a motif from chance: intervals alone agree everywhere.

Source: patterns as what is kept under translation (SIA, Meredith et al. 2002), here in pitch, and in time but for a
factor; and one note after another.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from livemuse.music.notes import Note

CHORD_S: Final = 0.04  # onsets closer than this are one chord
FEWEST: Final = 4  # notes of a run worth keeping
LONGEST: Final = 16  # notes: what is longer is a passage, not a motif
_KEPT: Final = 256  # runs
_LOOKED_AT: Final = 40  # earlier pairs with the same interval that are compared, the latest first
_OCTAVES: Final = 0.25  # of tempo by which two pairs of one run may differ
_SLACK_S: Final = 0.03  # or so many seconds: nobody plays short times exactly
_TEMPI: Final = 2.0  # times as fast, at most, is one run as the other
_LONGEST_STEP_S: Final = 2.5


@dataclass(slots=True)
class Run:
    """Some notes of a line, by their places, that stood there before in the same relation; never changed once made."""

    length: int
    begin: int  # the place of its first note
    here: int  # and of its last
    there: int  # and of that note before
    octaves: float  # how much slower it is here, as a power of 2: the mean of its steps
    spread: float  # the sum of what its steps are off that
    passed_over: int  # notes of the line between its own
    before: Run | None = None  # without its last note

    @property
    def places(self) -> list[int]:
        """The places of its notes where they stand now, in order."""
        run: Run | None = self
        found: list[int] = []
        while run is not None:
            found.append(run.here)
            begin, run = run.begin, run.before
        return [begin, *reversed(found)]

    @property
    def worth(self) -> float:
        """Longer is better, unless it is loose."""
        return self.length - 2.0 * self.spread / max(self.length - 2, 1) - 0.3 * self.passed_over


class Returns:
    """Listens to one line and remembers the runs that came back in it; ``reach`` - 1 notes may be passed over."""

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._where: dict[int, list[tuple[int, int, float]]] = {}  # interval -> (later place, earlier place, seconds)
        self._last: deque[dict[int, Run]] = deque(maxlen=reach)  # of the last few places: earlier place -> best run
        self._runs: deque[Run] = deque(maxlen=_KEPT)  # the best up to each place

    def copy(self) -> Returns:
        """Returns that can go their own way."""
        other = Returns(self._reach)
        other._where = {interval: pairs.copy() for interval, pairs in self._where.items()}
        other._last, other._runs = self._last.copy(), self._runs.copy()
        return other

    @property
    def runs(self) -> list[Run]:
        """What came back, oldest first; not the beginnings of what went on."""
        went_on = {id(run.before) for run in self._runs}
        return [run for run in self._runs if id(run) not in went_on]

    def hear(self, notes: Sequence[Note], line: Sequence[int], count: int, *, searching: bool) -> None:
        """The last of ``line`` (which of ``notes`` it is made of) is new, and note number ``count`` of its phrase.

        Where it is not ``searching``, the note is only remembered for others to come back to.
        """
        here = len(line) - 1
        note = notes[line[here]]
        found: dict[int, Run] = {}
        pairs: list[tuple[int, int, float]] = []
        for back in range(1, min(self._reach, count - 1) + 1):
            before = here - back
            earlier = notes[line[before]]
            interval, step_s = note.pitch - earlier.pitch, note.onset_s - earlier.onset_s
            if step_s > _LONGEST_STEP_S:
                break
            if step_s < CHORD_S:  # a chord is no motif
                continue
            pairs.append((interval, before, step_s))
            if not searching:
                continue
            runs = self._last[-back] if back <= len(self._last) else {}
            for there, old, old_s in reversed(self._where.get(interval, ())[-_LOOKED_AT:]):
                if there < before and 1.0 / _TEMPI <= step_s / old_s <= _TEMPI:
                    over = back + there - old - 2
                    run = _longer(runs.get(old), (before, here, there), step_s / old_s, step_s, over)
                    if there not in found or run.worth > found[there].worth:
                        found[there] = run
        for interval, before, step_s in pairs:
            self._where.setdefault(interval, []).append((here, before, step_s))
        self._last.append(found)
        best = max(found.values(), key=lambda run: run.worth, default=None)
        if best is not None and best.length >= FEWEST:
            self._runs.append(best)

    def drop(self, here: int) -> None:
        """The note heard last, at this place, is not of the line after all."""
        for pairs in self._where.values():
            while pairs and pairs[-1][0] == here:
                pairs.pop()
        if self._last:
            self._last.pop()
        if self._runs and self._runs[-1].here == here:
            self._runs.pop()


def _longer(run: Run | None, places: tuple[int, int, int], factor: float, step_s: float, over: int) -> Run:
    """The run with one more pair of notes, or a new one of two where there is none that agrees."""
    before, here, there = places
    octaves = math.log2(factor)
    if run is not None and run.length < LONGEST and there < run.begin:
        off = abs(octaves - run.octaves)
        if off <= _OCTAVES or off * step_s <= _SLACK_S:
            count = run.length - 1
            mean = (run.octaves * count + octaves) / (count + 1)
            return Run(run.length + 1, run.begin, here, there, mean, run.spread + off, run.passed_over + over, run)
    return Run(2, before, here, there, octaves, 0.0, over)

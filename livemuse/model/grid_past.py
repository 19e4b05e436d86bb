"""What was heard, on the grid: an immutable past to which notes are added, each sixteenth fed once it is final.

The notes come in the order of their onsets, so a sixteenth is final when a later one has its first note. Between two
onsets at most MOST_SILENT sixteenths are fed: a longer rest counts as a shorter one that keeps the place in the bar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from livemuse.model.grid_stepper import GridState, GridStepper
from livemuse.music.context import BeatGrid
from livemuse.music.grid import PER_BAR, PER_BEAT, Frame, frame_at
from livemuse.music.notes import Note

MOST_SILENT: Final = 2 * PER_BAR
SAME_TEMPO: Final = 0.03  # tempi no farther apart are one
NEAR: Final = 0.2  # of a sixteenth: what lies so near a line lies on it
_REMEMBERED: Final = 512  # sixteenths: more than an answer is ever begun with


class Feeding:
    """Feeds a model and remembers what came of it: a call that was all but final is not fed twice."""

    def __init__(self, stepper: GridStepper) -> None:
        self._stepper = stepper
        self._known: dict[tuple[int, Frame, int], tuple[GridState, GridState]] = {}

    def feed(self, state: GridState, frame: Frame, position: int) -> GridState:
        """The state after one more sixteenth."""
        key = (id(state), frame, position)
        found = self._known.get(key)
        if found is None:
            found = (state, self._stepper.feed(state, frame, position))  # kept, or its id would become another's
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found[1]


@dataclass(frozen=True, slots=True)
class Lines:
    """Where sixteenths begin: one of them, of a frame whose number ``per`` divides, and how long each lasts."""

    at_s: float
    sixteenth_s: float
    per: int = PER_BEAT  # PER_BAR where it is known where bars begin

    @classmethod
    def of(cls, beats: BeatGrid | None, bpm: float) -> Lines | None:
        """On the beats that are heard, where they are those of the tempo that is meant; None where they are not."""
        if beats is None or abs(beats.period_s * bpm / 60.0 - 1.0) > SAME_TEMPO:
            return None
        if beats.bar_s is not None and beats.beats_a_bar == PER_BAR // PER_BEAT:
            return cls(beats.bar_s, beats.period_s / PER_BEAT, PER_BAR)
        return cls(beats.beat_s, beats.period_s / PER_BEAT)

    def number(self, time_s: float) -> float:
        """How many sixteenths a time is after the one that is given."""
        return (time_s - self.at_s) / self.sixteenth_s

    def begin_s(self, number: int) -> float:
        """When the sixteenth so numbered begins."""
        return self.at_s + number * self.sixteenth_s


@dataclass(frozen=True, slots=True)
class Past:
    """A row of sixteenths fed to a model, and the one that is still open."""

    state: GridState  # after all sixteenths before the open one
    frame: int = 0  # the open one, from the beginning of the evening
    at_s: float = math.nan  # where it begins; no number until a note was heard
    sounding: tuple[tuple[int, float], ...] = ()  # (pitch, its end in seconds), by pitch: in the open one and on
    struck: frozenset[int] = frozenset()  # in the open one

    @property
    def nothing_yet(self) -> bool:
        """Whether nothing was heard."""
        return math.isnan(self.at_s)

    def after(self, feeding: Feeding, note: Note, sixteenth_s: float) -> Past:
        """With one note more; one that began earlier than the last counts as beginning with it."""
        past = self
        if self.nothing_yet:
            past = replace(self, at_s=note.onset_s)
        gap = max(past._sixteenths_to(note.onset_s, sixteenth_s), 0)
        return past._skip(feeding, gap, sixteenth_s).with_struck(note.pitch, note.end_s)

    def on(self, lines: Lines) -> Past | None:
        """The same, its open sixteenth moved a little onto these lines; None where it lies elsewhere."""
        number = lines.number(self.at_s)
        nearest = math.floor(number + 0.5)
        if abs(number - nearest) > NEAR or (self.frame - nearest) % lines.per:
            return None
        return replace(self, at_s=lines.begin_s(nearest))

    def until(self, feeding: Feeding, time_s: float, sixteenth_s: float, multiple: int, *, early: float = 1e-6) -> Past:
        """Closed up to a time: the open sixteenth is the first at or after it whose number ``multiple`` divides, or
        one that begins so little earlier (``early``, in sixteenths).

        Where ``multiple`` is more than 1, that sixteenth is taken to begin at ``time_s``.
        """
        if self.nothing_yet:
            return replace(self, at_s=time_s)
        least = 1 if self.struck else 0
        gap = max(math.ceil((time_s - self.at_s) / sixteenth_s - early), least)
        gap += -(self.frame + gap) % multiple
        past = self._skip(feeding, gap, sixteenth_s)
        return replace(past, at_s=time_s) if multiple > 1 else past

    def with_struck(self, pitch: int, end_s: float) -> Past:
        """With a key struck in the open sixteenth; of two that strike the same one there, the longer counts."""
        if pitch in self.struck:
            end_s = max(end_s, *(e for p, e in self.sounding if p == pitch))
        others = (row for row in self.sounding if row[0] != pitch)
        return replace(self, sounding=tuple(sorted((*others, (pitch, end_s)))), struck=self.struck | {pitch})

    def with_ends(self, ends: tuple[tuple[int, float], ...]) -> Past:
        """With other ends for what sounds; the last one given for a pitch counts."""
        known = dict(ends)
        return replace(self, sounding=tuple((p, known.get(p, e)) for p, e in self.sounding))

    def _sixteenths_to(self, time_s: float, sixteenth_s: float) -> int:
        try:
            return frame_at(time_s, sixteenth_s, self.at_s)
        except ValueError:  # hours away: a long rest like any other
            return MOST_SILENT + PER_BAR if time_s > self.at_s else 0

    def _skip(self, feeding: Feeding, gap: int, sixteenth_s: float) -> Past:
        """The sixteenth ``gap`` further on is open; those before it are fed, at most MOST_SILENT of them."""
        if gap == 0:
            return self
        fed = gap if gap <= MOST_SILENT else PER_BAR + gap % PER_BAR
        state, struck, sounding = self.state, self.struck, self.sounding
        for k in range(fed):
            frame: Frame = (frozenset(p for p, _ in sounding), struck)
            state = feeding.feed(state, frame, (self.frame + k + 1) % PER_BAR)
            struck = frozenset()
            next_s = self.at_s + (k + 1.5) * sixteenth_s  # an end goes to the nearest sixteenth
            sounding = tuple(row for row in sounding if row[1] >= next_s)
        sounding = tuple(row for row in sounding if row[1] >= self.at_s + (gap + 0.5) * sixteenth_s)
        return Past(state, self.frame + fed, self.at_s + gap * sixteenth_s, sounding, struck)

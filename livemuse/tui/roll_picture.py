"""The piano roll as colours: which half of which cell shows which note. Pure; the widget paints it.

A picture has two *lanes* a row of the terminal (upper and lower half of a cell), the highest pitches on top. A lane
shows ``pitches_a_lane`` neighbouring pitches: one where the music fits, more where it spans the keyboard.
"""

from dataclasses import dataclass, replace
from typing import Final

from livemuse.tui.score import Score

SECONDS_A_COLUMN: Final = 0.1
PAST_SHARE: Final = 2 / 3  # of the width lies left of the now-line

# what a half cell shows
WHITE, BLACK, OCTAVE, NOW, PLANNED = range(5)
SOFTEST: Final = {"player": 8, "livemuse": 16}  # four loudnesses from here on, then the head of a note
LOUDNESSES: Final = 4
HEAD: Final = LOUDNESSES  # added to SOFTEST
_BLACK_KEYS: Final = frozenset({1, 3, 6, 8, 10})
_MARGIN: Final = 2  # pitches kept free above and below the music


@dataclass(frozen=True, slots=True)
class Frame:
    """What part of the music the picture shows: ``lanes`` high, from ``low`` upwards."""

    columns: int
    lanes: int
    low: int = 48
    pitches_a_lane: int = 1

    @property
    def now_column(self) -> int:
        """The column that shows the present moment."""
        return int(self.columns * PAST_SHARE)

    @property
    def past_s(self) -> float:
        """How long ago the left edge is."""
        return self.now_column * SECONDS_A_COLUMN

    @property
    def span(self) -> int:
        """How many pitches it shows."""
        return self.lanes * self.pitches_a_lane

    def lane_of(self, pitch: int) -> int:
        """The lane of a pitch, 0 on top; outside 0..lanes-1 where it is not shown."""
        return self.lanes - 1 - (pitch - self.low) // self.pitches_a_lane

    def following(self, lowest: int, highest: int, most_steps: int) -> "Frame":
        """This frame moved towards showing ``lowest``..``highest``, by at most ``most_steps`` pitches; a music that is
        wider than the frame makes it coarser at once, and it becomes fine again when the music has become narrow."""
        wanted = highest - lowest + 1 + 2 * _MARGIN
        scale = self.pitches_a_lane
        while wanted > self.lanes * scale:
            scale += 1
        while scale > 1 and wanted + 6 <= self.lanes * (scale - 1):
            scale -= 1
        if scale != self.pitches_a_lane:
            middle = (lowest + highest) // 2
            return replace(self, pitches_a_lane=scale, low=middle - self.lanes * scale // 2)
        too_low = self.low - (lowest - _MARGIN)
        too_high = highest + _MARGIN - (self.low + self.span - 1)
        if too_low > 0:
            return replace(self, low=self.low - min(too_low, most_steps))
        if too_high > 0:
            return replace(self, low=self.low + min(too_high, most_steps))
        return self


def extent(score: Score, from_s: float, until_s: float) -> tuple[int, int] | None:
    """The lowest and highest pitch from ``from_s`` on, what is planned included; None where there is none."""
    pitches = [note.pitch for note in score.between(from_s, until_s)]
    pitches += [pitch for onset_s, end_s, pitch, _ in score.planned if end_s >= from_s and onset_s <= until_s]
    return (min(pitches), max(pitches)) if pitches else None


def empty_lane(frame: Frame, lane: int) -> bytearray:
    """A lane without notes: the shade of its key, and the now-line."""
    first = frame.low + (frame.lanes - 1 - lane) * frame.pitches_a_lane
    classes = {pitch % 12 for pitch in range(first, first + frame.pitches_a_lane)}
    shade = OCTAVE if 0 in classes else BLACK if classes <= _BLACK_KEYS else WHITE
    shades = bytearray([shade]) * frame.columns
    if frame.columns:
        shades[frame.now_column] = NOW
    return shades


def paint(frame: Frame, score: Score, now_s: float) -> list[bytearray]:
    """The lanes from the top down, each ``columns`` wide; times are drawn as multiples of a column, so that a note
    keeps its length while it moves."""
    lanes = [empty_lane(frame, lane) for lane in range(frame.lanes)]
    now_tick = column_tick(now_s)
    for onset_s, end_s, pitch, _ in score.planned:
        lane = frame.lane_of(pitch)
        if end_s > now_s and 0 <= lane < frame.lanes:
            start = max(column_tick(onset_s) - now_tick, 1)
            _fill(lanes[lane], frame.now_column + start, frame.now_column + column_tick(end_s) - now_tick, PLANNED)
    for note in score.between(now_s - frame.past_s - 1, now_s + 1):
        lane = frame.lane_of(note.pitch)
        if not 0 <= lane < frame.lanes:
            continue
        start = frame.now_column + min(column_tick(note.onset_s) - now_tick, 0)
        end = frame.now_column + (1 if note.end_s is None else min(column_tick(note.end_s) - now_tick, 1))
        softest = SOFTEST[note.who]
        _fill(lanes[lane], start, end, softest + note.velocity * LOUDNESSES // 128)
        if 0 <= start < frame.columns:
            lanes[lane][start] = softest + HEAD
    return lanes


def column_tick(at_s: float) -> int:
    """The number of the column a moment falls into."""
    return int(at_s // SECONDS_A_COLUMN)


def _fill(lane: bytearray, start: int, end: int, shade: int) -> None:
    """Columns ``start`` to ``end``, the last one left out where the note is longer than one: a gap before the next."""
    start, stop = max(start, 0), min(max(end, start + 1), len(lane))
    if start < stop:
        lane[start:stop] = bytes([shade]) * (stop - start)

"""The piano roll: time runs to the left through the now-line, and what is planned waits on its right."""

from itertools import groupby
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from livemuse.music.theory import pitch_name
from livemuse.tui.colours import FAINT, GROUND, LIVEMUSE, PANEL, PLAYER, RULE, blend, ink, line
from livemuse.tui.roll_picture import (
    BLACK,
    HEAD,
    LOUDNESSES,
    NOW,
    OCTAVE,
    PLANNED,
    SOFTEST,
    WHITE,
    Frame,
    column_tick,
    extent,
    paint,
)
from livemuse.tui.score import Score

_GUTTER: Final = 4  # cells on the left for the names of octaves
_FOLLOW_PITCHES: Final = 1  # a column of time: the window glides after the music
_HINT: Final = (
    "Play your MIDI keyboard, or type",
    "z x c v b n m  (low)   q w e r t y u  (high)",
    "Stop, and livemuse answers.",
)


def _colours() -> dict[int, str]:
    shades = {
        WHITE: "#12151d",
        BLACK: GROUND,
        OCTAVE: "#1b202c",
        NOW: "#56617d",
        PLANNED: blend(LIVEMUSE, GROUND, 0.34),
    }
    for who, colour in (("player", PLAYER), ("livemuse", LIVEMUSE)):
        for level in range(LOUDNESSES):
            shades[SOFTEST[who] + level] = blend(colour, GROUND, 0.42 + 0.18 * level)
        shades[SOFTEST[who] + HEAD] = blend("#ffffff", colour, 0.5)
    return shades


COLOURS: Final = _colours()


class PianoRoll(Widget):
    """Draws a ``Score``; ``advance`` moves it to the present and redraws the lines that changed, no others."""

    def __init__(self, score: Score) -> None:
        super().__init__(id="roll")
        self._score = score
        self._frame = Frame(0, 0)
        self._drawn: tuple[int, int, Frame] = (0, -1, self._frame)  # tick, version, frame of what is on the screen
        self._lanes: list[bytearray] = []
        self._cells: dict[tuple[int, int, int], tuple[str, Style]] = {}
        self._hinting = True  # nothing was played yet

    def advance(self, now_s: float) -> bool:
        """Show the music as it is at ``now_s``; tells whether time alone will change the picture."""
        columns, rows = max(self.size.width - _GUTTER, 0), self.size.height
        if (columns, 2 * rows) != (self._frame.columns, self._frame.lanes):
            middle = self._frame.low + self._frame.span // 2 if self._frame.lanes else 62
            self._frame = Frame(columns, 2 * rows, middle - rows)
        tick = column_tick(now_s)
        if tick != self._drawn[0]:
            self._follow(now_s)
        drawn = (tick, self._score.version, self._frame)
        if drawn != self._drawn:
            self._drawn = drawn
            self._show(paint(self._frame, self._score, now_s))
        return self._score.moves(now_s, now_s - self._frame.past_s)

    def _follow(self, now_s: float) -> None:
        self._score.forget_before(now_s - self._frame.past_s - 2)
        music = extent(self._score, now_s - self._frame.past_s, now_s + self._frame.past_s)
        if music is not None and self._frame.lanes:
            first = len(self._score.notes) < 3  # nothing to glide away from yet
            self._frame = self._frame.following(*music, most_steps=128 if first else _FOLLOW_PITCHES)

    def _show(self, lanes: list[bytearray]) -> None:
        old, self._lanes = self._lanes, lanes
        hinting, self._hinting = self._hinting, not self._score.notes and not self._score.planned
        if hinting != self._hinting or len(old) != len(lanes) or (old and len(old[0]) != len(lanes[0])):
            self.refresh()
            return
        changed = [
            Region(0, row, self.size.width, 1)
            for row in range(len(lanes) // 2)
            if old[2 * row] != lanes[2 * row] or old[2 * row + 1] != lanes[2 * row + 1]
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """One row: two lanes of pitches."""
        if 2 * y + 1 >= len(self._lanes):
            return Strip.blank(self.size.width, ink())
        hint = self._hint(y)
        if hint is not None:
            return hint
        segments = [Segment(self._octave_name(y), ink(FAINT, PANEL))]
        upper_lane, lower_lane = self._lanes[2 * y], self._lanes[2 * y + 1]
        ground = OCTAVE if OCTAVE in (upper_lane[0], lower_lane[0]) else BLACK
        for (upper, lower), run in groupby(zip(upper_lane, lower_lane, strict=True)):
            letter, style = self._cell(upper, lower, ground)
            segments.append(Segment(letter * sum(1 for _ in run), style))
        return Strip(segments, self._frame.columns + _GUTTER)

    def _cell(self, upper: int, lower: int, ground: int) -> tuple[str, Style]:
        """The half block and the colours of a cell; blank where nothing sounds, so that it reads without colours."""
        cell = self._cells.get((upper, lower, ground))
        if cell is None:
            above, below = upper >= PLANNED, lower >= PLANNED
            if above and below:
                letter, front, back = ("█" if upper == lower else "▀"), upper, lower
            elif above or below:
                letter, front = ("▀", upper) if above else ("▄", lower)
                back = ground
            else:
                letter, front, back = ("│" if upper == NOW else " "), NOW, ground
            cell = letter, Style(color=COLOURS[front], bgcolor=COLOURS[back])
            self._cells[upper, lower, ground] = cell
        return cell

    def _octave_name(self, y: int) -> str:
        frame = self._frame
        top = frame.low + (frame.lanes - 2 * y) * frame.pitches_a_lane - 1
        for pitch in range(top, top - 2 * frame.pitches_a_lane, -1):
            if pitch % 12 == 0 and 0 <= pitch <= 127:
                return f"{pitch_name(pitch):<{_GUTTER}}"
        return " " * _GUTTER

    def _hint(self, y: int) -> Strip | None:
        first = self.size.height // 2 - 1
        if not self._hinting or not 0 <= y - first < len(_HINT):
            return None
        words = _HINT[y - first]
        room = max(self._frame.now_column - len(words), 0) // 2 + _GUTTER
        return line(self.size.width, [(" " * room, ink()), (words, ink("#aab2c5" if y == first else FAINT))], ink(RULE))

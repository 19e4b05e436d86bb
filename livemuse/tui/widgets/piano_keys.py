"""A piano keyboard: what sounds now in the two colours, and the letters of the computer keys that play it."""

from typing import Final

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from livemuse.music.notes import PIANO_HIGH, PIANO_LOW
from livemuse.music.theory import pitch_name
from livemuse.tui.colours import GROUND, OF, blend, ink

_BLACK: Final = frozenset({1, 3, 6, 8, 10})
_IVORY, _EBONY, _SEAM = "#d4d3cb", "#1a1c23", "#8f8f8a"
_WHITE_KEYS: Final = 52


class PianoKeys(Widget):
    """As many keys as fit, whole octaves of the piano around the computer keys; two or three cells a white key."""

    class Struck(Message):
        """A key was clicked."""

        def __init__(self, pitch: int) -> None:
            super().__init__()
            self.pitch = pitch

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._sounding: dict[int, frozenset[str]] = {}
        self._letters: dict[int, str] = {}
        self._whites: list[int] = []
        self._cells = 2  # a white key

    def show_sounding(self, sounding: dict[int, frozenset[str]]) -> None:
        """pitch -> who sounds it."""
        if sounding != self._sounding:
            self._sounding = sounding
            self.refresh()

    def show_letters(self, letters: dict[int, str]) -> None:
        """pitch -> the character that plays it."""
        self._letters = letters
        self._lay_out()
        self.refresh()

    def on_resize(self) -> None:
        """Choose the keys again."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.size.width
        self._cells = 3 if width >= 3 * _WHITE_KEYS else 2
        whites = [pitch for pitch in range(PIANO_LOW, PIANO_HIGH + 1) if pitch % 12 not in _BLACK]
        fit = min(width // self._cells, _WHITE_KEYS)
        if fit < _WHITE_KEYS and self._letters:
            typed = [i for i, pitch in enumerate(whites) if pitch in self._letters]
            middle = (typed[0] + typed[-1]) // 2 if typed else len(whites) // 2
            first = min(max(middle - fit // 2, 0), _WHITE_KEYS - fit)
            whites = whites[first:]
        self._whites = whites[:fit]

    def pitch_at(self, x: int, y: int) -> int | None:
        """The key under a cell."""
        index, cell = divmod(x - self._margin, self._cells)
        if not 0 <= index < len(self._whites):
            return None
        white = self._whites[index]
        black = white + 1
        return black if y < self._black_rows and cell == self._cells - 1 and self._is_black(black) else white

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click strikes a key."""
        pitch = self.pitch_at(event.x, event.y)
        if pitch is not None:
            self.post_message(self.Struck(pitch))

    @property
    def _margin(self) -> int:
        return max(self.size.width - len(self._whites) * self._cells, 0) // 2

    @property
    def _black_rows(self) -> int:
        return max((self.size.height + 1) // 2, 1)

    @staticmethod
    def _is_black(pitch: int) -> bool:
        return pitch % 12 in _BLACK and pitch <= PIANO_HIGH

    def render_line(self, y: int) -> Strip:
        """One row of all keys."""
        segments = [Segment(" " * self._margin, ink())]
        for white in self._whites:
            segments.extend(self._white_cells(white, y))
        used = self._margin + len(self._whites) * self._cells
        segments.append(Segment(" " * max(self.size.width - used, 0), ink()))
        return Strip(segments, max(self.size.width, used))

    def _white_cells(self, white: int, y: int) -> list[Segment]:
        colour = self._colour(white, _IVORY)
        edge = Segment("▏", ink(_SEAM, colour))
        if y < self._black_rows:
            middle = [Segment(" ", ink(_SEAM, colour))] * (self._cells - 2)
            last = self._black_cell(white + 1, y) if self._is_black(white + 1) else Segment(" ", ink(_SEAM, colour))
            return [edge, *middle, last]
        bottom = y == self.size.height - 1
        if bottom and white in self._sounding:
            words = "●"
        elif y == self._black_rows and white in self._letters:
            words = self._letters[white]
        elif bottom and white % 12 == 0:
            words = pitch_name(white)[-(self._cells - 1) :] if self._cells == 2 else pitch_name(white)
        else:
            words = ""
        style = ink("#2b2d33" if white in self._letters and not bottom else "#77776f", colour, "" if bottom else "bold")
        return [edge, Segment(f"{words:<{self._cells - 1}}", style)]

    def _black_cell(self, black: int, y: int) -> Segment:
        colour = self._colour(black, _EBONY)
        letter = self._letters.get(black, " ") if y == self._black_rows - 1 else " "
        if black in self._sounding and (y == 0 or letter == " "):
            letter = "●" if y == 0 else " "
        return Segment(letter, ink(GROUND if black in self._sounding else "#b9bdc9", colour))

    def _colour(self, pitch: int, silent: str) -> str:
        who = self._sounding.get(pitch)
        if not who:
            return silent
        return blend(OF["player"], OF["livemuse"], 0.5) if len(who) > 1 else OF[next(iter(who))]

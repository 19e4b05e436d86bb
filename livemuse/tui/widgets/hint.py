"""One line that helps: a notice of the engine, else what the focused control does, else how to play."""

from typing import Final

from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from livemuse.tui.colours import FAINT, INK, PANEL, PLAYER, ink, line
from livemuse.tui.words import plain

_NOTICE_S: Final = 10.0  # long enough to read two sentences


class Hint(Widget):
    """``tell`` shows a notice for a while, ``explain`` a control until the next."""

    def __init__(self) -> None:
        super().__init__(id="hint")
        self._words = ""
        self._typing = ""
        self._notice = ""
        self._fading: Timer | None = None

    def tell(self, notice: str) -> None:
        """A sentence for the player."""
        self._notice = plain(notice)
        if self._fading is not None:
            self._fading.stop()
        self._fading = self.set_timer(_NOTICE_S, self._fade)
        self.refresh()

    def explain(self, words: str) -> None:
        """What has the focus."""
        self._words = plain(words)
        self._fade()

    def show_typing(self, octave: int, velocity: int) -> None:
        """How the computer keys are set."""
        self._typing = f"keys: z = C{octave}, velocity {velocity}   [ ] octave   - = velocity "
        self.refresh()

    @property
    def text(self) -> str:
        """What it says now."""
        return self._notice or self._words

    def _fade(self) -> None:
        self._notice = ""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """A notice on the whole line, or help at the left and the computer keys at the right."""
        width = self.size.width
        if self._notice:
            return line(width, [(" ! ", ink(PLAYER, PANEL, "bold")), (self._notice, ink(INK, PANEL))], ink(INK, PANEL))
        right = [(self._typing, ink(FAINT, PANEL))] if width >= 100 else []
        return line(width, [(" ", ink(INK, PANEL)), (self._words, ink(INK, PANEL))], ink(INK, PANEL), right)

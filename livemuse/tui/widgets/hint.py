"""One line that helps: a notice of the engine, else what the focused control does, else how to play."""

from typing import Final

from textual.strip import Strip
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
        self._notice_until_s = 0.0

    def tell(self, notice: str, now_s: float) -> None:
        """A sentence for the player."""
        self._notice, self._notice_until_s = plain(notice), now_s + _NOTICE_S
        self.set_timer(_NOTICE_S + 0.1, self.refresh)
        self.refresh()

    def explain(self, words: str) -> None:
        """What has the focus."""
        self._words = plain(words)
        self.refresh()

    def show_typing(self, octave: int, velocity: int) -> None:
        """How the computer keys are set."""
        self._typing = f"keys: z = C{octave}  velocity {velocity}  [ ] octave  - = velocity "
        self.refresh()

    @property
    def text(self) -> str:
        """What it says now."""
        return self._notice if self._notice_until_s > self._now_s() else self._words

    def _now_s(self) -> float:
        return self.app.now_s()  # type: ignore[attr-defined,no-any-return]  # every screen of it is shown by Console

    def render_line(self, y: int) -> Strip:
        """A notice on the whole line, or help at the left and the computer keys at the right."""
        if self._notice_until_s > self._now_s():
            return line(self.size.width, [(" ! ", ink(PLAYER, PANEL, "bold")), (self._notice, ink(INK, PANEL))],
                        ink(INK, PANEL))  # fmt: skip
        right = [(self._typing, ink(FAINT, PANEL))] if self.size.width >= 100 else []
        return line(self.size.width, [(" ", ink(INK, PANEL)), (self._words, ink(INK, PANEL))], ink(INK, PANEL), right)

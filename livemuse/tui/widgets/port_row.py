"""A MIDI port: which one it is, and a light that shows when notes go through."""

from typing import Final, Literal

from textual import events
from textual.strip import Strip

from livemuse.tui.colours import FAINT, INK, LIVEMUSE, PLAYER, RULE, ink
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.words import fitted

_GLOW_S: Final = 0.15  # as long as the eye needs
_WORDS: Final = {
    "in": "The MIDI port your keyboard plays into. Enter chooses.",
    "out": "The MIDI port livemuse plays to. Enter chooses.",
}


class PortRow(ControlRow):
    """``show`` names the port, ``flash`` lights the lamp, ``advance`` lets it go dark again."""

    def __init__(self, direction: Literal["in", "out"]) -> None:
        super().__init__(f"midi_{direction}", f"MIDI {direction}", _WORDS[direction])
        self._colour = PLAYER if direction == "in" else LIVEMUSE
        self._port = ""
        self._lit_until_s = 0.0
        self._lit = False

    @property
    def label_width(self) -> int:
        """The names of ports need the room more."""
        return min(super().label_width, 8 if self.size.width < 32 else 15)

    def show(self, port: str) -> None:
        """It is this port."""
        if port != self._port:
            self._port = port
            self.refresh()

    def flash(self, now_s: float) -> None:
        """Something went through."""
        self._lit_until_s = now_s + _GLOW_S
        if not self._lit:
            self._lit = True
            self.refresh()

    def advance(self, now_s: float) -> bool:
        """Go dark when it is time; tells whether it is still lit."""
        if self._lit and now_s >= self._lit_until_s:
            self._lit = False
            self.refresh()
        return self._lit

    def on_click(self, event: events.Click) -> None:
        """Open the list of ports."""
        self.action_open()

    def render_line(self, y: int) -> Strip:
        """Name, lamp, port."""
        ground = self.ground
        room = max(self.size.width - self.label_width - 7, 1)
        shade = ink(INK if self.has_focus else FAINT, ground)
        port = fitted(self._port or "none", room)
        lamp = ink(self._colour if self._lit else RULE, ground)
        return self.row([("● ", lamp), (port, ink(INK if self._port else FAINT, ground))], [(" ▾", shade)])

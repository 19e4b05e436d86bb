"""A control with a few choices, or one that is written: arrows go through the choices, Enter opens them all."""

from rich.cells import cell_len
from textual import events
from textual.strip import Strip

from livemuse.music.controls import Control
from livemuse.tui.colours import FAINT, INK, LIVEMUSE, ink
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.words import fitted, label, plain


class Picker(ControlRow):
    """Shows the choice between two arrows, or what was written."""

    def __init__(self, control: Control) -> None:
        super().__init__(control.name, label(control.name), control.help)
        self._row = control
        self._value: int | float | str = control.default
        self._meant = ""  # what `auto` comes to at this moment

    def show(self, value: int | float | str) -> None:
        """The control has this value."""
        self._value = value
        self.refresh()

    def mean(self, meant: str) -> None:
        """While it says ``auto`` it comes to this; empty where nobody knows."""
        if meant != self._meant:
            self._meant = meant
            self.refresh()

    def written(self, room: int) -> str:
        """The value as it stands in the row, if it can be said in so many cells."""
        return plain(self._value)

    def action_open(self) -> None:
        """Ask for the chooser, where there is anything to choose."""
        if self.idle:
            self.post_message(self.Noticed(self.words))
        else:
            super().action_open()

    def action_move(self, steps: int) -> None:
        """The next or previous choice; from a value that is no choice, to the first or last."""
        choices = self._row.choices
        if not choices:
            self.action_open()
            return
        if self._value in choices:
            index = (choices.index(str(self._value)) + (1 if steps > 0 else -1)) % len(choices)
        else:
            index = 0 if steps > 0 else len(choices) - 1
        self._choose(choices[index])

    def action_reset(self) -> None:
        """Back to the default."""
        self._choose(self._row.default)

    def on_click(self, event: events.Click) -> None:
        """The arrows step, the rest opens."""
        if self._row.choices and event.x == self.label_width + 2:
            self.action_move(-1)
        elif self._row.choices and event.x >= self.size.width - 2:
            self.action_move(1)
        elif event.x > self.label_width:
            self.action_open()

    def _choose(self, value: int | float | str) -> None:
        if value != self._value and not self.idle:
            self._value = value
            self.refresh()
            self.post_message(self.Moved(self.control, value))

    def render_line(self, y: int) -> Strip:
        """Name and choice."""
        if self.idle:
            return self.idle_row()
        ground = self.ground
        room = max(self.size.width - self.label_width - 7, 1)
        moved = self._value != self._row.default
        value = fitted(self.written(room), room)
        arrows = ("‹ ", " ›") if self._row.choices else ("  ", " ▾")
        shade = ink(INK if self.has_focus else FAINT, ground)
        strong = ink(LIVEMUSE if moved else INK, ground, "bold")
        if self._value == "auto" and self._meant and room >= len("auto ") + cell_len(self._meant):
            meant = fitted(f" {self._meant}", room - len("auto"))
            return self.row([(arrows[0], shade), ("auto", strong), (meant, ink(FAINT, ground))], [(arrows[1], shade)])
        return self.row([(arrows[0], shade), (value, strong)], [(arrows[1], shade)])

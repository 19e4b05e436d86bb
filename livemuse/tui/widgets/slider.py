"""A control that is a number: arrows, mouse and wheel move it, and it sounds at once."""

from textual import events
from textual.strip import Strip

from livemuse.music.controls import Control
from livemuse.tui.colours import FAINT, INK, LIVEMUSE, RULE, ink
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.words import fitted, label, number

_VALUE_CELLS, _FEWER_CELLS = 6, 5


class Slider(ControlRow):
    """Shows where the value lies between the ends of its range."""

    def __init__(self, control: Control) -> None:
        super().__init__(control.name, label(control.name), control.help)
        assert control.low is not None
        assert control.high is not None
        self._row = control
        self._low, self._high, self._step = float(control.low), float(control.high), float(control.step or 1)
        self._value = float(control.default) if not isinstance(control.default, str) else self._low

    def show(self, value: int | float | str) -> None:
        """The control has this value."""
        if not isinstance(value, str):
            self._value = float(value)
            self.refresh()

    def action_move(self, steps: int) -> None:
        """Some steps up or down, on the marks of the scale."""
        mark = round((self._value - self._low) / self._step)
        self._move_to(self._low + (mark + steps) * self._step)

    def action_reset(self) -> None:
        """Back to the default."""
        if not isinstance(self._row.default, str):
            self._move_to(float(self._row.default))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of it."""
        if event.x > self.label_width:
            self.capture_mouse()
            self._move_to_cell(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag it."""
        if self.app.mouse_captured is self:
            self._move_to_cell(event.x)

    def on_mouse_up(self) -> None:
        """Let it go."""
        self.release_mouse()

    @property
    def _value_cells(self) -> int:
        return _FEWER_CELLS if self.compact else _VALUE_CELLS

    @property
    def _track(self) -> tuple[int, int]:
        start = self.label_width + 2
        return start, max(self.size.width - start - self._value_cells - 1, 1)

    def _move_to_cell(self, x: int) -> None:
        start, cells = self._track
        share = min(max((x - start) / max(cells - 1, 1), 0.0), 1.0)
        marks = round(share * (self._high - self._low) / self._step)
        self._move_to(self._low + marks * self._step)

    def _move_to(self, value: float) -> None:
        value = round(min(max(value, self._low), self._high), 6)
        if self.idle:
            self.post_message(self.Noticed(self.words))
        elif value != self._value:
            self._value = value
            self.refresh()
            whole = isinstance(self._row.default, int)
            self.post_message(self.Moved(self.control, int(value) if whole else value))

    def render_line(self, y: int) -> Strip:
        """Name, track, value."""
        if self.idle:
            return self.idle_row()
        _, cells = self._track
        room = self._value_cells
        at = round((self._value - self._low) / (self._high - self._low) * (cells - 1)) if self._high > self._low else 0
        at = min(max(at, 0), cells - 1)
        ground = self.ground
        moved = self._value != self._row.default
        return self.row(
            [("━" * at, ink(LIVEMUSE if moved else FAINT, ground)), ("●", ink(INK, ground)),
             ("─" * (cells - at - 1), ink(RULE, ground))],
            [(fitted(f"{number(self._value):>{room - 1}}", room), ink(INK, ground, "bold"))],
        )  # fmt: skip

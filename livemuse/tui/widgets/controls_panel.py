"""All controls: a column beside the roll, or a strip of three columns under it where the terminal is narrow."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from livemuse.music.controls import CONTROLS, Control
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.widgets.picker import Picker
from livemuse.tui.widgets.port_row import PortRow
from livemuse.tui.widgets.slider import Slider
from livemuse.tui.widgets.style_row import StyleRow
from livemuse.tui.words import plain

# what a player reaches for most; it comes first, and so is what a small terminal shows. The table says the rest.
AT_HAND: Final = ("temperature", "mode", "key", "density", "model", "wait", "style")
_TITLES: Final = {"music": "notes", "turns": "turns", "routing": "routing", "ceilings": "never more than"}
_MOST_MARKS: Final = 1000  # a slider with more steps than this could not be set


def row_for(control: Control) -> Slider | Picker:
    """The widget a control is moved by."""
    if control.low is not None and control.high is not None and control.high - control.low <= _MOST_MARKS:
        return Slider(control)
    return StyleRow(control) if control.name == "style" else Picker(control)


def style_labels(model: Mapping[str, Any]) -> list[str]:
    """The styles that a model knows, as the engine told of it."""
    labels = model.get("styles")
    return [label for label in labels if isinstance(label, str)] if isinstance(labels, list | tuple) else []


def groups() -> list[tuple[str, list[Control]]]:
    """Titles and their controls: every row of the table, once."""
    first = [CONTROLS[name] for name in AT_HAND if name in CONTROLS]
    rest: dict[str, list[Control]] = {}
    for control in CONTROLS.values():
        if control not in first:
            rest.setdefault(control.group, []).append(control)
    return [("at hand", first), *((_TITLES.get(group, group), rows) for group, rows in rest.items())]


class ControlsPanel(VerticalScroll, can_focus=False):
    """Rows under titles; ``show_controls`` and ``show_port`` keep them true."""

    BINDINGS: ClassVar[list[BindingType]] = [  # a scrolling container would take these for itself
        Binding("up", "app.step(-1)", show=False),
        Binding("down", "app.step(1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="controls")
        self.rows: dict[str, Slider | Picker] = {}
        self._model: Mapping[str, Any] = {}
        self.ports = {"in": PortRow("in"), "out": PortRow("out")}

    def compose(self) -> ComposeResult:
        """The rows, those at hand first, the ports after them."""
        for index, (title, controls) in enumerate(groups()):
            yield Static(title, classes="title", markup=False)
            for control in controls:
                row = self.rows[control.name] = row_for(control)
                yield row
            if index == 0:
                yield Static("ports", classes="title", markup=False)
                yield from self.ports.values()

    def show_controls(self, values: Mapping[str, int | float | str]) -> None:
        """The controls have these values."""
        for name, value in values.items():
            if name in self.rows:
                self.rows[name].show(value)

    def show_model(self, model: Mapping[str, Any]) -> None:
        """This model plays: each row says what is true of its family, and why where it changes nothing there."""
        if model == self._model:
            return
        self._model = model
        name, family = plain(model.get("name", "this model")), str(model.get("family", ""))
        for row_name, row in self.rows.items():
            control = CONTROLS[row_name]
            idle = control.idle_in(family)
            if row_name == "style" and not style_labels(model):
                idle = "has none"
            row.suit(control.help_in(family), idle, name)

    def step_focus(self, lines: int) -> None:
        """Move the focus to the row above or below."""
        rows = list(self.query(ControlRow))
        here = next((index for index, row in enumerate(rows) if row.has_focus), None)
        target = 0 if here is None else here + lines * self.columns
        if 0 <= target < len(rows):
            rows[target].focus()

    def keep_in_sight(self) -> None:
        """Scroll so that the row with the focus is seen, after the layout became another."""
        focused = next((row for row in self.query(ControlRow) if row.has_focus), None)
        if focused is None:
            return
        top, height = focused.virtual_region.y, self.scrollable_content_region.height
        above = 1 if self.columns == 1 else 0  # the title over it
        if top + 1 > self.scroll_y + height or top - above < self.scroll_y:
            self.scroll_to(y=max(top - above, 0), animate=False)

    @property
    def columns(self) -> int:
        """How many rows stand side by side."""
        layout = self.styles.layout
        return max(self.styles.grid_size_columns or 1, 1) if layout is not None and layout.name == "grid" else 1

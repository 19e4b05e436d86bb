"""All controls: a column beside the roll, or a strip of columns under it where the terminal is narrow."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll

from livemuse.control.heard import HeardNow, WaitNow
from livemuse.music.controls import CONTROLS, GROUPS, TEMPO_BPM, Control
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.widgets.dial import Dial
from livemuse.tui.widgets.heading import Heading
from livemuse.tui.widgets.picker import Picker
from livemuse.tui.widgets.port_row import PortRow
from livemuse.tui.widgets.slider import Slider
from livemuse.tui.widgets.style_row import StyleRow
from livemuse.tui.words import plain

# what a player reaches for most; it comes first, and so is what a small terminal shows. The table says the rest.
AT_HAND: Final = (
    "temperature", "mode", "key", "imitate", "density", "answer_length", "chords", "tempo", "style", "model",
)  # fmt: skip
_MOST_MARKS: Final = 1000  # a slider with more steps than this could not be set


def row_for(control: Control) -> Slider | Picker:
    """The widget a control is moved by."""
    if control.low is not None and control.high is not None and control.high - control.low <= _MOST_MARKS:
        return Dial(control) if control.choices else Slider(control)
    return StyleRow(control) if control.name == "style" else Picker(control)


def style_labels(model: Mapping[str, Any]) -> list[str]:
    """The styles that a model knows, as the engine told of it."""
    labels = model.get("styles")
    return [label for label in labels if isinstance(label, str)] if isinstance(labels, list | tuple) else []


def groups() -> list[tuple[str, list[Control]]]:
    """Headings and their controls: every row of the table, once."""
    first = [CONTROLS[name] for name in AT_HAND if name in CONTROLS]
    rest: dict[str, list[Control]] = {group: [] for group in GROUPS}
    for control in CONTROLS.values():
        if control not in first:
            rest.setdefault(control.group, []).append(control)
    return [("at hand", first), *((GROUPS.get(group, group), rows) for group, rows in rest.items() if rows)]


class Rows(Container):
    """The rows of a group, one under the other, or in columns where the terminal is narrow."""


class ControlsPanel(VerticalScroll, can_focus=False):
    """Rows under headings; ``show_controls`` and ``show_model`` keep them true."""

    BINDINGS: ClassVar[list[BindingType]] = [  # a scrolling container would take these for itself
        Binding("up", "app.step(-1)", show=False),
        Binding("down", "app.step(1)", show=False),
        Binding("pageup", "app.group(-1)", show=False),
        Binding("pagedown", "app.group(1)", show=False),
        Binding("home", "app.end(-1)", show=False),
        Binding("end", "app.end(1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="controls")
        self.rows: dict[str, Slider | Picker] = {}
        self._model: Mapping[str, Any] = {}
        self.ports = {"in": PortRow("in"), "out": PortRow("out")}

    def compose(self) -> ComposeResult:
        """The rows, those at hand first, the ports after them."""
        for index, (heading, controls) in enumerate(groups()):
            first = index == 0
            yield Heading(heading, first=first)
            self.rows |= {control.name: row_for(control) for control in controls}
            rows = [self.rows[control.name] for control in controls]
            yield Rows(*rows, *((Heading("ports", first=True), *self.ports.values()) if first else ()))

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

    def show_meant(self, heard: HeardNow, wait: WaitNow) -> None:
        """What the controls mean that say ``auto``: the key, the tempo and the wait of this moment."""
        tempo = "" if heard.tempo_bpm is None else f"{heard.tempo_bpm:.0f}"
        said = {"key": plain(heard.key or ""), "tempo": tempo, "wait": "" if wait.s is None else f"{wait.s:.2g} s"}
        for name, meant in said.items():
            row = self.rows.get(name)
            if isinstance(row, Picker):
                row.mean(meant)
            if isinstance(row, Dial) and name == "tempo":
                row.begin = TEMPO_BPM if heard.tempo_bpm is None else float(round(heard.tempo_bpm))

    # --- where the focus is --------------------------------------------------------------------------------------

    def step_focus(self, lines: int) -> None:
        """Move the focus to the row above or below: of several side by side, the nearest."""
        here = self.focused
        if here is None:
            self.reach(next(iter(self._all())))
            return
        x, y = _place(here)
        places = [(_place(row), row) for row in self._all()]
        ahead = [(abs(y_ - y), abs(x_ - x), row) for (x_, y_), row in places if (y_ - y) * lines > 0]
        if ahead:
            self.reach(min(ahead, key=lambda found: found[:2])[2])

    def step_group(self, groups_on: int) -> None:
        """Move the focus to the first control of a group ahead; back first to the beginning of this one."""
        firsts, rows = [row for row in self._all() if self._heading(row)], list(self._all())
        here = rows.index(self.focused) if self.focused is not None else 0
        if groups_on > 0:
            target = next((row for row in firsts if rows.index(row) > here), rows[-1])
        else:
            target = next((row for row in reversed(firsts) if rows.index(row) < here), rows[0])
        self.reach(target, on_top=True)

    def step_end(self, end: int) -> None:
        """Move the focus to the very first control, or the last."""
        rows = list(self._all())
        self.reach(rows[0] if end < 0 else rows[-1])

    def reach(self, row: ControlRow, *, on_top: bool = False) -> None:
        """Give a row the focus and show it, its heading above it where it is the first of its group."""
        row.focus(scroll_visible=False)
        top, height = _place(row)[1], self.scrollable_content_region.height
        above = top - 1 if self._heading(row) else top
        if on_top or above < self.scroll_y:
            self.scroll_to(y=max(above, 0), animate=False)
        elif top + 1 > self.scroll_y + height:
            self.scroll_to(y=top + 1 - height, animate=False)

    def keep_in_sight(self) -> None:
        """Scroll so that the row with the focus is seen, after the layout became another."""
        if self.focused is not None:
            self.reach(self.focused)

    @property
    def focused(self) -> ControlRow | None:
        """The row that has the focus."""
        return next((row for row in self._all() if row.has_focus), None)

    def _all(self) -> Iterator[ControlRow]:
        return iter(self.query(ControlRow))

    def _heading(self, row: ControlRow) -> bool:
        """Whether a heading is seen over it."""
        rows = row.parent
        assert isinstance(rows, Rows)
        if row is rows.children[0]:
            before = self.children[list(self.children).index(rows) - 1]
        else:
            before = rows.children[list(rows.children).index(row) - 1]
        return isinstance(before, Heading) and before.display


def _place(row: ControlRow) -> tuple[int, int]:
    """Where it stands in the panel (column, line), however far that is scrolled."""
    assert isinstance(row.parent, Rows)
    return tuple(row.virtual_region.offset + row.parent.virtual_region.offset)  # type: ignore[return-value]

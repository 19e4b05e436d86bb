"""Every control and action by name: type some of it, and a value if you like."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from livemuse.errors import LivemuseError
from livemuse.music.controls import Value, parse_control
from livemuse.tui.colours import FAINT, INK, LIVEMUSE, PLAYER
from livemuse.tui.finding import Findable, everything, found
from livemuse.tui.words import fitted, label, number, plain

Found = tuple[str, Value | None]
"""A control and the value it is to have, if one was written; or an action, as ``do NAME``."""
DO: Final = "do "


class Find(ModalScreen[Found | None]):
    """``values`` are those the controls have; ``suits`` says what a control is with the model that plays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("pageup", "step(-8)", show=False, priority=True),
        Binding("pagedown", "step(8)", show=False, priority=True),
    ]

    def __init__(self, values: Mapping[str, Value], suits: Callable[[str], str]) -> None:
        super().__init__()
        self._values = values
        self._all = [
            one if one.is_action else Findable(one.name, plain(suits(one.name)) or one.words) for one in everything()
        ]
        self._shown, self._value = self._all, ""
        self._refusal = Static("", id="refusal", markup=False)

    def compose(self) -> ComposeResult:
        """A field, and what it finds."""
        with Vertical(id="dialog", classes="find"):
            yield Static("find a control", id="title", markup=False)
            yield Input(placeholder="temp 0.7   key eb dorian   answer", id="field")
            yield self._refusal
            yield OptionList(id="list", markup=False)
            yield Static("Enter go there, or set it   Esc close   F9 panic", id="foot", markup=False)

    def on_mount(self) -> None:
        """Show all of it."""
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._show("")

    def on_resize(self) -> None:
        """Names, values and help in the new width."""
        self._show(self.query_one(Input).value)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Find again."""
        self._show(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """That one, with that value."""
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and self._shown:
            self._choose(self._shown[highlighted])

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """It was clicked."""
        self._choose(self._shown[message.option_index])

    def action_step(self, lines: int) -> None:
        """Another of what was found."""
        listing = self.query_one(OptionList)
        if self._shown:
            listing.highlighted = min(max((listing.highlighted or 0) + lines, 0), len(self._shown) - 1)

    def _choose(self, one: Findable) -> None:
        try:
            if one.is_action:
                self.dismiss((DO + one.name, None))
            else:
                self.dismiss((one.name, parse_control(one.name, self._value) if self._value else None))
        except LivemuseError as error:
            self._refusal.update(plain(str(error)))

    def _show(self, query: str) -> None:
        self._refusal.update("")
        self._shown, self._value = found(query, self._all)
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options([Option(self._line(one, index == 0)) for index, one in enumerate(self._shown)])
        listing.highlighted = 0 if self._shown else None

    def _line(self, one: Findable, first: bool) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        if one.is_action:
            text.append(fitted(f"do {one.name}", 16), Style(color=LIVEMUSE))
            text.append(" " * 13)
        else:
            new = first and self._value
            value = f"→ {plain(self._value)}" if new else number(self._values.get(one.name, ""))
            text.append(fitted(label(one.name), 16), Style(color=INK))
            text.append(fitted(value, 12) + " ", Style(color=PLAYER if new else INK, bold=True))
        text.append(one.words, Style(color=FAINT))
        return text

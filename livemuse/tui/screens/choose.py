"""A list over the playing screen: choose a value, or write one."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from livemuse.errors import LivemuseError
from livemuse.tui.words import plain

Value = int | float | str


class Choose(ModalScreen[Value | None]):
    """``choices`` are (value, words); with ``parse`` a text field takes what is written. Escape closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(
        self,
        title: str,
        words: str,
        choices: Sequence[tuple[Value, str]],
        current: Value | None = None,
        parse: Callable[[str], Value] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._words = plain(title), plain(words)
        self._choices = list(choices)
        self._current = current
        self._parse = parse
        self._refusal = Static("", id="refusal", markup=False)

    def compose(self) -> ComposeResult:
        """Title, field, list."""
        with Vertical(id="dialog"):
            yield Static(self._title, id="title", markup=False)
            yield Static(self._words, id="words", markup=False)
            if self._parse is not None:
                written = "" if self._choices else plain(self._current)
                yield Input(written, placeholder="write a value", select_on_focus=False, id="field")
                yield self._refusal
            if self._choices:
                options = [Option(Text(plain(f"{'● ' if value == self._current else '  '}{words}")))
                           for value, words in self._choices]  # fmt: skip
                yield OptionList(*options, id="list", markup=False)
            yield Static("Enter choose   Esc close   F9 panic", id="foot", markup=False)

    def on_mount(self) -> None:
        """Start at the value it has."""
        if not self._choices:
            self.query_one(Input).focus()
            return
        listing = self.query_one(OptionList)
        listing.focus()
        values = [value for value, _ in self._choices]
        listing.highlighted = values.index(self._current) if self._current in values else 0

    def on_key(self, event: events.Key) -> None:
        """Typing goes to the field, wherever the focus is."""
        if self._parse is not None and event.is_printable and event.character and not self.query_one(Input).has_focus:
            field = self.query_one(Input)
            field.focus()
            field.insert_text_at_cursor(event.character)
            event.stop()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """That one."""
        self.dismiss(self._choices[message.option_index][0])

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """What was written, if it can be."""
        assert self._parse is not None
        try:
            value = self._parse(message.value)
        except LivemuseError as error:
            self._refusal.update(plain(str(error)))
            return
        self.dismiss(value)

"""A page to read over the playing screen: the help, and how things are."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from livemuse.tui.colours import FAINT, INK, LIVEMUSE
from livemuse.tui.words import plain

Section = tuple[str, Sequence[tuple[str, str]]]


class Page(ModalScreen[None]):
    """Sections of (name, words); Escape, Enter and F1 close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,f1,question_mark,space", "dismiss(None)", show=False)
    ]

    def __init__(self, title: str, sections: Sequence[Section]) -> None:
        super().__init__()
        self._title = title
        self._sections = sections

    def compose(self) -> ComposeResult:
        """Title, sections, how to leave."""
        with Vertical(id="dialog", classes="page"):
            yield Static(self._title, id="title", markup=False)
            with VerticalScroll(id="scroll"):
                for name, rows in self._sections:
                    yield Static(name, classes="title", markup=False)
                    yield Static(_table(rows))
            yield Static("Up and Down scroll   Esc close   F9 panic", id="foot", markup=False)

    def on_mount(self) -> None:
        """Arrows scroll at once."""
        self.query_one("#scroll").focus()


def _table(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=Style(color=LIVEMUSE), no_wrap=True, max_width=24)
    table.add_column(style=Style(color=INK), ratio=1)
    for name, words in rows:
        table.add_row(Text(plain(name)), Text(plain(words), style="" if words else FAINT))
    return table

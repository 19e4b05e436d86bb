"""A page to read over the playing screen: the help, and how things are."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

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


_EVERY_S: Final = 0.25


class Page(ModalScreen[None]):
    """Sections of (name, words), told anew as they change; Escape, Enter and F1 close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,f1,question_mark,space", "dismiss(None)", show=False)
    ]

    def __init__(self, title: str, sections: Callable[[], Sequence[Section]]) -> None:
        super().__init__()
        self._title = title
        self._tell = sections
        self._sections = list(sections())

    def compose(self) -> ComposeResult:
        """Title, sections, how to leave."""
        with Vertical(id="dialog", classes="page"):
            yield Static(self._title, id="title", markup=False)
            with VerticalScroll(id="scroll"):
                for name, rows in self._sections:
                    yield Static(name, classes="title", markup=False)
                    yield Static(_table(rows), classes="rows")
            yield Static("Up and Down scroll   Esc close   F9 panic", id="foot", markup=False)

    def on_mount(self) -> None:
        """Arrows scroll at once."""
        self.query_one("#scroll").focus()
        self.set_interval(_EVERY_S, self._keep_true)

    def _keep_true(self) -> None:
        """Where the same sections say something else now, show that."""
        before, now = self._sections, list(self._tell())
        if now == before or [name for name, _ in now] != [name for name, _ in before]:
            return
        self._sections = now
        for table, (_, rows) in zip(self.query(".rows").results(Static), now, strict=True):
            table.update(_table(rows))


def _table(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=Style(color=LIVEMUSE), no_wrap=True, max_width=24)
    table.add_column(style=Style(color=INK), ratio=1)
    for name, words in rows:
        table.add_row(Text(plain(name)), Text(plain(words), style="" if words else FAINT))
    return table

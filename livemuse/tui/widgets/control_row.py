"""What every line of the controls panel is: a name, something to move, a value."""

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from livemuse.tui.colours import FAINT, INK, PANEL, RAISED, Part, ink, line
from livemuse.tui.words import fitted

_WIDEST_NAME = 15
_NARROW = 32  # cells: a row of the compact strip


class ControlRow(Widget, can_focus=True):
    """One line: click or Enter opens it, left and right and the wheel move it (see ``moved``)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", show=False),
        Binding("right", "move(1)", show=False),
        Binding("shift+left", "move(-5)", show=False),
        Binding("shift+right", "move(5)", show=False),
        Binding("enter", "open", show=False),
        Binding("delete", "reset", show=False),
    ]

    class Moved(Message):
        """The player wants this value."""

        def __init__(self, name: str, value: int | float | str) -> None:
            super().__init__()
            self.name = name
            self.value = value

    class Opened(Message):
        """The player wants to choose or write the value."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Noticed(Message):
        """The focus came here: ``words`` say what it is."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, name: str, label: str, words: str) -> None:
        super().__init__(name=name, classes="control", id=f"control-{name}")
        self.control = name
        self.title = label
        self._words = words
        self.idle = ""  # why it changes nothing with the model that plays

    @property
    def words(self) -> str:
        """What it is, in a sentence."""
        return self._words

    def suit(self, words: str, idle: str, model: str) -> None:
        """What it is with the model that plays, and why it changes nothing there, where it does not."""
        words = f"No effect with {model}: {idle}. {words}" if idle else words
        if (words, idle) != (self._words, self.idle):
            self._words, self.idle = words, idle
            self.refresh()
            if self.has_focus:
                self.post_message(self.Noticed(words))

    @property
    def label_width(self) -> int:
        """Cells that the name takes; less in the compact strip."""
        return 13 if self.compact else _WIDEST_NAME

    @property
    def compact(self) -> bool:
        """Whether it stands in the strip of a narrow terminal."""
        return self.size.width < _NARROW

    @property
    def ground(self) -> str:
        """The colour behind the row."""
        return RAISED if self.has_focus else PANEL

    def action_move(self, steps: int) -> None:
        """Move by some steps; the row without steps opens."""
        self.action_open()

    def action_open(self) -> None:
        """Ask for the chooser."""
        self.post_message(self.Opened(self.control))

    def action_reset(self) -> None:
        """Back to where it starts; a row without a start stays."""

    def on_focus(self) -> None:
        """Say what this is."""
        self.post_message(self.Noticed(self._words))
        self.refresh()

    def on_blur(self) -> None:
        """Stop standing out."""
        self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves what it is over, and scrolls over the name."""
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves what it is over, and scrolls over the name."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        if event.x > self.label_width:
            event.stop()
            self.action_move(steps)

    def row(self, middle: list[Part], right: list[Part]) -> Strip:
        """The row with what stands between its name and its right edge."""
        ground = self.ground
        name: Style = ink("#ffffff" if self.has_focus else INK, ground, "bold" if self.has_focus else "")
        if self.idle:
            name = ink(FAINT, ground)
        mark = "▸" if self.has_focus else " "
        left = [(mark, ink(INK, ground)), (fitted(self.title, self.label_width), name), (" ", name), *middle]
        return line(self.size.width, left, ink(FAINT, ground), right)

    def idle_row(self) -> Strip:
        """The row of a control that changes nothing with this model: why it does not."""
        room = max(self.size.width - self.label_width - 4, 1)
        return self.row([(fitted(f"– {self.idle}", room), ink(FAINT, self.ground, "italic"))], [])

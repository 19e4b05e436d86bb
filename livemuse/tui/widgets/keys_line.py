"""The bottom line: the keys that do something, each a button for the mouse."""

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from livemuse.tui.colours import BAD, FAINT, INK, LIVEMUSE, RAISED, Part, ink, line


class KeysLine(Widget):
    """``choices`` are (key as shown, word, action of the app); what does not fit is left to the help."""

    class Chosen(Message):
        """A key on the line was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, choices: tuple[tuple[str, str, str], ...]) -> None:
        super().__init__(id="line")
        self._choices = choices

    def _shown(self) -> list[tuple[int, int, tuple[str, str, str]]]:
        shown = []
        x = 1
        for choice in self._choices:
            size = len(choice[0]) + len(choice[1]) + 3
            if x + size > self.size.width:
                break
            shown.append((x, x + size, choice))
            x += size
        return shown

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        for start, end, (_, _, action) in self._shown():
            if start <= event.x < end:
                self.post_message(self.Chosen(action))

    def render_line(self, y: int) -> Strip:
        """Key, word, key, word."""
        parts: list[Part] = [(" ", ink(FAINT, RAISED))]
        for _, _, (key, word, action) in self._shown():
            colour = BAD if action == "panic" else LIVEMUSE
            shade = ink(INK if action == "panic" else FAINT, RAISED)
            parts += [(key, ink(colour, RAISED, "bold")), (f" {word}  ", shade)]
        return line(self.size.width, parts, ink(FAINT, RAISED))

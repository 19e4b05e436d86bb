"""What stands over a group of controls."""

from textual.strip import Strip
from textual.widget import Widget

from livemuse.tui.colours import FAINT, PANEL, RULE, ink, line


class Heading(Widget):
    """A few words, and a rule to the edge."""

    def __init__(self, words: str, *, first: bool = False) -> None:
        super().__init__(classes="heading first" if first else "heading")
        self.words = words

    def render_line(self, y: int) -> Strip:
        """The words and the rule."""
        width = self.size.width
        rule = "─" * max(width - len(self.words) - 3, 0)
        words = (f" {self.words} ", ink(FAINT, PANEL, "italic"))
        return line(width, [words, (rule, ink(RULE, PANEL))], ink(FAINT, PANEL))

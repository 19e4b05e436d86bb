"""The top line: is it recorded, where, by which model, how fast."""

from collections.abc import Mapping

from textual.strip import Strip
from textual.widget import Widget

from livemuse.control.messages import State
from livemuse.tui.colours import BAD, FAINT, GOOD, INK, PANEL, Part, ink, line
from livemuse.tui.words import milliseconds, plain


def latency(state: State) -> str:
    """Decision to first note, median and 99th percentile, as ``1.4 / 3.9 ms``; nothing before the first answer."""
    figures = state.latency_ms.get("decide_to_first")
    if not isinstance(figures, Mapping) or not figures.get("n"):
        return ""
    return f"{milliseconds(figures.get('p50'))} / {milliseconds(figures.get('p99'))} ms"


class Masthead(Widget):
    """Shows a ``State`` in one line; what matters least goes first where there is no room."""

    def __init__(self) -> None:
        super().__init__(id="masthead")
        self._state: State | None = None

    def show(self, state: State | None) -> None:
        """The engine is in this state; None: there is none."""
        self._state = state
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Name, record light, session, model; then sound and latency at the right."""
        faint, bright = ink(FAINT, PANEL), ink(INK, PANEL, "bold")
        left: list[Part] = [(" livemuse ", bright)]
        right: list[Part] = []
        state = self._state
        width = self.size.width
        if state is not None:
            session = plain(state.session).rsplit("/", 1)[-1].removesuffix(".mid")
            left.append(("  ● ", ink(BAD if state.recording else FAINT, PANEL)))
            left.append((f"REC {session}" if state.recording else "not recording", ink(INK, PANEL)))
            model = plain(state.model.get("name", "no model"))
            use = plain(state.model.get("use") or state.model.get("terms") or "")
            if width >= 70:
                left.append((f"   {model}", ink(INK, PANEL)))
                left.append((f" · {use[:40]}" if use else "", faint))
            figures = latency(state)
            if width >= 110:
                right.append((f"{plain(state.api)}  ", faint))
            if width >= 90:
                right.append((f"sound {plain(state.sound)} ", ink(GOOD if state.sound == "on" else FAINT, PANEL)))
            if figures:
                right.append((f"  {'latency ' if width >= 110 else ''}{figures} ", ink(INK, PANEL)))
        return line(width, left, ink(FAINT, PANEL), right)

"""Whose turn it is, big, and the countdown to the answer as a bar."""

from typing import Final

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from livemuse.control.heard import wait_words
from livemuse.control.messages import State
from livemuse.tui.big_letters import LINES, big
from livemuse.tui.colours import BAD, FAINT, GROUND, INK, LIVEMUSE, PLAYER, Part, blend, ink, line
from livemuse.tui.words import plain

# state -> (headline, colour, what it means)
FACES: Final = {
    "listening": ("YOUR TURN", PLAYER, "Play; when you stop, livemuse answers."),
    "waiting": ("YOUR TURN", PLAYER, "Go on, or leave it to livemuse."),
    "answering": ("LIVEMUSE ANSWERS", LIVEMUSE, "Play to take the turn back."),
    "playing": ("LIVEMUSE PLAYS", LIVEMUSE, "Backspace stops it."),
    "tacet": ("TACET", FAINT, "It listens and does not play; F4 lets it play again."),
}
_OTHER_MODES: Final = {
    "continue": "Space lets livemuse take up what you played.",
    "solo": "Space lets livemuse play by itself.",
}


class Turn(Widget):
    """Shows a ``State``; ``advance`` moves the bar."""

    def __init__(self) -> None:
        super().__init__(id="turn")
        self._state: State | None = None
        self._trouble = ("STARTING", "The engine is starting.")
        self._answer_until_s: float | None = None
        self._bar: tuple[float, str] = (0.0, "")  # share that is left, words
        self._drawn = (-1, "")

    def show(self, state: State) -> None:
        """The engine is here and in this state."""
        self._state = state
        self.refresh()

    def show_trouble(self, headline: str, words: str) -> None:
        """There is no engine."""
        self._state = None
        self._trouble = (headline, words)
        self.refresh()

    def answer_until(self, until_s: float | None) -> None:
        """When the planned answer is over."""
        self._answer_until_s = until_s

    def advance(self, now_s: float) -> bool:
        """Move the bar to ``now_s``; tells whether it is still moving."""
        self._bar = self._bar_at(now_s)
        drawn = (round(self._bar[0] * max(self.size.width, 1) * 2), self._bar[1])
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh(Region(0, self.size.height - 1, self.size.width, 1))
        return self._bar[0] > 0

    def _bar_at(self, now_s: float) -> tuple[float, str]:
        state = self._state
        if state is None or state.state not in ("waiting", "listening", "answering"):
            return 0.0, ""
        until_s = self._answer_until_s if state.state == "answering" else state.deadline_s
        if until_s is None or until_s <= now_s:
            return 0.0, ""
        whole_s = max(until_s - state.since_s, until_s - now_s, 0.01)
        left_s = until_s - now_s
        words = "answer ends" if state.state == "answering" else "answer"
        return left_s / whole_s, f" {words} in {left_s:.1f} s "

    def render_line(self, y: int) -> Strip:
        """The headline and its meaning, and the bar on the last line."""
        width, height = self.size
        if self._state is None:
            headline, words, colour, note = *self._trouble, BAD, ""
        else:
            state = self._state
            headline, colour, words = FACES[state.state]
            if state.state == "listening" and state.mode in _OTHER_MODES:
                words = _OTHER_MODES[state.mode]
            note = f"{plain(state.mode)} · turn {state.turn} " if state.turn else f"{plain(state.mode)} "
        ground = blend(colour, GROUND, 0.16)
        if y == height - 1:
            return self._bar_line(width, colour, ground)
        if height <= LINES:
            return line(width, [("▌", ink(colour, ground)), (f" {headline} ", ink(colour, ground, "bold")),
                                (f"  {words}", ink(INK, ground))],
                        ink(INK, ground), [(note, ink(FAINT, ground))] if width >= 70 else [])  # fmt: skip
        return self._big_line(y, headline, words, note, colour)

    def _big_line(self, y: int, headline: str, words: str, note: str, colour: str) -> Strip:
        ground = blend(colour, GROUND, 0.16)
        letters = big(headline)[y]
        left: list[Part] = [("▌  ", ink(colour, ground)), (letters, ink(colour, ground)), ("   ", ink(INK, ground))]
        room = self.size.width - len(letters) - 8
        aside: list[Part] = []
        if y == 0 and room > len(note):
            aside = [(note, ink(FAINT, ground))]
        elif y == 1:
            left.append((words, ink(INK, ground)))
        return line(self.size.width, left, ink(INK, ground), aside)

    def _bar_line(self, width: int, colour: str, ground: str) -> Strip:
        share, words = self._bar
        if not words and self._state is not None and self._state.state == "listening" and self._state.mode == "answer":
            said = wait_words(self._state.wait)
            words = f" waits {said} " if said else ""
        room = max(width - len(words), 0)
        halves = round(share * room * 2)
        bar = "━" * (halves // 2) + ("╸" if halves % 2 else "")
        empty = "─" * (room - len(bar))
        return Strip([
            Segment(bar, ink(colour, ground)), Segment(empty, ink(blend(colour, GROUND, 0.35), ground)),
            Segment(words[: width], ink(colour, ground, "bold")),
        ], width)  # fmt: skip

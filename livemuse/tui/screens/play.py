"""The playing screen: the roll, the keyboard, whose turn it is, the controls."""

from collections.abc import Mapping
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from livemuse.control.heard import HeardNow
from livemuse.control.messages import PortsNow, State
from livemuse.tui.computer_keys import ComputerKeys
from livemuse.tui.keys import bindings, bottom_line
from livemuse.tui.score import Score
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.widgets.controls_panel import ControlsPanel
from livemuse.tui.widgets.heard import HeardLine
from livemuse.tui.widgets.hint import Hint
from livemuse.tui.widgets.keys_line import KeysLine
from livemuse.tui.widgets.masthead import Masthead
from livemuse.tui.widgets.piano_keys import PianoKeys
from livemuse.tui.widgets.piano_roll import PianoRoll
from livemuse.tui.widgets.turn import Turn

FRAMES_A_SECOND: Final = 20  # while something moves; the roll itself moves ten columns a second


class PlayScreen(Screen[None]):
    """Shows what the app is told; ``wake`` starts the frames, and they stop by themselves when nothing moves."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(everywhere=False)]
    AUTO_FOCUS = ""  # on_mount gives it, without scrolling
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (78, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as Textual has it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012

    class Ready(Message):
        """All of it is there and can be told things."""

    def __init__(self, score: Score) -> None:
        super().__init__()
        self.score = score
        self.masthead = Masthead()
        self.turn = Turn()
        self.heard = HeardLine()
        self.roll = PianoRoll(score)
        self.controls = ControlsPanel()
        self.hint = Hint()
        self.keys = PianoKeys()
        self._frames: Timer | None = None

    def compose(self) -> ComposeResult:
        """From the top down."""
        yield self.masthead
        yield self.turn
        yield self.heard
        with Container(id="middle"):
            yield self.roll
            yield self.controls
        yield self.hint
        yield self.keys
        yield KeysLine(bottom_line())

    def on_mount(self) -> None:
        """Ready to play: the first control has the focus, so that arrows work at once."""
        self._frames = self.set_interval(1 / FRAMES_A_SECOND, self._frame)
        rows = self.query(ControlRow)
        if rows:
            rows.first().focus(scroll_visible=False)
        self.post_message(self.Ready())

    def on_resize(self, event: events.Resize) -> None:
        """Draw everything in the new size, and keep what has the focus in sight."""
        self.call_after_refresh(self.controls.keep_in_sight)
        self.wake()

    def wake(self) -> None:
        """Something moves."""
        if self._frames is not None:
            self._frames.resume()

    def _frame(self) -> None:
        now_s = self.app.now_s()  # type: ignore[attr-defined]
        moving = [self.roll.advance(now_s), self.turn.advance(now_s), self.heard.advance(now_s)]
        moving += [port.advance(now_s) for port in self.controls.ports.values()]
        self.keys.show_sounding(self.score.sounding)
        if not any(moving) and self._frames is not None:
            self._frames.pause()

    def show_state(self, state: State) -> None:
        """Whose turn it is, and all that."""
        self.masthead.show(state)
        self.turn.show(state)
        self.heard.show(state.heard, self.app.now_s())  # type: ignore[attr-defined]
        self.controls.show_model(state.model)
        self.controls.show_meant(state.heard, state.wait)
        for direction, row in self.controls.ports.items():
            row.show(str(state.ports.get(direction) or ""))
        self.wake()

    def show_trouble(self, headline: str, words: str) -> None:
        """There is no engine."""
        self.masthead.show(None)
        self.turn.show_trouble(headline, words)
        self.heard.show(HeardNow(), 0.0)
        self.wake()

    def show_controls(self, values: Mapping[str, int | float | str]) -> None:
        """The controls have these values."""
        self.controls.show_controls(values)

    def show_ports(self, ports: PortsNow) -> None:
        """The ports that were chosen; what they are called when none was, the state tells."""
        for direction, row in self.controls.ports.items():
            chosen = ports.chosen.get(direction)
            if chosen:
                row.show(chosen)

    def show_typing(self, typing: ComputerKeys) -> None:
        """How the computer keys are set."""
        self.keys.show_letters(typing.letters())
        self.hint.show_typing(typing.octave, typing.velocity)

    def on_control_row_noticed(self, message: ControlRow.Noticed) -> None:
        """Say what has the focus."""
        self.hint.explain(message.words)

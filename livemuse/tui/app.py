"""The console as a program: it asks the engine, hears what happens, and keeps the screens true.

One rule: whatever comes over the socket arrives here as a message, and only the handlers below touch the screens.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.message import Message

from livemuse.control import messages as m
from livemuse.control.client import LiveLink
from livemuse.errors import LinkError, LivemuseError
from livemuse.music.controls import CONTROLS, Controls
from livemuse.tui.asking import Asking, Link, OwnEngine
from livemuse.tui.colours import VARIABLES
from livemuse.tui.computer_keys import HOLD_S, ComputerKeys
from livemuse.tui.driver import patient_driver, watch_terminal
from livemuse.tui.keys import bindings
from livemuse.tui.opening import Opening
from livemuse.tui.score import Score
from livemuse.tui.screens.play import PlayScreen
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.widgets.keys_line import KeysLine
from livemuse.tui.widgets.piano_keys import PianoKeys
from livemuse.tui.words import plain

Connect = Callable[[], Awaitable[Link]]
FIRST_TRIES_S: Final = 0.05  # an engine that is just starting is there any moment
LATER_TRIES_S: Final = 1.0
_FAST_TRIES: Final = 200  # ten seconds
_GOODBYE_S: Final = 1.5
_LAST_RESORT_S: Final = 3.0  # a console that cannot end by itself is left hard


class EngineSaid(Message):
    """Events of the engine, in their order."""

    def __init__(self, happened: list[m.Event]) -> None:
        super().__init__()
        self.happened = happened
        self.taken = asyncio.Event()  # set once it was heard: until then nothing more is read from the socket


class EngineGone(Message):
    """The connection ended, or could not be made."""

    def __init__(self, why: str, was_there: bool) -> None:
        super().__init__()
        self.why = why
        self.was_there = was_there


class Console(App[int]):
    """Build it with ``make_console``."""

    CSS_PATH = "livemuse.tcss"
    TITLE = "livemuse"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(everywhere=True)]

    def __init__(self, connect: Connect, owns_engine: bool, own: OwnEngine | None, now_s: Callable[[], float]) -> None:
        super().__init__(driver_class=patient_driver())
        self.animation_level = "none"  # what moves is the music
        self.now_s = now_s
        self.owns_engine = owns_engine
        self.failure: LivemuseError | None = None  # why the engine could not start
        self._own = own
        self.last_resort: threading.Timer | None = None  # started when told to end from outside
        self.typing = ComputerKeys()
        self.score = Score()
        self.state: m.State | None = None
        self.ports: m.PortsNow | None = None
        self.controls = Controls()
        self.opening = Opening(self)
        self.asking = Asking(lambda work: self.run_worker(work), self._refused)
        self._connect = connect
        self._trouble = "The engine is starting."
        self._retry_now = asyncio.Event()
        self.playing = PlayScreen(self.score)

    @property
    def on_top(self) -> bool:
        """Whether nothing is open over the playing screen."""
        return self.screen is self.playing

    # --- beginning and end -----------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The palette, for the style sheet."""
        return VARIABLES

    def on_mount(self) -> None:
        """Show the playing screen."""
        self.push_screen(self.playing)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal must not leave its engine behind
            with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: somebody else's business
                loop.add_signal_handler(number, self._told_to_end)

    def _told_to_end(self) -> None:
        """The terminal may be gone already, and then nothing can be drawn any more, not even a goodbye."""
        self.run_worker(self.action_quit())
        if self.last_resort is not None:
            self.last_resort.start()

    def on_play_screen_ready(self) -> None:
        """Look for the engine."""
        self.playing.show_typing(self.typing)
        self.run_worker(self._listen())

    async def action_quit(self) -> None:
        """Close the console, and the engine it started."""
        if self.owns_engine and self.asking.link is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.asking.answer(m.Action("shutdown")), _GOODBYE_S)
        elif self._own is not None:
            self._own.end()
        self.exit(0)

    def action_detach(self) -> None:
        """Close the console alone."""
        if self._own is not None:
            self._own.let_live()
        self.exit(0)

    # --- the engine ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        tries = 0
        while True:
            was_there = False
            try:
                link = await self._connect()
                try:
                    async for happened in link.events():
                        if not was_there:
                            was_there, tries, self.asking.link = True, 0, link
                        said = EngineSaid(happened)
                        if self.post_message(said):
                            await said.taken.wait()
                finally:
                    link.close()
            except LinkError as error:
                self.asking.link = None
                if self._own is not None and self.state is None and (failure := self._own.ended()) is not None:
                    self.failure = failure
                    self.exit(1)
                    return
                self.post_message(EngineGone(str(error), was_there))
            tries += 1
            self._retry_now.clear()
            with contextlib.suppress(TimeoutError):
                fast = not was_there and self.state is None and tries < _FAST_TRIES
                await asyncio.wait_for(self._retry_now.wait(), FIRST_TRIES_S if fast else LATER_TRIES_S)

    def on_engine_said(self, message: EngineSaid) -> None:
        """Keep the screens true."""
        for event in message.happened:
            self._hear(event)
        self.playing.wake()
        message.taken.set()

    def _hear(self, event: m.Event) -> None:
        match event:
            case m.NoteOn():
                self.score.note_on(event)
                self._flash("in" if event.who == "player" else "out")
            case m.NoteOff():
                self.score.note_off(event)
            case m.Planned():
                self.score.plan(event)
                self.playing.turn.answer_until(self.score.planned_until_s)
            case m.State():
                self._hear_state(event)
            case m.ControlsNow(values):
                known = {name: value for name, value in values.items() if name in CONTROLS}
                self.controls = Controls({**self.controls, **known})
                still = {name: value for name, value in known.items() if not self.asking.is_moving(name)}
                self.playing.show_controls(still)
            case m.PortsNow():
                self.ports = event
                self.playing.show_ports(event)
            case m.NoticeSaid(text):
                self.playing.hint.tell(text)
            case m.Hello():
                self.score.all_off(self.now_s())  # what sounds is told anew
            case m.Bye() | m.PedalMoved():
                pass

    def _hear_state(self, state: m.State) -> None:
        if self.state is None or state.notices != self.state.notices:
            for notice in state.notices[-1:]:
                self.playing.hint.tell(notice)
        self.state = state
        self.playing.show_state(state)

    def _flash(self, direction: str) -> None:
        self.playing.controls.ports[direction].flash(self.now_s())

    def on_engine_gone(self, message: EngineGone) -> None:
        """Say so, and let nothing seem to sound."""
        if message.was_there or self.state is not None:
            self.score.all_off(self.now_s())
            self.state = None
            self._trouble = plain(message.why)
            self.playing.show_trouble("ENGINE GONE", "Trying again every second; r tries at once.")
            self.playing.hint.tell(self._trouble)
        elif "No engine is running" not in message.why:
            self._trouble = plain(message.why)
            self.playing.show_trouble("NO ENGINE", self._trouble)
            self.playing.hint.tell(self._trouble)

    def _refused(self, why: str) -> None:
        self.playing.hint.tell(why)

    # --- the player ------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """A letter that plays a note plays it, whatever has the focus on the playing screen."""
        if not self.on_top:
            return
        if self.asking.link is None:
            if event.character in ("r", "R"):
                self._retry_now.set()
            return
        pitch = self.typing.pitch(event.character)
        if pitch is not None:
            event.stop()
            self.press(pitch)

    def press(self, pitch: int) -> None:
        """Sound a typed or clicked key."""
        self.asking.ask(m.Press(pitch, self.typing.velocity, HOLD_S))

    def on_piano_keys_struck(self, message: PianoKeys.Struck) -> None:
        """A piano key was clicked."""
        self.press(message.pitch)

    def on_control_row_moved(self, message: ControlRow.Moved) -> None:
        """A control was moved: at once."""
        self.asking.set(message.name, message.value)

    def on_control_row_opened(self, message: ControlRow.Opened) -> None:
        """A control is to be chosen or written."""
        self.action_open(message.name)

    async def on_keys_line_chosen(self, message: KeysLine.Chosen) -> None:
        """A key of the bottom line was clicked."""
        await self.run_action(message.action)

    def action_do(self, name: str) -> None:
        """Ask the engine to do something now."""
        self.asking.ask(m.Action(name))

    def action_panic(self) -> None:
        """End every note."""
        self.asking.ask(m.Action("panic"))

    def action_octave(self, octaves: int) -> None:
        """Move the computer keys."""
        self.typing = self.typing.shifted(octaves)
        self.playing.show_typing(self.typing)

    def action_velocity(self, steps: int) -> None:
        """Strike harder or softer."""
        self.typing = self.typing.louder(steps)
        self.playing.show_typing(self.typing)

    def action_step(self, lines: int) -> None:
        """To the control above or below."""
        self.playing.controls.step_focus(lines)

    def action_group(self, groups: int) -> None:
        """To the first control of the group before or after."""
        self.playing.controls.step_group(groups)

    def action_end(self, end: int) -> None:
        """To the first control, or the last."""
        self.playing.controls.step_end(end)

    def action_help(self) -> None:
        """Show the help."""
        self.opening.show_help()

    def action_state(self) -> None:
        """Show how things are."""
        self.opening.show_state(lambda: self._trouble)

    def action_heard(self) -> None:
        """Show all that is heard of the player."""
        self.opening.show_heard()

    def action_find(self) -> None:
        """Find a control or an action by its name."""
        self.opening.find()

    def action_open(self, name: str) -> None:
        """Open the chooser of a control or a port."""
        self.opening.choose(name)

    def action_remember(self) -> None:
        """Choose a session whose motifs are to be remembered."""
        self.run_worker(self.opening.choose_session())


def make_console(
    connect: Connect,
    *,
    owns_engine: bool = False,
    own: OwnEngine | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> Console:
    """The console of whatever engine ``connect`` reaches; the program and the tests build it here."""
    return Console(connect, owns_engine, own, now_s)


def run(socket_path: Path, *, owns_engine: bool, own: OwnEngine | None = None) -> int:
    """Open the console of the engine at ``socket_path``; the exit status. With ``own`` that engine may still be
    starting, and LivemuseError says why it could not."""

    async def connect() -> Link:
        link: Any = await LiveLink.open(socket_path)
        return link  # type: ignore[no-any-return]

    def leave() -> None:
        if own is not None:
            own.end()
        os._exit(0)

    console = make_console(connect, owns_engine=owns_engine, own=own)
    console.last_resort = threading.Timer(_LAST_RESORT_S, leave)
    console.last_resort.daemon = True
    if sys.stdin is not None and sys.stdin.isatty():
        watch_terminal(sys.stdin.fileno())
    code = console.run()
    console.last_resort.cancel()
    if console.failure is not None:
        raise console.failure
    return code or 0

"""The MIDI ports: find an interface, open one input and one output, look whether they are still there.

What was learnt the hard way, and holds here: an input is quietened (no callback, a moment's rest) before it is closed,
or a message on its way crashes the process; after a JACK server has died, everything old is closed before anything
new is opened; an input that was closed is never opened again, a fresh one is made; the library's talk on stderr would
tear a screen, so it is turned away while it is called.
"""

import contextlib
import gc
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import rtmidi

from livemuse.errors import PortError
from livemuse.midi.link import Notice
from livemuse.stage.jackwatch import RING_BYTES, JackNews, JackWatch, load_jack

APIS: Final[dict[str, int]] = {
    "core": rtmidi.API_MACOSX_CORE,
    "winmm": rtmidi.API_WINDOWS_MM,
    "alsa": rtmidi.API_LINUX_ALSA,
    "jack": rtmidi.API_UNIX_JACK,
}  # in the order in which "auto" tries them
_SPOKEN: Final = {"core": "CoreMIDI", "winmm": "Windows MIDI", "alsa": "ALSA sequencer", "jack": "JACK server"}
QUIET_S: Final = 0.020  # until a callback that had already begun is through
# (its exceptions are not exported by name, and RtMidi's "system error" is one of them)
RTMIDI_ERRORS: Final = (rtmidi.RtMidiError, OSError, NotImplementedError, ValueError)
LONGEST_BYTES: Final = RING_BYTES - 8  # the longest message that RtMidi gets through to JACK
BACKLOG_BYTES: Final = 1 << 20  # more than this is waiting for nobody
_ABANDONED: Final[list[Any]] = []  # kept for good, because their end would touch what is in use or no longer there
Heard = Callable[[tuple[list[int], float], object], None]


@contextlib.contextmanager
def turned_away() -> Iterator[None]:
    """Whatever C libraries print on stderr meanwhile is not shown."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def plain_name(port: str) -> str:
    """A port's name without the numbers that ALSA gives anew at every start (``nanoKEY:nanoKEY MIDI 1 20:0``)."""
    return re.sub(r"\s+\d+:\d+$", "", port)


def find_port(wish: str, there: list[str]) -> int | None:
    """The index of the port that is meant by ``wish``: the very name, else a part of it, whatever its case."""
    plain = [plain_name(name).lower() for name in there]
    wanted = plain_name(wish).lower().strip()
    if wanted in plain:
        return plain.index(wanted)
    return next((index for index, name in enumerate(plain) if wanted and wanted in name), None)


class Outlet:
    """Sends messages to the open output, in order. Where JACK has no room they wait here, not in RtMidi.

    ``tell`` hears of what can never be sent: RtMidi would drop it without a word.
    """

    def __init__(self, send: Callable[[bytes], None], watch: JackWatch | None, tell: Callable[[Notice], None]) -> None:
        self._send, self._watch, self._tell = send, watch, tell
        self._backlog: deque[bytes] = deque()
        self._backlog_bytes = 0

    def put(self, data: bytes) -> bool:
        """Send one message; False where there is no living output to send to."""
        watch = self._watch
        if watch is not None:
            if not watch.alive:
                return False
            if len(data) > LONGEST_BYTES:
                self._tell(Notice(f"A message of {len(data)} bytes is too long for JACK and was not sent.".encode()))
                return False
            if not self.flush() or not watch.room_for(len(data)):
                if self._backlog_bytes < BACKLOG_BYTES:
                    self._backlog.append(data)
                    self._backlog_bytes += len(data)
                return True
        return self._sent(data)

    @property
    def waiting(self) -> bool:
        """Whether messages wait for room."""
        return bool(self._backlog)

    def flush(self) -> bool:
        """Send what waits, as far as there is room; whether nothing waits any more."""
        while self._backlog and self._watch is not None:
            if not self._watch.room_for(len(self._backlog[0])):
                return False
            data = self._backlog.popleft()
            self._backlog_bytes -= len(data)
            self._sent(data)
        return True

    def _sent(self, data: bytes) -> bool:
        try:
            self._send(data)
        except RTMIDI_ERRORS:  # bytes that are no message
            return False
        return True


class Ports:
    """One input and one output on one MIDI interface; ``api`` is ``none`` until there is one."""

    def __init__(self, name: str, wanted_api: str, tell: Callable[[JackNews | Notice], None]) -> None:
        self.name, self.wanted_api, self._tell = name, wanted_api, tell
        self.api = "none"
        self.watch: JackWatch | None = None
        self.names: dict[str, str | None] = {"in": None, "out": None}  # as others see our ports
        self.chosen: dict[str, str | None] = {"in": None, "out": None}  # the port of another we are joined to
        self._jack = load_jack()
        self._in: Any = None
        self._out: Any = None

    def find_api(self) -> str:
        """The interface to use now, of those wanted: ``none`` where there is none."""
        compiled = rtmidi.get_compiled_api()
        wanted = APIS if self.wanted_api == "auto" else (self.wanted_api,)
        return next((api for api in wanted if APIS[api] in compiled and self._runs(api)), "none")

    def why_no_api(self) -> PortError:
        """A sentence on why the interface that was named cannot be had."""
        there = [name for name in APIS if APIS[name] in rtmidi.get_compiled_api() and self._runs(name)]
        self.drop_watch()
        return PortError(
            f"There is no {_SPOKEN[self.wanted_api]} here.",
            f"Available: {', '.join(there)}." if there else "Start one, or leave out --api to wait for any.",
        )

    def available(self) -> dict[str, list[str]]:
        """The ports of others that one could choose."""
        return {"in": self._others(self._in), "out": self._others(self._out)}

    def open_in(self, heard: Heard, wish: str | None) -> None:
        """Open the input: our own virtual port, or joined to the port ``wish``; PortError where it is not there."""
        with turned_away():
            try:
                midi_in = rtmidi.MidiIn(APIS[self.api], name=f"{self.name}-in")
                midi_in.ignore_types(sysex=False, timing=False, active_sense=False)
                midi_in.set_callback(heard)
                self._open(midi_in, "in", wish)
            except RTMIDI_ERRORS as error:
                raise PortError(f"The MIDI input cannot be opened: {error}.", "Is another program using it?") from error
        self._in = midi_in

    def open_out(self, wish: str | None) -> Outlet:
        """Open the output in the same way; returns what sends."""
        with turned_away():
            try:
                midi_out = rtmidi.MidiOut(APIS[self.api], name=f"{self.name}-out")
                self._open(midi_out, "out", wish)
            except RTMIDI_ERRORS as error:
                what = f"The MIDI output cannot be opened: {error}."
                raise PortError(what, "Is another program using it?") from error
        self._out = midi_out
        return Outlet(midi_out.send_message, self.watch, self._tell)

    def close_in(self) -> None:
        """Close the input."""
        midi_in, self._in = self._in, None
        self.names["in"] = self.chosen["in"] = None
        if midi_in is not None:
            with turned_away():
                # python-rtmidi lets go of the callback at once, though a message may be on its way to it: keep it.
                _ABANDONED.append(gc.get_referents(midi_in))
                midi_in.cancel_callback()
                time.sleep(QUIET_S)
                midi_in.close_port()
                midi_in.delete()

    def close_out(self) -> None:
        """Close the output; what was sent just before has time to leave."""
        midi_out, self._out = self._out, None
        self.names["out"] = self.chosen["out"] = None
        if midi_out is None:
            return
        if self.watch is not None and not self.watch.alive:
            # RtMidi would wait a second for a dead server to take what is left; libjack frees such clients by itself.
            _ABANDONED.append(midi_out)
            return
        with turned_away():
            time.sleep(QUIET_S)
            midi_out.close_port()
            midi_out.delete()

    def drop_watch(self) -> None:
        """Let the JACK watcher go; last, after the ports."""
        if self.watch is not None:
            with turned_away():
                self.watch.close()
            self.watch = None

    def close(self) -> None:
        """Close everything; the interface is ``none`` after."""
        self.close_in()
        self.close_out()
        self.drop_watch()
        self.api = "none"

    def _runs(self, api: str) -> bool:
        """Whether the interface can be had now. For JACK this opens the watcher, and keeps it."""
        if api == "alsa":
            return os.access("/dev/snd/seq", os.R_OK | os.W_OK)
        if api != "jack":
            return True
        with turned_away():
            if self._jack is None:
                return _opens(rtmidi.API_UNIX_JACK, self.name)
            if self.watch is None:
                try:
                    self.watch = JackWatch(self._jack, self.name, self._tell)
                except self._jack.JackError:
                    return False
        return True

    def _open(self, midi: Any, direction: str, wish: str | None) -> None:
        before = self.watch.ports() if self.watch is not None else set()
        if wish is None:
            try:
                midi.open_virtual_port(direction)
            except NotImplementedError as error:
                raise PortError(
                    "Windows has no virtual MIDI ports.", "Install loopMIDI and choose its port with --in and --out."
                ) from error
        else:
            there = midi.get_ports()
            index = find_port(wish, there)
            if index is None:
                midi.delete()
                others = [plain_name(name) for name in there if not self._ours(name)]
                raise PortError(
                    f"There is no MIDI {direction}put called {wish!r}.",
                    f"There are: {', '.join(others)}." if others else f"There is no MIDI {direction}put at all.",
                )
            midi.open_port(index, direction)
            self.chosen[direction] = plain_name(there[index])
        self.names[direction] = f"{self.name}-{direction}:{direction}"
        if self.watch is not None:  # JACK may have had to number our name
            new = [port for port in self.watch.ports() - before if port.startswith(f"{self.name}-{direction}")]
            self.names[direction] = new[0] if new else self.names[direction]

    def _others(self, midi: Any) -> list[str]:
        if midi is None:
            return []
        return [plain_name(name) for name in midi.get_ports() if not self._ours(name)]

    def _ours(self, port: str) -> bool:
        return port.startswith((f"{self.name}-in", f"{self.name}-out"))


def _opens(api: int, name: str) -> bool:
    try:
        rtmidi.MidiOut(api, name=f"{name}-out").delete()
    except RTMIDI_ERRORS:
        return False
    return True

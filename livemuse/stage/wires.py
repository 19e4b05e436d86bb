"""The wires out of the stage: the MIDI output and the built-in synth, each with the ledger of what sounds on it.

Every message that leaves the stage goes through here, under the stage's one lock. The MIDI output is shared by the
player (thru) and livemuse, so its ledger counts them; the synth keeps the two apart, so each has a ledger there.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from livemuse.midi.echo import Echo
from livemuse.midi.ledger import Ledger
from livemuse.midi.messages import RESET_CONTROLLERS, control_change, program_change
from livemuse.music.notes import Who


class SynthWire(Protocol):
    """What the wires need of the built-in synth."""

    def send(self, who: Who, data: bytes) -> None:
        """Let one message of ``who`` sound."""
        ...


def _nowhere(data: bytes) -> bool:
    return False


class Wires:
    """Where music leaves the stage. ``put`` sends bytes to the MIDI output and says whether there is one."""

    def __init__(self, echo: Echo, lock: threading.RLock) -> None:
        self._echo, self.lock = echo, lock
        self._put: Callable[[bytes], bool] = _nowhere
        self._synth: SynthWire | None = None
        self.output = Ledger()
        self._programs: dict[int, int] = {}  # channel -> what livemuse sounds like there
        self._synth_ledgers: dict[Who, Ledger] = {"player": Ledger(), "livemuse": Ledger()}

    def open_output(self, put: Callable[[bytes], bool]) -> None:
        """From now on messages go to ``put``."""
        with self.lock:
            self._put = put
            self.tell_programs()

    def close_output(self, *, alive: bool) -> list[bytes]:
        """No output from now on: what sounds there is ended, or returned as the messages that are owed to it."""
        with self.lock:
            owed = self.output.everything_off()
            if alive:
                self._wire_all(owed, own=True)
            self._put = _nowhere
            return [] if alive else owed

    def set_synth(self, synth: SynthWire | None) -> None:
        """Play on this synth too, or on none; what sounds on the one before is ended."""
        with self.lock:
            self.end_on_synth("player")
            self.end_on_synth("livemuse")
            self._synth = synth
            self._tell_synth(self._programs)

    def set_programs(self, programs: Mapping[int, int]) -> None:
        """livemuse sounds like this on these channels from now on; on others the synth has its own sound again."""
        with self.lock:
            before, self._programs = self._programs, dict(programs)
            new = {channel: program for channel, program in programs.items() if before.get(channel) != program}
            self._tell_output(new)
            self._tell_synth(new)
            for channel in before.keys() - programs.keys():
                self._on_synth("livemuse", control_change(channel, RESET_CONTROLLERS, 0))

    def tell_programs(self) -> None:
        """Say it again on the output: there may be a new listener."""
        with self.lock:
            self._tell_output(self._programs)

    def play(self, data: bytes) -> None:
        """A message of livemuse's: to the output and the synth."""
        with self.lock:
            if self._put is not _nowhere:
                self._wire_all(self.output.passed("livemuse", data), own=True)
            self._on_synth("livemuse", data)

    def thru(self, data: bytes, *, output: bool, synth: bool) -> bool:
        """A message of the player's, byte for byte, where thru wants it; says whether it went anywhere."""
        went = False
        with self.lock:
            if output and self._put is not _nowhere:
                for message in self.output.passed("player", data):
                    went |= self._wire(message, own=False)
            if synth and self._synth is not None:
                self._on_synth("player", data)
                went = True
        return went

    def end_on_output(self, who: Who) -> None:
        """End what ``who`` sounds on the output."""
        with self.lock:
            self._wire_all(self.output.release(who), own=who == "livemuse")

    def end_on_synth(self, who: Who) -> None:
        """End what ``who`` sounds on the synth."""
        with self.lock:
            if self._synth is not None:
                for message in self._synth_ledgers[who].release(who):
                    self._synth.send(who, message)
            self._synth_ledgers[who] = Ledger()

    def everything_off(self) -> None:
        """End all that sounds, of both, pedals included."""
        with self.lock:
            self._wire_all(self.output.everything_off(), own=True)
            self.end_on_synth("player")
            self.end_on_synth("livemuse")

    def panic(self) -> None:
        """``everything_off``, and "all notes off" on every channel that ever sounded."""
        with self.lock:
            self._wire_all(self.output.panic(), own=True)
            self.end_on_synth("player")
            self.end_on_synth("livemuse")

    def pay(self, owed: Iterable[bytes]) -> None:
        """Send what ends the notes that an output before this one left sounding."""
        with self.lock:
            self._wire_all(owed, own=True)

    def _tell_output(self, programs: Mapping[int, int]) -> None:
        self._wire_all([program_change(*row) for row in programs.items()], own=True)

    def _tell_synth(self, programs: Mapping[int, int]) -> None:
        for row in programs.items():
            self._on_synth("livemuse", program_change(*row))

    def _on_synth(self, who: Who, data: bytes) -> None:
        if self._synth is not None:
            for message in self._synth_ledgers[who].passed(who, data):
                self._synth.send(who, message)

    def _wire(self, data: bytes, *, own: bool) -> bool:
        if not self._put(data):
            return False
        self._echo.sent(time.monotonic(), data, own=own)
        return True

    def _wire_all(self, messages: Iterable[bytes], *, own: bool) -> None:
        for message in messages:
            self._wire(message, own=own)


def programs_from(rows: object) -> dict[int, int]:
    """Channel (0-15) -> program (0-127), of the ``programs`` in a ``Rules`` frame; what is nonsense is left out."""
    found = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 2 and all(isinstance(n, int) for n in row):
            channel, program = row
            if 0 <= channel < 16 and 0 <= program < 128:
                found[channel] = program
    return found

"""The built-in synth as the stage sees it: bytes go down a pipe to a process of its own, and nothing comes back late.

Rules for whoever edits this file. Nothing here waits: the pipe never blocks, a message that does not fit is dropped and
counted, but what ends a note is owed and paid as soon as the pipe has room. Rendering is in ``livemuse.stage.synth``,
another process, so that it never shares the interpreter lock with the player.

    message on the pipe   u8 who (0 player, 1 livemuse, 2 gain), u8 length, the bytes of one MIDI message (gain: f32)
    line that comes back  {"state": "on", "device": "..."} or {"state": "none", "reason": "..."}
"""

import importlib.util
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, ClassVar, Final

from livemuse.music.notes import Who

PLAYER: Final = 0
LIVEMUSE: Final = 1
GAIN: Final = 2
_WHO: Final[dict[Who, int]] = {"player": PLAYER, "livemuse": LIVEMUSE}
LONGEST_MESSAGE: Final = 255  # a synth of presets has no use for long SysEx
SOUNDFONT_PACKAGE: Final = "pretty_midi"  # its wheel carries a General MIDI SoundFont
SOUNDFONT_NAME: Final = "TimGM6mb.sf2"
_ALL_OFF: Final = tuple(
    bytes((0xB0 | channel, controller, 0)) for channel in range(16) for controller in (64, 66, 123, 120)
)


def find_soundfont() -> Path | None:
    """The General MIDI SoundFont this machine has: ``LIVEMUSE_SOUNDFONT``, or the one a dependency's wheel carries."""
    named = os.environ.get("LIVEMUSE_SOUNDFONT")
    if named:
        return Path(named) if Path(named).is_file() else None
    spec = importlib.util.find_spec(SOUNDFONT_PACKAGE)  # finds it without importing it (and all of numpy with it)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / SOUNDFONT_NAME
        if path.is_file():
            return path
    return None


def ends_a_note(data: bytes) -> bool:
    """Whether this message lets something stop: a note-off, a pedal coming up, all notes or all sound off."""
    if len(data) < 3:
        return False
    kind = data[0] & 0xF0
    if kind == 0x80 or (kind == 0x90 and data[2] == 0):
        return True
    return kind == 0xB0 and (data[1] in (120, 121, *range(123, 128)) or (data[1] in (64, 66, 69) and data[2] < 64))


class Synth:
    """A running built-in synth: what is sent to it sounds on this machine's loudspeakers."""

    reason: ClassVar[str] = ""  # why the last ``start`` gave None, as a sentence

    def __init__(self, child: "subprocess.Popen[bytes]", down: IO[bytes], up: IO[bytes]) -> None:
        self._child = child
        self._down, self._up = down, up
        self._lock = threading.Lock()  # the input callback and the player both send
        self._owed: list[bytes] = []  # what ends notes and did not fit yet, oldest first
        self._payer: threading.Thread | None = None
        self._heard = b""
        self._state, self._why, self._device = "starting", "", ""
        self._ended = False  # the process is gone; while it lives it may find its device again
        self.dropped = 0  # messages lost because the synth did not keep up

    @classmethod
    def start(cls, mode: str, gain: float) -> "Synth | None":
        """Start the synth's process (at once, without waiting for it); None, with ``Synth.reason`` set, where
        there can be no sound or ``mode`` is ``off``. Whether an audio device was found shows in ``state``."""
        cls.reason = ""
        if mode == "off":
            cls.reason = "The built-in synth is off."
        elif find_soundfont() is None:
            cls.reason = f"No SoundFont was found: install {SOUNDFONT_PACKAGE}, or name one in LIVEMUSE_SOUNDFONT."
        if cls.reason:
            return None
        command = [sys.executable, "-m", "livemuse.stage.synth", "--gain", repr(float(gain))]
        try:
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            cls.reason = f"The built-in synth could not be started: {error.strerror or error}."
            return None
        assert child.stdin is not None
        assert child.stdout is not None
        os.set_blocking(child.stdin.fileno(), False)
        os.set_blocking(child.stdout.fileno(), False)
        return cls(child, child.stdin, child.stdout)

    @property
    def state(self) -> str:
        """``starting``, ``on`` (it sounds), or ``none`` (it does not: ``why`` tells)."""
        if not self._ended:
            self._listen()
        return self._state

    @property
    def why(self) -> str:
        """The sentence that says why there is no sound; empty while there is."""
        return self._why

    @property
    def device(self) -> str:
        """The audio device it plays through, as the system calls it; empty until ``state`` is ``on``."""
        return self._device

    def fileno(self) -> int:
        """Readable when ``state`` may have changed: for the stage's own select."""
        return self._up.fileno()

    def wait(self, timeout_s: float) -> str:
        """``state``, once it is no longer ``starting`` or ``timeout_s`` has passed (for `doctor` and tests)."""
        deadline_s = time.monotonic() + timeout_s
        while self.state == "starting" and (left_s := deadline_s - time.monotonic()) > 0:
            select.select([self._up], [], [], left_s)
        return self.state

    def send(self, who: Who | int, data: bytes) -> None:
        """Let one MIDI message of ``who`` sound now; never waits, from any thread."""
        if self._ended or not data or len(data) > LONGEST_MESSAGE:
            return
        number = who if isinstance(who, int) else _WHO[who]
        self._put(bytes((number, len(data))) + data, ends_a_note(data))

    def set_gain(self, gain: float) -> None:
        """How loud all of it is: 1 is as it comes, 0 is silence."""
        self._put(struct.pack("<BBf", GAIN, 4, gain), False)

    def all_off(self) -> None:
        """End everything that sounds, of both, pedals included."""
        for who in (PLAYER, LIVEMUSE):
            block = b"".join(bytes((who, len(data))) + data for data in _ALL_OFF)
            self._put(block, True)

    def close(self) -> None:
        """End the sound and the process; gone within a second."""
        self._gone("The built-in synth was closed.")
        for end in (self._down, self._up):
            try:
                end.close()  # end of the pipe means: all off, and exit
            except OSError:
                continue  # the child was gone first
        try:
            self._child.wait(1.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _listen(self) -> None:
        """Take in what the synth's process has said since."""
        try:
            said = os.read(self._up.fileno(), 4096)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            said = b""
        if not said:
            self._gone("The built-in synth's process ended.")
            return
        *lines, self._heard = (self._heard + said).split(b"\n")
        for line in lines:
            try:
                news = json.loads(line)
                self._state, self._why = str(news["state"]), str(news.get("reason", ""))
                self._device = str(news.get("device", ""))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # some library's talk, not ours

    def _gone(self, why: str) -> None:
        if not self._ended:
            self._why = self._why if self._state == "none" else why  # the synth's own last words say more
            self._state, self._ended = "none", True

    def _put(self, block: bytes, must_arrive: bool) -> None:
        with self._lock:
            if self._ended:
                return
            if (self._owed and not self._pay()) or not self._write(block):
                if must_arrive:
                    self._owe(block)
                else:
                    self.dropped += 1

    def _write(self, block: bytes) -> bool:
        """Whether all of ``block`` went down; a pipe takes up to 4096 bytes whole or not at all."""
        try:
            os.write(self._down.fileno(), block)
        except BlockingIOError:
            return False
        except (OSError, ValueError):
            self._gone("The built-in synth's process ended.")
        return True

    def _pay(self) -> bool:
        while self._owed:
            if not self._write(self._owed[0]):
                return False
            self._owed.pop(0)
        return True

    def _owe(self, block: bytes) -> None:
        if block not in self._owed:  # at most one end for each key and controller: it cannot grow without bound
            self._owed.append(block)
        if self._payer is None:
            self._payer = threading.Thread(target=self._pay_later, name="synth-debts", daemon=True)
            self._payer.start()

    def _pay_later(self) -> None:
        """Send what is owed when the pipe has room again, though nobody may send anything more."""
        while True:
            try:
                select.select([], [self._down], [], 1.0)
            except (OSError, ValueError):
                break  # closed
            with self._lock:
                if self._ended or self._pay():
                    break
        with self._lock:
            self._payer = None

"""A small engine for tests: starts a real stage process and talks the link to it, with no asyncio and no music."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from livemuse.midi.link import ALWAYS, BeginTake, Frame, FrameReader, Hello, Ping, PlayNote, Pong, Quit, Rules, encode

ROOT = Path(__file__).parents[2]
F = TypeVar("F")


class Talk:
    """One connection to a stage; what it said so far is in ``frames``, in order."""

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        end_s = time.monotonic() + timeout_s
        while True:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self.socket.close()
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.01)
        self.frames: list[Frame] = []
        self._seen = 0
        self._reader = FrameReader()
        hello = self.until(lambda frame: isinstance(frame, Hello), timeout_s)
        assert isinstance(hello, Hello)
        self.hello: dict[str, Any] = json.loads(hello.json)

    def say(self, *frames: Frame) -> None:
        """Send orders."""
        self.socket.sendall(b"".join(encode(frame) for frame in frames))

    def rules(self, **fields: Any) -> None:
        """Send rules, the rest as by default."""
        self.say(Rules(json.dumps({"thru": "auto", "channel_in": None, "map": [], **fields}).encode()))

    def begin(self, take: int, yields: int = ALWAYS, release_s: float = 0.05) -> None:
        """Open a take."""
        self.say(BeginTake(take, yields, release_s))

    def play(self, take: int, index: int, on_s: float, off_s: float, pitch: int = 60, channel: int = 0) -> None:
        """Plan one note."""
        self.say(PlayNote(take, index, on_s, off_s, channel, pitch, 80))

    def until(self, wanted: Callable[[Frame], bool], timeout_s: float = 5.0) -> Frame:
        """The next frame that is wanted, after the one found last; all that came are in ``frames``."""
        end_s = time.monotonic() + timeout_s
        while True:
            while self._seen < len(self.frames):
                self._seen += 1
                if wanted(self.frames[self._seen - 1]):
                    return self.frames[self._seen - 1]
            ready = select.select([self.socket], [], [], max(end_s - time.monotonic(), 0))[0]
            assert ready, f"not within {timeout_s} s; last: {self.frames[-5:]}"
            data = self.socket.recv(65536)
            assert data, f"the stage hung up; last: {self.frames[-5:]}"
            self.frames += self._reader.feed(data)

    def settle(self) -> list[Frame]:
        """All frames so far: a ping goes there and back behind everything asked before."""
        self.say(Ping(77))
        self.until(lambda frame: frame == Pong(77))
        return self.frames

    def of(self, kind: type[F]) -> list[F]:
        """The frames of one kind that have come so far."""
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def close(self) -> None:
        """Break the link, as a killed engine would."""
        self.socket.close()


class StageProcess:
    """A stage in a process of its own."""

    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        self.path = folder / "stage.sock"
        self._log = folder / "stage.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "livemuse.stage", "--socket", str(self.path), *options],
                cwd=ROOT,
                env={**(env or os.environ), "PYTHONPATH": str(ROOT)},
                stderr=log,
            )
        self._talks: list[Talk] = []

    def talk(self, timeout_s: float = 10.0) -> Talk:
        """Connect as an engine."""
        talk = Talk(self.path, timeout_s)
        self._talks.append(talk)
        return talk

    def said(self) -> str:
        """What it wrote on stderr."""
        return self._log.read_text(errors="replace")

    def quit(self) -> int:
        """Tell it to end; its exit status."""
        self._talks[-1].say(Quit())
        return self.process.wait(5)

    def close(self) -> None:
        """Leave nothing behind."""
        for talk in self._talks:
            talk.close()
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)

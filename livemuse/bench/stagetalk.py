"""A stage with nobody but the benchmark as its engine."""

import select
import socket
import sys
import time
from pathlib import Path

from livemuse.bench.programs import BenchError, Studio
from livemuse.midi.link import NEVER, BeginTake, Frame, FrameReader, NoteSent, PlayNote, Quit, encode


class LoneStage:
    """A stage process, and the link to it."""

    def __init__(self, studio: Studio, name: str) -> None:
        self._path = studio.folder / f"{name}.stage"
        command = ["-m", "livemuse.stage", "--socket", str(self._path), "--name", name, "--api", "jack"]
        self._program = studio.start([sys.executable, *command])
        self._socket = _connect(self._path)
        self._reader = FrameReader()

    def play(self, due_s: list[float]) -> list[NoteSent]:
        """Let it play a note at each of these times, each ending at the next; how it went."""
        frames: list[Frame] = [BeginTake(1, NEVER, 0.0)]
        for index, on_s in enumerate(due_s[0::2]):
            off_s = due_s[2 * index + 1] if 2 * index + 1 < len(due_s) else on_s + 0.01
            frames.append(PlayNote(1, index, on_s, off_s, 0, 60, 64))
        self._socket.sendall(b"".join(encode(frame) for frame in frames))
        sent: list[NoteSent] = []
        while len(sent) < len(frames) - 1:
            readable, _, _ = select.select([self._socket], [], [], 30.0)
            data = self._socket.recv(65536) if readable else b""
            if not data:
                raise BenchError("The stage under measurement does not answer.")
            sent += [frame for frame in self._reader.feed(data) if isinstance(frame, NoteSent)]
        return sent

    def close(self) -> None:
        """End it."""
        self._socket.sendall(encode(Quit()))
        self._socket.close()
        self._program.close()


def _connect(path: Path) -> socket.socket:
    for _ in range(200):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(str(path))
        except OSError:
            link.close()
            time.sleep(0.05)
            continue
        return link
    raise BenchError("The stage under measurement does not start.")

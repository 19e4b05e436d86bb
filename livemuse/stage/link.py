"""The stage's side of the link: a Unix socket on which one engine at a time gives orders and gets news."""

import contextlib
import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from livemuse.errors import LinkError
from livemuse.midi.link import Frame, FrameReader, encode

READ_BYTES: Final = 16384  # at one go; notes that are due in between do not wait for a whole plan to be read
BEHIND_BYTES: Final = 8 << 20  # an engine that has left so much unread is not coming back


class Link:
    """Listens on a socket that only its owner may open; holds the connection to the engine there is."""

    def __init__(self, path: Path) -> None:
        """Start to listen; LinkError when another stage listens there already, or the place cannot be had."""
        self._path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._take_place()
        except OSError as error:
            self.listener.close()
            raise LinkError(f"The stage cannot listen at {path}: {error.strerror or error}.") from error
        self.listener.setblocking(False)
        self.engine: socket.socket | None = None
        self._reader = FrameReader()
        self._unsent = bytearray()

    @property
    def connected(self) -> bool:
        """Whether there is an engine."""
        return self.engine is not None

    def readers(self) -> list[socket.socket]:
        """The sockets to wait for."""
        return [self.listener] if self.engine is None else [self.listener, self.engine]

    def writers(self) -> list[socket.socket]:
        """The engine's socket while it has not taken all there is to say."""
        return [self.engine] if self.engine is not None and self._unsent else []

    def accept(self) -> tuple[socket.socket | None, bool]:
        """Somebody knocks: their socket, and whether they may be the engine."""
        try:
            knocker, _ = self.listener.accept()
        except OSError:
            return None, False
        knocker.setblocking(False)
        return knocker, self.engine is None or self._is_dead()

    def welcome(self, engine: socket.socket) -> None:
        """This is the engine from now on."""
        self.engine, self._reader, self._unsent = engine, FrameReader(), bytearray()

    def refuse(self, knocker: socket.socket, hello: Frame) -> None:
        """Say why not, and hang up."""
        with contextlib.suppress(OSError):
            knocker.send(encode(hello))
        knocker.close()

    def send(self, frame: Frame) -> None:
        """Put a frame with what goes out at the next ``flush``; dropped when there is no engine."""
        if self.engine is not None:
            self._unsent += encode(frame)

    def flush(self) -> bool:
        """Send what can be sent without waiting; False when the engine is gone."""
        if self.engine is None or not self._unsent:
            return True
        try:
            sent = self.engine.send(self._unsent)
        except BlockingIOError:
            return len(self._unsent) < BEHIND_BYTES
        except OSError:
            return False
        del self._unsent[:sent]
        return True

    def read(self) -> Iterator[Frame]:
        """The frames that have come; LinkError when the engine is gone or talks nonsense."""
        assert self.engine is not None
        try:
            data = self.engine.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise LinkError("The engine is gone.") from error
        if not data:
            raise LinkError("The engine is gone.")
        yield from self._reader.feed(data)

    def hang_up(self) -> None:
        """No engine from now on."""
        if self.engine is not None:
            self.engine.close()
        self.engine = None
        self._unsent.clear()

    def close(self) -> None:
        """Stop listening and take the socket away."""
        self.hang_up()
        self.listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _take_place(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._path.is_socket():
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
                    if other.connect_ex(str(self._path)) == 0:
                        raise LinkError(f"Another stage is listening at {self._path}.", "End it, or choose a --name.")
                self._path.unlink()
        before = os.umask(0o177)
        try:
            self.listener.bind(str(self._path))
        finally:
            os.umask(before)
        self.listener.listen(4)

    def _is_dead(self) -> bool:
        assert self.engine is not None
        readable, _, _ = select.select([self.engine], [], [], 0)
        if not readable:
            return False
        try:
            return not self.engine.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

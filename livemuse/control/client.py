"""The other side of the control socket: one question and its answer for scripts, a live link for the console."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from livemuse.control.codec import LONGEST_ANSWER, LineReader, Reply, decode_answer, encode_request
from livemuse.control.messages import PROTOCOL, Event, Hello, Request, Watch
from livemuse.errors import ControlError, LinkError

ANSWER_WITHIN_S: Final = 5.0  # choosing a port or a model takes the engine a moment
_READ_BYTES: Final = 64 * 1024


def no_engine() -> LinkError:
    """Nobody listens at the socket."""
    return LinkError("No engine is running.", "Start one with `livemuse` or `livemuse daemon`.")


def _silent() -> LinkError:
    return LinkError("The engine does not answer.", "Wait a moment and try again, or end it and start another.")


def _not_livemuse(error: LinkError, path: Path) -> LinkError:
    what = f"What answers at {path} does not speak livemuse's language: {error.what}"
    return LinkError(what, "End it, or use another --name.")


def _unreachable(error: OSError, path: Path) -> LinkError:
    if isinstance(error, FileNotFoundError | ConnectionRefusedError | NotADirectoryError):
        return no_engine()
    if isinstance(error, PermissionError):
        return LinkError(f"The engine's socket {path} belongs to somebody else.", "Start an engine of your own.")
    return LinkError(f"The engine's socket {path} cannot be used: {error.strerror or error}.", "Restart livemuse.")


def granted(reply: Reply) -> Mapping[str, Any]:
    """What a reply gave; ControlError with the engine's own two sentences where it refused."""
    if reply.ok is None:
        raise ControlError(reply.what, reply.remedy)
    return reply.ok


def checked_hello(event: Event) -> Event:
    """``event``, unless it says that the engine speaks another version: LinkError."""
    if isinstance(event, Hello) and event.protocol != PROTOCOL:
        what = f"The running engine is livemuse {event.version[:40]!r}, which this console does not understand."
        raise LinkError(what, "End it with the livemuse that started it, and start this one.")
    return event


class ControlClient:
    """One connection for ``livemuse ctl`` and scripts; blocking, every wait bounded."""

    def __init__(self, path: Path, timeout_s: float = ANSWER_WITHIN_S) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._lines = LineReader(LONGEST_ANSWER)
        self._id = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(os.fspath(path))
        except TimeoutError as error:
            self.close()
            raise _silent() from error
        except OSError as error:
            self.close()
            raise _unreachable(error, path) from error

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def request(self, request: Request) -> Mapping[str, Any]:
        """What the engine gave; ControlError where it refused, LinkError where there is no sense in it."""
        deadline_s = time.monotonic() + self._timeout_s
        self._send(request)
        for message in self._messages(deadline_s):
            if isinstance(message, Reply) and message.id == self._id:
                return granted(message)
        raise LinkError("The engine hung up without an answer.", "Try again.")

    def watch(self) -> Iterator[Event]:
        """Every event from now on, until the engine says goodbye or hangs up."""
        self._send(Watch())
        for message in self._messages(time.monotonic() + self._timeout_s, patient=True):
            if isinstance(message, Reply):
                granted(message)
            elif message is not None:
                yield checked_hello(message)

    def _send(self, request: Request) -> None:
        self._id += 1
        self._socket.settimeout(self._timeout_s)
        try:
            self._socket.sendall(encode_request(self._id, request))
        except TimeoutError as error:
            raise _silent() from error
        except OSError as error:
            raise LinkError("The engine hung up.", "Try again.") from error

    def _messages(self, until_s: float, patient: bool = False) -> Iterator[Reply | Event | None]:
        """Until ``until_s``; a patient one waits for ever once the first has come."""
        deadline_s: float | None = until_s
        while True:
            left_s = None if deadline_s is None else deadline_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                raise _silent()
            self._socket.settimeout(left_s)
            try:
                data = self._socket.recv(_READ_BYTES)
            except TimeoutError as error:
                raise _silent() from error
            except OSError as error:
                raise LinkError("The engine hung up.", "Try again.") from error
            if not data:
                return
            try:
                messages = [decode_answer(line) for line in self._lines.feed(data)]
            except LinkError as error:
                raise _not_livemuse(error, self._path) from error
            if messages and patient:
                deadline_s = None
            yield from messages


def ask(path: Path, request: Request, timeout_s: float = ANSWER_WITHIN_S) -> Mapping[str, Any]:
    """One question to the engine at ``path``; see ``ControlClient.request``."""
    with ControlClient(path, timeout_s) as client:
        return client.request(request)


class LiveLink:
    """The console's connection: asks without waiting in line, and hands out events as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> None:
        self._reader = reader
        self._writer = writer
        self._path = path
        self._lines = LineReader(LONGEST_ANSWER)
        self._id = 0
        self._asked: dict[int, asyncio.Future[Reply]] = {}
        self._gone: LinkError | None = None

    @classmethod
    async def open(cls, path: Path, timeout_s: float = ANSWER_WITHIN_S) -> "LiveLink":
        """Connect; LinkError where nobody is there."""
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(os.fspath(path)), timeout_s)
        except TimeoutError as error:
            raise _silent() from error
        except OSError as error:
            raise _unreachable(error, path) from error
        return cls(reader, writer, path)

    async def events(self) -> AsyncIterator[list[Event]]:
        """Ask to watch, then give what happened, in handfuls; ends with LinkError when the engine is gone."""
        self._write(Watch())
        try:
            while True:
                data = await self._reader.read(_READ_BYTES)
                if not data:
                    raise LinkError("The engine hung up.", "It may have been ended elsewhere.")
                try:
                    messages = [decode_answer(line) for line in self._lines.feed(data)]
                except LinkError as error:
                    raise _not_livemuse(error, self._path) from error
                for reply in messages:
                    if isinstance(reply, Reply):
                        self._settle(reply)
                happened = [checked_hello(m) for m in messages if m is not None and not isinstance(m, Reply)]
                if happened:
                    yield happened
        except OSError as error:
            raise self._hung_up(LinkError("The engine hung up.", "It may have been ended elsewhere.")) from error
        except LinkError as error:
            raise self._hung_up(error) from error
        finally:
            self.close()

    async def request(self, request: Request, timeout_s: float = ANSWER_WITHIN_S) -> Mapping[str, Any]:
        """What the engine gave; ControlError where it refused, LinkError where it is gone. Needs ``events`` running."""
        id_ = self._write(request)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[id_] = answer
        try:
            return granted(await asyncio.wait_for(answer, timeout_s))
        except TimeoutError as error:
            raise _silent() from error
        finally:
            self._asked.pop(id_, None)

    def close(self) -> None:
        """Hang up."""
        self._hung_up(LinkError("The console hung up.", ""))
        with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: the loop itself is closing
            self._writer.close()

    def _write(self, request: Request) -> int:
        if self._gone is not None or self._writer.is_closing():
            raise self._gone or no_engine()
        self._id += 1
        self._writer.write(encode_request(self._id, request))
        return self._id

    def _settle(self, reply: Reply) -> None:
        answer = self._asked.pop(reply.id, None)
        if answer is not None and not answer.done():
            answer.set_result(reply)

    def _hung_up(self, error: LinkError) -> LinkError:
        self._gone = self._gone or error
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(error)
        self._asked.clear()
        return error

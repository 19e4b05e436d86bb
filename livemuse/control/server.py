"""The engine's side of the control socket.

Any number of consoles and scripts connect; each has an outbox of its own, so that none can hold up the engine or
another client. The music never waits for a client: ``Desk.subscribe`` hands events to a listener that only appends.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from livemuse.control.codec import LONGEST_REQUEST, LineReader, decode_fields, decode_id, encode_error, encode_ok
from livemuse.control.lock import NameLock
from livemuse.control.messages import (
    PROTOCOL,
    Action,
    Choose,
    Get,
    Models,
    Ports,
    Press,
    Remember,
    Request,
    Sessions,
    Set,
    Status,
    Watch,
    read_request,
)  # fmt: skip
from livemuse.control.outbox import Outbox
from livemuse.control.paths import checked_length
from livemuse.errors import LinkError, LivemuseError

MOST_CLIENTS: Final = 32  # a stage has a handful; more is a runaway script
_READ_BYTES: Final = 16 * 1024
_OUTBOX_ROOM: Final = 256  # a client that asks faster than it reads waits here
_GOODBYE_S: Final = 0.5  # how long the last words may take

Listener = Callable[[Mapping[str, Any]], None]


class Desk(Protocol):
    """What the engine offers to whoever is connected; every call may raise LivemuseError."""

    async def get(self, name: str | None) -> Mapping[str, int | float | str]:
        """The value of one control, or of all."""
        ...

    async def set(self, name: str, value: int | float | str) -> Mapping[str, int | float | str]:
        """Change a control; gives the value as it is kept, and a ``notice`` where there is something to say of it."""
        ...

    async def action(self, name: str) -> None:
        """Do something now."""
        ...

    async def status(self) -> Mapping[str, Any]:
        """The form of ``livemuse ctl status --json``."""
        ...

    async def press(self, pitch: int, velocity: int, hold_s: float) -> None:
        """A typed key; the desk ends it after ``hold_s``, whatever becomes of the client."""
        ...

    async def ports(self) -> Mapping[str, Any]:
        """api, in, out, chosen {in, out}."""
        ...

    async def choose(self, direction: str, port: str | None) -> Mapping[str, Any]:
        """Use another port (None: livemuse's own); gives the form of ``ports``."""
        ...

    async def models(self) -> Sequence[Mapping[str, Any]]:
        """The models there are, each with its name."""
        ...

    async def sessions(self) -> Sequence[Mapping[str, Any]]:
        """The sessions that were recorded, oldest first, each with its name."""
        ...

    async def remember(self, session: str) -> Mapping[str, Any]:
        """Remember what was played in a session; gives ``session`` and ``notes``, how many."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """First tell ``listener`` how things stand (``state``, ``controls``, ``ports``, ``planned`` and a ``note_on``
        of each note that sounds), then every event as it happens; gives the call that ends it. An event is
        ``{"event": name, ...}`` and is not changed after it was told."""
        ...


class ControlServer:
    """Listens at ``path`` from ``start`` to ``stop``; owner only."""

    def __init__(self, desk: Desk, path: Path, version: str) -> None:
        self._desk = desk
        self._path = path
        self._version = version
        self._lock = NameLock(path)
        self._server: asyncio.Server | None = None
        self._claimed = False
        self._clients: set[_Client] = set()

    def claim(self) -> None:
        """Take the name, before the socket is opened; LinkError when an engine of this name is running."""
        if not self._claimed:
            checked_length(self._path)
            self._lock.take()
            self._claimed = True

    async def start(self) -> None:
        """Open the socket; LinkError when an engine of this name is running or the path cannot be had."""
        self.claim()
        try:
            listening = _listen(self._path)
        except OSError as error:
            self._lock.give_back()
            what = f"The control socket {self._path} cannot be made: {error.strerror}."
            raise LinkError(what, "Set XDG_RUNTIME_DIR to a folder of your own.") from error
        self._server = await asyncio.start_unix_server(self._serve, sock=listening)

    async def stop(self) -> None:
        """Say goodbye, close every connection, remove the socket."""
        if self._server is None:
            self._lock.give_back()
            return
        self._server.close()
        self._server = None
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        clients = list(self._clients)
        if clients:
            for client in clients:
                client.say_goodbye()
            await asyncio.wait([client.task for client in clients], timeout=_GOODBYE_S)
            for client in clients:
                client.task.cancel()
            await asyncio.gather(*(client.task for client in clients), return_exceptions=True)
        self._lock.give_back()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        client = _Client(self._desk, reader, writer, task, self._version)
        if len(self._clients) >= MOST_CLIENTS:
            writer.write(encode_error(None, LinkError("Too many consoles are connected.", "Close one.")))
            writer.close()
            return
        self._clients.add(client)
        try:
            await client.serve()
        finally:
            self._clients.discard(client)


def _listen(path: Path) -> socket.socket:
    """A listening socket that its owner alone may open; whoever holds the name's lock may replace a stale file."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(os.fspath(path))
        path.chmod(0o600)  # before anybody can connect: it does not listen yet
        listening.listen(MOST_CLIENTS)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


class _Client:
    """One connection: requests are answered in their order, events go out as the client can take them."""

    def __init__(
        self,
        desk: Desk,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: "asyncio.Task[Any]",
        version: str,
    ) -> None:
        self.task = task
        self._desk = desk
        self._reader = reader
        self._writer = writer
        self._version = version
        self._outbox = Outbox()
        self._something_waits = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._leaving = False
        self._unsubscribe: Callable[[], None] | None = None

    def say_goodbye(self) -> None:
        """Send what waits and a last word, then close."""
        self._leaving = True
        if self._unsubscribe is not None:
            self._hear({"event": "bye"})
        self._something_waits.set()

    async def serve(self) -> None:
        """Until either side closes."""
        sending = asyncio.ensure_future(self._send())
        receiving = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
            if receiving.done() and not sending.done():
                self._leaving = True
                self._something_waits.set()
                await asyncio.wait((sending,), timeout=_GOODBYE_S)
        finally:
            if self._unsubscribe is not None:
                self._unsubscribe()
            for part in (sending, receiving):
                part.cancel()
            results = await asyncio.gather(sending, receiving, return_exceptions=True)
            self._writer.close()
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result  # a bug of ours: told to the loop, and this connection alone ends

    async def _receive(self) -> None:
        lines = LineReader(LONGEST_REQUEST)
        while data := await self._reader.read(_READ_BYTES):
            try:
                for line in lines.feed(data):
                    self._answer_with(await self._answer(line))
                    await self._room.wait()
                    await asyncio.sleep(0)  # a flood of requests must not keep the loop from the music
            except LinkError as error:  # an endless line: nothing after it can be trusted
                self._answer_with(encode_error(None, error))
                return

    async def _answer(self, line: bytes) -> bytes:
        id_: int | None = None
        try:
            fields = decode_fields(line)
            id_ = decode_id(fields)
            return encode_ok(id_, await self._do(read_request(fields)))
        except LivemuseError as error:
            return encode_error(id_, error)

    async def _do(self, request: Request) -> Mapping[str, Any]:
        match request:
            case Get(name):
                return await self._desk.get(name)
            case Set(name, value):
                return await self._desk.set(name, value)
            case Action(name):
                await self._desk.action(name)
            case Status():
                return await self._desk.status()
            case Watch():
                self._watch()
            case Press(pitch, velocity, hold_s):
                await self._desk.press(pitch, velocity, hold_s)
            case Ports():
                return await self._desk.ports()
            case Choose(direction, port):
                return await self._desk.choose(direction, port)
            case Models():
                return {"models": list(await self._desk.models())}
            case Sessions():
                return {"sessions": list(await self._desk.sessions())}
            case Remember(session):
                return await self._desk.remember(session)
        return {}

    def _watch(self) -> None:
        if self._unsubscribe is None:
            self._hear({"event": "hello", "version": self._version, "protocol": PROTOCOL, "pid": os.getpid()})
            self._unsubscribe = self._desk.subscribe(self._hear)

    def _hear(self, fields: Mapping[str, Any]) -> None:
        self._outbox.add_event(fields)
        if self._outbox.overflowed:
            self._writer.transport.abort()  # it reads too little to be served: let it come back and start afresh
        self._something_waits.set()

    def _answer_with(self, line: bytes) -> None:
        self._outbox.add_line(line)
        if len(self._outbox) >= _OUTBOX_ROOM:
            self._room.clear()
        self._something_waits.set()

    async def _send(self) -> None:
        while not self._writer.is_closing():
            await self._something_waits.wait()
            self._something_waits.clear()
            self._writer.write(self._outbox.take_all())
            self._room.set()
            await self._writer.drain()
            if self._leaving and not len(self._outbox):
                return

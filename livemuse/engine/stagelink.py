"""The engine's end of the link to its stage: starts it, finds one that outlived an engine, notices when it dies."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from livemuse.errors import LinkError, PortError
from livemuse.midi.link import LINK_VERSION, Frame, FrameReader, Hello, Ping, Pong, Quit, encode

_LOG: Final = logging.getLogger("livemuse")
PING_EVERY_S: Final = 0.5
DEAD_AFTER_S: Final = 2.0  # a stage that has not answered for so long hangs in a driver, and is replaced
_START_WITHIN_S: Final = 8.0
_QUIT_WITHIN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What a stage is started with; ``api`` "auto", or one that was named."""

    name: str
    api: str = "auto"
    port_in: str | None = None
    port_out: str | None = None
    sound: str = "auto"

    def arguments(self) -> list[str]:
        """As arguments of ``python -m livemuse.stage``."""
        given = ["--name", self.name, "--api", self.api, "--sound", self.sound]
        given += ["--in", self.port_in] if self.port_in is not None else []
        return given + (["--out", self.port_out] if self.port_out is not None else [])


class StageLink:
    """One connection to one living stage."""

    def __init__(
        self, socket: Path, options: StageOptions, heard: Callable[[Frame], None], lost: Callable[[], None]
    ) -> None:
        self._socket = socket
        self._options = options
        self._heard = heard
        self._lost = lost
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._answered_s = 0.0
        self.pid = 0
        self.hello: Mapping[str, Any] = {}

    @property
    def alive(self) -> bool:
        """Whether frames can be sent."""
        return self._writer is not None

    async def open(self, state: Mapping[str, Any] | None = None) -> None:
        """Connect to the stage that is there, or start one; PortError where what was named cannot be had."""
        connection = await self._connect()
        if connection is not None:
            with contextlib.suppress(ConnectionError):  # it was ending: another is started
                if await self._greet(*connection, reuse=True):
                    return
                await self._gone()
        await self._spawn(state or {})
        try:
            await self._meet()
        except BaseException:  # nobody would ever end it
            if self._process is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process.pid, signal.SIGTERM)  # terminate() would take its exit status from asyncio
            raise

    async def _meet(self) -> None:
        """Connect to the stage that was just started."""
        deadline_s = asyncio.get_running_loop().time() + _START_WITHIN_S
        while asyncio.get_running_loop().time() < deadline_s:
            connection = await self._connect()
            if connection is not None:
                try:
                    await self._greet(*connection, reuse=False)
                    return
                except ConnectionError:
                    pass  # the socket of the one before: the new one is on its way
                except PortError:
                    await self._over()
                    raise
            if self._process is not None and self._process.returncode is not None:
                raise LinkError("The stage (the process that owns the MIDI ports) ended at once.", "See the log.")
            await asyncio.sleep(0.01)
        raise LinkError("The stage (the process that owns the MIDI ports) did not start.", "See the log.")

    def send(self, *frames: Frame) -> None:
        """Send frames, in order; nothing happens while the stage is gone."""
        if self._writer is not None:
            self._writer.write(b"".join(encode(frame) for frame in frames))

    def kill(self) -> None:
        """Replace a stage that hangs: it ends now, and ``lost`` is called."""
        with contextlib.suppress(ProcessLookupError):
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
        self._hang_up()

    async def quit(self) -> None:
        """Let the stage end everything that sounds, close its ports and exit."""
        self._lost = _nothing
        self.send(Quit())
        if self._writer is not None:
            with contextlib.suppress(OSError):
                await self._writer.drain()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), _QUIT_WITHIN_S)
            except TimeoutError:
                self.kill()
        else:
            await self._gone()
        self._hang_up()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- how it follows ------------------------------------------------------------------------------------------

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            return await asyncio.open_unix_connection(os.fspath(self._socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            what = f"The stage's socket {self._socket} cannot be used: {error.strerror}."
            raise LinkError(what, "Set XDG_RUNTIME_DIR to a folder of your own.") from error

    async def _spawn(self, state: Mapping[str, Any]) -> None:
        arguments = [*self._options.arguments(), "--socket", os.fspath(self._socket), "--state", json.dumps(state)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "livemuse.stage", *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, reuse: bool) -> bool:
        """Take the connection if its stage is one for us."""
        frames = FrameReader()
        first: list[Frame] = []
        try:
            while not first:
                data = await asyncio.wait_for(reader.read(65536), _START_WITHIN_S)
                if not data:
                    raise ConnectionResetError
                first += frames.feed(data)
        except TimeoutError as error:
            raise LinkError("The stage does not answer.", "End the process `livemuse.stage` and try again.") from error
        hello = first[0]
        if not isinstance(hello, Hello):
            raise LinkError("What answers on the stage's socket is no stage.", "End it and try again.")
        self.hello = json.loads(hello.json)
        error_ = self.hello.get("error")
        if error_:
            writer.close()
            raise PortError(error_["what"], error_.get("remedy", ""))
        if reuse and not self._suits():
            writer.write(encode(Quit()))
            writer.close()
            return False
        self.pid = int(self.hello["pid"])
        self._writer = writer
        loop = asyncio.get_running_loop()
        self._answered_s = loop.time()
        for frame in first[1:]:
            loop.call_soon(self._hear, frame)
        self._tasks = [loop.create_task(self._read(reader, frames)), loop.create_task(self._watch())]
        return True

    def _suits(self) -> bool:
        """Whether a stage that outlived its engine has what we were asked for."""
        if self.hello.get("version") != LINK_VERSION:
            return False
        options = self.hello.get("options")
        return options is None or list(options) == self._options.arguments()

    async def _over(self) -> None:
        """A stage that was refused its ports ends by itself; asyncio says odd things of a child it did not see end."""
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _QUIT_WITHIN_S)

    async def _gone(self) -> None:
        for _ in range(100):
            connection = await self._connect()
            if connection is None:
                return
            connection[1].close()
            await asyncio.sleep(0.02)

    async def _read(self, reader: asyncio.StreamReader, frames: FrameReader) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await reader.read(65536):
                self._answered_s = loop.time()
                for frame in frames.feed(data):
                    if not isinstance(frame, Pong):
                        self._hear(frame)
        except (OSError, LinkError):
            self.kill()
            return
        self._hang_up()

    def _hear(self, frame: Frame) -> None:
        try:
            self._heard(frame)
        except Exception:  # noqa: BLE001 - a mistake of ours: told in the log, and no reason to take the ports away
            _LOG.exception("the engine stumbled over %s", type(frame).__name__)

    async def _watch(self) -> None:
        loop, token = asyncio.get_running_loop(), 0
        while self._writer is not None:
            token += 1
            asked_s = loop.time()
            self.send(Ping(token & 0xFFFF))
            await asyncio.sleep(PING_EVERY_S)
            # Only a wait that this loop was awake for counts: after a pause of our own the answer lies unread.
            if self._writer is not None and asked_s - self._answered_s > DEAD_AFTER_S:
                self.kill()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self._lost()


def _nothing() -> None:
    return

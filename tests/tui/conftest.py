"""A console on a real control socket, with a scripted desk behind it and a clock that the test moves."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from livemuse.control.client import LiveLink
from livemuse.control.server import ControlServer
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until
from livemuse.tui.app import Console, make_console
from livemuse.tui.asking import OwnEngine

Open = Callable[..., contextlib.AbstractAsyncContextManager["Scene"]]


class Scene:
    """The console, the keys that are pressed, what the desk was asked, and what is on the screen."""

    def __init__(self, console: Console, pilot: Pilot[int], desk: ScriptedDesk) -> None:
        self.console, self.pilot, self.desk = console, pilot, desk

    async def press(self, *keys: str) -> None:
        """Press keys of the computer's keyboard."""
        await self.pilot.press(*keys)

    async def asked(self, *call: Any) -> None:
        """Wait until the desk was asked this."""
        await until(lambda: call in self.desk.calls)

    def lines(self) -> list[str]:
        """What is on the screen, as text."""
        width, height = self.console.size
        screen = self.console.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip)[:width] for strip in screen[:height]]

    def text(self) -> str:
        """The same in one piece."""
        return "\n".join(self.lines())

    async def shows(self, words: str) -> None:
        """Wait until these words are on the screen."""
        try:
            await until(lambda: words in self.text(), within_s=5)
        except TimeoutError:
            raise AssertionError(f"{words!r} is not on the screen:\n{self.text()}") from None


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now_s(self) -> float:
        return self.at_s


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="lm", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(clock: Clock) -> ScriptedDesk:
    return ScriptedDesk(clock.now_s)


@pytest.fixture
async def server(desk: ScriptedDesk, folder: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(desk, folder / "a.sock", "0.1.0")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def opened(desk: ScriptedDesk, folder: Path, clock: Clock) -> Open:
    """Open a console of some size; with ``server`` in the test there is an engine behind it."""

    @contextlib.asynccontextmanager
    async def open_console(
        size: tuple[int, int] = (120, 36), owns_engine: bool = False, own: OwnEngine | None = None
    ) -> AsyncIterator[Scene]:
        console = make_console(
            lambda: LiveLink.open(folder / "a.sock"), owns_engine=owns_engine, own=own, now_s=clock.now_s
        )
        async with console.run_test(size=size) as pilot:
            scene = Scene(console, pilot, desk)
            if (folder / "a.sock").exists():
                await until(lambda: console.state is not None and console.ports is not None)
            yield scene

    return open_console

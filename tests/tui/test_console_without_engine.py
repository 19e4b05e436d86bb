"""No engine, one that dies, one that comes back, and something that is none."""

import asyncio
from pathlib import Path

from livemuse.control.server import ControlServer
from livemuse.errors import LivemuseError
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until
from livemuse.tui.computer_keys import HOLD_S
from tests.tui.conftest import Open


async def test_it_waits_for_an_engine_that_is_starting(opened: Open, desk: ScriptedDesk, folder: Path) -> None:
    async with opened((80, 24)) as scene:
        await scene.shows("STARTING")
        await scene.press("z")  # nobody there: nothing to play on, and nothing breaks
        server = ControlServer(desk, folder / "a.sock", "0.1.0")
        await server.start()
        await scene.shows("YOUR TURN")
        await scene.press("z")
        await scene.asked("press", 60, 80, HOLD_S)
        await server.stop()


async def test_an_engine_that_dies_and_comes_back(opened: Open, desk: ScriptedDesk, folder: Path) -> None:
    server = ControlServer(desk, folder / "a.sock", "0.1.0")
    await server.start()
    async with opened((80, 24)) as scene:
        await desk.press(60, 80, 60)
        await until(lambda: scene.console.score.sounding)
        await server.stop()
        await scene.shows("ENGINE GONE")
        assert not scene.console.score.sounding
        await scene.press("z")
        await scene.press("f9")
        await scene.shows("There is no engine")
        desk.silence()
        server = ControlServer(desk, folder / "a.sock", "0.1.0")
        await server.start()
        await scene.press("r")
        await scene.shows("YOUR TURN")
        await scene.press("x")
        await scene.asked("press", 62, 80, HOLD_S)
        await server.stop()


async def test_something_that_is_no_engine(opened: Open, folder: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    impostor = await asyncio.start_unix_server(speak, folder / "b.sock")
    (folder / "a.sock").symlink_to(folder / "c.sock")  # exists for nobody
    async with opened((80, 24)) as scene:
        await scene.shows("STARTING")
        (folder / "a.sock").unlink()
        (folder / "a.sock").symlink_to(folder / "b.sock")
        await scene.shows("NO ENGINE")
        await scene.shows("does not speak livemuse's")
    impostor.close()


async def test_quitting_without_an_engine(opened: Open) -> None:
    async with opened((80, 24), owns_engine=True) as scene:
        await scene.shows("STARTING")
        await scene.press("ctrl+q")
        await until(lambda: scene.console.return_value == 0)


class Starting:
    """An engine's process that never comes to answer."""

    def __init__(self) -> None:
        self.failure: LivemuseError | None = None
        self.was_ended = False

    def ended(self) -> LivemuseError | None:
        return self.failure

    def end(self) -> None:
        self.was_ended = True


async def test_an_engine_that_cannot_start_closes_the_console_and_says_why(opened: Open) -> None:
    own = Starting()
    async with opened((80, 24), owns_engine=True, own=own) as scene:
        await scene.shows("STARTING")
        own.failure = LivemuseError("There is no MIDI port called 'Piano'.", "See `livemuse ports`.")
        await until(lambda: scene.console.return_value == 1)
        assert scene.console.failure is own.failure


async def test_quitting_while_the_engine_starts_ends_it(opened: Open) -> None:
    own = Starting()
    async with opened((80, 24), owns_engine=True, own=own) as scene:
        await scene.shows("STARTING")
        await scene.press("ctrl+q")
        await until(lambda: scene.console.return_value == 0)
    assert own.was_ended

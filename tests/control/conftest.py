"""A control server with a scripted desk behind it."""

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from livemuse.control.server import ControlServer
from livemuse.testing.desk import ScriptedDesk


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="lm", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def desk() -> ScriptedDesk:
    return ScriptedDesk(time.monotonic)


@pytest.fixture
async def server(desk: ScriptedDesk, folder: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(desk, folder / "a.sock", "0.1.0")
    await server.start()
    yield server
    await server.stop()

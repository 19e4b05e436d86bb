"""Fixtures of the live tier: a JACK server, livemuse and a musician; skipped in a sentence where there is no jackd."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.programs import Livemuse, MusicianProgram

if TYPE_CHECKING:  # jack cannot be imported where there is no JACK
    from tests.live.jackd import JackServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is live, and needs jackd."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)
            if not shutil.which("jackd"):
                item.add_marker(pytest.mark.skip(reason="the live tier needs a JACK server: install jackd2"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="lm-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def server(folder: Path) -> "Iterator[JackServer]":
    """A JACK server that loses nothing, however busy the machine is."""
    from tests.live.jackd import JackServer

    server = JackServer(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def rough_server(folder: Path) -> "Iterator[JackServer]":
    """A JACK server whose clients may be killed without holding up the others."""
    from tests.live.jackd import JackServer

    server = JackServer(folder, synchronous=False)
    server.start()
    yield server
    server.stop()


Duet = Callable[..., tuple[Livemuse, MusicianProgram]]


@pytest.fixture
def duet(folder: Path) -> "Iterator[Duet]":
    """Starts livemuse with the given settings and a musician connected to it; both are gone after the test."""
    with ExitStack() as leaving:

        def begin(server: "JackServer", *settings: str) -> tuple[Livemuse, MusicianProgram]:
            livemuse = Livemuse(server, folder)
            leaving.callback(livemuse.close)
            livemuse.start(*settings)
            musician = MusicianProgram(server)
            leaving.callback(musician.close)
            musician.ask("connect", **livemuse_ports(server, livemuse))
            return livemuse, musician

        yield begin


def livemuse_ports(server: "JackServer", livemuse: Livemuse) -> dict[str, str]:
    """What a musician connects to: its ``play`` to livemuse's input, livemuse's output to its ``hear``."""
    return {"to": server.port_of(livemuse.name + "-in"), "from": server.port_of(livemuse.name + "-out")}

"""The blocking client of `livemuse ctl`, and where the socket lies."""

import asyncio
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livemuse.control import messages as m
from livemuse.control.client import ControlClient, LiveLink, ask
from livemuse.control.paths import checked_length, runtime_folder, socket_path
from livemuse.control.server import ControlServer
from livemuse.errors import ControlError, LinkError
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until

Impostor = Callable[[bytes], Path]


@pytest.fixture
def impostor(folder: Path) -> Iterator[Impostor]:
    """Something that listens and sends the same bytes to whoever comes."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(folder / "b.sock"))
    listening.listen()
    visitors: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def speak(words: bytes) -> None:
        visitor, _ = listening.accept()
        visitors.append(visitor)
        visitor.sendall(words)

    def start(words: bytes) -> Path:
        threads.append(threading.Thread(target=speak, args=(words,)))
        threads[-1].start()
        return folder / "b.sock"

    yield start
    for thread in threads:
        thread.join()
    for each in (*visitors, listening):
        each.close()


async def test_one_question_one_answer(server: ControlServer, folder: Path) -> None:
    path = folder / "a.sock"
    assert await asyncio.to_thread(ask, path, m.Set("key", "eb dorian")) == {"key": "Eb dorian"}
    assert (await asyncio.to_thread(ask, path, m.Status()))["controls"]["key"] == "Eb dorian"
    with pytest.raises(ControlError, match="no scale called") as refused:
        await asyncio.to_thread(ask, path, m.Set("key", "C hopeful"))
    assert refused.value.remedy.startswith("Known: ")


async def test_watching(server: ControlServer, desk: ScriptedDesk, folder: Path) -> None:
    def listen() -> list[str]:
        with ControlClient(folder / "a.sock") as client:
            return [type(event).__name__ for event in client.watch()]

    listening = asyncio.ensure_future(asyncio.to_thread(listen))
    await until(lambda: desk.watchers)
    desk.note_on("player", 60, 80)
    await asyncio.sleep(0.01)
    await server.stop()
    assert await listening == ["Hello", "State", "ControlsNow", "PortsNow", "NoteOn", "Bye"]


def test_nobody_there(folder: Path) -> None:
    (folder / "stale.sock").touch()
    unheard = socket.socket(socket.AF_UNIX)
    unheard.bind(str(folder / "dead.sock"))
    unheard.close()
    for name in ("none.sock", "stale.sock", "dead.sock"):
        with pytest.raises(LinkError, match="No engine is running"):
            ask(folder / name, m.Status())


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b'{"hello": 1}\n', b"\0" * 2_000_000, b"[]\n"])
def test_nonsense_is_one_sentence(impostor: Impostor, words: bytes) -> None:
    with pytest.raises(LinkError) as told:
        ask(impostor(words[:100_000] if words[0] else words[:200_000] + b"\n"), m.Status(), timeout_s=2)
    assert "does not speak livemuse's language" in told.value.what
    assert len(str(told.value).splitlines()) == 1


def test_silence_ends_in_time(impostor: Impostor) -> None:
    with pytest.raises(LinkError, match="does not answer"):
        ask(impostor(b""), m.Status(), timeout_s=0.05)


def test_silence_at_the_start_of_a_watch_ends_in_time(impostor: Impostor) -> None:
    with ControlClient(impostor(b""), timeout_s=0.05) as client, pytest.raises(LinkError, match="does not answer"):
        next(client.watch())


def test_an_answer_to_another_question_is_not_taken(impostor: Impostor) -> None:
    with pytest.raises(LinkError, match="does not answer"):
        ask(impostor(b'{"id":77,"ok":{}}\n'), m.Status(), timeout_s=0.05)


async def test_an_engine_of_another_version(impostor: Impostor) -> None:
    link = await LiveLink.open(impostor(b'{"event":"hello","version":"9.0","protocol":9,"pid":1}\n'))
    with pytest.raises(LinkError, match=r"livemuse '9\.0'"):
        async for _ in link.events():
            pass


async def test_a_live_link_to_nonsense(impostor: Impostor) -> None:
    link = await LiveLink.open(impostor(b"nonsense\n"))
    with pytest.raises(LinkError, match="does not speak"):
        async for _ in link.events():
            pass


async def test_a_live_link_to_nobody(folder: Path) -> None:
    with pytest.raises(LinkError, match="No engine is running"):
        await LiveLink.open(folder / "none.sock")


# --- paths -----------------------------------------------------------------------------------------------------


def test_the_folder_is_the_owners_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    (folder / "livemuse").mkdir(mode=0o777)
    (folder / "livemuse").chmod(0o777)
    assert socket_path() == folder / "livemuse" / "livemuse.sock"
    assert socket_path("left") == folder / "livemuse" / "left.sock"
    assert stat.S_IMODE((folder / "livemuse").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "x" * 41, "a\nb", "-a", "é"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(LinkError, match="cannot be the name of an engine"):
        socket_path(name)


def test_a_folder_that_is_a_link_to_elsewhere_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    (folder / "elsewhere").mkdir()
    (folder / "livemuse").symlink_to(folder / "elsewhere")
    with pytest.raises(LinkError, match="is not yours"):
        runtime_folder()


def test_a_runtime_folder_that_is_not_there_is_not_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "none"))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr("sys.platform", "darwin")
    assert runtime_folder().parent == folder
    assert not (folder / "none").exists()


def test_a_path_that_no_socket_can_have() -> None:
    with pytest.raises(LinkError, match="longer than 103 bytes"):
        checked_length(Path("/tmp") / ("é" * 52))

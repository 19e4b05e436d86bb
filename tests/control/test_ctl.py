"""``livemuse ctl`` asks a scripted desk over a real socket; what it prints, for people and for programs."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from livemuse.control.paths import socket_path
from livemuse.control.server import ControlServer
from livemuse.ctl import run_ctl, usage
from livemuse.errors import LinkError
from livemuse.music.controls import ACTIONS, CONTROLS, Controls
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.duet import heard

Ctl = Callable[..., Awaitable[str]]


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedDesk]:
    """A desk that is served where ``ctl`` looks for it."""
    folder = Path(tempfile.mkdtemp(prefix="lm", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    desk = ScriptedDesk(lambda: 0.0)
    server = ControlServer(desk, socket_path("x"), "0.1.0")
    await server.start()
    yield desk
    await server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def ctl(desk: ScriptedDesk, capsys: pytest.CaptureFixture[str]) -> Ctl:
    """Run it; what it printed."""

    async def run(what: str, *arguments: str, as_json: bool = False) -> str:
        assert await asyncio.to_thread(run_ctl, "x", what, arguments, as_json=as_json) == 0
        return capsys.readouterr().out

    return run


async def test_every_control_with_its_value_and_its_help(ctl: Ctl) -> None:
    lines = (await ctl("get")).splitlines()
    for line, row in zip(lines, CONTROLS.values(), strict=True):
        assert line.split()[0] == row.name
        assert f" {row.default} " in line
        assert line.endswith(row.help)
    assert json.loads(await ctl("get", as_json=True)) == dict(Controls())


async def test_one_control_is_its_value_alone(ctl: Ctl, desk: ScriptedDesk) -> None:
    assert await ctl("get", "temperature") == "0.9\n"
    assert await ctl("set", "key", "Eb", "dorian") == "Eb dorian\n"
    assert desk.controls["key"] == "Eb dorian"


async def test_every_action_with_what_it_does(ctl: Ctl, desk: ScriptedDesk) -> None:
    lines = (await ctl("do")).splitlines()
    assert [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines] == list(ACTIONS.items())
    assert json.loads(await ctl("do", as_json=True)) == ACTIONS
    for action in ACTIONS:
        assert await ctl("do", action) == ""
    assert [call[1] for call in desk.calls if call[0] == "action"] == list(ACTIONS)


async def test_what_is_heard_in_words_and_as_one_value(ctl: Ctl, desk: ScriptedDesk) -> None:
    assert "key           not heard yet" in await ctl("heard")
    desk.tell_state(heard=heard(0.0), wait={"s": 0.63, "learned_s": 0.15})
    said = (await ctl("heard")).splitlines()
    assert said == [
        "key           C minor   86% sure",
        "chord         Bb7",
        "chords        Cm Eb Gm Cm Bb7",
        "tempo         100 bpm, 4 beats a bar   81% sure",
        "register      Bb2-Eb5",
        "hands         Bb2-Bb3 and G4-Eb5",
        "loudness      mf (velocity 72)",
        "density       3.1 onsets a second",
        "articulation  legato (0.94)",
        "wait          0.63 s (+0.15 learned)",
    ]
    assert json.loads(await ctl("heard", as_json=True)) == {**heard(0.0), "wait": {"s": 0.63, "learned_s": 0.15}}


async def test_an_engine_that_hears_in_a_way_nobody_reads(ctl: Ctl, desk: ScriptedDesk) -> None:
    desk.state = desk.state | {"heard": {"key": 7}}
    with pytest.raises(LinkError, match="cannot be read"):
        await ctl("heard")
    del desk.state["heard"], desk.state["wait"]  # an engine that tells nothing of it
    desk.state |= {"heard": {}, "wait": {}}
    assert (await ctl("heard")).count("not heard yet") == 9


async def test_a_session_is_remembered_and_forgotten(ctl: Ctl, desk: ScriptedDesk) -> None:
    assert json.loads(await ctl("remember", "last", as_json=True)) == {"session": "last", "notes": 120}
    await ctl("do", "forget")
    assert desk.calls[-2:] == [("remember", "last"), ("action", "forget")]


def test_how_it_is_written() -> None:
    assert usage("remember", []) == "write: livemuse ctl remember SESSION"
    assert usage("heard", ["x"]) == "write: livemuse ctl heard"
    assert usage("do", []) is None

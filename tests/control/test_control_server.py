"""A real server on a real socket: what clients ask, see, and cannot do to the engine."""

import asyncio
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from livemuse.control import messages as m
from livemuse.control.client import LiveLink
from livemuse.control.codec import LONGEST_REQUEST
from livemuse.control.outbox import LARGEST_OUTBOX, Outbox
from livemuse.control.server import MOST_CLIENTS, ControlServer
from livemuse.errors import ControlError, LinkError
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until


async def talk(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Send these lines, hang up one way, and read all that comes back."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.writelines(lines)
    writer.write_eof()
    answers = [json.loads(line) for line in (await asyncio.wait_for(reader.read(), 5)).splitlines()]
    writer.close()
    return answers


class Watching:
    """A console reduced to its ears."""

    def __init__(self, link: LiveLink) -> None:
        self.link = link
        self.seen: list[m.Event] = []
        self.error: LinkError | None = None
        self.task = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        try:
            async for events in self.link.events():
                self.seen.extend(events)
        except LinkError as error:
            self.error = error

    async def until(self, kind: type, count: int = 1) -> None:
        await until(lambda: sum(isinstance(event, kind) for event in self.seen) >= count)


async def watching(path: Path) -> Watching:
    return Watching(await LiveLink.open(path))


async def test_requests_reach_the_desk_in_order_and_are_answered(
    server: ControlServer, desk: ScriptedDesk, folder: Path
) -> None:
    answers = await talk(
        folder / "a.sock",
        b'{"id":1,"do":"set","name":"temperature","value":"1.2"}\n',
        b'{"id":2,"do":"get","name":"temperature"}\n{"id":3,"do":"action","name":"panic"}\n',
        b'{"id":4,"do":"press","pitch":60,"velocity":80,"hold_s":0.05}\n{"id":5,"do":"ports"}\n',
        b'{"id":6,"do":"choose","direction":"in","port":"Pads"}\n{"id":7,"do":"models"}\n{"id":8,"do":"status"}\n',
    )
    assert [call[0] for call in desk.calls] == [
        "set", "get", "action", "press", "ports", "choose", "models", "status",
    ]  # fmt: skip
    assert answers[0] == {"id": 1, "ok": {"temperature": 1.2}}
    assert answers[1] == {"id": 2, "ok": {"temperature": 1.2}}
    assert answers[2] == {"id": 3, "ok": {}}
    assert answers[5]["ok"]["chosen"] == {"in": "Pads", "out": None}
    assert answers[6]["ok"]["models"][0]["name"] == "concert"
    assert answers[7]["ok"]["controls"]["temperature"] == 1.2
    assert [answer["id"] for answer in answers] == list(range(1, 9))


async def test_nonsense_is_answered_and_the_next_line_still_counts(server: ControlServer, folder: Path) -> None:
    answers = await talk(
        folder / "a.sock",
        b"\x00\xff nonsense\n\n[]\n",
        b'{"id":1,"do":"set","name":"temperature","value":9}\n{"id":2,"do":"set","name":"nose","value":9}\n',
        b'{"id":3,"do":"action","name":"fly"}\n{"id":4,"do":"get","name":"temperature"}',  # the last has no line end
    )
    assert [answer["id"] for answer in answers] == [None, None, 1, 2, 3]
    assert "temperature cannot be '9'" in answers[2]["error"]["what"]
    assert answers[4]["error"]["remedy"].startswith("Known: ")


async def test_an_endless_line_ends_that_connection_alone(server: ControlServer, folder: Path) -> None:
    (answer,) = await talk(folder / "a.sock", b"x" * (LONGEST_REQUEST + 10))
    assert "more than 65536 bytes" in answer["error"]["what"]
    assert (await talk(folder / "a.sock", b'{"id":1,"do":"status"}\n'))[0]["id"] == 1


async def test_a_watch_opens_with_how_things_stand_and_goes_on_with_what_happens(
    server: ControlServer, desk: ScriptedDesk, folder: Path
) -> None:
    desk.note_on("player", 60, 80)
    console = await watching(folder / "a.sock")
    await console.until(m.NoteOn)
    desk.note_on("livemuse", 64, 70)
    desk.tell("planned", take=1, notes=[[1.0, 1.5, 67, 60]])
    desk.tell("pedal", down=True)
    desk.note_off("livemuse", 64)
    await console.until(m.NoteOff)
    kinds = [type(event) for event in console.seen]
    assert kinds[:5] == [m.Hello, m.State, m.ControlsNow, m.PortsNow, m.NoteOn]
    assert kinds[5:] == [m.NoteOn, m.Planned, m.PedalMoved, m.NoteOff]
    assert console.seen[0] == m.Hello("0.1.0", m.PROTOCOL, os.getpid())
    assert console.seen[6] == m.Planned(1, ((1.0, 1.5, 67, 60),))
    console.link.close()
    await console.task


async def test_asking_while_watching(server: ControlServer, desk: ScriptedDesk, folder: Path) -> None:
    console = await watching(folder / "a.sock")
    await console.until(m.ControlsNow)
    assert await console.link.request(m.Set("temperature", 0.5)) == {"temperature": 0.5}
    with pytest.raises(ControlError, match="no control called 'nose'"):
        await console.link.request(m.Set("nose", 1))
    await console.until(m.ControlsNow, 2)
    console.link.close()
    await console.task
    with pytest.raises(LinkError):
        await console.link.request(m.Status())


async def test_a_vanished_client_is_let_go(server: ControlServer, desk: ScriptedDesk, folder: Path) -> None:
    _, writer = await asyncio.open_unix_connection(folder / "a.sock")
    writer.write(b'{"id":1,"do":"watch"}\n{"id":2,"do":"press","pitch":60,"velocity":80,"hold_s":0.02}\n')
    await until(lambda: desk.watchers)
    writer.transport.abort()
    await until(lambda: not desk.watchers)
    await until(lambda: not desk.sounding)  # its key comes up by the desk's own timer


async def test_a_client_that_does_not_read_costs_the_engine_nothing(
    server: ControlServer, desk: ScriptedDesk, folder: Path
) -> None:
    reader, writer = await asyncio.open_unix_connection(folder / "a.sock", limit=1)
    writer.write(b'{"id":1,"do":"watch"}\n')
    console = await watching(folder / "a.sock")
    await console.until(m.State)
    longest_s = 0.0
    for turn in range(60):
        start_s = time.monotonic()
        for _ in range(250):
            desk.note_on("livemuse", 60, 70)
        longest_s = max(longest_s, time.monotonic() - start_s)
        desk.tell_state(turn=turn)
        await asyncio.sleep(0)
        await console.until(m.NoteOn, 250 * (turn + 1))  # the one that reads gets everything
    assert desk.watchers == 1  # the other one has been let go
    assert longest_s < 1.0
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(10_000_000)
    writer.close()
    console.link.close()
    await console.task


async def test_too_many_clients_are_refused_in_a_sentence(server: ControlServer, folder: Path) -> None:
    open_ones = [await asyncio.open_unix_connection(folder / "a.sock") for _ in range(MOST_CLIENTS)]
    await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_unix_connection(folder / "a.sock")
    assert "Too many consoles" in json.loads(await reader.readline())["error"]["what"]
    for _, each in (*open_ones, (reader, writer)):
        each.close()


async def test_only_the_owner_may_open_it_and_it_is_gone_afterwards(desk: ScriptedDesk, folder: Path) -> None:
    server = ControlServer(desk, folder / "a.sock", "0.1.0")
    await server.start()
    assert stat.S_IMODE((folder / "a.sock").stat().st_mode) == 0o600
    console = await watching(folder / "a.sock")
    await console.until(m.State)
    await server.stop()
    await console.task
    assert console.seen[-1] == m.Bye()
    assert console.error is not None
    assert not (folder / "a.sock").exists()
    await server.stop()  # twice does no harm


async def test_two_engines_cannot_have_one_name(server: ControlServer, desk: ScriptedDesk, folder: Path) -> None:
    with pytest.raises(LinkError, match="already running"):
        await ControlServer(desk, folder / "a.sock", "0.1.0").start()
    assert (await talk(folder / "a.sock", b'{"id":1,"do":"status"}\n'))[0]["id"] == 1


async def test_what_a_killed_engine_left_is_replaced(desk: ScriptedDesk, folder: Path) -> None:
    (folder / "a.sock").write_text("stale")
    server = ControlServer(desk, folder / "a.sock", "0.1.0")
    await server.start()
    assert (await talk(folder / "a.sock", b'{"id":1,"do":"status"}\n'))[0]["id"] == 1
    await server.stop()


async def test_a_folder_that_is_not_there(desk: ScriptedDesk, folder: Path) -> None:
    with pytest.raises(LinkError, match="cannot be made"):
        await ControlServer(desk, folder / "none" / "a.sock", "0.1.0").start()
    with pytest.raises(LinkError, match="longer than 103 bytes"):
        await ControlServer(desk, folder / ("a" * 120), "0.1.0").start()


def test_an_outbox_keeps_only_the_newest_state() -> None:
    outbox = Outbox()
    for turn in range(3):
        outbox.add_event({"event": "state", "turn": turn})
        outbox.add_event({"event": "notice", "text": str(turn)})
    outbox.add_line(b'{"id":1,"ok":{}}\n')
    lines = [json.loads(line) for line in outbox.take_all().splitlines()]
    assert [line.get("text", line.get("turn")) for line in lines] == ["0", "1", 2, "2", None]
    assert outbox.take_all() == b""


def test_an_outbox_that_is_full_takes_nothing_more() -> None:
    outbox = Outbox()
    for _ in range(LARGEST_OUTBOX):
        outbox.add_event({"event": "notice", "text": ""})
    assert not outbox.overflowed
    outbox.add_event({"event": "notice", "text": ""})
    assert outbox.overflowed
    assert len(outbox) == LARGEST_OUTBOX

"""The stage on a real JACK server: thru byte for byte, nothing hangs whoever dies, ports and cables come back."""

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from livemuse.midi.link import NEVER, HeardMessage, Inject, NoteSent, Notice, PortsChanged, Release
from livemuse.midi.messages import note_off, note_on
from tests.stage.engine_side import StageProcess, Talk

if TYPE_CHECKING:  # jack cannot be imported where there is no JACK
    from tests.live.jackd import JackServer
    from tests.live.peer import Peer

ROUNDS_OF_A_STALL = 6  # a machine that stalls longer than the echo time lets a message go round once more
BACK_S = 5.0  # ports and cables are to be back within this after a server or a stage


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., StageProcess]]:
    """Starts stages on a JACK server; gone after the test."""
    with contextlib.ExitStack() as leaving:

        def begin(server: "JackServer", *options: str) -> StageProcess:
            stage = StageProcess(folder, "--api", "jack", "--sound", "off", *options, env=server.env)
            leaving.callback(stage.close)
            return stage

        yield begin


@pytest.fixture
def visit() -> Iterator[Callable[..., "Peer"]]:
    """Opens peers on a JACK server; gone after the test."""
    from tests.live.peer import Peer

    with contextlib.ExitStack() as leaving:

        def open_peer(server: "JackServer") -> Peer:
            peer = Peer(server.name)
            leaving.callback(peer.close)
            return peer

        yield open_peer


Start = Callable[..., StageProcess]
Visit = Callable[["JackServer"], "Peer"]


def every_kind(count: int, seed: int) -> list[bytes]:
    """Messages of every kind, in any order, on all channels."""
    chance = random.Random(seed)

    def value() -> int:
        return chance.randrange(128)

    kinds: list[Callable[[int], list[int]]] = [
        lambda ch: [0x80 | ch, value(), value()],
        lambda ch: [0x90 | ch, value(), value()],
        lambda ch: [0xA0 | ch, value(), value()],
        lambda ch: [0xB0 | ch, value(), value()],
        lambda ch: [0xB0 | ch, 64, value()],  # half-pedal
        lambda ch: [0xC0 | ch, value()],
        lambda ch: [0xD0 | ch, value()],
        lambda ch: [0xE0 | ch, value(), value()],
        lambda ch: [0xF0, 0x7D, *(value() for _ in range(ch * 13)), 0xF7],
        lambda ch: [chance.choice((0xF8, 0xFA, 0xFB, 0xFC, 0xFE))],
        lambda ch: [0xF2, value(), value()],
    ]
    return [bytes(chance.choice(kinds)(chance.randrange(16))) for _ in range(count)]


def answering(talk: Talk, notes: int, spacing_s: float = 0.01, channel: int = 0) -> None:
    """Let livemuse play on, whatever the player does."""
    talk.begin(1, NEVER)
    now_s = time.monotonic()
    for index in range(notes):
        on_s = now_s + index * spacing_s
        talk.play(1, index, on_s, on_s + 4 * spacing_s, 30 + index % 60, channel)


def test_thru_is_byte_for_byte_and_in_order(server: "JackServer", start: Start, visit: Visit) -> None:
    stage, peer = start(server), visit(server)
    talk = stage.talk()
    talk.rules(thru="on")
    talk.settle()
    peer.connect("livemuse")
    played = every_kind(2000, seed=1)
    peer.play(*played)
    assert peer.wait(len(played), 30.0) == played
    assert stage.quit() == 0
    assert stage.said() == ""


def test_thru_while_livemuse_answers(server: "JackServer", start: Start, visit: Visit) -> None:
    talk, peer = start(server).talk(), visit(server)
    talk.rules(thru="on")
    talk.settle()
    peer.connect("livemuse")
    played = [data for data in every_kind(600, seed=2) if data[0] & 0xF != 15]  # livemuse has channel 16 for itself
    answering(talk, 150, channel=15)
    peer.play(*played)
    peer.wait(len(played) + 300, 20.0)
    assert [data for data in peer.messages() if data[0] & 0xF0 == 0xF0 or data[0] & 0xF != 15] == played
    assert sum(data[0] == 0x9F for data in peer.messages()) == 150


def test_a_loop_does_not_run_round(server: "JackServer", start: Start, visit: Visit) -> None:
    talk, peer = start(server).talk(), visit(server)
    talk.rules(thru="on")
    talk.settle()
    peer.connect("livemuse")
    peer.patch("livemuse-out:out", "livemuse-in:in")
    answering(talk, 10, 0.02, channel=3)
    for pitch in range(60, 70):
        for message in (note_on(0, pitch, 80), note_off(0, pitch, 64)):
            peer.play(message)
            time.sleep(0.02)  # a key is held longer than the loop takes
    peer.wait(40)
    time.sleep(0.1)
    count = len(peer.got)
    time.sleep(0.3)  # whatever runs round would go on running
    assert len(peer.got) == count
    assert count <= 40 + ROUNDS_OF_A_STALL
    assert not peer.hanging()


def test_an_engine_that_is_killed_leaves_nothing_sounding(server: "JackServer", start: Start, visit: Visit) -> None:
    stage, peer = start(server), visit(server)
    talk = stage.talk()
    peer.connect("livemuse")
    answering(talk, 400, 0.005)
    talk.until(lambda frame: isinstance(frame, NoteSent) and frame.index == 50)
    talk.close()
    assert not peer.wait_until_silent(1.0)
    count = len(peer.got)
    again = stage.talk()
    answering(again, 3)
    peer.wait(count + 6)
    assert len(peer.got) == count + 6  # the ports and the cables are as they were
    assert not peer.hanging()


@pytest.mark.parametrize("how", ["panic", "quit", "terminate"])
def test_every_end_ends_notes_and_pedal(server: "JackServer", start: Start, visit: Visit, how: str) -> None:
    from livemuse.midi.link import Panic, Quit

    stage, peer = start(server), visit(server)
    talk = stage.talk()
    talk.rules(thru="on")
    talk.settle()
    peer.connect("livemuse")
    answering(talk, 300, 0.005)
    peer.play(note_on(0, 40, 80), b"\xb0\x40\x50")
    talk.until(lambda frame: isinstance(frame, NoteSent) and frame.index == 40)
    if how == "terminate":
        stage.process.terminate()
    else:
        talk.say(Panic() if how == "panic" else Quit())
    assert not peer.wait_until_silent(1.0)
    assert (0, 40) not in peer.hanging()
    assert b"\xb0\x40\x00" in peer.messages()


def test_a_stage_that_is_killed_is_taken_over(rough_server: "JackServer", start: Start, visit: Visit) -> None:
    stage, peer = start(rough_server), visit(rough_server)
    talk = stage.talk()
    peer.connect("livemuse")
    answering(talk, 400, 0.005)

    def both_cables(frame: object) -> bool:
        return isinstance(frame, PortsChanged) and all(json.loads(frame.json)["connections"].values())

    changed = talk.until(both_cables)
    talk.until(lambda frame: isinstance(frame, NoteSent))
    stage.process.kill()
    stage.process.wait(5)
    time.sleep(0.1)  # what was on its way arrives
    left = sorted(peer.hanging())
    connections = json.loads(changed.json)["connections"]  # type: ignore[union-attr]
    assert connections == {"in": ["peer:play"], "out": ["peer:hear"]}
    began_s = time.monotonic()
    again = start(rough_server, "--state", json.dumps({"connections": connections})).talk()
    again.say(Release(b"".join((channel << 7 | pitch).to_bytes(2, "little") for channel, pitch in left)))
    assert not peer.wait_until_silent(BACK_S)
    assert time.monotonic() - began_s < BACK_S
    assert peer.connections() == {"livemuse-in:in", "livemuse-out:out"}


def test_a_server_that_dies_and_comes_back(rough_server: "JackServer", start: Start, visit: Visit) -> None:
    stage = start(rough_server)
    talk, peer = stage.talk(), visit(rough_server)
    peer.connect("livemuse")
    answering(talk, 2000, 0.005)
    talk.until(lambda frame: isinstance(frame, NoteSent) and frame.index == 100)
    rough_server.kill()
    peer.close()
    talk.until(lambda frame: isinstance(frame, Notice) and b"gone" in frame.text, 2.0)
    begun = len(talk.of(NoteSent))
    talk.settle()  # it answers
    rough_server.start()
    back_s = time.monotonic()
    again = visit(rough_server)  # under the same name, and it connects nothing by itself
    talk.until(lambda frame: isinstance(frame, Notice) and b"back" in frame.text, BACK_S)
    again.wait(20, BACK_S)
    assert len(again.got) >= 20
    assert time.monotonic() - back_s < BACK_S
    assert len(talk.of(NoteSent)) > begun
    talk.say(Inject(note_on(0, 1, 1)))
    talk.close()
    again.wait_until_silent(1.0)
    assert not again.hanging()
    assert stage.process.poll() is None


def test_a_flood_into_a_dead_server_does_not_freeze(rough_server: "JackServer", start: Start, visit: Visit) -> None:
    stage = start(rough_server)
    talk = stage.talk()
    talk.rules(thru="on")
    rough_server.kill()
    flood = [Inject(b"\xf0" + bytes(500) + b"\xf7")] * 200  # six times what RtMidi's buffer holds
    talk.say(*flood)
    talk.settle()
    assert stage.quit() == 0


def test_ports_come_when_a_server_does(rough_server: "JackServer", start: Start, visit: Visit, folder: Path) -> None:
    rough_server.stop()
    stage = StageProcess(folder, "--sound", "off", env=rough_server.env)
    try:
        talk = stage.talk()
        assert talk.hello["api"] == "none"
        rough_server.start()
        talk.until(lambda frame: isinstance(frame, PortsChanged) and json.loads(frame.json)["api"] == "jack")
        assert {"livemuse-in:in", "livemuse-out:out"} <= set(rough_server.ports())
        assert stage.quit() == 0
    finally:
        stage.close()


def test_a_port_that_is_named(server: "JackServer", start: Start, visit: Visit) -> None:
    peer = visit(server)
    stage = start(server, "--in", "PEER:pl", "--out", "hear")
    talk = stage.talk()
    talk.rules(thru="on", **{"in": None, "out": None})
    talk.settle()
    assert talk.hello["ports"] == {"in": "peer:play", "out": "peer:hear"}
    assert peer.connections() == {"livemuse-in:in", "livemuse-out:out"}
    peer.play(note_on(0, 60, 80), note_off(0, 60))
    assert peer.wait(2) == [note_on(0, 60, 80), note_off(0, 60)]
    talk.rules(thru="on", **{"in": "no such port"})
    notice = talk.until(lambda frame: isinstance(frame, Notice))
    assert b"no such port" in notice.text  # type: ignore[union-attr]
    peer.play(note_on(0, 61, 80), note_off(0, 61))
    assert len(peer.wait(4)) == 4
    assert stage.quit() == 0


def test_a_named_port_that_goes_and_comes(server: "JackServer", start: Start, visit: Visit) -> None:
    peer = visit(server)
    stage = start(server, "--in", "peer:play", "--out", "peer:hear")
    talk = stage.talk()
    talk.rules(thru="on")
    peer.play(note_on(0, 60, 80))
    assert peer.wait(1) == [note_on(0, 60, 80)]
    peer.close()
    talk.until(lambda frame: isinstance(frame, Notice) and b"peer:play has gone" in frame.text)
    talk.settle()
    heard = [frame.data for frame in talk.of(HeardMessage)]
    assert heard == [note_on(0, 60, 80), note_off(0, 60)]  # a keyboard that is gone holds no key
    again = visit(server)
    talk.until(lambda frame: isinstance(frame, Notice) and b"peer:play is back" in frame.text)
    again.play(note_on(0, 61, 80), note_off(0, 61))
    assert again.wait(2)[-2:] == [note_on(0, 61, 80), note_off(0, 61)]
    assert stage.quit() == 0


def test_a_named_port_is_waited_for_after_the_server_was_gone(
    rough_server: "JackServer", start: Start, visit: Visit
) -> None:
    peer = visit(rough_server)
    stage = start(rough_server, "--in", "peer:play", "--out", "peer:hear")
    talk = stage.talk()
    talk.rules(thru="on")
    talk.settle()
    rough_server.kill()
    peer.close()
    talk.until(lambda frame: isinstance(frame, Notice) and b"gone" in frame.text)
    rough_server.start()
    talk.until(lambda frame: isinstance(frame, Notice) and b"server is back" in frame.text)
    again = visit(rough_server)
    talk.until(lambda frame: isinstance(frame, Notice) and b"peer:play is back" in frame.text)
    again.play(note_on(0, 61, 80), note_off(0, 61))
    assert again.wait(2) == [note_on(0, 61, 80), note_off(0, 61)]
    assert stage.quit() == 0
    assert sum(isinstance(frame, Notice) for frame in talk.frames) <= 5

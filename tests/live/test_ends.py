"""Whatever ends, nothing sounds on: panic, signals, a killed engine, a killed stage, a killed JACK server."""

import json
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.live.conftest import Duet, livemuse_ports
from tests.live.programs import Livemuse, MusicianProgram, notes
from tests.live.test_duet import recorded_note_ons

if TYPE_CHECKING:  # jack cannot be imported where there is no JACK
    from tests.live.jackd import JackServer

LONG = ("answer_length=20 s", "wait=0.3")


def press_panic(livemuse: Livemuse) -> None:
    """Panic by the control socket, as the console does it."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(livemuse.ready["socket"])
        control.sendall(json.dumps({"id": 1, "do": "action", "name": "panic"}).encode() + b"\n")
        assert json.loads(control.makefile().readline())["ok"] is not None


def assert_silent_from(musician: MusicianProgram, frame: int, within_s: float) -> None:
    """Everything heard had ended ``within_s`` after ``frame``, and nothing began later."""
    musician.ask("quiet", for_s=within_s + 0.3, timeout_s=5)
    sounded = musician.leave()
    limit = frame + within_s * sounded["rate"]
    answers = notes(sounded["heard"])
    assert answers
    assert [note for note in answers if note[1] is None or note[1] > limit or note[0] > limit] == []


def gone(pid: int, timeout_s: float = 3.0) -> bool:
    """Whether process ``pid`` ends in time."""
    pause = threading.Event()
    for _ in range(int(timeout_s / 0.05)):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        pause.wait(0.05)
    return False


def test_panic_in_the_middle_of_an_answer(server: "JackServer", duet: Duet) -> None:
    livemuse, musician = duet(server, *LONG)
    musician.play_until_answered(20.0, 22.0, note_ons=3)
    frame = musician.ask("now")["frame"]
    press_panic(livemuse)
    assert_silent_from(musician, frame, 0.5)
    assert livemuse.status()["sounding"] == 0
    assert livemuse.end() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_an_answer(server: "JackServer", duet: Duet, how: signal.Signals) -> None:
    livemuse, musician = duet(server, *LONG)
    musician.play_until_answered(20.0, 22.0, note_ons=3)
    frame = musician.ask("now")["frame"]
    assert livemuse.end(how) == 0
    assert gone(livemuse.ready["stage_pid"])
    assert_silent_from(musician, frame, 0.5)
    assert recorded_note_ons(livemuse, "livemuse") >= 3
    assert "Traceback" not in livemuse.talk()


def test_a_killed_engine_leaves_silence_its_ports_and_its_session(rough_server: "JackServer", duet: Duet) -> None:
    livemuse, musician = duet(rough_server, *LONG)
    before = dict(livemuse.ready)
    musician.play(20.0, 23.0)
    musician.play_until_answered(40.0, 42.0, note_ons=3, tries=3)
    musician.ask("hears", note_ons=10_000, after=0, timeout_s=1.0)  # one more second of the answer
    ports = {name: rough_server.connections(name) for name in rough_server.ports() if name.startswith("livemuse-")}
    frame = musician.ask("now")["frame"]
    os.kill(before["pid"], signal.SIGKILL)
    livemuse.process.wait(5) if livemuse.process else None
    assert musician.ask("quiet", for_s=1.0, timeout_s=5)["ok"]
    assert {name: rough_server.connections(name) for name in ports} == ports

    recovered = livemuse.run("sessions", "recover", "--record", str(livemuse.sessions))
    assert recovered.returncode == 0, recovered.stderr
    kept, kept_answers = (recorded_note_ons(livemuse, track) for track in ("player", "livemuse"))

    again = livemuse.start(*LONG)
    assert (again["stage_pid"], again["ports"]) == (before["stage_pid"], before["ports"])
    assert {name: rough_server.connections(name) for name in ports} == ports
    musician.play_until_answered(60.0, 62.0, tries=3)  # nothing was connected again
    assert livemuse.end() == 0

    sounded = musician.leave()
    rate, answers = sounded["rate"], notes(sounded["heard"])
    assert [n for n in answers if n[0] < frame and (n[1] is None or n[1] > frame + rate)] == []
    assert [n for n in answers if n[1] is None] == []
    old = [on for on, _, _ in notes(sounded["played"]) if on < frame - rate]
    assert kept >= len(old) > 0
    old_answers = [on for on, _, _ in answers if on < frame - rate]
    assert kept_answers >= len(old_answers) > 0


def test_a_killed_stage_comes_back_and_ends_what_it_left_sounding(rough_server: "JackServer", duet: Duet) -> None:
    livemuse, musician = duet(rough_server, *LONG)
    before = livemuse.status()
    musician.play_until_answered(20.0, 22.0, note_ons=3, tries=3)
    until_now = len(rough_server.appeared)
    os.kill(livemuse.ready["stage_pid"], signal.SIGKILL)
    assert gone(livemuse.ready["stage_pid"])
    ports = {
        "to": rough_server.wait_for_new_port("livemuse-in", until_now),
        "from": rough_server.wait_for_new_port("livemuse-out", until_now),
    }
    musician.ask("connect", **ports)
    frame = musician.ask("now")["frame"]
    assert musician.ask("quiet", for_s=0.2, timeout_s=5)["ok"]
    musician.play_until_answered(40.0, 42.0, tries=3)
    status = livemuse.status()
    assert status["session"] == before["session"]
    assert livemuse.end() == 0
    sounded = musician.leave()
    answers = notes(sounded["heard"])
    left = [n for n in answers if n[0] < frame]
    assert [n for n in left if n[1] is None or n[1] > frame + sounded["rate"]] == []


def test_a_killed_jack_server_stops_nothing_and_is_found_again(rough_server: "JackServer", duet: Duet) -> None:
    livemuse, musician = duet(rough_server, *LONG)
    musician.play_until_answered(20.0, 22.0, note_ons=3, tries=3)
    rough_server.kill()
    musician.close()
    assert livemuse.status()["mode"] == "answer"  # no freeze
    assert any("JACK" in livemuse.ctl("status") for _ in range(50)), livemuse.talk()  # a sentence, soon
    rough_server.start()
    ports = livemuse_ports(rough_server, livemuse)  # within 5 s
    second = MusicianProgram(rough_server)
    try:
        second.ask("connect", **ports)
        second.play_until_answered(40.0, 42.0, tries=3)
    finally:
        second.close()
    assert livemuse.end() == 0
    assert "Traceback" not in livemuse.talk()

"""A real stage process on a machine that need not have MIDI: the link, the guard, and every way to end."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livemuse.midi.link import (
    ALWAYS,
    NO_NOTE,
    Hello,
    Inject,
    Mapped,
    NoteEnded,
    NoteSent,
    Panic,
    Ping,
    PlayNote,
    Pong,
    PortsChanged,
    TakeBack,
    Taken,
)
from livemuse.midi.messages import note_off, note_on
from tests.stage.engine_side import ROOT, StageProcess, Talk

LATE_S = 0.5  # a test machine may be busy; what is measured for real is measured by the benchmark


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="lm-") as path:
        yield Path(path)


Start = Callable[..., StageProcess]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts stages without any MIDI interface."""
    started: list[StageProcess] = []
    env = {**os.environ, "JACK_DEFAULT_SERVER": "no-such-server", "JACK_NO_START_SERVER": "1"}

    def begin(*options: str) -> StageProcess:
        started.append(StageProcess(folder, "--sound", "off", *options, env=env))
        return started[-1]

    yield begin
    for stage in started:
        stage.close()


pytestmark = pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="this machine has an ALSA sequencer")


def sent(talk: Talk) -> list[int]:
    return [frame.index for frame in talk.of(NoteSent)]


def ended(talk: Talk) -> list[int]:
    return [frame.index for frame in talk.of(NoteEnded)]


def with_a_note(stage: StageProcess) -> Talk:
    """An engine whose first note sounds for a minute."""
    talk = stage.talk()
    talk.begin(1)
    now_s = time.monotonic()
    talk.play(1, 0, now_s, now_s + 60)
    talk.until(lambda frame: isinstance(frame, NoteSent))
    return talk


def test_without_midi_it_starts_and_says_so(start: Start) -> None:
    talk = start("--name", "quiet").talk()
    assert talk.hello["api"] == "none"
    assert talk.hello["ports"] == {"in": None, "out": None}
    assert talk.hello["error"] is None
    assert talk.hello["sound"] == "off"
    assert talk.hello["options"] == ["--name", "quiet", "--api", "auto", "--sound", "off"]
    assert "No MIDI interface" in talk.hello["notices"][0]
    changed = talk.until(lambda frame: isinstance(frame, PortsChanged))
    assert isinstance(changed, PortsChanged)
    assert set(json.loads(changed.json)) == {"api", "ports", "available", "connections", "sound"}


def test_the_socket_is_its_owners_alone_and_goes_with_the_stage(start: Start) -> None:
    stage = start()
    talk = stage.talk()
    assert stat.S_IMODE(stage.path.stat().st_mode) == 0o600
    talk.say(Ping(3))
    talk.until(lambda frame: frame == Pong(3))
    assert stage.quit() == 0
    assert not stage.path.exists()
    assert stage.said() == ""


@pytest.mark.parametrize("options", [("--api", "jack"), ("--api", "core"), ("--in", "No Such"), ("--out", "Nor This")])
def test_what_was_named_and_cannot_be_had_is_refused_in_a_sentence(start: Start, options: tuple[str, ...]) -> None:
    stage = start(*options)
    talk = stage.talk()
    assert talk.hello["error"]["what"].endswith(".")
    assert stage.process.wait(5) == 1
    assert stage.said() == ""


def test_notes_are_sent_when_they_are_due(start: Start) -> None:
    talk = start().talk()
    talk.begin(1)
    now_s = time.monotonic()
    for index in (2, 0, 1):  # planned in any order
        talk.play(1, index, now_s + 0.1 + 0.03 * index, now_s + 0.12 + 0.03 * index, 60 + index)
    talk.until(lambda frame: isinstance(frame, NoteEnded) and frame.index == 2)
    assert sent(talk) == ended(talk) == [0, 1, 2]
    for frame in talk.of(NoteSent):
        assert frame.due_s == now_s + 0.1 + 0.03 * frame.index
        assert 0 <= frame.at_s - frame.due_s < LATE_S


def test_the_players_key_drops_the_take_at_once(start: Start) -> None:
    talk = start().talk()
    talk.begin(1, ALWAYS, 0.02)
    now_s = time.monotonic()
    talk.play(1, 0, now_s, now_s + 60)
    talk.play(1, 1, now_s + 60, now_s + 61)
    talk.until(lambda frame: isinstance(frame, NoteSent))
    talk.say(Inject(note_on(0, 40, 90)))
    talk.play(1, 2, now_s, now_s + 1)  # on its way already when the key was struck
    taken = talk.until(lambda frame: isinstance(frame, Taken))
    assert isinstance(taken, Taken)
    assert (taken.last_index, taken.by_player) == (0, True)
    talk.until(lambda frame: isinstance(frame, NoteEnded))
    talk.say(TakeBack(1, 0.02))
    again = talk.until(lambda frame: isinstance(frame, Taken))
    assert (again.take, again.last_index) == (1, 0)  # type: ignore[union-attr]
    talk.settle()
    assert sent(talk) == ended(talk) == [0]


def test_taking_back_answers_with_the_last_note_sent(start: Start) -> None:
    talk = start().talk()
    talk.begin(7)
    now_s = time.monotonic()
    talk.play(7, 0, now_s + 60, now_s + 61)
    talk.say(TakeBack(7, 0.1), TakeBack(8, 0.1))
    talk.settle()
    assert [(frame.take, frame.last_index, frame.by_player) for frame in talk.of(Taken)] == [
        (7, NO_NOTE, False),
        (8, NO_NOTE, False),
    ]


def test_a_mapped_pedal_is_told_and_is_no_music(start: Start) -> None:
    talk = start().talk()
    talk.rules(map=[{"note": 21}, {"cc": 67}])
    talk.begin(1)
    talk.say(Inject(b"\xb0\x43\x7f"), Inject(b"\xb0\x43\x00"), Inject(note_on(0, 21, 3)), Inject(note_off(0, 21)))
    talk.settle()
    assert [frame.entry for frame in talk.of(Mapped)] == [1, 0]
    assert not talk.of(Taken)


def test_panic_ends_everything(start: Start) -> None:
    talk = start().talk()
    talk.begin(1)
    now_s = time.monotonic()
    talk.play(1, 0, now_s, now_s + 60)
    talk.play(1, 1, now_s + 0.2, now_s + 60)
    talk.until(lambda frame: isinstance(frame, NoteSent))
    talk.say(Panic())
    talk.settle()
    assert ended(talk) == [0]
    assert talk.of(Taken)[0].last_index == 0


def test_an_engine_that_dies_is_waited_for(start: Start) -> None:
    stage = start()
    first = with_a_note(stage)
    first.close()
    second = stage.talk()
    assert second.hello["pid"] == stage.process.pid
    second.begin(1)  # counts from the start again
    now_s = time.monotonic()
    second.play(1, 0, now_s, now_s + 0.1)
    second.until(lambda frame: isinstance(frame, NoteEnded))
    assert sent(second) == ended(second) == [0]  # and the first engine's note was ended when that engine died


def test_an_engine_that_comes_at_once_hears_nothing_of_the_last_one(start: Start) -> None:
    stage = start()
    first = with_a_note(stage)
    stage.process.send_signal(signal.SIGSTOP)  # it finds both at once: one has gone, another knocks
    os.waitpid(stage.process.pid, os.WUNTRACED)
    first.close()
    threading.Timer(0.2, stage.process.send_signal, (signal.SIGCONT,)).start()
    second = stage.talk()
    second.settle()
    assert second.hello["error"] is None
    assert sent(second) == ended(second) == []


def test_one_engine_at_a_time(start: Start) -> None:
    stage = start()
    first = stage.talk()
    second = stage.talk()
    assert "Another engine" in second.hello["error"]["what"]
    first.settle()
    first.close()
    assert stage.talk().hello["error"] is None


def test_an_engine_that_talks_nonsense_is_let_go(start: Start) -> None:
    stage = start()
    for nonsense in (b"\xff\xff\xff\xff\xff", b"\x01\x00\x00\x00\xee", b"\x02\x00\x00\x00\x01{"):
        talk = stage.talk()
        talk.socket.sendall(nonsense)
        with pytest.raises(AssertionError, match="hung up"):
            talk.until(lambda frame: isinstance(frame, Hello))
        talk.close()
    assert stage.talk().hello["error"] is None
    assert stage.said() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_good_order(start: Start, number: signal.Signals) -> None:
    stage = start()
    talk = stage.talk()
    talk.begin(1)
    now_s = time.monotonic()
    talk.play(1, 0, now_s, now_s + 60)
    talk.until(lambda frame: isinstance(frame, NoteSent))
    stage.process.send_signal(number)
    talk.until(lambda frame: isinstance(frame, NoteEnded))
    assert stage.process.wait(5) == 0
    assert not stage.path.exists()


def test_a_second_stage_on_the_same_socket_is_refused_and_a_dead_one_is_replaced(start: Start) -> None:
    first = start()
    first.talk()
    second = start()
    assert second.process.wait(5) == 1
    assert "Another stage" in second.said()
    first.process.kill()
    first.process.wait(5)
    assert first.path.exists()  # nobody took it away
    assert start().talk().hello["error"] is None


def test_a_long_plan_does_not_hold_up_a_note(start: Start) -> None:
    talk = start().talk()
    talk.begin(1)
    now_s = time.monotonic()
    talk.play(1, 0, now_s + 0.05, now_s + 0.1)
    talk.say(*(PlayNote(1, index, now_s + 60, now_s + 61, 0, 60, 80) for index in range(1, 5000)))
    note = talk.until(lambda frame: isinstance(frame, NoteSent))
    assert isinstance(note, NoteSent)
    assert note.at_s - note.due_s < LATE_S


def test_it_starts_light() -> None:
    """No numpy, asyncio, Textual or ONNX Runtime comes along."""
    code = "import sys, livemuse.stage.__main__; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"numpy", "asyncio", "onnxruntime", "textual"} & set(done.stdout.split())

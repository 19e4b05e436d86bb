"""The built-in synth's process and the pipe to it: real processes, the null audio device, no sound card."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("tinysoundfont", reason="the built-in synth is not installed")
pytest.importorskip("miniaudio", reason="the way to the loudspeakers is not installed")

from livemuse.stage.sound import Synth, ends_a_note
from livemuse.stage.synth import messages

STRIKE, LET_GO = b"\x90\x3c\x60", b"\x80\x3c\x00"


@pytest.fixture
def synth(monkeypatch: pytest.MonkeyPatch) -> Iterator[Synth]:
    monkeypatch.setenv("LIVEMUSE_AUDIO", "null")
    synth = Synth.start("on", 1.0)
    assert synth is not None
    yield synth
    synth.close()


def test_it_starts_without_making_anybody_wait_and_ends_with_its_pipe(synth: Synth) -> None:
    assert synth.state == "starting"
    synth.send("player", STRIKE)  # what comes before it is ready is not lost
    assert synth.wait(20.0) == "on"
    assert synth.device == "Null"
    assert synth.why == ""
    synth.send("livemuse", STRIKE)
    synth.set_gain(0.5)
    synth.all_off()
    process = synth._child
    synth.close()
    assert process.returncode == 0
    assert synth.state == "none"
    synth.send("player", STRIKE)  # too late, and harmless
    assert synth.dropped == 0


def test_a_stage_that_is_killed_takes_its_synth_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEMUSE_AUDIO", "null")
    program = (
        "import os, signal, sys; from livemuse.stage.sound import Synth\n"
        "s = Synth.start('on', 1.0); s.wait(20); s.send('player', bytes((0x90, 60, 90)))\n"
        "sys.stdout.write(str(s._child.pid)); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    stage = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=40)
    pid = int(stage.stdout)
    for _ in range(200):
        if not is_running(pid):
            return
        time.sleep(0.05)
    os.kill(pid, 9)
    pytest.fail("the synth outlived its stage")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return not Path("/proc").is_dir() or Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_synth_that_dies_is_a_sentence_and_stops_nobody(synth: Synth) -> None:
    assert synth.wait(20.0) == "on"
    synth._child.kill()
    synth._child.wait()
    for _ in range(1000):
        synth.send("player", STRIKE)
    assert synth.state == "none"
    assert synth.why == "The built-in synth's process ended."


@pytest.mark.parametrize(
    ("audio", "sentence"),
    [("tin-can", "LIVEMUSE_AUDIO=tin-can names no way out"), ("coreaudio", "No audio device was found")],
)
def test_no_way_out_is_a_sentence(monkeypatch: pytest.MonkeyPatch, audio: str, sentence: str) -> None:
    if audio == "coreaudio" and sys.platform == "darwin":
        pytest.skip("a Mac has CoreAudio")
    monkeypatch.setenv("LIVEMUSE_AUDIO", audio)
    synth = Synth.start("auto", 1.0)
    assert synth is not None
    try:
        assert synth.wait(20.0) == "none"
        assert sentence in synth.why
    finally:
        synth.close()


def test_off_and_no_soundfont_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Synth.start("off", 1.0) is None
    assert Synth.reason == "The built-in synth is off."
    monkeypatch.setenv("LIVEMUSE_SOUNDFONT", "/nowhere/none.sf2")
    assert Synth.start("on", 1.0) is None
    assert Synth.reason.startswith("No SoundFont was found")


def test_it_sleeps_when_silent_and_wakes_for_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the process's own clock: it must stop asking for sound once nothing has been heard for a while."""
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc to see what another process uses")
    monkeypatch.setenv("LIVEMUSE_AUDIO", "null")
    program = "import livemuse.stage.synth as s; s.REST_AFTER_S = 0.2; s.LOOK_EVERY_S = 0.05; s.main()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert b'"on"' in child.stdout.readline()
        assert until(lambda: threads_moving(child.pid) == 0)
        child.stdin.write(b"\0\3" + STRIKE)
        child.stdin.flush()
        assert until(lambda: threads_moving(child.pid) > 0)
        child.stdin.write(b"\0\3" + LET_GO)
        child.stdin.close()
        assert child.wait(10) == 0


def until(condition: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + 10.0
    while time.monotonic() < end_s:
        if condition():
            return True
    return False


def threads_moving(pid: int) -> int:
    """How many switches its threads made in a fifth of a second."""

    def switches() -> int:
        lines = "\n".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")).splitlines()
        return sum(int(line.split()[1]) for line in lines if "_switches" in line)

    before = switches()
    time.sleep(0.2)
    return max(switches() - before, 0)


class Pipe:
    """A synth whose process does not read: its pipe is in the test's hands."""

    def __init__(self) -> None:
        out, down = os.pipe()
        up, self._up_in = os.pipe()
        for end in (down, up, out):
            os.set_blocking(end, False)
        self.out = out
        child = subprocess.Popen([sys.executable, "-c", ""])
        self.synth = Synth(child, os.fdopen(down, "wb", 0), os.fdopen(up, "rb", 0))

    def drain(self) -> list[tuple[int, bytes]]:
        """Everything that is in the pipe now."""
        pending = bytearray()
        while True:
            try:
                pending += os.read(self.out, 1 << 16)
            except BlockingIOError:
                return list(messages(pending))

    def close(self) -> None:
        self.synth.close()
        os.close(self.out)
        os.close(self._up_in)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_what_goes_down_comes_out(pipe: Pipe) -> None:
    pipe.synth.send("player", STRIKE)
    pipe.synth.send("livemuse", LET_GO)
    pipe.synth.send("player", b"")
    pipe.synth.send("player", b"\xf0" + b"\0" * 500 + b"\xf7")  # no use for it
    assert pipe.drain() == [(0, STRIKE), (1, LET_GO)]


def test_a_full_pipe_holds_up_nobody_and_loses_no_end_of_a_note(pipe: Pipe) -> None:
    began_s = time.monotonic()
    while not pipe.synth.dropped:
        pipe.synth.send("player", b"\xe0\x00\x40")
    for pitch in (60, 64, 67):
        pipe.synth.send("livemuse", bytes((0x80, pitch, 0)))
        pipe.synth.send("livemuse", bytes((0x80, pitch, 0)))
    pipe.synth.send("player", b"\xb0\x40\x00")
    pipe.synth.send("player", b"\x90\x30\x40")  # must not overtake what is owed
    assert time.monotonic() - began_s < 5.0
    assert pipe.synth.dropped == 2
    received = pipe.drain()
    end_s = time.monotonic() + 10.0
    while len(received) < 4 or received[-1] != (0, b"\xb0\x40\x00"):
        received += pipe.drain()
        assert time.monotonic() < end_s
        time.sleep(0.01)
    assert received[-4:] == [(1, b"\x80\x3c\x00"), (1, b"\x80\x40\x00"), (1, b"\x80\x43\x00"), (0, b"\xb0\x40\x00")]
    pipe.synth.send("player", STRIKE)
    assert pipe.drain() == [(0, STRIKE)]


def test_all_off_reaches_every_channel_of_both(pipe: Pipe) -> None:
    pipe.synth.all_off()
    received = pipe.drain()
    both, channels, controllers = (0, 1), range(0xB0, 0xC0), (64, 66, 120, 123)
    wanted = {(who, channel, controller) for who in both for channel in channels for controller in controllers}
    assert {(who, message[0], message[1]) for who, message in received} == wanted


@pytest.mark.parametrize(
    ("message", "ends"),
    [
        ("80 3c 40", True), ("90 3c 00", True), ("90 3c 01", False), ("b0 40 3f", True), ("b0 40 40", False),
        ("b0 7b 00", True), ("b0 78 00", True), ("b0 07 00", False), ("e0 00 40", False), ("c0 05", False),
    ],
)  # fmt: skip
def test_which_messages_must_arrive(message: str, ends: bool) -> None:
    assert ends_a_note(bytes.fromhex(message)) is ends

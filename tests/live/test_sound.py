"""The built-in synth through a real audio server: what comes out at the other end is recorded and measured."""

import math
import threading
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("tinysoundfont", reason="the built-in synth is not installed")
pytest.importorskip("miniaudio", reason="the way to the loudspeakers is not installed")

from livemuse.stage.sound import Synth

if TYPE_CHECKING:  # jack cannot be imported where there is no JACK
    from tests.live.jackd import JackServer


class Microphone:
    """A JACK client that hears the synth's two channels."""

    def __init__(self, server: "JackServer") -> None:
        import jack

        self._client = jack.Client("microphone", servername=server.name, no_start_server=True)
        self._sides = [self._client.inports.register(name) for name in ("left", "right")]
        self._heard = [array("f"), array("f")]
        self._enough = threading.Event()
        self._wanted = 0
        self._client.set_process_callback(self._listen)
        self._client.activate()

    def _listen(self, frames: int) -> None:
        if len(self._heard[0]) < self._wanted:
            for side, port in zip(self._heard, self._sides, strict=True):
                side.frombytes(bytes(port.get_buffer()))
        else:
            self._enough.set()

    def connect(self) -> None:
        """Hear livemuse."""
        outputs = self._client.get_ports("livemuse", is_audio=True, is_output=True)
        assert len(outputs) == 2, [port.name for port in outputs]
        for output, side in zip(outputs, self._sides, strict=True):
            self._client.connect(output, side)

    def levels(self, seconds: float) -> tuple[float, float]:
        """Root mean square of left and right over the next ``seconds``."""
        self._wanted = round(seconds * self._client.samplerate)
        self._heard = [array("f"), array("f")]
        while len(self._heard[0]) < self._wanted:  # a callback that had begun may say "enough" of what was before
            self._enough.clear()
            assert self._enough.wait(20 + seconds)
        left, right = (math.sqrt(sum(v * v for v in side) / len(side)) for side in self._heard)
        return left, right

    def close(self) -> None:
        """Leave the server."""
        self._client.close()


@pytest.fixture
def heard(server: "JackServer", monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Synth, Any]]:
    """A synth that plays to the JACK server, and a microphone before it."""
    monkeypatch.setenv("LIVEMUSE_AUDIO", "jack")
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    synth = Synth.start("on", 1.0)
    assert synth is not None
    try:
        assert synth.wait(20.0) == "on", synth.why
        microphone = Microphone(server)
        try:
            microphone.connect()
            yield synth, microphone
        finally:
            microphone.close()
    finally:
        synth.close()


def test_the_two_are_heard_left_and_right_and_then_it_is_silent(heard: tuple[Synth, Microphone]) -> None:
    synth, microphone = heard
    assert synth.device == "JACK"
    assert microphone.levels(0.2) == (0.0, 0.0)
    synth.send("player", b"\x90\x3c\x60")
    left, right = microphone.levels(0.5)
    assert left > 1.3 * right > 0.005
    synth.send("player", b"\x80\x3c\x40")
    microphone.levels(1.0)
    synth.send("livemuse", b"\x90\x3c\x60")
    left, right = microphone.levels(0.5)
    assert right > 1.3 * left > 0.005
    synth.all_off()
    microphone.levels(1.0)
    assert max(microphone.levels(0.2)) < 1e-4


def test_after_a_long_silence_a_note_is_heard_again(heard: tuple[Synth, Microphone]) -> None:
    synth, microphone = heard
    microphone.levels(6.5)  # it rests after five seconds
    synth.send("player", b"\x90\x3c\x60")
    assert max(microphone.levels(1.0)) > 0.005


def test_a_server_that_dies_is_a_sentence_and_comes_back(
    rough_server: "JackServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEMUSE_AUDIO", "jack")
    for name, value in rough_server.env.items():
        monkeypatch.setenv(name, value)
    synth = Synth.start("on", 1.0)
    assert synth is not None
    try:
        assert synth.wait(20.0) == "on", synth.why
        rough_server.kill()
        assert state_while_playing(synth, "none")
        assert synth.why == "The audio device is gone; it is looked for."
        rough_server.start()
        assert state_while_playing(synth, "on")
    finally:
        synth.close()


def state_while_playing(synth: Synth, wanted: str) -> bool:
    """Whether the synth comes to that state while somebody plays on."""
    pause = threading.Event()
    for _ in range(200):
        synth.send("player", b"\x90\x3c\x60")
        synth.send("player", b"\x80\x3c\x40")
        if synth.state == wanted:
            return True
        pause.wait(0.1)
    return False

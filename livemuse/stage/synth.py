"""The built-in synth's process: messages from a pipe in, sound out; see ``livemuse.stage.sound`` for its stage side.

Rules for whoever edits this file. The audio device calls back from a thread of its own and takes what has arrived since
the last block; nothing else touches the synth while it runs. After some seconds of silence the device is stopped and
this process sleeps in a read. The end of the pipe is the end of everything.

``LIVEMUSE_AUDIO`` names the way out: auto, or one of pulse, alsa, jack, coreaudio, wasapi, and null, which is silent.
"""

import argparse
import gc
import json
import os
import select
import signal
import struct
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

from livemuse.errors import LivemuseError
from livemuse.stage.sound import GAIN, find_soundfont
from livemuse.stage.soundfont import FRAME_BYTES, SAMPLE_RATE, Voices, peak

PERIOD_MS: Final = 10
PERIODS: Final = 2  # 20 ms of sound ahead
REST_AFTER_S: Final = 5.0  # of silence
INAUDIBLE: Final = 1e-4  # -80 dB
LOOK_EVERY_S: Final = 0.5
REOPEN_EVERY_S: Final = 2.0
STILL_IS_LOST: Final = 4  # looks without a block asked for
BACKENDS: Final = ("wasapi", "coreaudio", "pulse", "alsa", "jack", "null")
_NO_DEVICE: Final = "No audio device was found, so the built-in synth is silent."


class Speaker:
    """The audio device: open, playing or resting, and lost when it was unplugged."""

    def __init__(self, voices: Voices, backend: str) -> None:
        self._voices = voices
        self._backend = backend
        self._device: Any = None
        self._arrived: deque[tuple[int, bytes]] = deque()
        self._blocks = self._blocks_seen = 0
        self._loud_s = 0.0  # when it was last heard
        self._running = False  # the device asks for sound
        self.playing = False  # and gets some

    def hear(self, who: int, message: bytes) -> None:
        """Let a message sound with the next block."""
        self._arrived.append((who, message))
        self._loud_s = time.monotonic()
        if self._device is None:  # nobody fetches it: keep the synth in step, so that nothing old sounds later
            self._take_in()

    def open(self) -> str:
        """Open the device and start playing; gives its name. LivemuseError where there is none."""
        try:
            import miniaudio
        except ImportError as error:
            raise LivemuseError(f"The built-in synth has no way to the loudspeakers ({error}).") from error
        names = {"pulse": "PULSEAUDIO"}
        wanted = [name for name in BACKENDS if name != "null"] if self._backend == "auto" else [self._backend]
        backends = [getattr(miniaudio.Backend, names.get(name, name.upper())) for name in wanted]
        try:
            with _quiet():
                self._device = miniaudio.PlaybackDevice(
                    output_format=miniaudio.SampleFormat.FLOAT32, nchannels=2, sample_rate=SAMPLE_RATE,
                    buffersize_msec=PERIOD_MS, callback_periods=PERIODS, backends=backends, app_name="livemuse",
                )  # fmt: skip
        except miniaudio.MiniaudioError as error:
            raise LivemuseError(_NO_DEVICE) from error
        self.wake()
        return str(self._device.backend)

    def wake(self) -> None:
        """Start the device again after a rest."""
        self._loud_s = time.monotonic()
        self.playing = True
        if not self._running:
            blocks = self._blocks_forever()
            next(blocks)
            self._device.start(blocks)
            self._running = True

    def rest(self) -> None:
        """Stop the device until something is to sound; a JACK client stays, or it would lose its connections."""
        self.playing = False
        if self._device.backend != "JACK":
            self._device.stop()
            self._running = False

    def close(self) -> None:
        """Give the device back."""
        self.playing = self._running = False
        if self._device is not None:
            self._device.close()
            self._device = None
        self._take_in()

    @property
    def silent_s(self) -> float:
        """How long nothing has been heard."""
        return time.monotonic() - self._loud_s

    def moves(self) -> bool:
        """Whether the device asked for sound since the last time this was asked."""
        seen, self._blocks_seen = self._blocks_seen, self._blocks
        return self._blocks != seen

    def _take_in(self) -> None:
        while self._arrived:
            who, message = self._arrived.popleft()
            if who == GAIN:
                self._voices.set_gain(struct.unpack("<f", message)[0] if len(message) == 4 else 1.0)
            else:
                self._voices.hear(who, message)

    def _blocks_forever(self) -> Generator[memoryview, int, None]:
        samples = memoryview(b"")
        while True:
            frames = yield samples
            if not self.playing:
                samples = memoryview(bytes(frames * FRAME_BYTES))
                continue
            self._take_in()
            samples = self._voices.render(frames)
            self._blocks += 1
            if self._blocks % 16 == 0 and peak(samples) > INAUDIBLE:
                self._loud_s = time.monotonic()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the system's audio libraries, which write straight to stderr, off the musician's screen."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def messages(pending: bytearray) -> Generator[tuple[int, bytes], None, None]:
    """The whole (who, message) at the head of what came down the pipe; they are taken out of it."""
    while len(pending) >= 2 and len(pending) >= 2 + pending[1]:
        who, size = pending[0], pending[1]
        message = bytes(pending[2 : 2 + size])
        del pending[: 2 + size]
        yield who, message


def say(state: str, **more: str) -> None:
    """One line to the stage about how it is."""
    try:
        os.write(1, json.dumps({"state": state, **more}).encode() + b"\n")
    except OSError:
        return  # the stage is gone; the pipe's end follows


def play(speaker: Speaker) -> None:
    """Sound what comes down the pipe until it ends."""
    pending = bytearray()
    watch = _Watch(speaker)
    while True:
        if select.select([0], [], [], watch.timeout_s)[0]:
            data = os.read(0, 1 << 16)
            if not data:
                return
            pending += data
            for who, message in messages(pending):
                speaker.hear(who, message)
            if not speaker.playing and not watch.lost:
                speaker.wake()
        watch.look()


class _Watch:
    """Looks now and then whether the device still plays, may rest, or is there again, however busy the pipe is."""

    def __init__(self, speaker: Speaker) -> None:
        self.lost = False
        self._speaker = speaker
        self._next_s = 0.0
        self._still = 0  # looks in a row at which the device had not moved

    @property
    def timeout_s(self) -> float | None:
        """How long to wait for the pipe at most; None while there is nothing to look after."""
        return LOOK_EVERY_S if self.lost or self._speaker.playing else None

    def look(self) -> None:
        """Do what is due."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + LOOK_EVERY_S
        if self.lost:
            self.lost = not _reopened(self._speaker)
            self._next_s = now_s + REOPEN_EVERY_S
        elif self._speaker.playing:
            self._still = 0 if self._speaker.moves() else self._still + 1
            if self._still >= STILL_IS_LOST:
                self._speaker.close()
                say("none", reason="The audio device is gone; it is looked for.")
                self.lost, self._still = True, 0
            elif self._speaker.silent_s > REST_AFTER_S:
                self._speaker.rest()
                self._still = 0


def _reopened(speaker: Speaker) -> bool:
    try:
        say("on", device=speaker.open())
    except LivemuseError:
        return False
    return True


def main() -> int:
    """Run until the pipe ends; what is missing goes up the other pipe as one sentence."""
    parser = argparse.ArgumentParser(description="The built-in synth of livemuse; started by its stage.")
    parser.add_argument("--gain", type=float, default=1.0)
    gain = parser.parse_args().gain
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to answer; the pipe tells us
    os.environ.setdefault("JACK_NO_START_SERVER", "1")  # to look for a JACK server must not start one
    backend = os.environ.get("LIVEMUSE_AUDIO", "auto").lower()
    try:
        if backend != "auto" and backend not in BACKENDS:
            known = ", ".join(("auto", *BACKENDS))
            raise LivemuseError(f"LIVEMUSE_AUDIO={backend[:20]} names no way out.", f"Known: {known}.")
        soundfont = find_soundfont()
        if soundfont is None:
            raise LivemuseError("No SoundFont was found.")
        voices = Voices(soundfont, gain)
        speaker = Speaker(voices, backend)
        device = speaker.open()
    except LivemuseError as error:
        say("none", reason=str(error))
        return 1
    gc.freeze()
    say("on", device=device)
    play(speaker)
    _fade(speaker)
    speaker.close()
    return 0


def _fade(speaker: Speaker) -> None:
    """Let what sounds fade for a moment, so that the end is no click."""
    if not speaker.playing:
        return
    for who in (0, 1):
        for channel in range(16):
            for controller in (64, 123):
                speaker.hear(who, bytes((0xB0 | channel, controller, 0)))
    time.sleep(0.15)


if __name__ == "__main__":
    sys.exit(main())

"""Two players on one SoundFont: the player a piano on the left, livemuse an electric piano on the right.

Rules for whoever edits this file. It makes samples from messages and knows no device, so the live synth and
``livemuse render`` sound the same. What TinySoundFont leaves to its caller is done here: the sustain pedal, and a key
struck again ending its earlier sound.

Source of the synth: TinySoundFont (MIT), by its Python binding ``tinysoundfont``.
"""

from pathlib import Path
from typing import Any, Final

from livemuse.errors import LivemuseError

PLAYER: Final = 0
LIVEMUSE: Final = 1
SAMPLE_RATE: Final = 48_000
FRAME_BYTES: Final = 8  # two channels of 32-bit float
MOST_VOICES: Final = 160  # two pianists with the pedal down
LEVEL: Final = 1.5  # on the synth's own: one loud note is then a fifth of full scale, twenty together just fit
_PROGRAMS: Final = {PLAYER: 0, LIVEMUSE: 4}  # General MIDI: acoustic grand piano, electric piano 1
_PANS: Final = {PLAYER: 24, LIVEMUSE: 103}  # controller 10: 0 is left, 64 the middle, 127 right
_DRUM_CHANNEL: Final = 9
_DRUM_BANK: Final = 128


class Voices:
    """A loaded SoundFont with sixteen channels for each of the two who play."""

    def __init__(self, soundfont: Path, gain: float = 1.0, *, apart: bool = True) -> None:
        """Without ``apart`` both stand in the middle, and move where their messages say.

        LivemuseError, one sentence, where the synth is not installed or the SoundFont cannot be read.
        """
        try:
            import tinysoundfont
        except ImportError as error:
            raise LivemuseError(
                f"The built-in synth is not installed ({error}).", "Install tinysoundfont, or use a MIDI output."
            ) from error
        self._synth = tinysoundfont.Synth(samplerate=SAMPLE_RATE)
        try:
            self._font = self._synth.sfload(str(soundfont), max_voices=MOST_VOICES)
        except (RuntimeError, OSError, ValueError) as error:
            raise LivemuseError(f"{soundfont} is no SoundFont that can be played.", "Name another one.") from error
        self._apart = apart
        self._sounding: dict[tuple[int, int], int] = {}  # (channel, pitch) -> strikes not ended in the synth
        self._under_pedal: dict[int, set[int]] = {}  # channel -> pitches whose keys are up, held by the pedal
        self._pedal: set[int] = set()
        self.set_gain(gain)
        for who in (PLAYER, LIVEMUSE):
            for channel in range(16):
                self._furnish(who, channel)

    def set_gain(self, gain: float) -> None:
        """How loud everything is: 1 is as it comes."""
        self._synth.soundfonts[self._font].set_volume(LEVEL * min(max(gain, 0.0), 4.0))

    def hear(self, who: int, message: bytes) -> None:
        """Take in one MIDI message; what a piano has no use for is let pass."""
        if len(message) < 2 or not 0x80 <= message[0] < 0xF0:
            return
        kind, channel = message[0] & 0xF0, (message[0] & 15) + 16 * who
        first, second = message[1] & 127, message[2] & 127 if len(message) > 2 else 0
        if kind == 0x90 and second:
            self._strike(channel, first, second)
        elif kind in (0x80, 0x90):
            self._release(channel, first)
        elif kind == 0xB0:
            self._control(channel, first, second)
        elif kind == 0xE0:
            self._synth.pitchbend(channel, first | second << 7)
        elif kind == 0xC0:
            self._program(channel, first)

    def all_keys_up(self) -> None:
        """Every key and pedal comes up; the strings ring out."""
        for channel in range(32):
            self._set_pedal(channel, False)
            self._control(channel, 123, 0)

    def render(self, frames: int) -> memoryview:
        """The next ``frames`` of sound: float32, left and right in turn, as bytes."""
        samples: memoryview = self._synth.generate(frames)
        return samples

    def _furnish(self, who: int, channel: int) -> None:
        at = channel + 16 * who
        if who == PLAYER and channel == _DRUM_CHANNEL:
            try:
                self._synth.program_select(at, self._font, _DRUM_BANK, 0, True)
            except RuntimeError:
                self._synth.program_select(at, self._font, 0, 0)  # a SoundFont without drums
        else:
            self._synth.program_select(at, self._font, 0, _PROGRAMS[who])
        if self._apart:
            self._synth.control_change(at, 10, _PANS[who])

    def _program(self, channel: int, program: int) -> None:
        drums = channel == _DRUM_CHANNEL  # livemuse plays no drums
        try:
            self._synth.program_change(channel, program, drums)
        except RuntimeError:
            return  # the SoundFont has no such sound: the last one stays

    def _strike(self, channel: int, pitch: int, velocity: int) -> None:
        self._silence(channel, pitch)
        self._under_pedal.get(channel, set()).discard(pitch)
        self._sounding[channel, pitch] = 1
        self._synth.noteon(channel, pitch, velocity)

    def _release(self, channel: int, pitch: int) -> None:
        if channel in self._pedal and (channel, pitch) in self._sounding:
            self._under_pedal.setdefault(channel, set()).add(pitch)
        else:
            self._silence(channel, pitch)

    def _silence(self, channel: int, pitch: int) -> None:
        for _ in range(self._sounding.pop((channel, pitch), 0)):
            self._synth.noteoff(channel, pitch)

    def _control(self, channel: int, controller: int, value: int) -> None:
        if controller == 64 or controller == 121:
            self._set_pedal(channel, controller == 64 and value >= 64)
        elif controller == 120 or controller >= 123:
            for at, pitch in [key for key in self._sounding if key[0] == channel]:
                self._release(at, pitch) if controller != 120 else self._silence(at, pitch)
            if controller == 120:
                self._under_pedal.pop(channel, None)
                self._synth.control_change(channel, 120, 0)
        elif controller != 10 or not self._apart:  # else the place of the two in the stereo is ours
            self._synth.control_change(channel, controller, value)
        if controller == 121:
            self._synth.control_change(channel, 121, 0)
            self._furnish(channel // 16, channel % 16)

    def _set_pedal(self, channel: int, down: bool) -> None:
        if down:
            self._pedal.add(channel)
            return
        self._pedal.discard(channel)
        for pitch in self._under_pedal.pop(channel, ()):
            self._silence(channel, pitch)


def peak(samples: memoryview) -> float:
    """The largest sample of what ``Voices.render`` gave, 1 being full scale."""
    values: Any = samples.cast("f")
    return max(max(values), -min(values)) if len(values) else 0.0

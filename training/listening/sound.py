"""Items as sound: livemuse's own renderer, the same length, fade and loudness for all."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.midi.messages import note_off, note_on
from livemuse.midi.smf import Track, read_song, write_song
from livemuse.music.notes import Note
from livemuse.recording.midifile import whole_file
from livemuse.render import write_wav
from training.listening.items import LEAD_S

Array = npt.NDArray[Any]
FADE_S: Final = 2.0  # at the end of every item, so that no cut is heard


def midi_bytes(notes: Sequence[Note]) -> bytes:
    """The notes as a MIDI file of one track that names nobody."""
    ends = [(n.end_s, note_off(0, n.pitch)) for n in notes]
    strikes = [(n.onset_s, note_on(0, n.pitch, n.velocity)) for n in notes]
    return write_song([Track("piano", sorted([*ends, *strikes], key=lambda e: (e[0], e[1][0])))])


def sound_of(notes: Sequence[Note], length_s: float) -> tuple[Array, int]:
    """((frames, channels) with full scale 1, frames a second): ``LEAD_S`` of silence, the music, a fade.

    LivemuseError where there is no synth or no SoundFont.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "item.wav"
        write_wav(read_song(midi_bytes(notes)), path)
        with wave.open(str(path), "rb") as file:
            rate, channels = file.getframerate(), file.getnchannels()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels)
    frames = round((LEAD_S + length_s) * rate)
    sound = np.zeros((frames, channels))
    sound[: len(samples)] = samples[:frames] / 32768.0
    fade = min(round(FADE_S * rate), frames)
    sound[-fade:] *= (np.arange(fade, 0, -1) / fade)[:, None]
    return sound, rate


def keep_wav(sound: Array, rate: int, target: Path) -> None:
    """A recording as 16-bit WAV, whole or not at all."""
    with whole_file(target) as stream, wave.open(stream, "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())

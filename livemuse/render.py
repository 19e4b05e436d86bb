"""A MIDI file to look at and to listen to: ``livemuse render FILE.mid -o OUT.png`` or ``.wav``.

Rules for whoever edits this file. Whatever the file holds, the work is bounded: the picture has a largest size, the
sound a longest length, and what does not fit is said in the picture's heading, or refused.
"""

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from livemuse.errors import FileError, LivemuseError
from livemuse.midi.smf import Song, notes_of
from livemuse.music.notes import Note
from livemuse.recording.midifile import read_midi_file
from livemuse.stage.sound import find_soundfont
from livemuse.stage.soundfont import LIVEMUSE, PLAYER, SAMPLE_RATE, Voices

LONGEST_SOUND_S: Final = 4 * 3600.0  # 2.8 GB of WAV; a WAV file's own limit is 4 GB
TAIL_S: Final = 3.0  # for the last notes to ring out
BLOCK: Final = 480  # 10 ms


@dataclass(frozen=True, slots=True)
class Part:
    """The notes of one voice in the picture: who it is, what it plays."""

    name: str
    notes: tuple[Note, ...]


def render(source: Path, target: Path) -> str:
    """Make a WAV or PNG (by the target's name) of a MIDI file; gives a sentence on what was made."""
    suffix = target.suffix.lower()
    if suffix not in (".wav", ".png"):
        raise FileError(f"{target.name} is neither .wav nor .png.", "Name the file to make OUT.wav or OUT.png.")
    song = read_midi_file(source)
    if suffix == ".png":
        from livemuse.pianoroll import draw_roll  # the drawing library takes a moment to load

        notes = draw_roll(song, parts_of(song), source.name, target)
        return f"{target}: {notes} notes."
    seconds = write_wav(song, target)
    return f"{target}: {seconds:.1f} s."

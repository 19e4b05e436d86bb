"""Made-up tunes, and files that hold them."""

import numpy as np

from livemuse.midi.smf import Track, write_song
from livemuse.music.grid import HOLD, REST, notes_of_melody
from training.melody.config import Shape
from training.melody.tunes import Tune, Tunes, tunes_from

SMALL = Shape(units=16, embed_other=4, embed_lookback=4, lookback=(16, 5))
LINE = [60, HOLD, 62, HOLD, 64, HOLD, HOLD, HOLD, 67, HOLD, HOLD, HOLD, 64, HOLD, REST, REST]


def midi(*tracks: tuple[str, list[int]], bpm: float = 97.0, beside: float = 0.0) -> bytes:
    """A file whose tracks play these events, all of them beside the beats by a part of a sixteenth."""
    length_s = 60 / bpm / 4
    made = []
    for name, events in tracks:
        messages = []
        for note in notes_of_melody(events, length_s, (4 + beside) * length_s):
            messages += [(note.onset_s, bytes([0x90, note.pitch, 70])), (note.end_s, bytes([0x80, note.pitch, 0]))]
        made.append(Track(name, sorted(messages)))
    return write_song(made, tempo_bpm=bpm)


def some_tunes(count: int, bars: int, seed: int = 0, source: str = "Invented") -> Tunes:
    """One line, a little higher or lower in each tune."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        events = np.array(LINE * bars, np.int16)[:-2]
        events[events < HOLD] += int(rng.integers(-3, 4))
        rows.append((Tune(f"{k}.mid", source, "CC0 1.0", "MELODY", int((events < HOLD).sum())), events))
    return tunes_from(rows)

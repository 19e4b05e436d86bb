"""From MIDI files to tunes: the voice that carries the melody, laid on the beats of the file's own tempo map.

The voice is the track that is named for it (MELODY, Voice, Soprano and so on); without such a name it is the highest
track that plays one note at a time. The grid is the file's beats (training.beatgrid); where all onsets lie beside it by
the same fraction of a sixteenth, it is moved there. A tune begins with its first note, which is the first sixteenth of
a bar, as for a model that plays along: where bar lines are, most files do not say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from livemuse.midi.smf import Song, note_rows
from livemuse.music.grid import MOST_FRAMES, PER_BAR, PER_BEAT, REST, melody_of
from livemuse.music.notes import Note
from training.beatgrid import LEAST_AGREEMENT, agreement_of, beats_at

Floats = npt.NDArray[np.float64]

NAMED: Final = re.compile(r"melod|voice|vocal|voc\b|sing|gesang|chant|soprano|lead|tune", re.IGNORECASE)
NOT_NAMED: Final = re.compile(r"piano|accomp|bass|drum|chord|bridge", re.IGNORECASE)
FEWEST_NOTES: Final = 16
MOST_OVERLAP: Final = 0.1  # share of the notes that may sound into the next, in a track that is one voice
LONGEST_REST: Final = 2 * PER_BAR  # sixteenths; a longer one becomes a shorter one that keeps the place in the bar


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice: its events from its first note to its last, and the name of the track it came from."""

    events: tuple[int, ...]
    track: str = ""


def voices_of(song: Song) -> list[Voice]:
    """The voices of a song that carry a melody; two, where two tracks are named for it.

    Raises ValueError, a few words, where there is none.
    """
    if not song.ticks_per_beat:
        raise ValueError("it counts time in film frames, not in beats")
    tracks = _chosen(song)
    if not tracks:
        raise ValueError("no track plays one note at a time")
    voices, why = [], ""
    for number, rows in tracks:
        begin = beats_at(song, rows[:, 0]) * PER_BEAT  # sixteenths
        end = beats_at(song, rows[:, 0] + rows[:, 2]) * PER_BEAT
        agreement, beside = agreement_of(begin)
        if len(rows) < FEWEST_NOTES:
            why = f"the voice has only {len(rows)} notes"
        elif end.max() - begin.min() >= MOST_FRAMES:
            why = "the voice is too long for one piece"
        elif agreement < LEAST_AGREEMENT:
            why = "the voice does not follow the beats of the file"
        else:
            voices.append(Voice(_events(rows, begin - beside, end - beside), song.track_names[number]))
    if not voices:
        raise ValueError(why)
    return voices


def _chosen(song: Song) -> list[tuple[int, Floats]]:
    """(track, its notes as rows of onset, pitch, duration, velocity) of each voice; empty where there is none."""
    tracks = []
    for number in range(len(song.track_names)):
        rows = np.array(note_rows(song, track=number, pedal=False), np.float64).reshape(-1, 4)
        if len(rows):
            tracks.append((number, rows))
    names = song.track_names
    named = [t for t in tracks if NAMED.search(names[t[0]]) and not NOT_NAMED.search(names[t[0]]) and _single(t[1])]
    if named:
        return named
    single = [t for t in tracks if len(t[1]) >= FEWEST_NOTES and _single(t[1])]
    return [max(single, key=lambda t: float(t[1][:, 1].mean()))] if single else []


def _single(rows: Floats) -> bool:
    """Whether these notes are one voice: hardly any of them sounds into the next."""
    gap_s = np.diff(rows[:, 0])
    return float((rows[:-1, 2] > 1.25 * gap_s + 0.02).sum()) <= MOST_OVERLAP * len(rows)


def _events(rows: Floats, begin: Floats, end: Floats) -> tuple[int, ...]:
    """A voice ends a note where it begins the next one, so that no legato hides a lower note."""
    first = float(np.round(begin.min()))
    at = np.round(begin) - first
    later = np.append(at[1:], math.inf)
    following = np.minimum.accumulate(np.where(later > at, later, math.inf)[::-1])[::-1]
    until = np.minimum(end - first, following)
    columns = zip(at.tolist(), rows[:, 1].tolist(), until.tolist(), strict=True)
    return tuple(shortened(melody_of([Note(b, int(pitch), max(e - b, 0.0), 64) for b, pitch, e in columns], 1.0)))


def shortened(events: Sequence[int]) -> list[int]:
    """Events whose rests last at most LONGEST_REST; a longer one keeps its place in the bar, none stands at the end."""
    kept: list[int] = []
    silent = 0
    for event in events:
        if event == REST:
            silent += 1
            continue
        kept += [REST] * (silent if silent <= LONGEST_REST else PER_BAR + silent % PER_BAR)
        silent = 0
        kept.append(event)
    return kept

"""The key of some playing, and how much of other playing lies in it; how pitches come again; where the hands are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.notes import Note
from livemuse.music.theory import Key

Array = npt.NDArray[Any]
# How well each degree fits a key, in semitones above the tonic. Source: Krumhansl and Kessler 1982.
_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
RECENT_NOTES: Final = 60  # the end of a call, which says where the hands are
TOP_OCTAVE: Final = 96  # C7


def key_of(notes: Sequence[Note]) -> Key:
    """The best of the 24 major and minor keys by how often each pitch class is struck.

    Source: the correlation with the profiles of Krumhansl and Kessler. ValueError for no notes.
    """
    if not notes:
        raise ValueError("silence has no key")
    counts = np.bincount([note.pitch % 12 for note in notes], minlength=12).astype(np.float64)
    counts -= counts.mean()
    best, found = -np.inf, Key(0, "major")
    for scale, profile in (("major", _MAJOR), ("minor", _MINOR)):
        centred = np.array(profile) - np.mean(profile)
        for tonic in range(12):
            rolled = np.roll(centred, tonic)
            fit = float(counts @ rolled) / float(np.sqrt(rolled @ rolled))
            if fit > best:
                best, found = fit, Key(tonic, scale)
    return found


def in_key_share(notes: Sequence[Note], key: Key) -> float:
    """The share of notes whose pitch class belongs to the key, 0 to 1; minor is the natural minor."""
    return sum(note.pitch % 12 in key.pitch_classes for note in notes) / max(len(notes), 1)


def degrees(notes: Sequence[Note], key: Key) -> Array:
    """How often each degree of the chromatic scale above the tonic is struck, (12,) counts."""
    counted: Array = np.bincount([(note.pitch - key.tonic) % 12 for note in notes], minlength=12)
    return counted


def repetition(notes: Sequence[Note], run: int = 4) -> float:
    """The share of runs of so many pitches that were already played before in these notes, 0 to 1."""
    pitches = [note.pitch for note in notes]
    runs = [tuple(pitches[k : k + run]) for k in range(len(pitches) - run + 1)]
    return 1.0 - len(set(runs)) / len(runs) if runs else 0.0


def median_pitch(notes: Sequence[Note]) -> float:
    """The middle pitch of some notes; ValueError for none."""
    if not notes:
        raise ValueError("silence has no register")
    return float(np.median([note.pitch for note in notes]))


def register_distance(answer: Sequence[Note], call: Sequence[Note]) -> float:
    """Semitones from the median pitch of the call's last 60 notes to that of the answer."""
    return abs(median_pitch(answer) - median_pitch(call[-RECENT_NOTES:]))

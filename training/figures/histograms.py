"""How often each pitch class, each time between onsets, each length, loudness and thickness occurs in some notes.

Two histograms are compared by their overlapping area: 1 where they are the same, 0 where they share nothing.
Source: Yang and Lerch 2020, "On the evaluation of generative models in music" (there over smoothed densities; here
over the bins themselves, so that a figure needs no bandwidth).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.notes import Note

Array = npt.NDArray[Any]
KINDS: Final = ("pitch_class", "inter_onset", "duration", "velocity", "polyphony", "density")
FRAME_S: Final = 0.05  # polyphony is counted in steps of so much
MOST_VOICES: Final = 12  # the last bin of polyphony: so many notes at once, or more
MOST_PER_S: Final = 24  # the last bin of density: so many onsets in a second, or more
LONGEST_S: Final = 3600.0  # notes that end later are counted as ending here
STEP_EDGES_S: Final = np.concatenate([[0.0], np.geomspace(0.03, 4.0, 16), [math.inf]])
DURATION_EDGES_S: Final = np.concatenate([[0.0], np.geomspace(0.04, 8.0, 16), [math.inf]])
VELOCITY_EDGES: Final = np.arange(0, 129, 8)


def histograms(notes: Sequence[Note], length_s: float) -> dict[str, Array]:
    """Counts by kind of the notes of ``length_s`` seconds of music, whose onsets count from 0.

    inter_onset: one bin under 30 ms (a chord), 15 up to 4 s, one beyond; duration: likewise from 40 ms to 8 s;
    velocity: 16 bins; polyphony: notes a sounding step of 50 ms; density: onsets in each second.
    """
    onsets_s = np.array(sorted(note.onset_s for note in notes))
    seconds = np.zeros(max(math.ceil(length_s), 1), np.int64)
    np.add.at(seconds, np.clip(onsets_s, 0, len(seconds) - 1).astype(np.int64), 1)
    voices = voices_in_frames(notes)
    sounding = np.minimum(voices[voices > 0], MOST_VOICES) - 1
    return {
        "pitch_class": np.bincount([note.pitch % 12 for note in notes], minlength=12),
        "inter_onset": np.histogram(np.diff(onsets_s), STEP_EDGES_S)[0],
        "duration": np.histogram([note.duration_s for note in notes], DURATION_EDGES_S)[0],
        "velocity": np.histogram([note.velocity for note in notes], VELOCITY_EDGES)[0],
        "polyphony": np.bincount(sounding, minlength=MOST_VOICES),
        "density": np.bincount(np.minimum(seconds, MOST_PER_S), minlength=MOST_PER_S + 1),
    }


def voices_in_frames(notes: Sequence[Note], frame_s: float = FRAME_S) -> Array:
    """How many notes sound in each frame from time 0 to the last end, (frames,); a note sounds in one at least."""
    if not notes:
        return np.zeros(0, np.int64)
    first = np.array([int(min(max(n.onset_s, 0.0), LONGEST_S) / frame_s) for n in notes])
    past = np.array([math.ceil(min(max(n.end_s, 0.0), LONGEST_S) / frame_s - 1e-6) for n in notes])
    past = np.maximum(past, first + 1)
    change = np.zeros(int(past.max()) + 1, np.int64)
    np.add.at(change, first, 1)
    np.add.at(change, past, -1)
    counted: Array = np.cumsum(change)[:-1]
    return counted


def overlap(one: Array, other: Array) -> float:
    """The overlapping area of two histograms, 0 to 1; one that counts nothing overlaps with nothing."""
    if one.sum() == 0 or other.sum() == 0:
        return 0.0
    return float(np.minimum(one / one.sum(), other / other.sum()).sum())


def overlaps(one: Mapping[str, Array], other: Mapping[str, Array]) -> dict[str, float]:
    """The overlapping area of each kind."""
    return {kind: overlap(one[kind], other[kind]) for kind in KINDS}


def mean_overlap(one: Mapping[str, Array], other: Mapping[str, Array]) -> float:
    """The mean of the six overlapping areas."""
    return float(np.mean(list(overlaps(one, other).values())))


def pooled(many: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The counts of many pieces of music together."""
    return {kind: np.sum([one[kind] for one in many], axis=0) for kind in KINDS}

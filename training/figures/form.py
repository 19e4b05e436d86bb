"""Long form: whether music comes back to itself after 1, 2, 4 and 8 bars, and whether it falls silent or gets stuck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.notes import Note
from training.figures.histograms import voices_in_frames

Array = npt.NDArray[Any]
LAGS: Final = (1, 2, 4, 8)  # bars
SLOTS: Final = 16  # of a bar
LAST_BARS: Final = 4  # music whose last bars are all silent or all drone has collapsed


def bar_vectors(notes: Sequence[Note], bars: int, bar_s: float) -> tuple[Array, Array]:
    """(pitch classes (bars, 12), rhythm (bars, 16)): onsets of each bar by pitch class, and by sixteenth of the bar."""
    classes, rhythm = np.zeros((bars, 12)), np.zeros((bars, SLOTS))
    for note in notes:
        bar = int(note.onset_s // bar_s)
        if 0 <= bar < bars:
            classes[bar, note.pitch % 12] += 1
            rhythm[bar, min(int((note.onset_s - bar * bar_s) / bar_s * SLOTS), SLOTS - 1)] += 1
    return classes, rhythm


def self_similarity(vectors: Array, lag: int) -> float:
    """The mean cosine between each bar and the one ``lag`` bars later, 0 to 1; a silent bar is like none."""
    if lag >= len(vectors):
        return float("nan")
    size = np.linalg.norm(vectors, axis=1)
    scale = size[:-lag] * size[lag:]
    dot = (vectors[:-lag] * vectors[lag:]).sum(1)
    return float(np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0).mean())


def silence_share(notes: Sequence[Note], length_s: float, frame_s: float = 0.05) -> float:
    """The share of time, in steps of 50 ms, in which nothing sounds, 0 to 1."""
    frames = max(round(length_s / frame_s), 1)
    return 1.0 - float((voices_in_frames(notes, frame_s)[:frames] > 0).sum()) / frames


def drone_bars(notes: Sequence[Note], bars: int, bar_s: float) -> Array:
    """(bars,) whether one pitch class alone is heard in a bar, struck or still sounding."""
    heard: list[set[int]] = [set() for _ in range(bars)]
    for note in notes:
        last = int(max(note.end_s - 1e-6, note.onset_s) // bar_s)
        for bar in range(max(int(note.onset_s // bar_s), 0), min(last + 1, bars)):
            heard[bar].add(note.pitch % 12)
    return np.array([len(classes) == 1 for classes in heard])


def silent_bars(notes: Sequence[Note], bars: int, bar_s: float) -> Array:
    """(bars,) whether no note is struck in a bar."""
    silent: Array = bar_vectors(notes, bars, bar_s)[0].sum(1) == 0
    return silent


def form(notes: Sequence[Note], bars: int, bar_s: float) -> dict[str, float]:
    """All figures of one piece of music whose onsets count from 0."""
    classes, rhythm = bar_vectors(notes, bars, bar_s)
    silent, drone = silent_bars(notes, bars, bar_s), drone_bars(notes, bars, bar_s)
    found = {f"pitch_classes_{lag}": self_similarity(classes, lag) for lag in LAGS}
    found |= {f"rhythm_{lag}": self_similarity(rhythm, lag) for lag in LAGS}
    return found | {
        "silence_share": silence_share(notes, bars * bar_s),
        "silent_bars": float(silent.mean()),
        "drone_bars": float(drone.mean()),
        "collapsed": float((silent | drone)[-LAST_BARS:].all()),
        "notes_per_s": len(notes) / (bars * bar_s),
    }


def mean_form(many: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over several pieces of music."""
    return {name: float(np.mean([one[name] for one in many])) for name in many[0]} if many else {}

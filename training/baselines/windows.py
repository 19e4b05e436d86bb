"""Windows of the last 25 notes before each note of a corpus, and which compositions are kept for early stopping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import DURATION_EDGES_S, STEP_EDGES_S
from training.baselines.designs import PITCH_UNIT, WINDOW
from training.corpus import Corpus

Array = npt.NDArray[Any]
ASIDE = 10  # one training composition in so many decides when to stop


@dataclass(frozen=True)
class Windows:
    """Notes with room for a window before each: before a piece stands silence (zeros)."""

    notes: Array  # (notes + 25 a piece, 3) float32: pitch / 127, step and duration in seconds
    place: Array  # (n,) where each note stands in it

    def before(self, chosen: Array) -> Array:
        """The windows before some notes, (n, 25, 3)."""
        found: Array = self.notes[self.place[chosen][:, None] + np.arange(-WINDOW, 0)]
        return found


def features(pitch: Array, step_s: Array, duration_s: Array) -> Array:
    """Notes as the ancestors read them, (n, 3) float32; times no longer than the longest bin."""
    columns = pitch / PITCH_UNIT, np.minimum(step_s, STEP_EDGES_S[-1]), np.minimum(duration_s, DURATION_EDGES_S[-1])
    return np.stack([column.astype(np.float32) for column in columns], 1)


def windows_of(corpus: Corpus) -> Windows:
    """All windows of a corpus."""
    lengths = np.diff(corpus.starts)
    place = np.arange(corpus.notes) + WINDOW * (np.repeat(np.arange(len(lengths)), lengths) + 1)
    notes = np.zeros((corpus.notes + WINDOW * len(lengths), 3), np.float32)
    notes[place] = features(corpus.pitch, corpus.step_s, corpus.duration_s)
    return Windows(notes, place)


def set_aside(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """(what is trained on, what decides when to stop): a tenth of the compositions."""
    names = sorted({p.composition for p in corpus.pieces})
    if len(names) < 2:
        raise ValueError("one composition is not enough: a baseline learns from some and stops by another")
    chosen = {names[k] for k in np.random.default_rng(1).permutation(len(names))[: max(len(names) // ASIDE, 1)]}
    aside = [k for k, p in enumerate(corpus.pieces) if p.composition in chosen]
    rest = [k for k, p in enumerate(corpus.pieces) if p.composition not in chosen]
    return corpus.select(rest), corpus.select(aside)


def dataset(windows: Windows, categorical: bool, batch: int, seed: int | None) -> Any:
    """(windows, targets by head) in batches, a `tf.data.Dataset`; in a new order each pass, endlessly, with a seed."""
    import tensorflow as tf

    notes, place = tf.constant(windows.notes), tf.constant(windows.place)

    def example(index: Any) -> tuple[Any, dict[str, Any]]:
        at = tf.gather(place, index)
        note = tf.gather(notes, at)  # (B, 3)
        pitch = tf.cast(tf.round(note[:, 0] * PITCH_UNIT), tf.int32) if categorical else note[:, :1]
        before = tf.gather(notes, at[:, None] + tf.range(-WINDOW, 0, dtype=at.dtype))  # (B, 25, 3)
        return before, {"pitch": pitch, "step": note[:, 1:2], "duration": note[:, 2:]}

    indices = tf.data.Dataset.range(len(windows.place))
    if seed is not None:
        indices = indices.shuffle(len(windows.place), seed=seed, reshuffle_each_iteration=True).repeat()
    return indices.batch(batch).map(example).prefetch(2)

"""Batches of notes in bins, as the network reads them, made while it learns.

Each batch is made by numpy. With TensorFlow, tf.data makes them ahead in a thread of its own; with JAX they are made
as they are asked for (a batch of 64 lanes takes some milliseconds), and TensorFlow need not be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import BOS, HEADS, VOCABULARY
from training.corpus import Corpus
from training.lanes import Plan, Variation

Array = npt.NDArray[Any]
Batch = tuple[Array, Array, Array, Array, Array]
"""Inputs and targets (4, T, B) int32, weight (T, B) float32, new (B,) bool, style (B, S) float32."""
AHEAD = 4


def batches(corpus: Corpus, plan: Plan, variation: Variation, chunk: int, first: int = 0) -> Iterator[Any]:
    """Batches from step `first` on, as tensors or as arrays: inputs, targets, weight, new, style.

    `weight` is 0 where a lane has no note, `new` says where a piece begins, `style` what is told of it.
    """

    def made(step: int) -> Batch:
        return batch_at(int(step), corpus, plan, variation, chunk)

    if keras.backend.backend() != "tensorflow":
        return map(made, range(first, plan.steps))
    import tensorflow as tf

    lanes, styles = plan.piece.shape[1], variation.style.shape[1]
    notes = (len(HEADS), chunk, lanes)
    shapes = notes, notes, (chunk, lanes), (lanes,), (lanes, styles)
    kinds = [tf.int32, tf.int32, tf.float32, tf.bool, tf.float32]

    def batch(step: Any) -> tuple[Any, ...]:
        parts = tf.numpy_function(made, [step], kinds)
        return tuple(tf.ensure_shape(part, shape) for part, shape in zip(parts, shapes, strict=True))

    return iter(tf.data.Dataset.range(first, plan.steps).map(batch).prefetch(AHEAD))


def batch_at(step: int, corpus: Corpus, plan: Plan, variation: Variation, chunk: int) -> Batch:
    """What every lane reads at one update, its pieces transposed, stretched and made louder."""
    idle, before = plan.piece[step] < 0, plan.before[step]
    piece = np.maximum(plan.piece[step], 0)
    around, jump = np.arange(chunk)[:, None], plan.jump[step]  # (T, 1), (B,)
    encore = (jump >= 0) & (around >= jump)  # (T, B)
    at = np.where(encore, plan.resume[step] - jump, plan.offset[step]) + around
    index = np.concatenate([before[None], at]).clip(0, corpus.notes - 1)  # (T + 1, B)
    new = (before < 0) & ~idle
    step_s = np.where(np.arange(-1, chunk)[:, None] == jump, plan.gap_s[step], corpus.step_s[index])
    stretch = variation.stretch[piece]
    columns = [
        (corpus.pitch[index].astype(np.int32) + variation.transpose[piece]).clip(0, 127),
        _bins(step_s * stretch, VOCABULARY.step_edges_s),
        _bins(corpus.duration_s[index] * stretch, VOCABULARY.duration_edges_s),
        _bins(corpus.velocity[index].astype(np.float32) + variation.velocity[piece], VOCABULARY.velocity_edges),
    ]
    notes = np.stack(columns).astype(np.int32)  # (4, T + 1, B)
    inputs = notes[:, :-1].copy()
    inputs[:, 0, new] = np.array([BOS, 0, 0, 0], np.int32)[:, None]
    weight = (around < plan.length[step]).astype(np.float32)
    return inputs, notes[:, 1:], weight, new, variation.style[piece]


def _bins(values: Array, edges: tuple[float, ...] | tuple[int, ...]) -> Array:
    found = np.searchsorted(np.array(edges, np.float32), values.astype(np.float32), side="right") - 1
    return found.clip(0, len(edges) - 2)

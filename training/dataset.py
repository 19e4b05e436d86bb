"""Batches of notes in bins, as the network reads them, made by tf.data while it learns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from livemuse.music.vocabulary import BOS, VOCABULARY
from training.corpus import Corpus
from training.lanes import Plan, Variation


def _bins(values: Any, edges: tuple[float, ...] | tuple[int, ...]) -> Any:
    flat = tf.searchsorted(tf.constant(edges, tf.float32), tf.reshape(values, (-1,)), side="right") - 1
    return tf.reshape(tf.clip_by_value(flat, 0, len(edges) - 2), tf.shape(values))


def batches(corpus: Corpus, plan: Plan, variation: Variation, chunk: int, first: int = 0) -> Iterator[Any]:
    """Batches from step `first` on: inputs and targets (4, T, B), weight (T, B), new (B,), style (B, S).

    `new` says where a piece begins; `style` what is told of it.
    """
    flat = [tf.constant(a) for a in (corpus.pitch, corpus.step_s, corpus.duration_s, corpus.velocity)]
    table = [tf.constant(a) for a in (plan.piece, plan.offset, plan.length, plan.before, plan.gap_s)]
    change = [tf.constant(a) for a in (variation.transpose, variation.stretch, variation.velocity)]
    style = tf.constant(variation.style)
    around = tf.range(chunk, dtype=tf.int64)
    starts = (BOS, 0, 0, 0)

    def batch(step: Any) -> Any:
        piece, offset, length, before, gap_s = (tf.gather(t, step) for t in table)
        new = (before < 0) & (piece >= 0)
        piece = tf.maximum(piece, 0)
        index = tf.concat([before[None, :], offset[None, :] + around[:, None]], 0)  # (T + 1, B)
        index = tf.clip_by_value(index, 0, corpus.notes - 1)
        pitch, step_s, duration_s, velocity = (tf.gather(f, index) for f in flat)
        asked = tf.where(gap_s > 0, gap_s, step_s[1])[None, :]
        step_s = tf.concat([step_s[:1], asked, step_s[2:]], 0)
        transpose, stretch, louder = (tf.gather(c, piece)[None, :] for c in change)
        louder_by = tf.cast(velocity, tf.float32) + tf.cast(louder, tf.float32)
        bins = [
            tf.clip_by_value(tf.cast(pitch, tf.int32) + tf.cast(transpose, tf.int32), 0, 127),
            _bins(step_s * stretch, VOCABULARY.step_edges_s),
            _bins(duration_s * stretch, VOCABULARY.duration_edges_s),
            _bins(louder_by, VOCABULARY.velocity_edges),
        ]
        inputs = [tf.concat([tf.where(new, s, b[0])[None], b[1:-1]], 0) for s, b in zip(starts, bins, strict=True)]
        targets = [b[1:] for b in bins]
        weight = tf.cast(around[:, None] < length[None, :], tf.float32)
        return tf.stack(inputs), tf.stack(targets), weight, new, tf.gather(style, piece)

    data = tf.data.Dataset.range(first, plan.steps).map(batch).prefetch(4)
    return iter(data)

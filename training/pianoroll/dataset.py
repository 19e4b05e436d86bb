"""Windows of pieces as batches, transposed and laid out by tf.data while the network learns; drawn anew each epoch.

What each epoch reads is planned before (`plan`), from (seed, epoch) alone, so a run that is taken up again goes on as
it would have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.pianoroll.config import KEYS, Settings, Shape
from training.pianoroll.sequences import Batch, Piece, echoes_of

Array = npt.NDArray[Any]
Tensor = Any  # tensorflow ships no usable types
WAITING = 4  # batches made before they are asked for
ALONE = 16  # frames that one voice is heard alone, at least


@dataclass(frozen=True)
class Plan:
    """The windows of some epochs: (updates, B, 5) int32, each (piece, first frame, frames, semitones, frames alone).

    A window reads so many frames and predicts the frame after each of them; 0 is an idle place. Of its first frames as
    many as are `alone` are heard as their highest voice, and not predicted: what answers one voice has all of them.
    """

    windows: Array
    updates: tuple[int, ...]  # of each epoch


def plan(pieces: Sequence[Piece], settings: Settings, epochs: Sequence[int]) -> Plan:
    """Every frame of every piece once an epoch, windows of like length together, each piece transposed anew."""
    found = [_epoch(pieces, settings, epoch) for epoch in epochs]
    return Plan(np.concatenate(found), tuple(len(groups) for groups in found))


def _epoch(pieces: Sequence[Piece], settings: Settings, epoch: int) -> Array:
    rng = np.random.default_rng((settings.seed, epoch))
    window = settings.window
    rows: list[tuple[int, ...]] = []
    for k, piece in enumerate(pieces):
        far = int(rng.integers(-settings.transpose, settings.transpose + 1)) if settings.transpose else 0
        far = far if rng.random() < settings.transposed_share else 0
        count = len(piece.frames) - 1
        cut = int(rng.integers(window // 2, window + 1)) if count > window else count
        edges = [0, *range(cut, count, window), count]
        rows += [(k, a, b - a, far, _alone(b - a, settings, rng)) for a, b in itertools.pairwise(edges) if b > a]
    order = rng.permutation(len(rows))
    order = order[np.argsort([rows[k][2] // 16 for k in order], kind="stable")]
    groups = [order[k : k + settings.batch] for k in range(0, len(order), settings.batch)]
    table = np.zeros((len(groups), settings.batch, 5), np.int32)
    for row, g in zip(table, rng.permutation(len(groups)), strict=True):
        row[: len(groups[g])] = [rows[k] for k in groups[g]]
    return table


def _alone(count: int, settings: Settings, rng: np.random.Generator) -> int:
    """For how many of a window's frames one voice is heard: none, or a bar of four beats to two thirds of them."""
    if not settings.alone_share or rng.random() >= settings.alone_share or count < ALONE:
        return 0
    return int(rng.integers(ALONE, max(2 * count // 3, ALONE) + 1))


def batches(pieces: Sequence[Piece], planned: Plan, shape: Shape, transpose: int) -> Iterator[Batch]:
    """The planned batches, one after another; `transpose` is the most that any of them is, in semitones."""
    flat = tf.constant(np.concatenate([piece.frames for piece in pieces]))
    tops = [piece.frames if piece.top is None else piece.top for piece in pieces]
    top = tf.constant(np.concatenate(tops)) if any(piece.top is not None for piece in pieces) else None
    starts = tf.constant(np.cumsum([0, *(len(piece.frames) for piece in pieces)])[:-1].astype(np.int32))
    position = None
    if shape.positions:
        if any(piece.position is None for piece in pieces):
            raise ValueError("this network wants to be told where in the bar a frame lies")
        position = tf.constant(np.concatenate([piece.position for piece in pieces]).astype(np.int32))

    told = tf.constant(np.concatenate([echoes_of(piece.frames, shape) for piece in pieces])) if shape.echo else None

    def batch(windows: Tensor) -> Batch:
        piece, first, count, far, alone = tf.unstack(windows, axis=1)  # (B,) each
        start = tf.gather(starts, piece)
        along = first[None] + tf.range(tf.reduce_max(count) + 1)[:, None]  # (T + 1, B), frames of their pieces

        def frames(at: Tensor) -> Tensor:  # (T, B, keys) uint8; silence before the beginning
            index = tf.clip_by_value(start[None] + at, 0, tf.shape(flat)[0] - 1)
            found = tf.gather(flat, index)
            if top is not None:
                found = tf.where((at < (first + alone)[None])[..., None], tf.gather(top, index), found)
            return _moved(tf.where((at >= 0)[..., None], found, tf.zeros_like(found)), far, shape, transpose)

        read = [frames(along[:-1]), *(frames(along[1:] - lag) for lag in shape.lookback)]
        read = [tf.cast(a, tf.float32) for a in read]
        if told is not None:
            read.append(tf.gather(told, tf.clip_by_value(start[None] + along[:-1], 0, tf.shape(flat)[0] - 1)))
        if position is not None:
            place = tf.gather(position, tf.clip_by_value(start[None] + along[1:], 0, tf.shape(flat)[0] - 1))
            read.append(tf.one_hot(place % shape.positions, shape.positions, dtype=tf.float32))
        real = along[:-1] < (first + count)[None]  # (T, B)
        features = tf.where(real[..., None], tf.concat(read, -1), 0.0)
        predicted = real & (along[1:] >= (first + alone)[None])
        lane, step = tf.unstack(tf.cast(tf.where(tf.transpose(predicted)), tf.int32), axis=1)  # lane after lane
        at = tf.stack([step, lane], 1)
        before, target = tf.gather_nd(read[0], at), tf.cast(tf.gather_nd(frames(along[1:]), at), tf.float32)
        if shape.kinds == 2:  # a voice that was not heard cannot be held over
            sounding, struck = tf.split(target, 2, 1)
            target = tf.concat([sounding, tf.maximum(struck, sounding * (1 - before[:, :KEYS]))], 1)
        draws = _draws(target, shape) if shape.head == "joint" else (tf.zeros(0, tf.int32),) * 3
        where = step * tf.shape(windows)[0] + lane
        return Batch(features, where, before, target, *draws)

    data = tf.data.Dataset.from_tensor_slices(planned.windows).map(batch).prefetch(WAITING)
    return iter(data)


def _moved(frames: Tensor, far: Tensor, shape: Shape, transpose: int) -> Tensor:
    """Frames (T, B, keys), each lane transposed by `far` (B,) semitones; keys beyond the piano are left out."""
    if not transpose:
        return frames
    size = tf.shape(frames)
    split = tf.reshape(frames, (size[0], size[1], shape.kinds, KEYS))
    room = tf.pad(split, ((0, 0), (0, 0), (0, 0), (transpose, transpose)))
    key = tf.range(KEYS)[None] + transpose - far[:, None]  # (B, 88): where in the room each key is taken from
    lanes = tf.transpose(tf.gather(tf.transpose(room, (1, 3, 0, 2)), key, batch_dims=1), (2, 0, 3, 1))
    return tf.reshape(lanes, (size[0], size[1], shape.keys))


def _draws(target: Tensor, shape: Shape) -> tuple[Tensor, Tensor, Tensor]:
    """`sequences.draws_of` for a tensor (N, keys)."""
    up, end = shape.draw_order == "up", shape.keys
    sounding = target[:, :KEYS] > 0
    sounding = sounding if up else tf.reverse(sounding, [1])
    marks = tf.where(tf.concat([sounding, tf.ones_like(sounding[:, :1])], 1))
    frame, column = tf.unstack(tf.cast(marks, tf.int32), axis=1)
    key = column if up else KEYS - 1 - column
    token = tf.where(column == KEYS, end, key)
    if shape.kinds == 2:
        struck = tf.gather_nd(target, tf.stack([frame, KEYS + tf.clip_by_value(key, 0, KEYS - 1)], 1))
        token = tf.where((column < KEYS) & (struck == 0), key + KEYS, token)
    new = tf.concat([[True], frame[1:] > frame[:-1]], 0)
    last = tf.where(new, end, tf.concat([[end], token[:-1]], 0))
    return frame, last, token

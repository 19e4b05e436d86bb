"""From rolls to what the network reads: features, padded, with the draws of each frame laid out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.pianoroll.config import KEYS, Shape

Array = npt.NDArray[Any]


class Batch(NamedTuple):
    """What one update reads; N frames to be predicted, M draws in them."""

    features: Array  # (T, B, features) float32: what is heard before each prediction
    where: Array  # (N,) int32: which of the T * B places is a frame to be predicted
    before: Array  # (N, keys) float32: the frame before
    target: Array  # (N, keys) float32: the frame
    draw_frame: Array  # (M,) int32: which of the N frames a draw belongs to
    last: Array  # (M,) int32: the token drawn last, `keys` where there is none
    token: Array  # (M,) int32: the token to be drawn


@dataclass(frozen=True)
class Piece:
    """One sequence: its frames and where in the bar each of them lies."""

    frames: Array  # (T, keys) uint8
    position: Array | None = None  # (T,) int: of each frame
    top: Array | None = None  # (T, keys) uint8: its highest voice alone

    def moved(self, semitones: int, kinds: int) -> Piece:
        """Transposed; keys that would leave the piano are left out."""
        if not semitones:
            return self
        rolled = np.zeros_like(self.frames)
        old, new = self.frames.reshape(-1, kinds, KEYS), rolled.reshape(-1, kinds, KEYS)
        if semitones > 0:
            new[:, :, semitones:] = old[:, :, :-semitones]
        else:
            new[:, :, :semitones] = old[:, :, -semitones:]
        return Piece(rolled, self.position)


def features_of(piece: Piece, shape: Shape) -> Array:
    """What the network reads before it predicts frames 1 to T - 1: (T - 1, features), float32."""
    frames = piece.frames
    count = len(frames) - 1
    parts = [frames[:-1]]
    for lag in shape.lookback:  # the frame `lag` before the one to be predicted
        back = np.zeros_like(parts[0])
        if count + 1 > lag:
            back[lag - 1 :] = frames[: count + 1 - lag]
        parts.append(back)
    parts += [echoes_of(frames, shape)[:-1]] if shape.echo else []
    if shape.positions:
        if piece.position is None:
            raise ValueError("this network wants to be told where in the bar a frame lies")
        parts.append(np.eye(shape.positions, dtype=np.uint8)[piece.position[1:] % shape.positions])
    return np.concatenate(parts, 1).astype(np.float32)


def echoes_of(frames: Array, shape: Shape) -> Array:
    """How well the music repeats itself, (T, 2 * lookbacks) float32, after each frame and for each lookback.

    Whether the frame is the one so many frames before it; and of how many of the last `echo` frames that is true, as a
    share. It stays as it is when a piece is transposed.
    """
    columns = []
    for lag in shape.lookback:
        same = np.zeros(len(frames), np.float32)
        if len(frames) > lag:
            same[lag:] = (frames[lag:] == frames[:-lag]).all(1)
        share = np.convolve(same, np.full(shape.echo, 1 / shape.echo, np.float32))[: len(frames)]
        columns += [same, share]
    return np.stack(columns, 1)


def feature_count(shape: Shape) -> int:
    """Numbers a frame that the network reads."""
    told = 2 * len(shape.lookback) if shape.echo else 0
    return shape.keys * (1 + len(shape.lookback)) + told + shape.positions


def draws_of(target: Array, shape: Shape) -> tuple[Array, Array, Array]:
    """(frame, token drawn before it or `keys`, token) of every draw of these frames (N, keys): keys in order, the end.

    Tokens 0-87 are keys (struck, where held and struck differ), 88-175 keys held over; the last token is the end.
    """
    step = 1 if shape.draw_order == "up" else -1
    ends = np.ones((len(target), 1), bool)
    frame, column = np.nonzero(np.concatenate([target[:, :KEYS][:, ::step] > 0, ends], 1))
    key = column if step == 1 else np.where(column < KEYS, KEYS - 1 - column, KEYS)
    token = np.where(column == KEYS, shape.keys, key)
    if shape.kinds == 2:
        held = (column < KEYS) & (target[frame, KEYS + np.minimum(key, KEYS - 1)] == 0)
        token = np.where(held, key + KEYS, token)
    last = np.concatenate([[shape.keys], token[:-1]])
    last[np.concatenate([[True], np.diff(frame) > 0])] = shape.keys
    return frame.astype(np.int32), last.astype(np.int32), token.astype(np.int32)


def batch_of(windows: Sequence[tuple[Array, Array]], shape: Shape) -> Batch:
    """One batch from windows of (features, frames with the one before them in front)."""
    longest, count = max(len(f) for f, _ in windows), len(windows)
    features = np.zeros((longest, count, feature_count(shape)), np.float32)
    where = []
    for b, (fed, _) in enumerate(windows):
        features[: len(fed), b] = fed
        where.append(np.arange(len(fed)) * count + b)
    before = np.concatenate([frames[:-1] for _, frames in windows]).astype(np.float32)
    target = np.concatenate([frames[1:] for _, frames in windows]).astype(np.float32)
    if shape.head == "joint":
        draws = draws_of(target, shape)
    else:
        none = np.zeros(0, np.int32)
        draws = (none, none, none)
    return Batch(features, np.concatenate(where).astype(np.int32), before, target, *draws)


def scoring_batches(pieces: Sequence[Piece], shape: Shape, frames: int = 8000) -> Iterator[tuple[list[int], Batch]]:
    """(which pieces, batch): whole sequences, those of like length together."""
    order = sorted((k for k in range(len(pieces)) if len(pieces[k].frames) > 1), key=lambda k: len(pieces[k].frames))
    group: list[int] = []
    for k in order:
        if group and len(pieces[k].frames) * (len(group) + 1) > frames:
            yield group, batch_of([(features_of(pieces[i], shape), pieces[i].frames) for i in group], shape)
            group = []
        group.append(k)
    if group:
        yield group, batch_of([(features_of(pieces[i], shape), pieces[i].frames) for i in group], shape)

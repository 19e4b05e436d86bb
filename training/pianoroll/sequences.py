"""From rolls to what one update of the network reads: windows, transposed, padded, with their draws laid out.

Everything is drawn anew in each epoch from (seed, epoch), so a run that is taken up again goes on as it would have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.pianoroll.config import KEYS, Settings, Shape

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
    if shape.positions:
        if piece.position is None:
            raise ValueError("this network wants to be told where in the bar a frame lies")
        parts.append(np.eye(shape.positions, dtype=np.uint8)[piece.position[1:] % shape.positions])
    return np.concatenate(parts, 1).astype(np.float32)


def feature_count(shape: Shape) -> int:
    """Numbers a frame that the network reads."""
    return shape.keys * (1 + len(shape.lookback)) + shape.positions


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


def training_batches(pieces: Sequence[Piece], settings: Settings, epoch: int) -> Iterator[Batch]:
    """The batches of one epoch: every frame once, in windows of like length, each sequence transposed anew."""
    rng = np.random.default_rng((settings.seed, epoch))
    shape, window = settings.shape, settings.window
    windows = []
    for piece in pieces:
        far = int(rng.integers(-settings.transpose, settings.transpose + 1)) if settings.transpose else 0
        piece = piece.moved(far if rng.random() < settings.transposed_share else 0, shape.kinds)
        fed = features_of(piece, shape)
        cut = int(rng.integers(window // 2, window + 1)) if len(fed) > window else len(fed)
        edges = [0, *range(cut, len(fed), window), len(fed)]
        for a, b in itertools.pairwise(edges):
            if b > a:
                windows.append((fed[a:b], piece.frames[a : b + 1]))
    order = rng.permutation(len(windows))
    lengths = np.array([len(windows[k][0]) for k in order])
    order = order[np.argsort(lengths // 16, kind="stable")]
    groups = [order[k : k + settings.batch] for k in range(0, len(order), settings.batch)]
    for g in rng.permutation(len(groups)):
        yield batch_of([windows[k] for k in groups[g]], shape)


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

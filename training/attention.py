"""Attention to the last notes, on top of the LSTM layers: one layer, several heads, a bounded cache as its state.

The keys and values of the last W notes are carried as two rows of numbers, the oldest note first; one note in
pushes the oldest out. How near a note is counts by a learned table (as in Shaw et al. 2018, but one number a head), so
that nothing depends on where in a piece a note stands. Before a piece has W notes its cache holds zeros, and attention
may rest on them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from keras import ops

from training.cells import Dense, dense, tensors
from training.kernels import gather

Tensor = Any  # the backends share no type
HEAD_WIDTH = 32
NEVER = -1e9


@dataclass(frozen=True)
class Attention:
    """The weights of the layer, and how many notes it looks back over."""

    query: Dense
    key: Dense
    value: Dense
    out: Dense
    near: Tensor  # (W, heads): the oldest first
    window: int  # W
    width: int  # of keys and values, all heads together
    dtype: str = "float32"  # of the large multiplications

    @property
    def _heads(self) -> int:
        return self.width // HEAD_WIDTH

    def step(self, x: Tensor, cache: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One note, x (B, U), and the cache, two of (B, W * width): x with what was found added, the cache after."""
        keys, values = (
            ops.concatenate([old[:, self.width :], dense(x, layer)], 1)
            for old, layer in zip(cache, (self.key, self.value), strict=True)
        )
        query = ops.reshape(self._query(x), (-1, self._heads, HEAD_WIDTH, 1))
        (near,) = tensors([self.near])
        scores = ops.reshape(ops.matmul(self._by_head(keys), query), (-1, self._heads, self.window))
        shares = ops.reshape(ops.softmax(scores + ops.transpose(near)), (-1, self._heads, 1, self.window))
        found = ops.reshape(ops.matmul(shares, self._by_head(values)), (-1, self.width))
        return x + dense(found, self.out), (keys, values)

    def sequence(self, x: Tensor, cache: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The same for x (T, B, U), note after note; no gradient flows into the cache that is given."""
        steps, batch = ops.shape(x)[:2]
        flat = ops.reshape(x, (-1, x.shape[-1]))
        shape = (steps, batch, self.width)
        keys, values = (
            ops.concatenate(
                [self._in_time(ops.stop_gradient(old)), ops.reshape(dense(flat, layer, self.dtype), shape)], 0
            )
            for old, layer in zip(cache, (self.key, self.value), strict=True)
        )  # (W + T, B, width)
        query = self._apart(ops.reshape(self._query(flat), shape))  # (B, heads, T, e)
        scores = ops.matmul(query, ops.transpose(self._apart(keys), (0, 1, 3, 2)))  # (B, heads, T, W + T)
        shares = ops.softmax(scores + self._nearness(steps))
        found = ops.transpose(ops.matmul(shares, self._apart(values)), (2, 0, 1, 3))  # (T, B, heads, e)
        out = dense(ops.reshape(found, (-1, self.width)), self.out, self.dtype)
        after = self._as_rows(keys[-self.window :]), self._as_rows(values[-self.window :])
        return x + ops.reshape(out, ops.shape(x)), after

    def _query(self, x: Tensor) -> Tensor:
        return dense(x, self.query, self.dtype) * (1.0 / math.sqrt(HEAD_WIDTH))

    def _nearness(self, steps: Any) -> Tensor:
        """(heads, T, W + T): how much each note counts for its distance; never for those ahead or too far back."""
        slot = ops.arange(self.window + steps)[None] - ops.arange(steps)[:, None] - 1
        (near,) = tensors([self.near])
        table = gather(near, ops.clip(slot, 0, self.window - 1))  # (T, W + T, heads)
        seen = ops.logical_and(slot >= 0, slot < self.window)
        return ops.transpose(ops.where(seen[..., None], table, NEVER), (2, 0, 1))

    def _by_head(self, cache: Tensor) -> Tensor:
        """A cache (B, W * width) as (B, heads, W, e)."""
        return ops.transpose(ops.reshape(cache, (-1, self.window, self._heads, HEAD_WIDTH)), (0, 2, 1, 3))

    def _apart(self, x: Tensor) -> Tensor:
        """(T, B, width) as (B, heads, T, e)."""
        return ops.transpose(ops.reshape(x, (*ops.shape(x)[:2], self._heads, HEAD_WIDTH)), (1, 2, 0, 3))

    def _in_time(self, cache: Tensor) -> Tensor:
        """A cache (B, W * width) as (W, B, width)."""
        return ops.transpose(ops.reshape(cache, (-1, self.window, self.width)), (1, 0, 2))

    def _as_rows(self, x: Tensor) -> Tensor:
        """(W, B, width) as a cache."""
        return ops.reshape(ops.transpose(x, (1, 0, 2)), (-1, self.window * self.width))

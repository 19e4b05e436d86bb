"""The piano-roll network: an LSTM over frames, and a head that draws the keys of the next one.

`sigmoid` gives every key a probability of its own. `joint` draws a frame key by key, each given those already drawn,
until it draws the end: a distribution over sets, as RNN-NADE has one (Boulanger-Lewandowski et al. 2012), but with as
many draws as keys sound in place of one for each of the 88.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from training.cells import Dense, Recurrent, State, dense, step_cell, tensors
from training.kernels import lstm
from training.pianoroll.config import KEYS, Shape
from training.pianoroll.sequences import Batch, feature_count

Tensor = Any  # tensorflow ships no usable types
NEVER = -1e9  # the logit of what cannot be drawn


class Network(Recurrent):
    """One builder for every shape: benchmark sets, and the grid with held and struck keys and the place in the bar."""

    def __init__(self, shape: Shape, seed: int = 1) -> None:
        super().__init__(seed * 1000)
        self.shape = shape
        fed = width = feature_count(shape)
        self.cells, self.norms = [], []
        for k in range(shape.layers):
            self.cells.append(self._cell(k, width, shape.units))
            width = shape.units
            if shape.normalise:
                ones = self._weight(f"norm{k}_gain", (width,), "ones")
                self.norms.append((ones, self._weight(f"norm{k}_bias", (width,), "zeros")))
        wide = shape.keys if shape.head == "sigmoid" else shape.head_width
        self.z_out = self._dense("z", width + fed, wide)  # the head sees the last frame itself too
        if shape.around:
            self._add_around(width)
        if shape.head == "joint":
            self.drawn_out = self._dense("drawn", shape.keys, wide)
            self.last_table = self._weight("last_table", (shape.tokens, wide), self._glorot())
            self.keys_out = self._dense("keys", wide, shape.tokens)

    def _glorot(self) -> Any:
        return keras.initializers.GlorotUniform(next(self._seeds))

    def _after_layer(self, k: int, before: Tensor, out: Tensor) -> Tensor:
        if self.shape.normalise:
            gain, bias = tensors(self.norms[k])
            mean, variance = tf.nn.moments(out, -1, keepdims=True)
            out = (out - mean) * tf.math.rsqrt(variance + 1e-5) * gain + bias
        return out + before if self.shape.residual and k else out

    def sequence(self, features: Tensor, where: Tensor, drop: Dropout | None = None) -> Tensor:
        """z (N, Z) of the frames to be predicted, from features (T, B, F)."""
        drop = drop or Dropout()
        x = fed = drop("input", features)
        for k, cell in enumerate(self.cells):
            zero = tf.zeros((tf.shape(x)[1], self.shape.units))
            weights = tuple(tf.convert_to_tensor(w) for w in cell)  # outside a graph too: no variables
            out, _, _ = lstm(x, (zero, zero), weights, "float32")
            x = drop("between", self._after_layer(k, x, out))
        both = tf.concat([x, fed], -1)
        return self.z(tf.gather(tf.reshape(both, (-1, both.shape[-1])), where), drop)

    def z(self, hidden: Tensor, drop: Dropout | None = None) -> Tensor:
        """What a frame is drawn from, given what the layers (and the frames read) say, (N, units + F)."""
        z = dense(hidden, self.z_out)
        if not self.shape.around:
            return z
        around = self._around(hidden, drop or Dropout())
        if self.shape.head == "sigmoid":
            return z + around
        return tf.concat([z, tf.pad(around, ((0, 0), (0, 1)))], -1)  # a logit for each token; the end has none

    def _add_around(self, width: int) -> None:
        """The weights that all keys share: an interval is the same wherever it lies on the keyboard."""
        shape = self.shape
        seen = 2 * shape.kinds * (1 + len(shape.lookback))  # each frame read: its keys, and the names of its notes
        size = (2 * shape.reach + 1, seen, shape.around)
        self.around_in = self._weight("around_in", size, self._glorot())
        self.around_told: Dense = self._dense("around_told", width, shape.around)
        self.around_out: Dense = self._dense("around_out", shape.around, shape.kinds)

    def _around(self, hidden: Tensor, drop: Dropout) -> Tensor:
        """What speaks for each key, (N, keys), by the keys around it and the names of all notes, relative to it."""
        shape = self.shape
        rows = shape.kinds * (1 + len(shape.lookback))
        frames = tf.reshape(hidden[:, shape.units : shape.units + rows * KEYS], (-1, rows, KEYS))
        octaves = tf.reshape(tf.pad(frames, ((0, 0), (0, 0), (0, 8))), (-1, rows, 8, 12))
        names = tf.tile(tf.reduce_max(octaves, 2), (1, 1, 8))[:, :, :KEYS]
        seen = tf.transpose(tf.concat([frames, names], 1), (0, 2, 1))  # (N, 88, 2 rows)
        near = tf.nn.conv1d(seen, *tensors([self.around_in]), 1, "SAME")  # (N, 88, around)
        told = dense(hidden[:, : shape.units], self.around_told)
        near = drop("around", tf.nn.relu(near + told[:, None]))
        found = dense(tf.reshape(near, (-1, shape.around)), self.around_out)  # (N * 88, kinds)
        return tf.reshape(tf.transpose(tf.reshape(found, (-1, KEYS, shape.kinds)), (0, 2, 1)), (-1, shape.keys))

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """One frame in, (B, F): z (B, Z) of the next one, and the state after."""
        x, after = features, []
        for k, (cell, before) in enumerate(zip(self.cells, state, strict=True)):
            after.append(step_cell([x], before, cell))
            x = self._after_layer(k, x, after[-1][0])
        return self.z(tf.concat([x, features], 1)), after

    def keys_logits(self, z: Tensor, drawn: Tensor, last: Tensor, drop: Dropout | None = None) -> Tensor:
        """The joint head, unmasked: logits (M, tokens) given z (M, Z), what is drawn (M, keys), the last token (M,)."""
        table = tensors([self.last_table])[0]
        hidden = z[:, : self.shape.head_width] + dense(drawn, self.drawn_out) + tf.gather(table, last)
        hidden = (drop or Dropout())("head", tf.nn.relu(hidden))
        logits = dense(hidden, self.keys_out)
        if self.shape.around:
            logits += z[:, self.shape.head_width :]
        return logits

    def possible(self, last: Tensor, before: Tensor) -> Tensor:
        """(M, tokens), true where a token may be drawn: keys beyond the last one, held ones that sounded before."""
        none = self.shape.keys
        key = tf.range(KEYS)[None]
        last_key = (last % KEYS)[:, None]
        beyond = key > last_key if self.shape.draw_order == "up" else key < last_key
        beyond = tf.logical_or(beyond, (last == none)[:, None])
        parts = [beyond]
        if self.shape.kinds == 2:
            parts.append(tf.logical_and(beyond, before[:, :KEYS] > 0))
        return tf.concat([*parts, tf.ones_like(beyond[:, :1])], 1)

    def drawn_before(self, frame: Tensor, token: Tensor) -> Tensor:
        """What of a frame (M, keys) is drawn before a token (M,) is: all of it before the end."""
        up = self.shape.draw_order == "up"
        end = KEYS if up else -1
        at = tf.where(token == self.shape.keys, end, token % KEYS)[:, None]
        key = tf.range(self.shape.keys)[None] % KEYS
        return frame * tf.cast(key < at if up else key > at, tf.float32)

    def nats(self, batch: Batch, drop: Dropout | None = None, active_weight: float = 1.0) -> Tensor:
        """Nats of each of the N frames."""
        z = self.sequence(batch.features, batch.where, drop)
        if self.shape.head == "sigmoid":
            weight = tf.constant(active_weight)
            return tf.reduce_sum(tf.nn.weighted_cross_entropy_with_logits(batch.target, z, weight), -1)
        drawn = self.drawn_before(tf.gather(batch.target, batch.draw_frame), batch.token)
        logits = self.keys_logits(tf.gather(z, batch.draw_frame), drawn, batch.last, drop)
        allowed = self.possible(batch.last, tf.gather(batch.before, batch.draw_frame))
        logits = tf.where(allowed, logits, NEVER)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.token, logits)
        return tf.math.segment_sum(nats, batch.draw_frame)


class Dropout:
    """The dropout of one update: rates by place, and a seed that makes it the same when a run is taken up again."""

    def __init__(self, rates: dict[str, float] | None = None, seed: Tensor | None = None) -> None:
        self.rates, self.seed, self.count = rates or {}, seed, 0

    def __call__(self, place: str, x: Tensor) -> Tensor:
        """x, with numbers left out."""
        rate = self.rates.get(place, 0.0)
        self.count += 1
        if self.seed is None or not rate:
            return x
        return tf.nn.experimental.stateless_dropout(x, rate, seed=tf.stack([self.seed, self.count]))

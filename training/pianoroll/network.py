"""The piano-roll network: an LSTM over frames, and a head that draws the keys of the next one.

`sigmoid` gives every key a probability of its own. `joint` draws a frame key by key, each given those already drawn,
until it draws the end: a distribution over sets, as RNN-NADE has one (Boulanger-Lewandowski et al. 2012), but with as
many draws as keys sound in place of one for each of the 88.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from training.network import gates_to_state, lstm
from training.pianoroll.config import KEYS, Shape
from training.pianoroll.sequences import Batch, feature_count

Tensor = Any  # tensorflow ships no usable types
State = list[tuple[Tensor, Tensor]]
NEVER = -1e9  # the logit of what cannot be drawn


class Network(keras.Model):  # type: ignore[misc]
    """One builder for every shape: benchmark sets, and the grid with held and struck keys and the place in the bar."""

    def __init__(self, shape: Shape, seed: int = 1) -> None:
        super().__init__()
        self.shape = shape
        self._seeds = iter(range(seed * 1000, seed * 1000 + 1000))
        self.built = True
        fed = width = feature_count(shape)
        self.cells, self.norms = [], []
        for k in range(shape.layers):
            self.cells.append(self._cell(k, width))
            width = shape.units
            if shape.normalise:
                ones = self.add_weight(name=f"norm{k}_gain", shape=(width,), initializer="ones")
                self.norms.append((ones, self.add_weight(name=f"norm{k}_bias", shape=(width,), initializer="zeros")))
        wide = shape.keys if shape.head == "sigmoid" else shape.head_width
        self.z_out = self._dense("z", width + fed, wide)  # the head sees the last frame itself too
        if shape.head == "joint":
            self.drawn_out = self._dense("drawn", shape.keys, wide)
            glorot = keras.initializers.GlorotUniform(next(self._seeds))
            self.last_table = self.add_weight(name="last_table", shape=(shape.tokens, wide), initializer=glorot)
            self.keys_out = self._dense("keys", wide, shape.tokens)

    def _dense(self, name: str, width: int, out: int) -> tuple[Tensor, Tensor]:
        glorot = keras.initializers.GlorotUniform(next(self._seeds))
        kernel = self.add_weight(name=f"{name}_kernel", shape=(width, out), initializer=glorot)
        return kernel, self.add_weight(name=f"{name}_bias", shape=(out,), initializer="zeros")

    def _cell(self, k: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
        units = self.shape.units
        glorot, square = keras.initializers.GlorotUniform, keras.initializers.Orthogonal
        w = self.add_weight(name=f"lstm{k}_w", shape=(width, 4 * units), initializer=glorot(next(self._seeds)))
        u = self.add_weight(name=f"lstm{k}_u", shape=(units, 4 * units), initializer=square(seed=next(self._seeds)))
        b = self.add_weight(name=f"lstm{k}_b", shape=(4 * units,), initializer="zeros")
        bias = b.numpy()
        bias[units : 2 * units] = 1.0  # remember, until taught to forget
        b.assign(bias)
        return w, u, b

    @property
    def state_names(self) -> list[str]:
        """h0, c0, h1, c1, ... as the exported graph calls them."""
        return [f"{part}{k}" for k in range(self.shape.layers) for part in ("h", "c")]

    def zero_state(self, batch: int) -> State:
        """The state before anything was heard."""
        zero = tf.zeros((batch, self.shape.units))
        return [(zero, zero) for _ in range(self.shape.layers)]

    def _after_layer(self, k: int, before: Tensor, out: Tensor) -> Tensor:
        if self.shape.normalise:
            gain, bias = (tf.convert_to_tensor(w) for w in self.norms[k])
            mean, variance = tf.nn.moments(out, -1, keepdims=True)
            out = (out - mean) * tf.math.rsqrt(variance + 1e-5) * gain + bias
        return out + before if self.shape.residual and k else out

    def sequence(self, features: Tensor, where: Tensor, drop: Dropout | None = None) -> Tensor:
        """z (N, Z) of the frames to be predicted, from features (T, B, F)."""
        drop = drop or Dropout()
        x = fed = drop("input", features)
        for k, cell in enumerate(self.cells):
            weights = tuple(tf.convert_to_tensor(w) for w in cell)
            zero = tf.zeros((tf.shape(x)[1], self.shape.units))
            out, _, _ = lstm(x, (zero, zero), weights, tf.float32)
            x = drop("between", self._after_layer(k, x, out))
        both = tf.concat([x, fed], -1)
        return self.z(tf.gather(tf.reshape(both, (-1, both.shape[-1])), where))

    def z(self, hidden: Tensor) -> Tensor:
        """What a frame is drawn from, given what the layers (and the frames read) say, (N, units + F)."""
        kernel, bias = (tf.convert_to_tensor(w) for w in self.z_out)
        return tf.matmul(hidden, kernel) + bias

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """One frame in, (B, F): z (B, Z) of the next one, and the state after."""
        x, after = features, []
        for k, ((w, u, b), (h, c)) in enumerate(zip(self.cells, state, strict=True)):
            fused = tf.concat([tf.convert_to_tensor(w), tf.convert_to_tensor(u)], 0)
            h, c, _, _ = gates_to_state(tf.matmul(tf.concat([x, h], 1), fused) + tf.convert_to_tensor(b), c)
            after.append((h, c))
            x = self._after_layer(k, x, h)
        return self.z(tf.concat([x, features], 1)), after

    def keys_logits(self, z: Tensor, drawn: Tensor, last: Tensor, drop: Dropout | None = None) -> Tensor:
        """The joint head, unmasked: logits (M, tokens) given z (M, Z), what is drawn (M, keys), the last token (M,)."""
        kernel, bias = (tf.convert_to_tensor(w) for w in self.drawn_out)
        hidden = z + tf.matmul(drawn, kernel) + bias + tf.gather(tf.convert_to_tensor(self.last_table), last)
        hidden = (drop or Dropout())("head", tf.nn.relu(hidden))
        kernel, bias = (tf.convert_to_tensor(w) for w in self.keys_out)
        return tf.matmul(hidden, kernel) + bias

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

"""The network, written once: the training graph and the one-note graph share these weights and functions.

Notes are embedded, read by LSTM layers, and drawn head by head: the pitch first, then the step given the
pitch, the duration given both, the velocity given all three.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from livemuse.music.vocabulary import HEADS, PITCHES, VOCABULARY
from training.config import Shape

Tensor = Any  # tensorflow ships no usable types
State = list[tuple[Tensor, Tensor]]  # one (h, c) a layer, each (B, units)
FEED_SIZES = {**VOCABULARY.sizes, "pitch": PITCHES + 1}
"""What can be fed: the pitch has one more, the beginning of a piece."""


def gates_to_state(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One LSTM step after the matrix product: (h, c, the three sigmoids, the candidate)."""
    units = c.shape[-1]
    opened = tf.sigmoid(gates[:, : 3 * units])  # (B, 3 units): input, forget, output
    candidate = tf.tanh(gates[:, 3 * units :])
    c = opened[:, units : 2 * units] * c + opened[:, :units] * candidate
    return opened[:, 2 * units :] * tf.tanh(c), c, opened, candidate


def lstm(x: Tensor, state: tuple[Tensor, Tensor], weights: tuple[Tensor, Tensor, Tensor], dtype: Any) -> Any:
    """An LSTM layer over (T, B, in), its gradient written out so that only h @ U stays inside the loop.

    Returns hidden (T, B, units), h, c. No gradient flows into the carried state: that is where it is cut.
    """

    def product(a: Tensor, b: Tensor, **kw: bool) -> Tensor:
        return tf.cast(tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype), **kw), tf.float32)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def layer(x: Tensor, h: Tensor, c: Tensor, w: Tensor, u: Tensor, b: Tensor) -> Any:
        steps, batch, width = tf.shape(x)[0], tf.shape(x)[1], x.shape[-1]
        units = u.shape[0]
        x_flat = tf.reshape(x, (-1, width))
        fed = tf.reshape(product(x_flat, w) + b, (steps, batch, 4 * units))
        fast_u = tf.cast(u, dtype)
        names = ("h", "c", "opened", "candidate")
        first = [tf.TensorArray(tf.float32, steps) for _ in names]
        feed = tf.TensorArray(tf.float32, steps).unstack(fed)

        def forward(t: Tensor, h: Tensor, c: Tensor, *kept: Any) -> Any:
            out = gates_to_state(feed.read(t) + product(h, fast_u), c)
            return (t + 1, out[0], out[1], *(k.write(t, o) for k, o in zip(kept, out, strict=True)))

        _, h_end, c_end, *kept = tf.while_loop(lambda t, *_: t < steps, forward, (0, h, c, *first))
        hs, cs, opened, candidates = (k.stack() for k in kept)

        def gradient(dhs: Tensor, dh_end: Tensor, dc_end: Tensor) -> Any:
            before = tf.concat([c[None], cs[:-1]], 0)
            tanh_c = tf.tanh(cs)
            turned = 1.0 - tf.square(tanh_c)
            reads = [
                tf.TensorArray(tf.float32, steps).unstack(a) for a in (dhs, opened, candidates, before, tanh_c, turned)
            ]

            def backward(t: Tensor, dh: Tensor, dc: Tensor, kept: Any) -> Any:
                dh_t, gate, cand, c_old, tc, turn = (r.read(t) for r in reads)
                i, f, o = tf.split(gate, 3, 1)
                dh = dh + dh_t
                dc = dc + dh * o * turn
                d_open = tf.concat([dc * cand, dc * c_old, dh * tc], 1) * gate * (1.0 - gate)
                d_gates = tf.concat([d_open, dc * i * (1.0 - tf.square(cand))], 1)
                return t - 1, product(d_gates, fast_u, transpose_b=True), dc * f, kept.write(t, d_gates)

            kept = tf.TensorArray(tf.float32, steps)
            *_, kept = tf.while_loop(lambda t, *_: t >= 0, backward, (steps - 1, dh_end, dc_end, kept))
            d_flat = tf.reshape(kept.stack(), (-1, 4 * units))
            h_before = tf.reshape(tf.concat([h[None], hs[:-1]], 0), (-1, units))
            dx = tf.reshape(product(d_flat, w, transpose_b=True), tf.shape(x))
            dw = product(x_flat, d_flat, transpose_a=True)
            du = product(h_before, d_flat, transpose_a=True)
            return dx, None, None, dw, du, tf.reduce_sum(d_flat, 0)

        return (hs, h_end, c_end), gradient

    return layer(x, *(tf.stop_gradient(s) for s in state), *weights)


class Network(keras.Model):  # type: ignore[misc]
    """The whole network; `bfloat16` says how matrices are multiplied in training, never how weights are kept."""

    def __init__(
        self, shape: Shape, dropout: float = 0.0, bfloat16: bool = False, seed: int = 1, styles: int = 0
    ) -> None:
        super().__init__()
        self.shape, self.drop, self.fast = shape, dropout, tf.bfloat16 if bfloat16 else tf.float32
        self.styles = styles
        self.seed = seed
        self._count = 0
        self.built = True
        widths = {h: shape.embed_pitch if h == "pitch" else shape.embed_other for h in HEADS}
        self.tables = {h: self._table(f"embed_{h}", FEED_SIZES[h], widths[h]) for h in HEADS}
        self.cells = []
        width = sum(widths.values())
        for k in range(shape.layers):
            self.cells.append(self._cell(k, width + styles))
            width = shape.units
        self.pitch_out = self._dense("pitch", width, PITCHES)
        self.z_out = self._dense("z", width, shape.head_width * (len(HEADS) - 1))
        self.head_tables: dict[str, list[Tensor]] = {}
        self.head_out: dict[str, tuple[Tensor, Tensor]] = {}
        for k, head in enumerate(HEADS[1:], 1):
            drawn = HEADS[:k]
            self.head_tables[head] = [
                self._table(f"{head}_given_{d}", VOCABULARY.sizes[d], shape.head_width) for d in drawn
            ]
            self.head_out[head] = self._dense(head, shape.head_width, VOCABULARY.sizes[head])

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> Tensor:
        return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=True)

    def _next_seed(self) -> int:
        self._count += 1
        return self.seed * 1000 + self._count

    def _table(self, name: str, rows: int, width: int) -> Tensor:
        return self._weight(name, (rows, width), keras.initializers.RandomNormal(0.0, 0.05, seed=self._next_seed()))

    def _dense(self, name: str, width: int, out: int) -> tuple[Tensor, Tensor]:
        kernel = self._weight(f"{name}_kernel", (width, out), keras.initializers.GlorotUniform(self._next_seed()))
        return kernel, self._weight(f"{name}_bias", (out,), "zeros")

    def _cell(self, k: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
        units = self.shape.units
        w = self._weight(f"lstm{k}_w", (width, 4 * units), keras.initializers.GlorotUniform(self._next_seed()))
        if self.styles:  # no label says anything yet
            w.assign(np.concatenate([w.numpy()[: width - self.styles], np.zeros((self.styles, 4 * units))]))
        u = self._weight(f"lstm{k}_u", (units, 4 * units), keras.initializers.Orthogonal(seed=self._next_seed()))
        b = self._weight(f"lstm{k}_b", (4 * units,), "zeros")
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

    def _product(self, x: Tensor, dense: tuple[Tensor, Tensor]) -> Tensor:
        kernel, bias = (tf.convert_to_tensor(w) for w in dense)
        return tf.cast(tf.matmul(tf.cast(x, self.fast), tf.cast(kernel, self.fast)), tf.float32) + bias

    def embed(self, notes: list[Tensor]) -> Tensor:
        """Four arrays of bins, any shape, to vectors."""
        tables = [tf.convert_to_tensor(self.tables[h]) for h in HEADS]
        return tf.concat([tf.gather(t, n) for t, n in zip(tables, notes, strict=True)], -1)

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(pitch logits, z): what the pitch is drawn from, and what the other heads start from."""
        return self._product(hidden, self.pitch_out), self._product(hidden, self.z_out)

    def head(self, name: str, z: Tensor, drawn: list[Tensor]) -> Tensor:
        """The logits of step, duration or velocity, given what has been drawn of the note so far."""
        k = HEADS.index(name) - 1
        width = self.shape.head_width
        hidden = z[..., k * width : (k + 1) * width]
        for table, value in zip(self.head_tables[name], drawn, strict=True):
            hidden = hidden + tf.gather(tf.convert_to_tensor(table), value)
        return self._product(tf.nn.relu(hidden), self.head_out[name])

    def sequence(
        self, notes: list[Tensor], state: State, style: Tensor, dropout_seed: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Hidden vectors (T * B, units) after each of T notes in B lanes, notes as (T, B), and the state after.

        `style` (B, S) is what each lane's piece is, as far as the network may know it; all zero is nothing.
        """
        x, after = self.embed(notes), []
        told = tf.tile(style[None], (tf.shape(x)[0], 1, 1))
        for k, cell in enumerate(self.cells):
            if k and dropout_seed is not None and self.drop:
                x = tf.nn.experimental.stateless_dropout(x, self.drop, seed=tf.stack([dropout_seed, k]))
            weights = tuple(tf.convert_to_tensor(w) for w in cell)
            x, h, c = lstm(tf.concat([x, told], 2) if self.styles else x, state[k], weights, self.fast)
            after.append((h, c))
        return tf.reshape(x, (-1, self.shape.units)), after

    def step(self, notes: list[Tensor], state: State, style: Tensor) -> tuple[Tensor, Tensor, State]:
        """One note (B,) in, and the style (B, S): (pitch logits (B, 128), z (B, Z), the state after)."""
        x, after = self.embed(notes), []
        told = [style] if self.styles else []
        for (w, u, b), (h, c) in zip(self.cells, state, strict=True):
            fused = tf.concat([tf.convert_to_tensor(w), tf.convert_to_tensor(u)], 0)
            h, c, _, _ = gates_to_state(tf.matmul(tf.concat([x, *told, h], 1), fused) + tf.convert_to_tensor(b), c)
            x = h
            after.append((h, c))
        return (*self.project(x), after)

    def losses_of(
        self, notes: list[Tensor], targets: list[Tensor], state: State, style: Tensor, seed: Tensor | None = None
    ) -> Any:
        """Nats of each head for each note, (4, T * B), and the state after."""
        hidden, after = self.sequence(notes, state, style, seed)
        flat = [tf.reshape(t, (-1,)) for t in targets]
        pitch_logits, z = self.project(hidden)
        logits = [pitch_logits, *(self.head(h, z, flat[:k]) for k, h in enumerate(HEADS[1:], 1))]
        nats = [tf.nn.sparse_softmax_cross_entropy_with_logits(t, g) for t, g in zip(flat, logits, strict=True)]
        return tf.stack(nats), after

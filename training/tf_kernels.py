"""LSTM, table look-up and dropout as TensorFlow does them fastest on a processor."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from training.gates import gates_to_state

Tensor = Any  # tensorflow ships no usable types


def tensor(weight: Tensor) -> Tensor:
    """The numbers of a weight as they are now."""
    return tf.convert_to_tensor(weight)


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of a table: one ONNX Gather."""
    return tf.gather(table, rows)


def dropout(x: Tensor, rate: float, seed: Tensor, place: int) -> Tensor:
    """x, with numbers left out: the same ones for the same seed and place."""
    return tf.nn.experimental.stateless_dropout(x, rate, seed=tf.stack([seed, place]))


def lstm(x: Tensor, state: tuple[Tensor, Tensor], weights: tuple[Tensor, ...], dtype: Any) -> Any:
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

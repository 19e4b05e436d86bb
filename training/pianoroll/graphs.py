"""The piano-roll network as ONNX graphs for one sixteenth: the step, and the head that draws its keys.

A step may hold few operations, and none that loops or takes a picture. So what all keys share is written out: a
convolution over the keys becomes the matrix that does the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from livemuse.music.grid import PER_BAR
from training.cells import dense, paired, step_cell
from training.graphs import convert
from training.pianoroll.config import KEYS, Shape
from training.pianoroll.network import Network

Array = npt.NDArray[Any]
Tensor = Any  # tensorflow ships no usable types
OCTAVE: Final = 12


def check_shape(shape: Shape) -> None:
    """Raises ValueError for a network that cannot play live."""
    wanted = ("joint", 2, PER_BAR, (), False)
    if (shape.head, shape.kinds, shape.positions, shape.lookback, shape.normalise) != wanted:
        raise ValueError(
            "a model for live play draws its keys jointly, tells held from struck, is told the sixteenth of the bar, "
            "and neither reads earlier frames again nor normalises"
        )


def z_width(shape: Shape) -> int:
    """Numbers a frame is drawn from."""
    return shape.head_width + (shape.tokens if shape.around else 0)


def write_graphs(network: Network, folder: Path) -> dict[str, Path]:
    """Write step.onnx and head_keys.onnx; returns them by graph name. ValueError for a shape that cannot play live."""
    shape = network.shape
    check_shape(shape)
    places = np.eye(PER_BAR, dtype=np.float32)
    around = _Around(network) if shape.around else None

    def step(keys: Tensor, position: Tensor, *flat: Tensor) -> list[Tensor]:
        features = tf.concat([keys, tf.gather(tf.constant(places), position)], 1)
        x, after = features, []
        for k, (cell, before) in enumerate(zip(network.cells, paired(flat), strict=True)):
            after.append(step_cell([x], before, cell))
            x = after[-1][0] + x if shape.residual and k else after[-1][0]
        z = dense(tf.concat([x, features], 1), network.z_out)
        if around is not None:
            z = tf.concat([z, around(keys, x)], 1)
        return [z, *(part for pair in after for part in pair)]

    def keys_logits(z: Tensor, drawn: Tensor, last: Tensor) -> list[Tensor]:
        return [network.keys_logits(z, drawn, last)]

    state = network.state_widths
    keys = tf.TensorSpec((None, shape.keys), tf.float32, name="keys")
    given = [keys, tf.TensorSpec((None,), tf.int32, name="position")]
    given += [tf.TensorSpec((None, width), tf.float32, name=name) for name, width in state.items()]
    head = [
        tf.TensorSpec((None, z_width(shape)), tf.float32, name="z"),
        tf.TensorSpec((None, shape.keys), tf.float32, name="drawn"),
        tf.TensorSpec((None,), tf.int32, name="last"),
    ]
    return {
        "step": convert(step, given, ["z", *(f"{name}_out" for name in state)], folder / "step.onnx"),
        "head_keys": convert(keys_logits, head, ["keys_logits"], folder / "head_keys.onnx"),
    }


class _Around:
    """`Network._around` by matrices: keys (B, 176) and the last layer (B, units) to a logit a token (B, 177)."""

    def __init__(self, network: Network) -> None:
        shape, wide = network.shape, network.shape.around
        kernel = network.around_in.numpy()  # (2 reach + 1, 4, around): of keys, then of their names
        seen = [_spread(kernel[:, k]) for k in range(kernel.shape[1])]  # each (88, 88, around)
        name = np.arange(KEYS) % OCTAVE
        names = np.eye(OCTAVE, dtype=np.float32)[name]  # (88, 12): the name of each key's note
        by_name = [np.stack([part[name == n].sum(0) for n in range(OCTAVE)]) for part in seen[shape.kinds :]]
        self.near = np.concatenate([*seen[: shape.kinds], *by_name]).reshape(-1, KEYS * wide)  # (200, 88 around)
        self.names = np.kron(np.eye(shape.kinds, dtype=np.float32), names)  # (176, 24): how often each name sounds
        self.told, self.bias = (w.numpy() for w in network.around_told)
        self.to_all = np.tile(np.eye(wide, dtype=np.float32), (1, KEYS))  # the same to each key
        out, bias = (w.numpy() for w in network.around_out)  # (around, 2)
        chosen = np.einsum("kl,ac->kacl", np.eye(KEYS, dtype=np.float32), out)  # key, number, kind, key
        self.out = np.pad(chosen.reshape(KEYS * wide, shape.keys), ((0, 0), (0, 1)))
        self.out_bias = np.pad(np.repeat(bias, KEYS), (0, 1))

    def __call__(self, keys: Tensor, hidden: Tensor) -> Tensor:
        counts = tf.matmul(keys, tf.constant(self.names))
        names = counts - tf.nn.relu(counts - 1.0)  # once or more is once
        near = tf.matmul(tf.concat([keys, names], 1), tf.constant(self.near))
        told = tf.matmul(hidden, tf.constant(self.told)) + tf.constant(self.bias)
        near = tf.nn.relu(near + tf.matmul(told, tf.constant(self.to_all)))
        return tf.matmul(near, tf.constant(self.out)) + tf.constant(self.out_bias)


def _spread(kernel: Array) -> Array:
    """A kernel over neighbours, (2 reach + 1, around), as what each key gives to each: (88, 88, around)."""
    reach = len(kernel) // 2
    matrix = np.zeros((KEYS, KEYS, kernel.shape[1]), np.float32)
    for offset in range(-reach, reach + 1):  # the key `offset` semitones above counts by kernel[reach + offset]
        to = np.arange(max(0, -offset), min(KEYS, KEYS - offset))
        matrix[to + offset, to] = kernel[reach + offset]
    return matrix

"""What the networks of all families are made of: tables, dense layers, LSTM cells, and the state that they carry.

Written once for Keras' TensorFlow and JAX backends (see kernels.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from training.gates import gates_to_state
from training.kernels import gather, lstm, tensor

Tensor = Any  # the backends share no type
Dense = tuple[Tensor, Tensor]  # kernel (in, out), bias (out,)
Cell = tuple[Tensor, Tensor, Tensor]  # w (in, 4 units), u (units, 4 units), b (4 units,)
State = list[tuple[Tensor, Tensor]]  # a pair of arrays a layer, each (B, n): h and c of an LSTM
SEEDS = 1000  # of one network's weights

__all__ = ["Recurrent", "State", "begun", "dense", "gates_to_state", "gather", "lstm", "paired", "step_cell", "tensors"]


def tensors(weights: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Weights as plain tensors."""
    return tuple(tensor(w) for w in weights)


def dense(x: Tensor, layer: Dense, dtype: str = "float32") -> Tensor:
    """x (N, in) through a dense layer, (N, out) float32; `dtype` is that of the multiplication alone."""
    kernel, bias = tensors(layer)
    return ops.cast(ops.matmul(ops.cast(x, dtype), ops.cast(kernel, dtype)), "float32") + bias


def step_cell(given: Sequence[Tensor], state: tuple[Tensor, Tensor], cell: Cell) -> tuple[Tensor, Tensor]:
    """One step of an LSTM cell, what it is given (B, n) side by side: (h, c), each (B, units)."""
    (w, u, b), (h, c) = tensors(cell), state
    gates = ops.matmul(ops.concatenate([*given, h], 1), ops.concatenate([w, u], 0)) + b
    h, c, _, _ = gates_to_state(gates, c)
    return h, c


def paired(flat: Sequence[Tensor]) -> State:
    """State arrays, in the order of `state_names`, as the pairs that networks take."""
    return list(zip(flat[::2], flat[1::2], strict=True))


def begun(state: State, new: Tensor) -> State:
    """The state, forgotten in those lanes where a piece begins; new is (B,) of truths."""
    return [(ops.where(new[:, None], 0.0, a), ops.where(new[:, None], 0.0, b)) for a, b in state]


class Recurrent(keras.Model):  # type: ignore[misc]
    """A network that reads one thing after the other; its weights are seeded one by one from `first_seed` on."""

    def __init__(self, first_seed: int) -> None:
        super().__init__()
        self._seeds = iter(range(first_seed, first_seed + SEEDS))
        self._widths: tuple[tuple[str, int], ...] = ()
        self.built = True

    @property
    def state_widths(self) -> dict[str, int]:
        """What is carried from one step to the next: name -> numbers; (B, numbers) float32 each."""
        return dict(self._widths)

    @property
    def state_names(self) -> list[str]:
        """h0, c0, h1, c1, ... as the exported graph calls them."""
        return [name for name, _ in self._widths]

    def zero_state(self, batch: int) -> State:
        """The state before anything was heard."""
        return paired([ops.zeros((batch, width)) for _, width in self._widths])

    def _carry(self, width: int, *names: str) -> None:
        self._widths += tuple((name, width) for name in names)

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> Tensor:
        return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=True)

    def _table(self, name: str, rows: int, width: int) -> Tensor:
        return self._weight(name, (rows, width), keras.initializers.RandomNormal(0.0, 0.05, seed=next(self._seeds)))

    def _dense(self, name: str, width: int, out: int) -> Dense:
        kernel = self._weight(f"{name}_kernel", (width, out), keras.initializers.GlorotUniform(next(self._seeds)))
        return kernel, self._weight(f"{name}_bias", (out,), "zeros")

    def _cell(self, k: int, width: int, units: int, unsaid: int = 0) -> Cell:
        """LSTM cell k; the last `unsaid` of its inputs say nothing until it is trained."""
        w = self._weight(f"lstm{k}_w", (width, 4 * units), keras.initializers.GlorotUniform(next(self._seeds)))
        if unsaid:
            w.assign(np.concatenate([w.numpy()[: width - unsaid], np.zeros((unsaid, 4 * units))]))
        u = self._weight(f"lstm{k}_u", (units, 4 * units), keras.initializers.Orthogonal(seed=next(self._seeds)))
        b = self._weight(f"lstm{k}_b", (4 * units,), "zeros")
        bias = np.zeros(4 * units, np.float32)
        bias[units : 2 * units] = 1.0  # remember, until taught to forget
        b.assign(bias)
        self._carry(units, f"h{k}", f"c{k}")
        return w, u, b

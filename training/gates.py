"""What one LSTM step does after its matrix product; the same for training, playing and both of Keras' backends."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any  # the backends share no type


def gates_to_state(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gates (B, 4 units) and c (B, units) to (h, c, the three sigmoids, the candidate)."""
    units = c.shape[-1]
    opened = ops.sigmoid(gates[:, : 3 * units])  # (B, 3 units): input, forget, output
    candidate = ops.tanh(gates[:, 3 * units :])
    c = opened[:, units : 2 * units] * c + opened[:, :units] * candidate
    return opened[:, 2 * units :] * ops.tanh(c), c, opened, candidate

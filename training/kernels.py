"""The few operations that are written for each backend: `KERAS_BACKEND` says which of them a program gets.

    lstm(x, state, weights, dtype)     a layer over (T, B, in): hidden (T, B, units), h, c
    tensor(weight)                     the numbers of a weight
    gather(table, rows)                rows of a table; the rows are known to exist
    dropout(x, rate, seed, place)      the same numbers are left out for the same seed and place

All else is `keras.ops`. On TensorFlow the LSTM has a gradient of its own and `gather` is one ONNX operation;
Keras' own would be slower in training and in playing.
"""

from __future__ import annotations

import keras

if keras.backend.backend() == "jax":
    from training.jax_kernels import dropout, gather, lstm, tensor
elif keras.backend.backend() == "tensorflow":
    from training.tf_kernels import dropout, gather, lstm, tensor
else:
    raise ValueError(f"networks are trained with KERAS_BACKEND=tensorflow or jax, not {keras.backend.backend()}")

__all__ = ["dropout", "gather", "lstm", "tensor"]

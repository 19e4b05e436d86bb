"""LSTM, table look-up and dropout for JAX, to be compiled with what surrounds them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from training.gates import gates_to_state

Tensor = Any  # as in the file for TensorFlow


def tensor(weight: Tensor) -> Tensor:
    """The numbers of a weight as they are now."""
    return jnp.asarray(getattr(weight, "value", weight))


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of a table."""
    return jnp.take(table, rows, axis=0, mode="clip")


def dropout(x: Tensor, rate: float, seed: Tensor, place: int) -> Tensor:
    """x, with numbers left out: the same ones for the same seed and place, but not those of TensorFlow."""
    key = jax.random.fold_in(jax.random.key(seed), place)
    return jnp.where(jax.random.bernoulli(key, 1.0 - rate, x.shape), x / (1.0 - rate), 0.0)


def lstm(x: Tensor, state: tuple[Tensor, Tensor], weights: tuple[Tensor, ...], dtype: Any) -> Any:
    """An LSTM layer over (T, B, in): hidden (T, B, units), h, c.

    No gradient flows into the carried state: that is where it is cut.
    """
    w, u, b = weights

    def product(a: Tensor, b: Tensor) -> Tensor:
        return jnp.matmul(a.astype(dtype), b.astype(dtype)).astype(jnp.float32)

    def forward(carried: tuple[Tensor, Tensor], fed: Tensor) -> Any:
        h, c, _, _ = gates_to_state(fed + product(carried[0], u), carried[1])
        return (h, c), h

    first = tuple(jax.lax.stop_gradient(s) for s in state)
    (h, c), hidden = jax.lax.scan(forward, first, product(x, w) + b)
    return hidden, h, c

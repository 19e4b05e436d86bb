"""One update on JAX: a chunk of notes in every lane, its gradient, and the optimiser's step, compiled as one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras

from livemuse.music.vocabulary import HEADS
from training.network import Network
from training.run import Run

Tensor = Any  # as in the file for TensorFlow


def limit_threads(threads: int) -> None:
    """How many threads JAX may take on a processor; to be said before it has done anything."""
    os.environ["NPROC"] = str(threads)  # XLA asks for it once, when it makes its pool


def make_seeded_update(run: Run) -> Callable[..., Any]:
    """The compiled update: a batch (see dataset.py), the state of all lanes and the seed of dropout in;
    nats in all, notes, and the state of all lanes out."""
    network, optimizer = run.network, run.optimizer
    weights, heads = network.trainable_variables, jnp.array(run.config.head_weights)[:, None]

    def loss_of(values: list[Tensor], batch: Any, state: Any, seed: Tensor) -> Any:
        flat_weight = jnp.reshape(batch[2], (-1,))
        with keras.StatelessScope(list(zip(weights, values, strict=True))):
            nats, after = network.nats(batch, state, seed)
        count = flat_weight.sum()
        loss = (heads * nats * flat_weight).sum() / jnp.maximum(count, 1.0)
        return loss, ((nats * flat_weight).sum(), count, after)

    @jax.jit  # type: ignore[untyped-decorator]
    def compiled(values: list[Tensor], memory: list[Tensor], batch: Any, state: Any, seed: Tensor) -> Any:
        found, told = jax.grad(loss_of, has_aux=True)(values, batch, state, seed)
        return *optimizer.stateless_apply(memory, found, values), told

    def update(batch: Any, state: Any, seed: int) -> Any:
        kept = weights, optimizer.variables
        *made, told = compiled(*([v.value for v in variables] for variables in kept), batch, state, seed)
        for variables, values in zip(kept, made, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return told

    return update


def make_scorer(network: Network) -> Callable[..., Any]:
    """The compiled forward pass that evaluation uses: nats (4, T, B) and the state after."""

    @jax.jit  # type: ignore[untyped-decorator]
    def compiled(values: list[Tensor], inputs: Tensor, targets: Tensor, new: Tensor, style: Tensor, state: Any) -> Any:
        with keras.StatelessScope(list(zip(network.trainable_variables, values, strict=True))):
            nats, after = network.nats((inputs, targets, None, new, style), state)
        return jnp.reshape(nats, (len(HEADS), *inputs.shape[1:])), after

    def score(inputs: Tensor, targets: Tensor, new: Tensor, style: Tensor, state: Any) -> Any:
        return compiled([w.value for w in network.trainable_variables], inputs, targets, new, style, state)

    return score

"""One update of a network: a chunk of notes in every lane, its gradient, and the optimiser's step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from training.run import Run


def make_update(run: Run) -> Callable[..., Any]:
    """The compiled update: one chunk in every lane."""
    network, optimizer = run.network, run.optimizer

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def update(batch: Any, state: Any, step: Any) -> Any:
        inputs, targets, weight, new, style = batch
        state = [tuple(tf.where(new[:, None], 0.0, s) for s in pair) for pair in state]
        flat_weight = tf.reshape(weight, (-1,))
        with tf.GradientTape() as tape:
            nats, after = network.losses_of(tf.unstack(inputs), tf.unstack(targets), state, style, step)
            total = tf.reduce_sum(nats * flat_weight)
            loss = total / tf.maximum(tf.reduce_sum(flat_weight), 1.0)
        found = tape.gradient(loss, network.trainable_variables)
        optimizer.apply([tf.convert_to_tensor(g) for g in found], network.trainable_variables)
        return total, tf.reduce_sum(flat_weight), after

    return update  # type: ignore[no-any-return]

"""One update on TensorFlow: a chunk of notes in every lane, its gradient, and the optimiser's step.

Where a tf.distribute strategy is in force, each of its replicas reads its own share of the lanes. What they found is
summed before it is clipped, so the update is the one that a single process would make of all lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from livemuse.music.vocabulary import HEADS
from training.cells import paired
from training.network import Network
from training.run import Run

Tensor = Any  # tensorflow ships no usable types


def limit_threads(threads: int) -> None:
    """How many threads TensorFlow may take; to be said before it has done anything."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def make_seeded_update(run: Run) -> Callable[..., Any]:
    """The compiled update: a batch (see dataset.py), the state of all lanes and the seed of dropout in;
    nats in all, notes, and the state of all lanes out."""
    network, optimizer = run.network, run.optimizer
    weights, heads = network.trainable_variables, tf.constant(run.config.head_weights)[:, None]
    strategy = tf.distribute.get_strategy()
    alone = strategy.num_replicas_in_sync == 1

    def share(batch: Any, state: Any, seed: Tensor) -> Any:
        """What one replica makes of its lanes; then all have the same sum, and make the same step."""
        context = tf.distribute.get_replica_context()
        batch, state = (batch, state) if alone else _own_lanes(context, batch, state)
        flat_weight = tf.reshape(batch[2], (-1,))
        count = tf.reduce_sum(flat_weight)
        count = count if alone else context.all_reduce("SUM", count)
        with tf.GradientTape() as tape:
            nats, after = network.nats(batch, state, seed)
            loss = tf.reduce_sum(heads * nats * flat_weight) / tf.maximum(count, 1.0)
        found = [tf.convert_to_tensor(g) for g in tape.gradient(loss, weights)]
        total = tf.reduce_sum(nats * flat_weight)
        if not alone:
            found, total = context.all_reduce("SUM", (found, total))
            # Keras clips, and then sums over the replicas again: so one of them alone gives it the sum
            mine = tf.cast(context.replica_id_in_sync_group == 0, tf.float32)
            found = [mine * g for g in found]
            after = paired(context.all_gather([part for pair in after for part in pair], axis=0))
        optimizer.apply(found, weights)
        return total, count, after

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def update(batch: Any, state: Any, seed: Tensor) -> Any:
        if alone:
            return share(batch, state, seed)
        told = strategy.run(share, (batch, state, seed))
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], told)

    return lambda batch, state, seed: update(batch, state, tf.convert_to_tensor(seed))


def _own_lanes(context: Any, batch: Any, state: Any) -> Any:
    """The share of a replica: as many neighbouring lanes as any other has."""
    own, of = context.replica_id_in_sync_group, context.num_replicas_in_sync

    def cut(array: Tensor, axis: int) -> Tensor:
        return tf.gather(tf.split(array, of, axis), own)

    inputs, targets, weight, new, style = batch
    lanes = cut(inputs, 2), cut(targets, 2), cut(weight, 1), cut(new, 0), cut(style, 0)
    return lanes, [(cut(a, 0), cut(b, 0)) for a, b in state]


def make_scorer(network: Network) -> Callable[..., Any]:
    """The compiled forward pass that evaluation uses: nats (4, T, B) and the state after."""

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def score(inputs: Tensor, targets: Tensor, new: Tensor, style: Tensor, state: Any) -> Any:
        nats, after = network.nats((inputs, targets, None, new, style), state)
        return tf.reshape(nats, (len(HEADS), *inputs.shape[1:])), after

    return score  # type: ignore[no-any-return]

"""One update of a network, and its score: compiled for the backend that `KERAS_BACKEND` names.

make_update(run)         -> update(batch, state, step): nats in all, notes, the state after
make_scorer(network)     -> score(inputs, targets, new, style, state): nats (4, T, B), the state after
limit_threads(threads)   how many threads the backend may take; to be said before it has done anything
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from training.config import dropout_seed
from training.run import Run

if keras.backend.backend() == "jax":
    from training.jax_update import limit_threads, make_scorer, make_seeded_update
else:
    from training.tf_update import limit_threads, make_scorer, make_seeded_update

__all__ = ["limit_threads", "make_scorer", "make_update"]


def make_update(run: Run) -> Callable[..., Any]:
    """The compiled update: a batch (see dataset.py), the state of all lanes and the number of the update in;
    nats in all, notes, and the state of all lanes out."""
    update = make_seeded_update(run)
    return lambda batch, state, step: update(batch, state, dropout_seed(run.config.seed, step))

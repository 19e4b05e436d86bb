"""One update of a network, and its score: compiled for the backend that `KERAS_BACKEND` names.

make_update(run)         -> update(batch, state, step): nats in all, notes, the state after
make_scorer(network)     -> score(inputs, targets, new, style, state): nats (4, T, B), the state after
limit_threads(threads)   how many threads the backend may take; to be said before it has done anything
"""

from __future__ import annotations

import keras

if keras.backend.backend() == "jax":
    from training.jax_update import limit_threads, make_scorer, make_update
else:
    from training.tf_update import limit_threads, make_scorer, make_update

__all__ = ["limit_threads", "make_scorer", "make_update"]

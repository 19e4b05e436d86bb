"""How well a network in training expects pieces it has not seen, in nats a note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from livemuse.music.vocabulary import HEADS
from training.corpus import Corpus
from training.dataset import batches
from training.lanes import plain, plan_lanes
from training.network import Network

Array = npt.NDArray[Any]


def make_scorer(network: Network) -> Callable[..., Any]:
    """The compiled forward pass that evaluation uses: nats (4, T, B) and the state after."""

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def score(inputs: Any, targets: Any, new: Any, style: Any, state: Any) -> Any:
        state = [tuple(tf.where(new[:, None], 0.0, s) for s in pair) for pair in state]
        nats, after = network.losses_of(tf.unstack(inputs), tf.unstack(targets), state, style)
        return tf.reshape(nats, (len(HEADS), *inputs.shape[1:])), after

    return score  # type: ignore[no-any-return]


def nats_by_piece(network: Network, corpus: Corpus, style: Array | None = None, lanes: int = 64) -> Array:
    """Nats of each piece by head, summed over its notes: (pieces, 4); `style` (pieces, S) is what is told of each."""
    chunk = 128
    variation = plain(corpus, network.styles) if style is None else replace(plain(corpus), style=style)
    longest_first = np.argsort(-np.diff(corpus.starts), kind="stable")
    plan = plan_lanes(corpus, min(lanes, len(corpus.pieces)), chunk, longest_first, full=True)
    score, state = make_scorer(network), network.zero_state(plan.piece.shape[1])
    sums = np.zeros((len(corpus.pieces), len(HEADS)))
    for row, (inputs, targets, weight, new, told) in enumerate(batches(corpus, plan, variation, chunk)):
        nats, state = score(inputs, targets, new, told, state)
        busy = plan.piece[row] >= 0
        by_lane = (nats.numpy() * weight.numpy()).sum(1).T  # (B, 4)
        np.add.at(sums, plan.piece[row][busy], by_lane[busy])
    return sums


def some_pieces(corpus: Corpus, notes: int, seed: int = 0) -> Corpus:
    """A fixed, seeded choice of whole pieces with about so many notes in all."""
    order = np.random.default_rng(seed).permutation(len(corpus.pieces))
    counted = np.cumsum(np.diff(corpus.starts)[order])
    return corpus.select(sorted(order[: int(np.searchsorted(counted, notes)) + 1].tolist()))

"""How well a network in training expects pieces it has not seen, in nats a note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import HEADS
from training.corpus import Corpus
from training.dataset import batches
from training.lanes import plain, plan_lanes
from training.network import Network
from training.update import make_scorer

Array = npt.NDArray[Any]


def nats_by_piece(network: Network, corpus: Corpus, style: Array | None = None, lanes: int = 64) -> Array:
    """Nats of each piece by head, summed over its notes: (pieces, 4); `style` (pieces, S) is what is told of each."""
    return make_scoring(network, corpus, style, lanes)()


def make_scoring(network: Network, corpus: Corpus, style: Array | None = None, lanes: int = 64) -> Callable[[], Array]:
    """`nats_by_piece` to be called again and again while the network learns: planned and compiled once."""
    chunk = int(min(128, np.diff(corpus.starts).max()))
    variation = plain(corpus, network.styles) if style is None else replace(plain(corpus), style=style)
    longest_first = np.argsort(-np.diff(corpus.starts), kind="stable")
    plan = plan_lanes(corpus, min(lanes, len(corpus.pieces)), chunk, longest_first, full=True)
    score = make_scorer(network)

    def scored() -> Array:
        state = network.zero_state(plan.piece.shape[1])
        sums = np.zeros((len(corpus.pieces), len(HEADS)))
        for row, (inputs, targets, weight, new, told) in enumerate(batches(corpus, plan, variation, chunk)):
            nats, state = score(inputs, targets, new, told, state)
            busy = plan.piece[row] >= 0
            by_lane = (np.asarray(nats) * np.asarray(weight)).sum(1).T  # (B, 4)
            np.add.at(sums, plan.piece[row][busy], by_lane[busy])
        return sums

    return scored


def some_pieces(corpus: Corpus, notes: int, seed: int = 0) -> Corpus:
    """A fixed, seeded choice of whole pieces with about so many notes in all."""
    order = np.random.default_rng(seed).permutation(len(corpus.pieces))
    counted = np.cumsum(np.diff(corpus.starts)[order])
    return corpus.select(sorted(order[: int(np.searchsorted(counted, notes)) + 1].tolist()))

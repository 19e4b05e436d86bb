"""The order in which notes reach the network: lanes of whole pieces, cut into chunks, each piece varied anew."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import VOCABULARY
from training.config import Config
from training.corpus import Corpus

Array = npt.NDArray[Any]
LOWEST, HIGHEST = 21, 108  # the piano


@dataclass(frozen=True)
class Plan:
    """What each lane reads at each update: (steps, lanes) arrays; piece -1 is an idle lane."""

    piece: Array
    offset: Array  # where in the flat corpus the chunk begins
    length: Array  # how many of its notes count

    @property
    def steps(self) -> int:
        """Updates in one pass."""
        return len(self.piece)


@dataclass(frozen=True)
class Variation:
    """How each piece is changed in one epoch: (pieces,) arrays."""

    transpose: Array
    stretch: Array
    velocity: Array


def plan_lanes(corpus: Corpus, lanes: int, chunk: int, order: Array, full: bool) -> Plan:
    """Deal the pieces out, the next to the lane with the least; `full` keeps going until the last lane is done."""
    rows: list[list[tuple[int, int, int]]] = [[] for _ in range(lanes)]
    waiting = [(0, lane) for lane in range(lanes)]
    for piece in order.tolist():
        _, lane = heapq.heappop(waiting)
        start, end = int(corpus.starts[piece]), int(corpus.starts[piece + 1])
        rows[lane] += [(piece, at, min(chunk, end - at)) for at in range(start, end, chunk)]
        heapq.heappush(waiting, (len(rows[lane]), lane))
    steps = (max if full else min)(len(r) for r in rows) or max(len(r) for r in rows)
    table = np.full((steps, lanes, 3), (-1, 0, 0), np.int64)
    for lane, row in enumerate(rows):
        n = min(len(row), steps)
        table[:n, lane] = np.array(row[:n], np.int64).reshape(n, 3)
    return Plan(table[..., 0], table[..., 1], table[..., 2])


def vary(corpus: Corpus, config: Config, epoch: int) -> tuple[Array, Variation]:
    """The order of the pieces in an epoch and what is done to each: the same for the same seed and epoch."""
    rng = np.random.default_rng([config.seed, epoch])
    pieces = len(corpus.pieces)
    order = rng.permutation(pieces)
    low = np.minimum.reduceat(corpus.pitch, corpus.starts[:-1]).astype(np.int64)
    high = np.maximum.reduceat(corpus.pitch, corpus.starts[:-1]).astype(np.int64)
    drawn = rng.integers(-config.transpose, config.transpose + 1, pieces)
    transpose = np.clip(drawn, np.minimum(LOWEST - low, 0), np.maximum(HIGHEST - high, 0))
    stretch = rng.uniform(1 - config.stretch, 1 + config.stretch, pieces)
    velocity = rng.integers(-config.velocity_shift, config.velocity_shift + 1, pieces)
    return order, Variation(transpose, stretch.astype(np.float32), velocity)


def plain(corpus: Corpus) -> Variation:
    """No change at all, for evaluation."""
    pieces = len(corpus.pieces)
    return Variation(np.zeros(pieces, np.int64), np.ones(pieces, np.float32), np.zeros(pieces, np.int64))


def corpus_bins(corpus: Corpus) -> Array:
    """Every note of a corpus in bins, (notes, 4) int32, as the vocabulary has them."""
    columns = [corpus.pitch.astype(np.int32)]
    edges = (VOCABULARY.step_edges_s, VOCABULARY.duration_edges_s, VOCABULARY.velocity_edges)
    for values, cut in zip((corpus.step_s, corpus.duration_s, corpus.velocity), edges, strict=True):
        found = np.searchsorted(np.array(cut, np.float32), values.astype(np.float32), "right") - 1
        columns.append(np.clip(found, 0, len(cut) - 2).astype(np.int32))
    return np.stack(columns, 1)

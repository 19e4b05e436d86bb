"""The order in which notes reach the network: lanes of whole pieces, cut into chunks, each piece varied anew."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import VOCABULARY
from training.config import Config
from training.corpus import Corpus

Array = npt.NDArray[Any]
LOWEST, HIGHEST = 21, 108  # the piano
KINDS = ("genre", "composer", "mood")
ENCORE_NOTES = 64, 384
ENCORE_GAP_S = 0.3, 4.0  # from the last onset
Row = tuple[int, int, int, int, int, int, float]  # as in Plan


@dataclass(frozen=True)
class Plan:
    """What each lane reads at each update: (steps, lanes) arrays; piece -1 is an idle lane."""

    piece: Array
    offset: Array  # where in the flat corpus the chunk begins
    length: Array  # how many of its notes count
    before: Array  # the note before its first one; -1 where a piece begins
    jump: Array  # which of its notes begins an encore; -1 is the note before it, -2 for none
    resume: Array  # where in the flat corpus that note lies
    gap_s: Array  # that note's step; 0 where there is none

    @property
    def steps(self) -> int:
        """Updates in one pass."""
        return len(self.piece)


@dataclass(frozen=True)
class Variation:
    """How each piece is changed in one epoch: (pieces,) arrays, and what is told of it: (pieces, S)."""

    transpose: Array
    stretch: Array
    velocity: Array
    style: Array


@dataclass(frozen=True)
class Encores:
    """Where each piece goes on after its end and a rest, (pieces,) arrays: it teaches what follows a last chord."""

    start: Array  # in the flat corpus; -1 for none
    length: Array
    gap_s: Array


def plan_lanes(
    corpus: Corpus, lanes: int, chunk: int, order: Array, *, full: bool, encores: Encores | None = None
) -> Plan:
    """Deal the pieces out, the next to the lane with the least; `full` keeps going until the last lane is done."""
    rows: list[list[Row]] = [[] for _ in range(lanes)]
    waiting = [(0, lane) for lane in range(lanes)]
    for number in order.tolist():
        _, lane = heapq.heappop(waiting)
        rows[lane] += _rows(corpus, chunk, number, encores)
        heapq.heappush(waiting, (len(rows[lane]), lane))
    steps = (max if full else min)(len(r) for r in rows) or max(len(r) for r in rows)
    table = np.full((steps, lanes, 7), (-1, 0, 0, -1, -2, 0, 0.0), np.float64)
    for lane, row in enumerate(rows):
        n = min(len(row), steps)
        table[:n, lane] = np.array(row[:n], np.float64).reshape(n, 7)
    piece, offset, length, before, jump, resume = np.moveaxis(table[..., :6].astype(np.int64), -1, 0)
    return Plan(piece, offset, length, before, jump, resume, table[..., 6].astype(np.float32))


def _rows(corpus: Corpus, chunk: int, piece: int, encores: Encores | None) -> list[Row]:
    """A piece and its encore as one run of notes in chunks, so that no state has ever read what was not played."""
    start, end = int(corpus.starts[piece]), int(corpus.starts[piece + 1])
    played = end - start
    again, more, gap_s = end, 0, 0.0
    if encores is not None and encores.start[piece] >= 0:
        again, more, gap_s = int(encores.start[piece]), int(encores.length[piece]), float(encores.gap_s[piece])

    def place(note: int) -> int:
        return start + note if note < played else again + note - played

    rows: list[Row] = []
    for at in range(0, played + more, chunk):
        jump = played - at if more and at - 1 <= played < at + chunk else -2
        encore = (jump, again, gap_s) if jump > -2 else (-2, 0, 0.0)
        rows.append((piece, place(at), min(chunk, played + more - at), place(at - 1) if at else -1, *encore))
    return rows


def vary(corpus: Corpus, config: Config, epoch: int, styles: Sequence[str] = ()) -> tuple[Array, Variation, Encores]:
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
    kept = rng.random((pieces, len(KINDS))) >= config.style_dropout
    kinds = [KINDS.index(style.partition(":")[0]) for style in styles]
    style = style_table(corpus, styles) * kept[:, kinds]
    varied = Variation(transpose, stretch.astype(np.float32), velocity, style.astype(np.float32))
    return order, varied, _encores(corpus, config, rng)


def _encores(corpus: Corpus, config: Config, rng: np.random.Generator) -> Encores:
    pieces, lengths = len(corpus.pieces), np.diff(corpus.starts)
    length = np.minimum(rng.integers(*ENCORE_NOTES, pieces), lengths)
    start = corpus.starts[:-1] + (rng.random(pieces) * (lengths - length + 1)).astype(np.int64)
    shortest, longest = np.log(ENCORE_GAP_S)
    gap_s = np.exp(rng.uniform(shortest, longest, pieces))
    return Encores(np.where(rng.random(pieces) < config.encore, start, -1), length, gap_s)


def styles_of(corpus: Corpus, least_notes: int) -> tuple[str, ...]:
    """The labels with enough notes, as `genre:jazz`, `composer:Bach`, `mood:calm`; none where `least_notes` is 0."""
    if not least_notes:
        return ()
    notes: dict[str, int] = {}
    for piece in corpus.pieces:
        for kind in KINDS:
            if value := getattr(piece, kind):
                notes[f"{kind}:{value}"] = notes.get(f"{kind}:{value}", 0) + piece.notes
    return tuple(
        s for s in sorted(notes, key=lambda s: (KINDS.index(s.partition(":")[0]), s)) if notes[s] >= least_notes
    )


def style_table(corpus: Corpus, styles: Sequence[str]) -> Array:
    """What each piece is, (pieces, S) float32: 1 for its own labels."""
    table = np.zeros((len(corpus.pieces), len(styles)), np.float32)
    column = {style: k for k, style in enumerate(styles)}
    for row, piece in enumerate(corpus.pieces):
        for kind in KINDS:
            if (found := column.get(f"{kind}:{getattr(piece, kind)}")) is not None:
                table[row, found] = 1.0
    return table


def plain(corpus: Corpus, styles: int = 0) -> Variation:
    """No change at all and nothing told of any piece, for evaluation."""
    pieces = len(corpus.pieces)
    none = np.zeros(pieces, np.int64)
    return Variation(none, np.ones(pieces, np.float32), none, np.zeros((pieces, styles), np.float32))


def corpus_bins(corpus: Corpus) -> Array:
    """Every note of a corpus in bins, (notes, 4) int32, as the vocabulary has them."""
    columns = [corpus.pitch.astype(np.int32)]
    edges = (VOCABULARY.step_edges_s, VOCABULARY.duration_edges_s, VOCABULARY.velocity_edges)
    for values, cut in zip((corpus.step_s, corpus.duration_s, corpus.velocity), edges, strict=True):
        found = np.searchsorted(np.array(cut, np.float32), values.astype(np.float32), "right") - 1
        columns.append(np.clip(found, 0, len(cut) - 2).astype(np.int32))
    return np.stack(columns, 1)

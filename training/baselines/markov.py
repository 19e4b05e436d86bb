"""An order-5 Markov model with back-off: what a network has to beat to have learned more than habits.

It counts, over the same training notes in the same bins, what followed each context, and mixes the orders from
the shortest context to the longest. Each order is discounted as in modified Kneser-Ney (three discounts, from the
counts of counts; the lower orders keep their plain counts, because the contexts are not all nested). A piece repeats
itself, so counts promise more than they hold for another piece: how far each order is believed, by how often its
context was seen and how much it varied, is fitted by expectation maximisation on a twentieth of the training
compositions, which are left out of the counts for that and put back afterwards.

Contexts reach five notes back. What each head looks at, from general to particular, is CHAINS below: `p1` is the
pitch of the note before, `s0` this note's own step (the later heads may look at what was drawn before them, as the
network's do), `i1` the interval from the note before that to the note before, `/4` a coarser bin. A level marked
`relative` counts intervals instead of pitches, so that it knows a figure in every key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import HEADS, PITCHES, VOCABULARY
from training.corpus import Corpus
from training.lanes import corpus_bins

Array = npt.NDArray[Any]
ORDER = 5
FEATURES = {"p": 0, "s": 1, "d": 2, "v": 3}
INTERVAL_SPAN = 256  # room for -128 to 127
ASIDE = 20  # one training composition in so many is where the weights are fitted
OFTEN, VARIED = 12, 8  # kinds of context: by the logarithm of how often, by how varied what followed was
KINDS = 1 + OFTEN * VARIED


@dataclass(frozen=True, slots=True)
class Level:
    """One order of the model: what it looks at, and whether it counts pitches or intervals."""

    context: tuple[str, ...] = ()
    relative: bool = False


def _levels(*lines: str) -> tuple[Level, ...]:
    return tuple(Level(tuple(t.split()[1:]) if t.startswith("relative") else tuple(t.split()),
                       t.startswith("relative")) for t in lines)  # fmt: skip


CHAINS: dict[str, tuple[Level, ...]] = {
    "pitch": _levels(
        "", "p1", "p1 s1/16", "p1 p2", "relative i1 i2 s1/16", "p1 p2 p3", "p1 p2 p3 s1/16 s2/16", "relative i1 i2 i3",
        "relative i1 i2 i3 s1/16 s2/16", "p1 p2 p3 p4", "relative i1 i2 i3 i4", "p1 p2 p3 p4 p5",
    ),
    "step": _levels(
        "", "s1", "s1 i0 v1/4", "s1 s2/4 i0 i1", "s1/2 s2/2 s3/4 i0 i1", "s1/2 s2/2 s3/4 s4/4 i0 d1/4",
        "s1/4 s2/4 s3/4 s4/4 s5/4 i0",
    ),
    "duration": _levels(
        "", "d1", "d1 s0", "d1 s0 p0/8", "d1 s0 s1/8 i0", "d1 d2/2 s0/2 s1/4", "d1 d2/2 s0/2 s1/4 i0",
        "d1 d2/2 d3/4 s0/4 s1/8", "d1/2 d2/2 d3/4 d4/4 s0/4 s1/8", "d1 d2/2 d3/4 d4/8 d5/8 s0/4 s1/8",
    ),
    "velocity": _levels(
        "", "v1", "v1 i0", "v1 i0 s0/4", "v1 v2/2 s0/8", "v1 v2 v3", "v1 v2/2 i0 s0/8", "v1 v2/2 i0 i1 s0/8 s1/8",
        "v1/2 v2/2 v3/2 i0 s0/8", "v1/2 v2/2 v3/2 v4/2 v5/2", "v1/2 v2/2 v3/2 v4/4 v5/4 i0 s0/16",
    ),
}  # fmt: skip


class _Lagged:
    """The bins of a corpus, and of the notes before each; before a piece's first note stands its own symbol."""

    def __init__(self, bins: Array, starts: Array) -> None:
        self.bins = bins  # (notes, 4)
        begun = np.repeat(starts[:-1], np.diff(starts))
        self.place = np.minimum(np.arange(len(bins)) - begun, ORDER + 1).astype(np.int8)

    @classmethod
    def of(cls, corpus: Corpus) -> _Lagged:
        """The notes of a corpus."""
        return cls(corpus_bins(corpus), corpus.starts)

    def feature(self, name: str) -> tuple[Array, int]:
        """(values, how many there can be) of a feature such as `p1`, `s2/4` or `i0`."""
        name, _, coarse = name.partition("/")
        kind, lag, divisor = name[0], int(name[1:]), int(coarse or 1)
        if kind == "i":
            size = INTERVAL_SPAN
            ends = self._back(0, lag) - self._back(0, lag + 1)
            values, known = ends + INTERVAL_SPAN // 2, self.place > lag
        else:
            size = VOCABULARY.sizes[HEADS[FEATURES[kind]]]
            values, known = self._back(FEATURES[kind], lag), self.place >= lag
        size = -(-size // divisor)
        return np.where(known, values // divisor, size).astype(np.uint64), size + 1

    def _back(self, column: int, lag: int) -> Array:
        values = self.bins[:, column]
        return values if lag == 0 else np.concatenate([np.zeros(lag, np.int32), values[:-lag]])

    def keys(self, head: str, level: Level) -> tuple[Array, int]:
        """(context and target in one 64-bit number, how many targets there are)."""
        key = np.zeros(len(self.bins), np.uint64)
        room = 1
        for name in level.context:
            values, size = self.feature(name)
            key = key * np.uint64(size) + values
            room *= size
        if level.relative:
            targets, size = self.feature("i0")
        else:
            targets, size = self.bins[:, HEADS.index(head)].astype(np.uint64), VOCABULARY.sizes[head]
        if room * size >= 2**64:
            raise ValueError(f"{head}: the context {level.context} does not fit in 64 bits")
        return key * np.uint64(size) + targets, size


def _discounts(counts: Array) -> Array:
    """What is taken from counts of 1, 2 and 3 or more, after Chen and Goodman; index by min(count, 3)."""
    n = [max(int((counts == k).sum()), 1) for k in range(1, 5)]
    share = n[0] / (n[0] + 2 * n[1])
    found = [k - (k + 1) * share * n[k] / n[k - 1] for k in (1, 2, 3)]
    return np.array([0.0, *(min(max(f, 0.05), k - 0.05) for k, f in enumerate(found, 1))])


@dataclass(frozen=True)
class _Counted:
    """What was seen at one order, sorted: each (context, target) with its discounted count, and each context."""

    size: int  # how many targets there are
    pairs: Array
    counts: Array  # of each pair, less its discount
    contexts: Array
    totals: Array  # of each context, nothing taken off
    freed: Array  # what the discounts of each context add up to


def _count(seen: Array, size: int) -> _Counted:
    """Count what was seen; `seen` holds context and target in one number."""
    seen = np.sort(seen)
    first = np.flatnonzero(np.concatenate([[True], seen[1:] != seen[:-1]]))
    pairs, counts = seen[first], np.diff(np.append(first, len(seen)))
    discount = _discounts(counts)[np.minimum(counts, 3)]
    contexts = pairs // np.uint64(size)
    begins = np.flatnonzero(np.concatenate([[True], contexts[1:] != contexts[:-1]]))
    totals, freed = np.add.reduceat(counts, begins), np.add.reduceat(discount, begins)
    return _Counted(size, pairs, counts - discount, contexts[begins], totals, freed)


def _order(counted: _Counted, asked: Array, lower: Array) -> tuple[Array, Array]:
    """(probability, kind of context) of each asked (context, target) at one order, given the order below's.

    The kind is 0 where the context was never seen: there only the order below speaks.
    """
    at = np.minimum(np.searchsorted(counted.pairs, asked), len(counted.pairs) - 1)
    kept = np.where(counted.pairs[at] == asked, counted.counts[at], 0.0)
    wanted = asked // np.uint64(counted.size)
    at = np.minimum(np.searchsorted(counted.contexts, wanted), len(counted.contexts) - 1)
    known = counted.contexts[at] == wanted
    totals, freed = counted.totals[at], counted.freed[at]
    mixed = np.where(known, (kept + freed * lower) / totals, lower)
    often = np.minimum(np.log2(totals).astype(np.int64), OFTEN - 1)
    varied = np.minimum((freed / totals * VARIED).astype(np.int64), VARIED - 1)
    return mixed, np.where(known, 1 + often * VARIED + varied, 0)


def _fit(mixed: Array, lower: Array, kind: Array) -> Array:
    """How far an order is believed over the one below, for each kind of context: the most likely weights."""
    weight = np.full(KINDS, 0.5)
    many = np.bincount(kind, minlength=KINDS)
    for _ in range(30):
        own = weight[kind] * mixed
        share = own / (own + (1 - weight[kind]) * lower)
        weight = (np.bincount(kind, share, KINDS) + 0.5) / (many + 1)
    return weight


def _counts(head: str, known: _Lagged) -> Iterator[_Counted]:
    """What was seen at each order of a head, from general to particular."""
    for level in CHAINS[head]:
        seen, size = known.keys(head, level)
        # a piece's first note has no interval, so no level of intervals says anything about it
        yield _count(seen[known.place > 0] if level.relative else seen, size)


def _chain(
    head: str, counts: Iterable[_Counted], asked: _Lagged, weights: list[Array] | None
) -> tuple[Array, list[Array]]:
    """(probability of each asked note, weights of each order): the weights are fitted when none are given."""
    found = np.full(len(asked.bins), 1.0 / VOCABULARY.sizes[head])
    used: list[Array] = []
    for k, (level, counted) in enumerate(zip(CHAINS[head], counts, strict=True)):
        usable = asked.place > 0 if level.relative else np.ones(len(found), bool)
        lower = found[usable]
        mixed, kind = _order(counted, asked.keys(head, level)[0][usable], lower)
        used.append(_fit(mixed, lower, kind) if weights is None else weights[k])
        found[usable] = used[k][kind] * mixed + (1 - used[k][kind]) * lower
    return found, used


def fit_weights(train: Corpus) -> dict[str, list[Array]]:
    """How far each order of each head is believed, fitted on a twentieth of the training compositions."""
    names = sorted({p.composition for p in train.pieces})
    chosen = {names[k] for k in np.random.default_rng(0).permutation(len(names))[: max(len(names) // ASIDE, 1)]}
    aside = [k for k, p in enumerate(train.pieces) if p.composition in chosen]
    rest = [k for k, p in enumerate(train.pieces) if p.composition not in chosen]
    known, asked = _Lagged.of(train.select(rest)), _Lagged.of(train.select(aside))
    return {head: _chain(head, _counts(head, known), asked, None)[1] for head in HEADS}


def markov_nats(train: Corpus, held_out: Corpus, say: Callable[[str], None]) -> Array:
    """Nats of each held-out piece by head, summed over its notes: (pieces, 4)."""
    weights = fit_weights(train)
    known, asked = _Lagged.of(train), _Lagged.of(held_out)
    columns = []
    for head in HEADS:
        found, _ = _chain(head, _counts(head, known), asked, weights[head])
        say(f"markov-5 {head}: {-np.log(found).mean():.3f} nats a note")
        columns.append(np.add.reduceat(-np.log(found), held_out.starts[:-1]))
    return np.stack(columns, 1)


class Markov:
    """The model as it plays: note after note, each drawn from what followed such notes in the training pieces.

    `bins` is (notes, 4) and `starts` (pieces + 1,), the training notes; `weights` are those of `fit_weights`.
    """

    def __init__(self, bins: Array, starts: Array, weights: dict[str, list[Array]]) -> None:
        known = _Lagged(bins.astype(np.int32), starts)
        self._counts = {head: list(_counts(head, known)) for head in HEADS}
        self._weights = weights

    def probabilities(self, history: Array, drawn: Sequence[int]) -> Array:
        """How likely each value of the next head is, after the notes of `history` (notes, 4) and the heads drawn."""
        head = HEADS[len(drawn)]
        size = VOCABULARY.sizes[head]
        before = history[-(ORDER + 1) :].astype(np.int32)
        note = np.zeros((size, 1, len(HEADS)), np.int32)
        note[:, 0, : len(drawn)] = drawn
        note[:, 0, len(drawn)] = np.arange(size)
        asked = np.concatenate([np.broadcast_to(before, (size, *before.shape)), note], 1)  # (values, notes, 4)
        length = asked.shape[1]
        lagged = _Lagged(asked.reshape(-1, len(HEADS)), np.arange(0, size * length + 1, length))
        found = _chain(head, self._counts[head], lagged, self._weights[head])[0][length - 1 :: length]
        share: Array = found / found.sum()
        return share

    def draw(self, history: Array, rng: np.random.Generator) -> tuple[int, ...]:
        """The four bins of the next note."""
        drawn: list[int] = []
        for _ in HEADS:
            share = self.probabilities(history, drawn)
            drawn.append(int(rng.choice(len(share), p=share)))
        return tuple(drawn)


assert PITCHES * 2 == INTERVAL_SPAN

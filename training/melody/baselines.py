"""What a melody network has to beat: habits counted without any learning, on the same tunes.

`frequency` knows how often each event is, `repeat` that the bar before comes again, `markov_events` what followed the
last five sixteenths, and `markov_notes` what followed the last five notes with their lengths, at this moment of the
note and of the bar. The two Markov models have counted the training tunes in eleven keys, and go back to a shorter
context by Witten and Bell's rule (method C, IEEE Trans. Information Theory 37, 1991).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from livemuse.music.grid import BEGIN, EVENTS, HOLD, PER_BAR
from training.melody.tunes import Array, Tunes

Hashes = npt.NDArray[np.uint64]  # (levels, events): of each event's contexts, from general to particular
ORDER: Final = 5
KEYS: Final = range(-5, 6)  # semitones by which the training tunes are moved
DOUBTS: Final = (1.0, 2.0, 4.0, 8.0, 16.0)  # 1 is Witten and Bell's: how much weight a new event in a context has
OLDEST: Final = 31  # sixteenths of a note after which they are no longer told apart
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)


def baseline_nats(train: Tunes, held_out: Tunes) -> dict[str, Array]:
    """By the name of each baseline, nats of each event of the held-out tunes, (events,)."""
    return {
        "frequency": -np.log(_frequency(train)[held_out.events]),
        "repeat": _repeat(train, held_out),
        "markov_events": markov_nats(train, held_out, event_contexts),
        "markov_notes": markov_nats(train, held_out, note_contexts),
    }


def _frequency(tunes: Tunes) -> Array:
    counts = np.bincount(tunes.events, minlength=EVENTS) + 0.5
    return np.asarray(counts / counts.sum())


def _bar_before(tunes: Tunes) -> Array:
    """The event a bar before each, BEGIN where there is none."""
    inside = np.arange(tunes.count) - np.repeat(tunes.starts[:-1], np.diff(tunes.starts))
    before = np.concatenate([np.full(PER_BAR, BEGIN), tunes.events])[: tunes.count]
    return np.where(inside >= PER_BAR, before, BEGIN)


def _repeat(train: Tunes, held_out: Tunes) -> Array:
    """The bar before comes again with a certain chance, fitted to the training tunes; else any event by its share.

    In a tune's first bar, which has none before, the shares are all there is.
    """
    share, again = _frequency(train), 0.5
    before, expected = _bar_before(train), _bar_before(held_out)
    known = before != BEGIN
    same, plain = (train.events == before)[known], share[train.events[known]]
    for _ in range(20):  # expectation maximisation; half an event more of either kind, so that none is impossible
        found = same * again / (same * again + (1 - again) * plain)
        again = float((found.sum() + 0.5) / (len(found) + 1))
    chance = np.where(expected == BEGIN, 0.0, again)
    return np.asarray(-np.log(chance * (held_out.events == expected) + (1 - chance) * share[held_out.events]))


def markov_nats(train: Tunes, held_out: Tunes, contexts: Callable[[Tunes], Hashes]) -> Array:
    """Nats of each held-out event, each order of context mixed with the shorter ones.

    How far few examples are believed is chosen for these very tunes, which favours the baseline.
    """
    asked = contexts(held_out)
    known = [_Known(level) for level in asked]
    found: list[list[Hashes]] = [[] for _ in asked]  # by level, of the training events after a context that is asked
    for tunes in _in_every_key(train):
        for k, level in enumerate(contexts(tunes)):
            there = known[k].among(level)
            found[k].append(np.stack([level[there], _mixed(level[there], tunes.events[there])]))
    counted = []
    for k, level in enumerate(asked):
        pairs = np.concatenate(found[k], 1)
        both, first, times = np.unique(pairs[1], return_index=True, return_counts=True)
        context = pairs[0][first]  # of each different (context, event)
        seen, kinds = np.unique(context, return_counts=True)
        total = np.bincount(np.searchsorted(seen, context), weights=times, minlength=len(seen))
        n_both = _looked_up(both, times, _mixed(level, held_out.events))
        counted.append((n_both, _looked_up(seen, total, level), _looked_up(seen, kinds, level)))
    plain = _frequency(train)[held_out.events]
    tried = [_mixture(plain, counted, doubt) for doubt in DOUBTS]
    return min(tried, key=lambda nats: float(nats.sum()))


def _mixture(share: Array, counted: list[tuple[Array, Array, Array]], doubt: float) -> Array:
    for n_both, n_context, n_kinds in counted:
        heard = n_context > 0
        mixed = (n_both + doubt * n_kinds * share) / np.maximum(n_context + doubt * n_kinds, 1e-9)
        share = np.where(heard, mixed, share)
    return np.asarray(-np.log(share))


class _Known:
    """A set of hashes, asked whether it has others: first by a table of their last bits, which is quick."""

    def __init__(self, hashes: Hashes) -> None:
        self._sorted = np.unique(hashes)
        self._marked = np.zeros(1 << 24, bool)
        self._marked[self._sorted & np.uint64(0xFFFFFF)] = True

    def among(self, hashes: Hashes) -> Array:
        """(n,) int64: which of these are in the set."""
        maybe = np.flatnonzero(self._marked[hashes & np.uint64(0xFFFFFF)])
        at = np.minimum(np.searchsorted(self._sorted, hashes[maybe]), len(self._sorted) - 1)
        return np.asarray(maybe[self._sorted[at] == hashes[maybe]])


def _in_every_key(tunes: Tunes) -> Iterator[Tunes]:
    for shift in KEYS:
        moved = np.where(tunes.events < HOLD, np.clip(tunes.events + shift, 0, HOLD - 1), tunes.events)
        yield Tunes(tunes.about, tunes.starts, moved.astype(np.int16))


def _looked_up(keys: Hashes, values: Array, wanted: Hashes) -> Array:
    """The value of each wanted key, 0 where there is none."""
    if not len(keys):
        return np.zeros(len(wanted))
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def _mixed(hashes: Hashes, values: Array) -> Hashes:
    """Hashes that depend on a value each too."""
    mixed = (hashes ^ (values.astype(np.uint64) + np.uint64(1))) * _PRIME
    return np.asarray(mixed ^ (mixed >> np.uint64(29)))


def event_contexts(tunes: Tunes) -> Hashes:
    """The last one to five events of each event."""
    inside = np.arange(tunes.count) - np.repeat(tunes.starts[:-1], np.diff(tunes.starts))
    hashes, levels = np.zeros(tunes.count, np.uint64), []
    for back in range(1, ORDER + 1):
        before = np.concatenate([np.full(back, BEGIN), tunes.events])[: tunes.count]
        hashes = _mixed(hashes, np.where(inside >= back, before, BEGIN))
        levels.append(hashes)
    return np.stack(levels)


def note_contexts(tunes: Tunes) -> Hashes:
    """How long the note (or rest) lasts already and where in the bar we are; then note after note, back to the fifth.

    Each note is its pitch and the sixteenths from its onset to the next one's.
    """
    start = np.repeat(tunes.starts[:-1], np.diff(tunes.starts))
    at = np.arange(tunes.count)
    is_note = tunes.events < HOLD
    onsets = np.flatnonzero(is_note)
    number: Array = np.cumsum(is_note) - is_note  # onsets before each event, in all tunes together
    silent = np.where(at > start, np.concatenate([[BEGIN], tunes.events[:-1]]) > HOLD, False)
    padded = np.concatenate([np.full(ORDER + 1, -1), onsets])
    pitches = np.concatenate([np.full(ORDER + 1, BEGIN), tunes.events[onsets]])
    hashes, levels, next_onset = np.zeros(tunes.count, np.uint64), [], at
    for back in range(1, ORDER + 1):
        onset = padded[number + ORDER + 1 - back]
        there = onset >= start
        lasted = np.where(there, np.minimum(next_onset - onset, OLDEST), OLDEST)
        pitch = np.where(there, pitches[number + ORDER + 1 - back], BEGIN)
        if back == 1:
            hashes = _mixed(_mixed(_mixed(hashes, lasted), silent), (at - start) % PER_BAR)
            levels.append(hashes)
            hashes = _mixed(hashes, pitch)
        else:
            hashes = _mixed(_mixed(hashes, pitch), lasted)
        levels.append(hashes)
        next_onset = np.where(there, onset, next_onset)
    return np.stack(levels)

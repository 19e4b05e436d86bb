"""How long a run of pitches in some playing stands, word for word, in other music.

The other music may be millions of notes: its runs are hashed, and only the places that still agree are kept from one
length to the next, so that a search costs a few passes over the pitches and a few hundred MB at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.notes import Note
from training.corpus import Corpus

Array = npt.NDArray[Any]
SEPARATOR: Final = 255  # between pieces: no run goes from one piece into the next
BLOCK: Final = 2_000_000  # pitches hashed at once
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_WORDS: Final = np.random.default_rng(20).integers(1, 2**63, 256, np.uint64) | np.uint64(1)
_SHORT: Final = 3  # runs up to this length are found in a table of all there are


def pitches_of(notes: Sequence[Note]) -> Array:
    """The pitches in the order of their onsets (then from low to high), (notes,) uint8."""
    ordered = sorted(notes, key=lambda note: (note.onset_s, note.pitch))
    return np.array([note.pitch for note in ordered], np.uint8)


def pitches_of_corpus(corpus: Corpus) -> Array:
    """All pitches, the pieces parted by a separator, (notes + pieces,) uint8."""
    return np.insert(corpus.pitch, corpus.starts[1:], SEPARATOR)


def longest_runs(queries: Sequence[Array], known: Array) -> list[int]:
    """For each query (pitches) the length of its longest run that stands in ``known``; 0 where none does."""
    lengths = np.array([len(query) for query in queries], np.int64)
    text = np.concatenate([np.append(query, SEPARATOR) for query in queries] or [np.zeros(0, np.uint8)])
    owner = np.repeat(np.arange(len(queries)), lengths + 1)
    left = np.concatenate([np.arange(n, -1, -1) for n in lengths] or [np.zeros(0, np.int64)])
    best = np.zeros(len(queries), np.int64)
    ours = np.flatnonzero(left >= 1)  # where a run of the present length may begin in the queries
    theirs, hash_ours, hash_theirs = np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    length = 0
    while len(ours):
        length += 1
        ours = ours[left[ours] >= length]
        if length <= _SHORT:
            theirs = _places(known, text, ours, length)
            hash_ours, hash_theirs = _hashes(text, ours, length), _hashes(known, theirs, length)
        else:
            kept = theirs + length <= len(known)
            theirs, hash_theirs = theirs[kept], hash_theirs[kept]
            hash_theirs = _longer(hash_theirs, known[theirs + length - 1])
            hash_ours = _hashes(text, ours, length)
            theirs, hash_theirs = _agreeing(theirs, hash_theirs, hash_ours)
        stands = np.isin(hash_ours, np.unique(hash_theirs))
        ours = ours[stands]
        best[owner[ours]] = length
    return [int(n) for n in best]


def _places(known: Array, text: Array, ours: Array, length: int) -> Array:
    """Where in ``known`` a run of this length begins that is one of ours; looked up in a table of all runs."""
    wanted = np.zeros(128**length, bool)
    wanted[_packed(text, ours, length)] = True
    found = []
    for begin in range(0, len(known) - length + 1, BLOCK):
        at = np.arange(begin, min(begin + BLOCK, len(known) - length + 1))
        clean = np.all([known[at + k] < 128 for k in range(length)], axis=0)
        at = at[clean]
        found.append(at[wanted[_packed(known, at, length)]])
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _packed(text: Array, at: Array, length: int) -> Array:
    number = np.zeros(len(at), np.int64)
    for k in range(length):
        number = number * 128 + text[at + k]
    return number


def _longer(hashes: Array, pitches: Array) -> Array:
    longer: Array = hashes * _FACTOR + _WORDS[pitches]
    return longer


def _hashes(text: Array, at: Array, length: int) -> Array:
    found = np.zeros(len(at), np.uint64)
    for k in range(length):
        found = _longer(found, text[at + k])
    return found


def _agreeing(places: Array, hashes: Array, wanted: Array) -> tuple[Array, Array]:
    """The places whose hash is one of the wanted ones."""
    wanted = np.unique(wanted)
    kept = []
    for begin in range(0, len(hashes) if len(wanted) else 0, BLOCK):
        block = hashes[begin : begin + BLOCK]
        at = np.minimum(np.searchsorted(wanted, block), len(wanted) - 1)
        kept.append(begin + np.flatnonzero(wanted[at] == block))
    chosen = np.concatenate(kept) if kept else np.zeros(0, np.int64)
    return places[chosen], hashes[chosen]

"""Key profiles learned from pieces whose key is known: what each degree speaks for a major key, and for a minor one.

A logistic regression over the 24 keys with one weight for each degree of each mode, shared by all transpositions: its
features are the shares of the pitch classes among n notes, times n ** GROWTH. It learns from the first and the last
10 to 200 notes of each piece, where the music is in its key most likely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.hearing.key import GROWTH
from training.hearing.pieces import KeyedPiece

EXCERPTS: Final = (slice(10), slice(20), slice(40), slice(200), slice(-40, None), slice(-200, None))
MOST_PERFORMANCES: Final = 3  # of one composition, which count as one together
ANNOTATED: Final = 0.5  # a song of an annotated corpus against a composition that states its key
DECAY: Final = 1e-4  # weight decay
STEPS, RATE = 1500, 4.0  # enough to settle in the second decimal
Floats = npt.NDArray[np.float64]


def learned(pieces: Sequence[KeyedPiece], say: Callable[[str], None]) -> dict[str, Any]:
    """The profiles, in tenths of a nat, and how many pieces they are from."""
    chosen = list(_few_of_each(pieces))
    times = Counter(piece.composition for piece in chosen)
    shares, keys, weights = [], [], []
    for piece in chosen:
        for excerpt in EXCERPTS:
            classes = np.asarray(piece.pitches[excerpt]) % 12
            shares.append(np.bincount(classes, minlength=12) * len(classes) ** (GROWTH - 1.0))
            keys.append(piece.key.tonic + 12 * (piece.key.mode == "minor"))
            weights.append((ANNOTATED if piece.said_by == "annotation" else 1.0) / times[piece.composition])
    say(f"learning from {len(chosen)} pieces")
    profiles = fitted(np.array(shares), np.array(keys), np.array(weights))
    majors, minors = (np.round(profile, 1).tolist() for profile in profiles)
    return {"pieces": len(chosen), "major": majors, "minor": minors}


def fitted(shares: Floats, keys: npt.NDArray[np.int64], weights: Floats) -> Floats:
    """(2, 12) profiles from (n, 12) shares of pitch classes, (n,) keys 0-23 and (n,) weights; their mean is 0."""
    degrees = np.stack([np.roll(shares, -tonic, 1) for tonic in range(12)], 1)  # (n, tonic, degree)
    truth = np.eye(24)[keys].reshape(-1, 2, 12)
    parts = weights / weights.sum()
    profiles = ahead = np.zeros((2, 12))
    for step in range(STEPS):  # Nesterov's accelerated descent; the problem is convex
        nats = np.einsum("ntd,md->nmt", degrees, ahead)
        odds = np.exp(nats - nats.max((1, 2), keepdims=True))
        miss = (odds / odds.sum((1, 2), keepdims=True) - truth) * parts[:, None, None]
        slope = np.einsum("nmt,ntd->md", miss, degrees) + 2 * DECAY * ahead
        before, profiles = profiles, ahead - RATE * slope
        ahead = profiles + step / (step + 3) * (profiles - before)
    return np.asarray(profiles - profiles.mean())


def _few_of_each(pieces: Sequence[KeyedPiece]) -> Iterator[KeyedPiece]:
    seen: Counter[str] = Counter()
    for piece in pieces:
        seen[piece.composition] += 1
        if seen[piece.composition] <= MOST_PERFORMANCES:
            yield piece

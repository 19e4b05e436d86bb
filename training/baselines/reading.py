"""What a head that names one number is taken to expect: a probability of every bin, read as kindly as can be.

A network trained by squared error says where the next value lies, not how sure it is. To ask how surprised it is, a
spread is put around what it says: a Gaussian (which squared error implies), a Laplace distribution, or a log-normal one
(of the time and 10 ms), the same width everywhere, and its mass within each bin is the bin's probability; the outer
bins have the tails. Since one wide miss would cost such a reading any sum, a share of the probability is given to
how often each bin occurs in training. Which of the three, how wide and how large a share: whatever fits best the
notes kept aside for early stopping. A head that has learned nothing so costs no more than the histogram.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
KINDS = ("gaussian", "laplace", "lognormal")
LOG_OFFSET_S = 0.010
WIDTHS = 30  # tried of each kind
LEAST_SHARE = 1e-4
_erfc = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True)
class Reading:
    """How a head's number is read."""

    kind: str
    width: float  # in the head's unit, or of the logarithm
    share: float  # of the histogram

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def histogram(bins: Array, size: int) -> Array:
    """How often each bin occurs, (size,), every bin at least half a time."""
    found = np.bincount(bins, minlength=size) + 0.5
    share: Array = found / found.sum()
    return share


def _below(kind: str, z: Array) -> Array:
    """The probability below z spreads from the middle."""
    if kind == "laplace":
        tail = 0.5 * np.exp(-np.abs(z))
        found: Array = np.where(z < 0, tail, 1 - tail)
        return found
    found = 0.5 * np.asarray(_erfc(-z / math.sqrt(2)), np.float64)
    return found


def _mass(kind: str, width: float, expected: Array, edges: Array, bins: Array) -> Array:
    """The reading's probability of each note's bin; `edges` are finite, the outermost count as infinite."""
    low, high = edges[bins], edges[bins + 1]
    if kind == "lognormal":
        middle = np.log(np.maximum(expected, 0.0) + LOG_OFFSET_S)
        low, high = np.log(low + LOG_OFFSET_S), np.log(high + LOG_OFFSET_S)
    else:
        middle = expected
    under = np.where(bins == 0, 0.0, _below(kind, (low - middle) / width))
    over = np.where(bins == len(edges) - 2, 1.0, _below(kind, (high - middle) / width))
    found: Array = np.maximum(over - under, 0.0)
    return found


def _share(mass: Array, floor: Array) -> float:
    """The share of the histogram that makes the notes most likely, by expectation maximisation."""
    share = 0.05
    for _ in range(20):
        both = share * floor + (1 - share) * mass
        share = min(max(float((share * floor / both).mean()), LEAST_SHARE), 1.0)
    return share


def fit(expected: Array, edges: Array, bins: Array, floor: Array, kinds: tuple[str, ...] = KINDS) -> Reading:
    """The reading under which these notes (expected values and true bins, (n,)) are most likely.

    `floor` is the histogram, (bins,); `edges` (bins + 1,).
    """
    spread = max(float(np.std(edges[bins] - expected)), 1e-6)
    best: tuple[float, Reading] | None = None
    for kind in kinds:
        widths = np.geomspace(0.03, 3.0, WIDTHS) if kind == "lognormal" else spread * np.geomspace(0.003, 3.0, WIDTHS)
        for width in widths.tolist():
            mass = _mass(kind, width, expected, edges, bins)
            share = _share(mass, floor[bins])
            nats = float(-np.log(share * floor[bins] + (1 - share) * mass).mean())
            if best is None or nats < best[0]:
                best = nats, Reading(kind, width, share)
    if best is None:
        raise ValueError("no kind of reading was given")
    return best[1]


def nats(reading: Reading, expected: Array, edges: Array, bins: Array, floor: Array) -> Array:
    """Nats of each note's bin, (n,)."""
    mass = _mass(reading.kind, reading.width, expected, edges, bins)
    found: Array = -np.log(reading.share * floor[bins] + (1 - reading.share) * mass)
    return found

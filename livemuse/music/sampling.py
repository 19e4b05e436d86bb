"""From a model's logits to one drawn value, through temperature, top-k, top-p and the rules of the moment.

The only file of the musical core that uses numpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

COLDEST: Final = 1e-6  # a temperature below this is 0

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Draw:
    """How to choose: ``temperature`` 0 takes the likeliest value; ``top_k`` 0 and ``top_p`` 1 leave all in play."""

    temperature: float
    top_k: int = 0
    top_p: float = 1.0


def draw(logits: Floats, how: Draw, u: float) -> int:
    """The value chosen by chance ``u`` in [0, 1); ``-inf`` in ``logits`` (n,) forbids a value.

    Raises ValueError when every value is forbidden.
    Sources: nucleus sampling, Holtzman et al. 2020; the inverse of the cumulative distribution for the draw.
    """
    scores = np.asarray(logits, dtype=np.float64)
    best = int(np.argmax(scores))
    if scores[best] == -np.inf:
        raise ValueError("the rules leave no value to choose")
    if how.temperature < COLDEST:
        return best
    weights = np.exp((scores - scores[best]) / how.temperature)  # (n,), the likeliest is 1
    if how.top_k or how.top_p < 1.0:
        weights = _likeliest(weights, how)
    cumulative = np.cumsum(weights)
    index = int(np.searchsorted(cumulative, u * cumulative[-1], side="right"))
    if index < len(weights) and weights[index] > 0.0:
        return index
    return int(np.flatnonzero(weights)[-1])  # rounding at the very end of the sum


def _likeliest(weights: NDArray[np.float64], how: Draw) -> NDArray[np.float64]:
    order = np.argsort(-weights, kind="stable")  # likeliest first; ties keep the order of the values
    kept = len(order) if how.top_k <= 0 else min(how.top_k, len(order))
    if how.top_p < 1.0:
        share = np.cumsum(weights[order])
        kept = min(kept, int(np.searchsorted(share, how.top_p * share[-1])) + 1)
    chosen = np.zeros_like(weights)
    chosen[order[:kept]] = weights[order[:kept]]
    return chosen


def ruled(logits: Floats, *, forbidden: Iterable[int] = (), weaker: dict[int, float] | None = None) -> Floats:
    """A copy of ``logits`` (n,) with some values forbidden and some made less likely (by so many nats)."""
    scores = np.array(logits, dtype=np.float64)
    for value, nats in (weaker or {}).items():
        scores[value] -= nats
    scores[list(forbidden)] = -np.inf
    return scores


def within(logits: Floats, low: int, high: int) -> Floats:
    """A copy of ``logits`` (n,) that leaves only the values ``low`` to ``high``, both included."""
    scores = np.full(len(logits), -np.inf)
    scores[low : high + 1] = logits[low : high + 1]
    return scores

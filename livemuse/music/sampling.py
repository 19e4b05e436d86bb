"""From a model's logits to one drawn value, through temperature, top-k, top-p and the rules of the moment.

The only file of the musical core that uses numpy.
"""

from collections.abc import Mapping
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
    best = int(logits.argmax())
    top = logits[best]
    if top == -np.inf:
        raise ValueError("the rules leave no value to choose")
    if how.temperature < COLDEST:
        return best
    return _at(_weights(logits, top, how), u)


def draw_mixed(logits: Floats, how: Draw, u: float, shares: Mapping[int, float]) -> tuple[int, float]:
    """As ``draw``, but ``shares`` of all chance (together 0 to 1) are given to these values, whatever their logits.

    Gives the value, and how much of its chance was its share (0-1). The rest is the model's; at temperature 0 the value
    that has most of both together is taken. A value with a share may be forbidden in ``logits``: who gives shares has
    asked the rules. Raises ValueError as ``draw`` does.
    """
    given = sum(shares.values())
    weights: NDArray[np.float64] = np.zeros(len(logits))
    top = logits.max()
    if top > -np.inf and given < 1.0:
        cold = how.temperature < COLDEST
        weights = _weights(logits, top, Draw(1.0) if cold else how)
        weights *= (1.0 - given) / weights.sum()
    for value, share in shares.items():
        weights[value] += share
    if not weights.any():
        raise ValueError("the rules leave no value to choose")
    value = int(weights.argmax()) if how.temperature < COLDEST else _at(weights, u)
    return value, min(shares.get(value, 0.0) / float(weights[value]), 1.0)


def _weights(logits: Floats, top: Any, how: Draw) -> NDArray[np.float64]:
    """(n,) how likely each value is, the likeliest 1; 0 for what is not in play."""
    scores = np.subtract(logits, top, dtype=np.float64)  # becomes the weights
    scores /= how.temperature
    weights: NDArray[np.float64] = np.exp(scores, scores)
    if how.top_k > 0 or how.top_p < 1.0:
        _keep_likeliest(weights, how)
    return weights


def _at(weights: NDArray[np.float64], u: float) -> int:
    cumulative = weights.cumsum()
    index = int(cumulative.searchsorted(u * cumulative[-1], "right"))
    if index < len(weights) and weights[index] > 0.0:
        return index
    return int(weights.nonzero()[0][-1])  # rounding at the very end of the sum


def _keep_likeliest(weights: NDArray[np.float64], how: Draw) -> None:
    """Make 0 of all weights (n,) but the likeliest; of those that are equal, the lower values are the likelier."""
    ordered = weights.copy()
    ordered.sort()
    ordered = ordered[::-1]
    kept = len(ordered) if how.top_k <= 0 else min(how.top_k, len(ordered))
    if how.top_p < 1.0:
        share = ordered.cumsum()
        kept = min(kept, int(share.searchsorted(how.top_p * share[-1])) + 1)
    if kept < len(ordered):
        least = ordered[kept - 1]
        weights *= weights >= least
        if ordered[kept] == least:  # some of those that weigh the same are not kept
            equal = (weights == least).nonzero()[0]
            weights[equal[kept - int((weights > least).sum()) :]] = 0.0

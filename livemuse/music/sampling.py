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
    scores = np.subtract(logits, top, dtype=np.float64)  # (n,), becomes the weights
    scores /= how.temperature
    weights = np.exp(scores, scores)  # the likeliest is 1
    if how.top_k > 0 or how.top_p < 1.0:
        _keep_likeliest(weights, how)
    cumulative = weights.cumsum()
    index = int(cumulative.searchsorted(u * cumulative[-1], "right"))
    if index < len(weights) and weights[index] > 0.0:
        return index
    return int(weights.nonzero()[0][-1])  # rounding at the very end of the sum


def draw_mixed(logits: Floats, how: Draw, u: float, shares: Mapping[int, float], whose: float) -> tuple[int, bool]:
    """As ``draw``, but ``shares`` of all chance (together 0 to 1) are given to these values, whatever their logits.

    p = share + (1 - all shares) p_model: chance ``whose`` in [0, 1) says whose the draw is, and which share's; ``u`` is
    the model's, so that what it draws is what it would have drawn. Gives the value, and whether a share gave it. At
    temperature 0 the value that has most of both together is taken. A value with a share may be forbidden in
    ``logits``: who gives shares has asked the rules. Raises ValueError as ``draw`` does.
    """
    given = min(sum(shares.values()), 1.0)
    if how.temperature < COLDEST:
        return _likeliest_of_both(logits, shares, given)
    if whose >= given < 1.0 or not shares:
        return draw(logits, how, u), False
    for value, share in shares.items():
        whose -= share
        if whose < 0.0:
            return value, True
    return list(shares)[-1], True  # rounding at the very end of the sum


def _likeliest_of_both(logits: Floats, shares: Mapping[int, float], given: float) -> tuple[int, bool]:
    top = logits.max()
    if top == -np.inf and given <= 0.0:
        raise ValueError("the rules leave no value to choose")
    weights = np.exp(np.subtract(logits, top, dtype=np.float64)) if top > -np.inf else np.zeros(len(logits))
    weights *= (1.0 - given) / max(weights.sum(), 1.0)
    for value, share in shares.items():
        weights[value] += share
    value = int(weights.argmax())
    return value, 2.0 * shares.get(value, 0.0) >= weights[value]


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

"""Styles: what a model was told a piece is (``genre:jazz``, ``composer:Chopin``, ``mood:calm``), mixed by weight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Style = npt.NDArray[np.float32]
"""(1, S) a weight for each label of a model; all zero says nothing."""


def style_of(labels: Sequence[str], weights: Mapping[str, float]) -> Style:
    """The style with these weights, 0 for every other label; ValueError for a label the model lacks or no number."""
    found = np.zeros((1, len(labels)), np.float32)
    for label, weight in weights.items():
        if label not in labels:
            raise ValueError(f"the model knows no style {label[:60]!r}")
        if not math.isfinite(weight):
            raise ValueError(f"the weight of {label} is no number")
        found[0, labels.index(label)] = weight
    return found

"""Styles: what a model was told a piece is (``genre:jazz``, ``composer:Chopin``, ``mood:calm``), mixed by weight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from livemuse.music.styles import parse_mix, resolve

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


@lru_cache(maxsize=64)
def style_for(mix: str, labels: tuple[str, ...]) -> Style:
    """The style that a mix as text (``genre:jazz 0.7, composer:Chopin 0.3``) is to a model with these labels.

    What the model does not know is left out. Never to be written to: it is shared.
    """
    known, _ = resolve(parse_mix(mix), labels)
    found = style_of(labels, dict(known))
    found.setflags(write=False)
    return found

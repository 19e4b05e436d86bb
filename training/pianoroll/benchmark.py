"""The piano-roll benchmark: its sets, its measure, and what has been published on it.

Boulanger-Lewandowski, Bengio and Vincent 2012, "Modeling temporal dependencies in high-dimensional sequences";
the measure as in Bai, Kolter and Koltun 2018, "An empirical evaluation of generic convolutional and recurrent
networks for sequence modeling" (the TCN paper).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.pianoroll.config import KEYS

Roll = npt.NDArray[np.uint8]  # (frames, 88): 1 where the key sounds
PARTS = ("train", "valid", "test")
SETS = ("jsb_chorales", "nottingham")
MOST_FRAMES = 4_000_000
PUBLISHED: dict[str, dict[str, float]] = {
    "jsb_chorales": {"LSTM (TCN paper)": 8.45, "TCN": 8.10, "RNN-NADE (joint)": 5.56},
    "nottingham": {"LSTM (TCN paper)": 3.29, "TCN": 3.07, "RNN-NADE (joint)": 2.31},
}
"""Nats a frame on the test part, by set: independent sigmoids but for RNN-NADE."""


def load_set(folder: Path, name: str) -> dict[str, list[Roll]]:
    """The sequences of one set, by part; raises ValueError or OSError where the file is not what it should be."""
    path = folder / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {part: _sequences(arrays[part], arrays[f"{part}_lengths"]) for part in PARTS}
    except (KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise ValueError(f"{path} is not a benchmark set: {problem}") from problem


def _sequences(packed: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> list[Roll]:
    if packed.ndim != 2 or packed.shape[1] != KEYS // 8 or len(packed) > MOST_FRAMES or packed.dtype != np.uint8:
        raise ValueError(f"frames of shape {packed.shape}")
    if lengths.ndim != 1 or (lengths < 1).any() or lengths.sum() != len(packed):
        raise ValueError("its lengths do not add up")
    return np.split(np.unpackbits(packed, axis=1), np.cumsum(lengths)[:-1])


def frame_nll(predict: Callable[[Roll], npt.NDArray[Any]], sequences: Iterable[Roll], least: float = 1e-7) -> float:
    """Nats a frame by the published measure.

    The binary cross-entropy is summed over the 88 keys and over all predicted frames of all sequences, and divided
    by the number of predicted frames; the first frame of a sequence is given. `predict` turns a roll (T, 88) into
    the probabilities (T - 1, 88) of all frames but the first.
    """
    total, frames = 0.0, 0
    for roll in sequences:
        p = np.clip(np.asarray(predict(roll), dtype=np.float64), least, 1 - least)
        y = roll[1:].astype(np.float64)
        total -= float((y * np.log(p) + (1 - y) * np.log1p(-p)).sum())
        frames += len(y)
    return total / max(frames, 1)

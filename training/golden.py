"""golden.npz: what a network says of a few made-up notes, kept with its model, so that any later build can be compared.

`batch1/...` and `batch8/...` hold the inputs, and the outputs of the Keras graph in float32. `batch1/8bit/...` and
`batch8/8bit/...` hold the outputs of the 8-bit graphs themselves, where those are shipped. Arrays are (steps, batch,
...); of an output that is not kept for every step (state, z), only the last step is there.

How near a build must come. Float32 graphs say what Keras says to 1e-4. 8-bit graphs cannot: their weights are rounded,
and so is what they are multiplied with, each kind of processor in its own way. In two models of two layers of 384,
all rounding together moved the logits by up to 0.12 and 0.21 over 500 steps; leaving out the second rounding
altogether, which is more than any processor differs from another, by up to 0.07 in the first of them. So their own
words are kept to 0.25, those of Keras to 0.5. A logit may move without a note being likelier or less likely, so each
distribution also stays within 0.005 nats of their own words, within 0.01 of Keras' (measured: 0.0006 and 0.0019).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
GOLDEN: Final = "golden.npz"
GOLDEN_STEPS: Final = {1: 16, 8: 4}
"""batch -> steps kept."""
LOGITS: Final = "_logits"


@dataclass(frozen=True)
class Kept:
    """One run of a network from nothing: arrays (steps, batch, ...) by name."""

    inputs: dict[str, Array]
    keras: dict[str, Array]
    eight_bit: dict[str, Array] | None = None  # where 8-bit graphs are shipped


@dataclass(frozen=True)
class Near:
    """How near two runs are."""

    numbers: float  # the largest difference, relative where a number is more than 1
    nats: float  # the largest Kullback-Leibler divergence of one distribution from another

    def within(self, other: Near) -> bool:
        """Neither is more than the other's; never so where it is not a number."""
        return self.numbers <= other.numbers and self.nats <= other.nats


FLOAT32: Final = Near(1e-4, 1e-4)
FROM_KERAS: Final = Near(0.5, 0.01)
FROM_ITSELF: Final = Near(0.25, 0.005)


def nearness(words: dict[str, Array], kept: dict[str, Array]) -> Near:
    """How near what a build says is to what was kept; ValueError where they are not of the same outputs and shapes."""
    if set(words) != set(kept):
        raise ValueError(f"{', '.join(sorted(words))} cannot be compared with {', '.join(sorted(kept))}.")
    numbers, nats = 0.0, 0.0
    for name, expected in kept.items():
        found = words[name][-len(expected) :]
        if found.shape != expected.shape:
            raise ValueError(f"{name} has the shape {found.shape}, and {expected.shape} was kept.")
        numbers = max(numbers, difference(expected, found))
        if name.endswith(LOGITS):
            nats = max(nats, divergence(expected, found))
    return Near(numbers, nats)


def difference(ours: Array, theirs: Array) -> float:
    """The largest difference of two arrays, relative where the numbers are more than 1; infinite where not a number."""
    found = float((np.abs(ours - theirs) / np.maximum(np.abs(ours), 1.0)).max())
    return found if np.isfinite(found) else float("inf")


def divergence(ours: Array, theirs: Array) -> float:
    """The largest Kullback-Leibler divergence, in nats, of the distributions that two arrays of logits (..., n) are."""
    p, q = _log_softmax(ours), _log_softmax(theirs)
    found = float((np.exp(p) * (p - q)).sum(-1).max())
    return found if np.isfinite(found) else float("inf")


def _log_softmax(logits: Array) -> Array:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def write_golden(path: Path, runs: Sequence[Kept]) -> None:
    """Keep these runs, one of each batch size: of logits every step, of other outputs the last."""
    arrays: dict[str, Array] = {}
    for run in runs:
        batch = next(iter(run.keras.values())).shape[1]
        words = {"": run.keras} | ({"8bit/": run.eight_bit} if run.eight_bit is not None else {})
        arrays |= {f"batch{batch}/{name}": value for name, value in run.inputs.items()}
        for whose, outputs in words.items():
            for name, value in outputs.items():
                arrays[f"batch{batch}/{whose}{name}"] = value if name.endswith(LOGITS) else value[-1:]
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    os.replace(part, path)


def read_golden(path: Path, batch: int, inputs: Collection[str]) -> Kept:
    """The run of a batch size as it was kept, with whatever of these inputs it has; OSError or ValueError."""
    with np.load(path, allow_pickle=False) as arrays:
        kept = {name.partition("/")[2]: arrays[name] for name in arrays.files if name.startswith(f"batch{batch}/")}
    given = {name: kept.pop(name) for name in inputs if name in kept}
    eight = {name.removeprefix("8bit/"): value for name, value in kept.items() if name.startswith("8bit/")}
    keras = {name: value for name, value in kept.items() if not name.startswith("8bit/")}
    return Kept(given, keras, eight or None)

"""Which weights a model is shipped with: 8 bits where they cost next to nothing, else float32.

Whatever the family: the float32 graphs must say what the Keras graph says, over a long run with the state carried; the
8-bit ones say the same run, and both are scored on the same held-out pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from training.golden import FLOAT32, FROM_KERAS, nearness
from training.quantise import bytes_of, quantise

Array = npt.NDArray[Any]
STEPS: Final = 500
TOLERANCE: Final = FLOAT32.numbers
"""Of a difference, beside the size of the number where that is more than 1: an LSTM's c can grow to tens."""
MOST_WORSE: Final = 0.005
"""By how much 8-bit weights may be worse on held-out pieces, as a share of the nats of float32."""


@dataclass(frozen=True)
class Trial:
    """How the graphs in a folder are tried.

    `outputs` gives what the graphs of a folder say over `STEPS` steps with the state carried, arrays by name as in
    `reference`, which is what Keras says. `score` gives the nats of held-out pieces, an array of any shape that adds
    up to the nats of `units` notes, events or frames.
    """

    reference: dict[str, Array]
    outputs: Callable[[Path], dict[str, Array]]
    score: Callable[[Path], Array]
    units: int
    unit: str = "note"


@dataclass(frozen=True)
class Choice:
    """What is shipped: a folder of graphs, the score it has, and the manifest's `weights`."""

    files: dict[str, Path]  # by graph name
    score: Array
    weights: dict[str, Any]


def choose_weights(float32: Path, eight: Path, trial: Trial, say: Callable[[str], None]) -> Choice:
    """Prove the float32 graphs, make 8-bit ones in the folder `eight`, try both, and choose.

    Those of 8 bits are chosen where they are at most `MOST_WORSE` worse on the held-out pieces, and near Keras. Raises
    ValueError where the float32 graphs differ from Keras by more than `TOLERANCE`.
    """
    parity = nearness(trial.outputs(float32), trial.reference).numbers
    if not parity < TOLERANCE:
        raise ValueError(f"The exported graphs differ from Keras by {parity:.2g}.")
    say(f"float32 graphs agree with Keras to {parity:.1e} over {STEPS} steps; {bytes_of(float32):,} bytes")
    files = {path.stem: path for path in sorted(float32.glob("*.onnx"))}
    quantised = quantise(float32, eight)
    near = nearness(trial.outputs(eight), trial.reference)
    say(f"8-bit graphs differ by up to {near.numbers:.2g} over the same steps; {bytes_of(eight):,} bytes")
    scores = {bits: trial.score(folder) for bits, folder in ((32, float32), (8, eight))}
    nats = {bits: float(found.sum() / trial.units) for bits, found in scores.items()}
    change = nats[8] / nats[32] - 1
    bits = 8 if change <= MOST_WORSE and near.within(FROM_KERAS) else 32  # 32 also where anything is no number
    say(
        f"held out: float32 {nats[32]:.4f}, 8-bit {nats[8]:.4f} nats per {trial.unit} ({change:+.3%}); "
        f"{'8-bit weights' if bits == 8 else 'float32 weights'} are shipped"
    )
    about = {
        "bits": bits,
        "nats_float32": _number(nats[32]),
        "nats_8bit": _number(nats[8]),
        "change": _number(change),
        "most_change": MOST_WORSE,
        f"{trial.unit}s_compared": trial.units,
        "bytes_float32": bytes_of(float32),
        "bytes_8bit": bytes_of(eight),
        "steps": STEPS,
        "parity_float32": _number(parity, 2),
        "tolerance_float32": TOLERANCE,
        "largest_difference_8bit": _number(near.numbers, 2),
        "largest_divergence_8bit": _number(near.nats, 2),
    }
    return Choice(quantised if bits == 8 else files, scores[bits], about)


def _number(value: float, digits: int = 6) -> float | None:
    """So many digits of a number, as JSON has it; nothing where it is none."""
    return float(f"{value:.{digits}g}") if np.isfinite(value) else None

"""Which weights are shipped: decided by graphs that run, and by what is said of held-out pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.test_quantise import ROWS, UNITS, runner, write_step
from training.weights import MOST_WORSE, STEPS, Trial, choose_weights

Array = np.ndarray[Any, Any]


def outputs(folder: Path) -> dict[str, Array]:
    run = runner(folder)
    h, words = np.zeros((1, UNITS), np.float32), []
    for note in np.random.default_rng(5).integers(0, ROWS, (STEPS, 1)).astype(np.int32):
        logits, h = run(note, h)
        words.append((logits, h))
    return {"logits": np.stack([w[0] for w in words]), "h_out": np.stack([w[1] for w in words])}


def scored(change: float) -> Callable[[Path], Array]:
    """Two pieces of three heads, 1000 nats; the 8-bit weights have so much more."""
    return lambda folder: np.full((2, 3), 1000 / 6 * (1 + (change if folder.name == "8bit" else 0)))


def choose(tmp_path: Path, change: float, reference: dict[str, Array] | None = None) -> tuple[Any, list[str]]:
    said: list[str] = []
    write_step(tmp_path / "float32", "Gemm")
    trial = Trial(reference or outputs(tmp_path / "float32"), outputs, scored(change), 100)
    return choose_weights(tmp_path / "float32", tmp_path / "8bit", trial, said.append), said


@pytest.mark.parametrize(("change", "bits"), [(-0.01, 8), (0.0, 8), (0.0049, 8), (0.0051, 32), (float("nan"), 32)])
def test_8_bits_are_shipped_where_they_cost_next_to_nothing(tmp_path: Path, change: float, bits: int) -> None:
    chosen, said = choose(tmp_path, change)
    assert MOST_WORSE == 0.005
    assert chosen.weights["bits"] == bits
    assert chosen.files["step"].parent.name == ("8bit" if bits == 8 else "float32")
    assert chosen.score.sum() == pytest.approx(1000 * (1 + (change if bits == 8 else 0)))
    assert chosen.weights["nats_float32"] == pytest.approx(10.0)
    assert chosen.weights["notes_compared"] == 100
    assert chosen.weights["bytes_8bit"] < 0.4 * chosen.weights["bytes_float32"]
    assert 1e-4 < chosen.weights["largest_difference_8bit"] < 0.3
    json.dumps(chosen.weights, allow_nan=False)
    assert f"{'8-bit' if bits == 8 else 'float32'} weights are shipped" in said[-1]


def test_graphs_that_say_something_else_than_keras_are_refused(tmp_path: Path) -> None:
    write_step(tmp_path / "other" / "float32", "Gemm")
    words = outputs(tmp_path / "other" / "float32")
    words["h_out"][400] += 2e-4
    with pytest.raises(ValueError, match=r"differ from Keras by 0\.0002"):
        choose(tmp_path, 0.0, words)
    assert not (tmp_path / "8bit").exists()

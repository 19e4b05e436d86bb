"""What is kept of a network comes back, and a build that says something else is told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.golden import FLOAT32, FROM_KERAS, Kept, difference, divergence, nearness, read_golden, write_golden


def run(batch: int, steps: int, seed: int = 0) -> Kept:
    rng = np.random.default_rng(seed)
    outputs = {name: rng.normal(size=(steps, batch, 5)).astype(np.float32) for name in ("keys_logits", "h0_out")}
    own = {name: value + np.float32(0.01) for name, value in outputs.items()}
    return Kept({"last": rng.integers(0, 9, (steps, batch)).astype(np.int32)}, outputs, own)


def test_logits_are_kept_for_every_step_and_state_for_the_last(tmp_path: Path) -> None:
    runs = [run(1, 6), run(8, 3)]
    write_golden(tmp_path / "golden.npz", runs)
    for batch, written in zip((1, 8), runs, strict=True):
        kept = read_golden(tmp_path / "golden.npz", batch, ("last", "style"))
        assert kept.eight_bit is not None
        assert written.eight_bit is not None
        assert (kept.inputs["last"] == written.inputs["last"]).all()
        assert set(kept.inputs) == {"last"}
        assert (kept.keras["keys_logits"] == written.keras["keys_logits"]).all()
        assert (kept.keras["h0_out"] == written.keras["h0_out"][-1:]).all()
        assert nearness(written.keras, kept.keras).within(FLOAT32)
        assert nearness(written.eight_bit, kept.eight_bit).numbers == 0.0
        assert not nearness(written.keras, kept.eight_bit).within(FLOAT32)
    assert [path.name for path in tmp_path.iterdir()] == ["golden.npz"]


def test_without_8_bit_graphs_there_are_no_words_of_theirs(tmp_path: Path) -> None:
    one = run(1, 2)
    write_golden(tmp_path / "golden.npz", [Kept(one.inputs, one.keras)])
    assert read_golden(tmp_path / "golden.npz", 1, ("last",)).eight_bit is None


def test_what_is_no_number_is_near_nothing() -> None:
    right = run(1, 2).keras
    wrong = right | {"h0_out": np.full_like(right["h0_out"], np.nan)}
    assert difference(right["h0_out"], wrong["h0_out"]) == float("inf")
    assert not nearness(wrong, right).within(FROM_KERAS)
    with pytest.raises(ValueError, match="cannot be compared"):
        nearness({"keys_logits": right["keys_logits"]}, right)
    with pytest.raises(ValueError, match="shape"):
        nearness(right | {"h0_out": right["h0_out"][..., :4]}, right)


def test_logits_may_all_move_together_without_anything_being_likelier() -> None:
    logits = np.array([[0.0, 1.0, 2.0]], np.float32)
    assert divergence(logits, logits + 3.0) == pytest.approx(0.0, abs=1e-12)
    other = np.log(np.array([[0.5, 0.25, 0.25]]))
    uniform = np.zeros((1, 3))
    assert divergence(uniform, other) == pytest.approx(np.mean(np.log((1 / 3) / np.exp(other[0]))))

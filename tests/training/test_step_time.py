"""The time of a whole note: counted as it should be, and of a model that really plays."""

import json
import time
from pathlib import Path

import pytest

from training.step_time import step_time, summary, table, took

CONCERT = Path(__file__).parents[2] / "models/concert"


def busy(seconds: float) -> None:
    """Work for so long."""
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        pass


def test_the_rest_before_is_not_counted() -> None:
    found = took(lambda: busy(0.002), 5, rest_s=0.02)
    assert 2.0 <= found.median_ms < 20.0
    assert found.quietest_ms <= found.median_ms <= found.p99_ms
    assert found.count == 5


def test_a_model_that_ships() -> None:
    found = step_time(CONCERT, 150, 3, False, lambda line: None)
    assert json.loads(json.dumps(found)) == found
    assert found["model"] == "concert"
    assert found["bytes"] == sum(path.stat().st_size for path in CONCERT.glob("*.onnx"))
    assert found["hot"]["count"] == 150
    assert [row["notes"] for row in found["windows"]] == [25, 64]
    assert found["windows"][1]["median_ms"] > found["windows"][0]["median_ms"] > 2 * found["hot"]["median_ms"]
    assert found["bare"]["ratio"] > 1.0
    assert "64 notes read anew" in table(found)
    assert "the graphs alone" in table(found)
    assert f"{found['hot']['median_ms']:.3f} ms hot" in summary(found)


def test_nothing_to_time_is_told() -> None:
    with pytest.raises(ValueError, match="At least one note"):
        step_time(CONCERT, 0, 1, False, lambda line: None)

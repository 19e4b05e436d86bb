"""JAX trains the network that TensorFlow trains, without TensorFlow; what it writes is exported as any other."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")
if importlib.util.find_spec("jax") is None:
    pytest.skip("JAX is not installed", allow_module_level=True)

from livemuse.music.vocabulary import HEADS
from tests.training.some_updates import UPDATES, begin, some_notes, some_updates
from training.bundles import open_graphs
from training.graphs import write_graphs
from training.parity import check_parity, difference
from training.run import load_network

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same updates from the same beginning, by each backend."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("jax", "tensorflow")}
    start = folders["tensorflow"] / "start.npz"
    begin().save(start)
    command = [sys.executable, "-m", "tests.training.some_updates", str(folders["jax"]), str(start)]
    with subprocess.Popen(
        [*command, "without-tensorflow"],
        cwd=ROOT, env={**os.environ, "KERAS_BACKEND": "jax"}, stderr=subprocess.PIPE, text=True,
    ) as jax:  # fmt: skip
        try:
            some_updates(folders["tensorflow"], start)
            talk = jax.communicate(timeout=900)[1]
        finally:
            jax.kill()
    assert jax.returncode == 0, talk
    return folders


def arrays(path: Path, part: str) -> list[np.ndarray]:
    with np.load(path, allow_pickle=False) as found:
        return [found[name].astype(np.float64) for name in found.files if name.startswith(part)]


def test_the_first_gradient_is_the_same(runs: dict[str, Path]) -> None:
    """Adam's first moment after one update is a tenth of the clipped gradient."""
    ours, theirs = (arrays(runs[name] / "1.npz", "optimizer") for name in ("jax", "tensorflow"))
    assert any(np.abs(a).max() > 1e-3 for a in ours[2:])
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * np.abs(b).max())


def test_after_twenty_updates_it_is_the_same_network(runs: dict[str, Path]) -> None:
    nats = [np.load(runs[name] / "said.npz")["nats"] for name in ("jax", "tensorflow")]
    assert len(nats[0]) == UPDATES
    assert nats[0][-1] < nats[0][0] - 1
    np.testing.assert_allclose(*nats, rtol=1e-5)
    ours, theirs = (arrays(runs[name] / f"{UPDATES}.npz", "weight") for name in ("jax", "tensorflow"))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_what_jax_trained_is_exported_and_says_the_same(runs: dict[str, Path], tmp_path: Path) -> None:
    network, about = load_network(runs["jax"] / f"{UPDATES}.npz")
    assert about["styles"] == ["genre:jazz", "genre:pop"]
    write_graphs(network, tmp_path)
    assert check_parity(network, tmp_path) < 1e-4
    step = open_graphs(tmp_path)["step"]
    state = {name: np.zeros((1, width), np.float32) for name, width in network.state_widths.items()}
    names = [output.name for output in step.get_outputs()]
    expected = np.load(runs["jax"] / "said.npz")
    for k, note in enumerate(some_notes()):
        given = dict(zip(HEADS, note, strict=True)) | {"style": np.ones((1, 2), np.float32)} | state
        found = dict(zip(names, step.run(names, given), strict=True))
        state = {name: found[f"{name}_out"] for name in state}
        assert difference(expected["pitch_logits"][k], found["pitch_logits"]) < 1e-4
    assert max(difference(expected[name], value) for name, value in state.items()) < 1e-4

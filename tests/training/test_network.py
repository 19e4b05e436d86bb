"""Reading a sequence and stepping through it note by note are one network, with attention as without."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

import tensorflow

from livemuse.music.vocabulary import HEADS, VOCABULARY
from training.cells import begun
from training.config import Shape
from training.graphs import write_graphs
from training.network import Network
from training.parity import check_parity

pytestmark = pytest.mark.pipeline
STEPS, LANES = 11, 3
WINDOW = 4


def made(attention: int, lively: bool = True) -> Network:
    shape = Shape(units=12, embed_pitch=6, embed_other=4, head_width=8, attention=attention, attention_width=32)
    network = Network(shape, styles=2)
    rng = np.random.default_rng(0)
    for weight in network.trainable_variables if lively else ():
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return network


def notes(seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, VOCABULARY.sizes[h], (STEPS, LANES)).astype(np.int32) for h in HEADS]


STYLE = np.linspace(0, 1, LANES * 2, dtype=np.float32).reshape(LANES, 2)


def flat(state: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    return [np.asarray(part) for pair in state for part in pair]


@pytest.mark.parametrize("attention", [0, WINDOW])
def test_a_sequence_is_its_steps(attention: int) -> None:
    network, given = made(attention), notes()
    hidden, after = network.sequence(given, network.zero_state(LANES), STYLE)
    expected = np.asarray(network.project(hidden)[0]).reshape(STEPS, LANES, -1)
    state = network.zero_state(LANES)
    for k in range(STEPS):
        logits, _, state = network.step([n[k] for n in given], state, STYLE)
        np.testing.assert_allclose(np.asarray(logits), expected[k], atol=1e-4)
    for ours, theirs, width in zip(flat(state), flat(after), network.state_widths.values(), strict=True):
        assert ours.shape == (LANES, width)
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_attention_sees_its_window_and_nothing_before_it() -> None:
    """In a network whose LSTM forgets everything, a note further back than the window changes nothing."""
    network, given = made(WINDOW), notes()
    for w, u, b in network.cells:
        w.assign(w.numpy() * np.repeat([1, 0, 1, 1], 12))
        u.assign(u.numpy() * 0)
        b.assign(np.repeat([0, -40, 0, 0], 12).astype(np.float32))
    changed = [n.copy() for n in given]
    changed[0][2] = (changed[0][2] + 1) % 128
    ours, theirs = (
        np.asarray(network.sequence(n, network.zero_state(LANES), STYLE)[0]).reshape(STEPS, LANES, -1)
        for n in (given, changed)
    )
    differ = np.abs(ours - theirs).max((1, 2)) > 1e-6
    assert differ.tolist() == [2 <= k < 2 + WINDOW for k in range(STEPS)]


def test_a_sequence_cut_in_two_is_the_same_and_a_new_piece_remembers_nothing() -> None:
    network, given = made(WINDOW), notes()
    whole, _ = network.sequence(given, network.zero_state(LANES), STYLE)
    first, state = network.sequence([n[:3] for n in given], network.zero_state(LANES), STYLE)
    second, _ = network.sequence([n[3:] for n in given], state, STYLE)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-5)
    forgotten = begun(state, np.array([True, False, True]))
    for before, after in zip(flat(state), flat(forgotten), strict=True):
        assert not after[[0, 2]].any()
        np.testing.assert_array_equal(after[1], before[1])


def test_the_cache_is_trained_as_far_as_the_chunk_reaches() -> None:
    network, given = made(WINDOW), notes()
    with tensorflow.GradientTape() as tape:
        nats, _ = network.losses_of(given, given, network.zero_state(LANES), STYLE)
        loss = tensorflow.reduce_sum(nats)
    for weight, found in zip(
        network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True
    ):
        assert np.abs(tensorflow.convert_to_tensor(found)).max() > 0, weight.name


def test_attention_is_exported_without_a_loop_and_says_the_same(tmp_path: Path) -> None:
    network = made(WINDOW, lively=False)
    write_graphs(network, tmp_path)
    assert check_parity(network, tmp_path) < 1e-4


@pytest.mark.parametrize("sizes", [{"attention": 65, "attention_width": 64}, {"attention": 8, "attention_width": 48}])
def test_attention_that_no_model_may_carry_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="attention_width"):
        Shape(**sizes)

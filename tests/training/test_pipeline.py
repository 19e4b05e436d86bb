"""The whole way with a tiny network: MIDI files, notes, training that is cut off, graphs, a model that plays."""

import csv
import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livemuse.cli import main
from livemuse.midi.smf import note_rows, read_song
from livemuse.model.bundle import load_bundle
from livemuse.model.stepper import OnnxStepper
from livemuse.music.vocabulary import HEADS
from tests.training.conftest import quiet

pytestmark = [pytest.mark.pipeline, pytest.mark.filterwarnings("default")]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

from training.config import Config, Shape  # noqa: E402
from training.corpus import load_corpus  # noqa: E402
from training.evaluate import evaluate, evenings, in_the_evening, onnx_nats, table  # noqa: E402
from training.export import export  # noqa: E402
from training.graphs import write_graphs  # noqa: E402
from training.kernels import lstm  # noqa: E402
from training.lanes import style_table  # noqa: E402
from training.network import Network  # noqa: E402
from training.parity import check_parity, difference  # noqa: E402
from training.run import load_network, weights_of  # noqa: E402
from training.score import nats_by_piece  # noqa: E402
from training.train import train  # noqa: E402

TINY = Config(
    name="tiny", lanes=3, chunk=16, epochs=3.0, warmup_steps=5, checkpoint_steps=7, validation_notes=200,
    learning_rate=1e-2, shape=Shape(units=24, embed_pitch=8, embed_other=4, head_width=12),
)  # fmt: skip


NO_STYLE = tensorflow.zeros((1, 0))


class PowerCut(Exception):
    """The machine goes off in the middle of training."""


@pytest.fixture(scope="module")
def trained(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(notes, folder, TINY, False, quiet)
    return folder


@pytest.fixture(scope="module")
def model(notes: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    export(trained, notes, folder, 0, quiet)
    return folder


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def bits_of(model: Path) -> int:
    """Of the weights that are shipped: 32 or 8."""
    return int(json.loads((model / "manifest.json").read_text())["weights"]["bits"])


def test_a_model_is_not_exported_with_other_notes_than_its_own(notes: Path, trained: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(notes, other)
    index = json.loads((other / "index.json").read_text())
    (other / "index.json").write_text(json.dumps(index | {"key": "others"}))
    with pytest.raises(ValueError, match="holds other notes than the run has learned from"):
        export(trained, other, tmp_path / "model", 0, quiet)
    assert not (tmp_path / "model").exists()


def test_it_learns(trained: Path) -> None:
    scores = [float(row["validation_nats"]) for row in history(trained)]
    assert scores[-1] < scores[0] < 16.4
    assert scores[-1] < 13


def test_cut_off_and_gone_on_with_it_learns_the_same(notes: Path, trained: Path, tmp_path: Path) -> None:
    checkpoints = 0

    def cut_at_the_second(line: str) -> None:
        nonlocal checkpoints
        checkpoints += line.startswith("checkpoint")
        if checkpoints == 2:
            raise PowerCut

    with pytest.raises(PowerCut):
        train(notes, tmp_path, TINY, False, cut_at_the_second)
    train(notes, tmp_path, TINY, True, quiet)
    keep = ("step", "epoch", "notes", "train_nats", "validation_nats", *HEADS)
    ours = [[float(row[name]) for name in keep] for row in history(tmp_path)]
    theirs = [[float(row[name]) for name in keep] for row in history(trained)]
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_the_exported_model_plays_what_the_network_says(trained: Path, model: Path) -> None:
    network, _ = load_network(weights_of(trained))
    stepper = OnnxStepper(load_bundle(model))
    assert stepper.name == "tiny"
    near = 1e-4 if bits_of(model) == 32 else 0.3
    state, carried = stepper.start(), network.zero_state(1)
    for note in [(128, 0, 0, 0), (60, 30, 20, 16), (64, 0, 47, 31), (127, 63, 0, 0)]:
        pitch_logits, z, carried = network.step([tensorflow.constant([v]) for v in note], carried, NO_STYLE)
        if note[0] < 128:
            state = stepper.feed(state, note)
        assert difference(state.pitch_logits, pitch_logits.numpy()[0]) < near
        drawn = (62, 5, 7)
        for k, head in enumerate(HEADS[1:], 1):
            logits = network.head(head, z, [tensorflow.constant([v]) for v in drawn[:k]])
            assert difference(stepper.logits(state, head, drawn[:k]), logits.numpy()[0]) < near


def test_it_answers_a_call(tiny_corpus: Path, model: Path, tmp_path: Path) -> None:
    """The last of the README's four commands: from a folder of MIDI files to an answer."""
    call, answer = tiny_corpus / "validation" / "0.mid", tmp_path / "answer.mid"
    assert main(["answer", str(call), "-o", str(answer), "--model", str(model), "--seconds", "6"]) == 0
    assert len(note_rows(read_song(answer.read_bytes()))) > 3


def test_the_score_of_the_graphs_is_the_score_of_the_network(notes: Path, trained: Path, model: Path) -> None:
    """The sequence in training and the single step in play are one network: their surprise is the same."""
    network, _ = load_network(weights_of(trained))
    held_out = load_corpus(notes, "validation")
    ours = onnx_nats(load_bundle(model), held_out, quiet)
    theirs = nats_by_piece(network, held_out)
    np.testing.assert_allclose(ours.sum(), theirs.sum(), rtol=5e-3)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4 if bits_of(model) == 32 else 0.05)


def test_evaluation_puts_the_markov_model_in_the_same_table(notes: Path, model: Path) -> None:
    found = evaluate(model, notes, "validation", 0, 0, quiet)
    assert [row["name"] for row in found["scores"]] == ["tiny", "markov-5"]
    assert all(row["low"] <= row["total"] <= row["high"] for row in found["scores"])
    assert found["notes"] == 300
    stated = json.loads((model / "manifest.json").read_text())["held_out"]["nats_per_note"]
    assert found["scores"][0]["total"] == pytest.approx(stated, abs=1e-3)
    printed = table(found)
    assert "markov-5" in printed
    assert "nats a note" in printed


def test_an_evening_is_all_pieces_run_together(notes: Path, model: Path) -> None:
    corpus = load_corpus(notes, "train")
    made = evenings(corpus, notes=300)
    assert np.diff(made.starts).tolist() == [300, 300, 300]
    assert sorted(made.pitch) == sorted(corpus.pitch)
    found = in_the_evening(model, notes, "validation", quiet)
    assert found["evenings"] == 1
    assert found["carried"] == pytest.approx(found["begun_anew"], abs=1.0)
    assert "begun anew" in table(found)


def test_the_card_says_what_it_was_trained_on(model: Path) -> None:
    card = (model / "MODEL.md").read_text()
    assert "| Invented | 6 | 900 | CC0 1.0 |" in card
    assert "is not settled" in card


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"x": (7, 5, 6), "h": (5, 8), "c": (5, 8), "w": (6, 32), "u": (8, 32), "b": (32,), "into": (7, 5, 8)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def test_the_lstm_and_its_gradient_are_those_of_keras(weights: dict[str, np.ndarray]) -> None:
    import keras

    tf, given = tensorflow, {name: tensorflow.Variable(a) for name, a in weights.items()}
    ours = [given[n] for n in "xwub"]
    with tf.GradientTape() as tape:
        cell = tuple(tf.convert_to_tensor(given[n]) for n in "wub")
        hidden, h, c = lstm(tf.convert_to_tensor(given["x"]), (given["h"], given["c"]), cell, tf.float32)
        loss = tf.reduce_sum(hidden * given["into"]) + tf.reduce_sum(h**2) + tf.reduce_sum(tf.sin(c))
    gradients = tape.gradient(loss, ours)
    layer = keras.layers.LSTM(8, return_sequences=True, return_state=True)
    layer.build((5, 7, 6))
    order = np.r_[0:16, 24:32, 16:24]  # Keras: input, forget, candidate, output; ours: the candidate last
    for variable, name in zip(layer.weights, "wub", strict=True):
        variable.assign(weights[name][..., order])
    with tf.GradientTape() as tape:
        across = tf.transpose(given["x"], (1, 0, 2))
        hidden, h, c = layer(across, initial_state=[given["h"], given["c"]])
        loss = tf.reduce_sum(tf.transpose(hidden, (1, 0, 2)) * given["into"])
        loss += tf.reduce_sum(h**2) + tf.reduce_sum(tf.sin(c))
    expected = tape.gradient(loss, [given["x"], *(w.value for w in layer.weights)])
    np.testing.assert_allclose(gradients[0], expected[0], atol=1e-4)
    for found, theirs in zip(gradients[1:], expected[1:], strict=True):
        np.testing.assert_allclose(found.numpy()[..., order], theirs, atol=1e-4)


def test_a_note_repeated_in_a_batch_moves_its_embedding_once() -> None:
    """Adam must see one summed gradient a weight, not one for each time a note occurs."""
    import keras

    network = Network(Shape(units=8, embed_pitch=4, embed_other=2, head_width=4))
    table_ = network.tables["pitch"]
    before = table_.numpy()
    with tensorflow.GradientTape() as tape:
        loss = tensorflow.reduce_sum(tensorflow.gather(tensorflow.convert_to_tensor(table_), [60] * 6))
    gradient = tensorflow.convert_to_tensor(tape.gradient(loss, table_.value))
    keras.optimizers.Adam(0.1, global_clipnorm=1.0).apply([gradient], [table_])
    np.testing.assert_allclose(before[60] - table_.numpy()[60], 0.1, rtol=1e-3)


def test_a_network_that_is_told_what_a_piece_is_plays_as_it_learned(
    tiny_corpus: Path, notes: Path, tmp_path: Path
) -> None:
    """Labels and encores: the graphs take a style, agree with Keras, and the label moves what is expected."""
    labelled = tmp_path / "notes"
    labelled.mkdir()
    index = json.loads((notes / "index.json").read_text())
    for split in index["pieces"]:
        for k, piece in enumerate(index["pieces"][split]):
            piece["genre"] = ("jazz", "pop")[k % 2]
        (labelled / f"{split}.npz").write_bytes((notes / f"{split}.npz").read_bytes())
    (labelled / "index.json").write_text(json.dumps(index))
    train(labelled, tmp_path / "run", replace(TINY, style_notes=1, encore=1.0, style_dropout=0.2), False, quiet)
    network, about = load_network(tmp_path / "run" / "checkpoint.npz")
    assert about["styles"] == ["genre:jazz", "genre:pop"]
    write_graphs(network, tmp_path)
    assert check_parity(network, tmp_path) < 1e-4
    corpus = load_corpus(labelled, "train")
    told = style_table(corpus, about["styles"])
    right, wrong = (nats_by_piece(network, corpus, t).sum() for t in (told, told[:, ::-1].copy()))
    assert right != wrong

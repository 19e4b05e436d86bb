"""From a checkpoint to a model folder: graphs proved, 8-bit weights where they are as good, nothing half-written."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livemuse.errors import ModelError
from livemuse.model.bundle import load_bundle
from livemuse.model.graphfile import OPERATIONS, look_inside
from livemuse.model.terms import FREE, NONCOMMERCIAL, UNCLEAR, use_of
from livemuse.music.vocabulary import HEADS
from tests.model.tiny import tiny_bundle
from tests.training.conftest import quiet

pytestmark = [pytest.mark.pipeline, pytest.mark.filterwarnings("default")]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

from training.bundles import WEIGHTS, graph_rows, put, room_for_a_model, training_row, without_folders  # noqa: E402
from training.card import _scores, card, terms  # noqa: E402
from training.config import Config, Shape  # noqa: E402
from training.corpus import Piece, load_corpus  # noqa: E402
from training.evaluate import onnx_nats  # noqa: E402
from training.export import export  # noqa: E402
from training.golden import FLOAT32, FROM_ITSELF, FROM_KERAS, nearness, read_golden  # noqa: E402
from training.graphs import convert, write_graphs  # noqa: E402
from training.parity import keras_outputs, onnx_outputs, some_notes  # noqa: E402
from training.run import load_network, new_run  # noqa: E402
from training.step_time import keep  # noqa: E402

TINY = Config(name="tiny", lanes=3, shape=Shape(units=24, embed_pitch=8, embed_other=4, head_width=12))
LABELS = ("genre:jazz", "composer:Bach")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has learned nothing, its weights large enough to be told apart."""
    folder = tmp_path_factory.mktemp("run")
    begun = new_run(TINY, LABELS)
    for k, weight in enumerate(begun.network.trainable_variables):
        weight.assign(np.random.default_rng(k).normal(0, 0.4, weight.shape))
    begun.save(folder / "checkpoint.npz")
    return folder


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def model(notes: Path, run: Path, said: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    export(run, notes, folder, 0, said.append)
    return folder


def manifest(model: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((model / "manifest.json").read_text())
    return found


def test_what_is_written_is_a_model_that_loads(model: Path) -> None:
    bundle = load_bundle(model)
    assert bundle.info.name == "tiny"
    assert bundle.styles == LABELS
    assert sorted(path.name for path in model.iterdir()) == sorted(
        ["MODEL.md", "golden.npz", "manifest.json", "step.onnx", "weights.npz", *(f"head_{h}.onnx" for h in HEADS[1:])]
    )
    assert (model / "golden.npz").stat().st_size < 300_000
    assert not list(model.parent.glob(".export-*"))


def test_the_8_bit_weights_are_shipped_with_both_scores(model: Path, notes: Path, said: list[str]) -> None:
    found = manifest(model)
    weights, held_out = found["weights"], found["held_out"]
    assert weights["bits"] == 8
    assert weights["parity_float32"] < 1e-4 < weights["largest_difference_8bit"] < 0.3
    assert weights["change"] == pytest.approx(weights["nats_8bit"] / weights["nats_float32"] - 1, abs=1e-5)
    assert abs(weights["change"]) < 0.005
    assert weights["bytes_8bit"] == sum(path.stat().st_size for path in model.glob("*.onnx")) < weights["bytes_float32"]
    held = load_corpus(notes, "validation")
    nats = onnx_nats(load_bundle(model), held, quiet).sum() / held.notes
    assert nats == pytest.approx(weights["nats_8bit"], abs=1e-4)
    assert nats == pytest.approx(held_out["nats_per_note"], abs=1e-4)
    assert any("8-bit weights are shipped" in line for line in said)
    assert any("ms hot" in line for line in said)


def test_fine_tuning_can_start_from_the_shipped_weights(model: Path, run: Path) -> None:
    ours, about = load_network(model / WEIGHTS)
    theirs, before = load_network(run / "checkpoint.npz")
    assert about == before
    for weight, expected in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        np.testing.assert_allclose(weight.numpy(), expected.numpy(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 8])
def test_golden_holds_what_keras_and_the_8_bit_graphs_said(model: Path, batch: int) -> None:
    kept = read_golden(model / "golden.npz", batch, ("notes", "style"))
    assert kept.eight_bit is not None
    words = onnx_outputs(model, kept.inputs["notes"])
    assert nearness(words, kept.eight_bit).within(FROM_ITSELF)
    assert nearness(words, kept.eight_bit).numbers == 0.0  # on the machine that wrote it
    assert nearness(words, kept.keras).numbers > 0
    assert nearness(words, kept.keras).within(FROM_KERAS)
    wrong = words | {"pitch_logits": words["pitch_logits"][..., ::-1]}
    assert not nearness(wrong, kept.keras).within(FROM_KERAS)


def test_a_network_that_is_not_what_its_graphs_say_is_not_written(
    notes: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.export.STEPS", 20)  # the first is enough
    broken, out = tmp_path / "run", tmp_path / "models" / "broken"
    broken.mkdir()
    with np.load(run / "checkpoint.npz") as arrays:
        large = {name: np.full_like(v, 1e38) if name == "weight_3" else v for name, v in arrays.items()}
    np.savez(broken / "checkpoint.npz", **large)
    with pytest.raises(ValueError, match="no numbers, or beyond 65504: weight_3"):
        export(broken, notes, out, 0, quiet)

    def said_of_another(network: Any, given: Any) -> Any:
        return {name: value + 1e-3 for name, value in keras_outputs(network, given).items()}

    monkeypatch.setattr("training.export.keras_outputs", said_of_another)
    with pytest.raises(ValueError, match="differ from Keras"):
        export(run, notes, out, 0, quiet)
    assert not list((tmp_path / "models").iterdir())


def test_a_graph_that_loops_is_refused(tmp_path: Path) -> None:
    def looping(x: Any) -> Any:
        return [tensorflow.while_loop(lambda k, _: k < 3, lambda k, y: (k + 1, tensorflow.tanh(y)), (0, x))[1]]

    signature = [tensorflow.TensorSpec((None, 4), tensorflow.float32, name="x")]
    with pytest.raises(ValueError, match="Loop"):
        convert(looping, signature, ["y"], tmp_path / "step.onnx")
    assert not (tmp_path / "step.onnx").exists()


def test_attention_is_a_step_like_any_other(tmp_path: Path) -> None:
    """What it looks back upon is state; its graph holds nothing that the player refuses, and takes no labels."""
    network = new_run(replace(TINY, shape=replace(TINY.shape, attention=8, attention_width=32))).network
    files = write_graphs(network, tmp_path)
    notes = some_notes(30, 2)
    assert nearness(onnx_outputs(tmp_path, notes), keras_outputs(network, notes)).within(FLOAT32)
    assert look_inside(files["step"].read_bytes()).operations <= OPERATIONS
    row = graph_rows(files)["step"]
    assert row["inputs"] == [*HEADS, *network.state_widths]
    assert row["outputs"] == ["pitch_logits", "z", *(f"{name}_out" for name in network.state_widths)]
    assert max(network.state_widths.values()) == 8 * 32


def test_an_older_model_in_the_same_place_is_replaced_whole(model: Path, tmp_path: Path) -> None:
    out = tiny_bundle(tmp_path / "there", "pianoroll")
    assert (out / "head_keys.onnx").exists()
    (out / "notes.txt").write_text("mine")
    put(model, out)
    assert load_bundle(out).info.family == "performance"
    assert not (out / "head_keys.onnx").exists()
    assert (out / "notes.txt").read_text() == "mine"
    (out / "manifest.json").unlink()
    with pytest.raises(ModelError):
        load_bundle(out)


def test_the_card_tells_labels_weights_and_terms(model: Path) -> None:
    words = (model / "MODEL.md").read_text()
    assert words == card(manifest(model))
    for part in ("- genre: jazz", "- composer: Bach", "weights of 8 bits", "ms in a row", "play it at a paid concert"):
        assert part in words
    assert "Made from" not in words


def test_times_taken_later_go_into_manifest_and_card(model: Path, tmp_path: Path) -> None:
    put(model, tmp_path / "copy")
    found = manifest(model)["step_time"]
    found["hot"]["median_ms"] = 12.345
    keep(tmp_path / "copy", found)
    assert "took 12.35 ms in a row" in (tmp_path / "copy" / "MODEL.md").read_text()
    assert load_bundle(tmp_path / "copy").info.hash == load_bundle(model).info.hash
    assert not list((tmp_path / "copy").glob("*.part"))
    (tmp_path / "copy" / "manifest.json").write_text(json.dumps({"name": "old"}))
    with pytest.raises(ValueError, match="export it again"):
        keep(tmp_path / "copy", found)


def test_terms_are_those_of_all_sources_the_parents_too() -> None:
    pieces = [
        Piece("a", "Mutopia", "Creative Commons Attribution 3.0 - typeset by A. Name", 100, "a"),
        Piece("b", "Mutopia", "Public Domain", 300, "b"),
        Piece("c", "POP909", "MIT (files; the songs themselves are in copyright)", 200, "c"),
    ]
    about = {"config": {}, "progress": {"notes": 1200, "elapsed_s": 90.0}}
    row = training_row(pieces, about)
    assert row["licence"] == "CC BY 3.0; MIT; Public Domain"
    assert row["attribution"] == ["typeset by A. Name"]
    assert [(r["source"], r["licence"], r["notes"]) for r in row["data"]] == [
        ("Mutopia", "Public Domain", 300), ("POP909", "MIT", 200), ("Mutopia", "CC BY 3.0", 100),
    ]  # fmt: skip
    assert "paid concert" in terms(row)
    assert "Mutopia, POP909" in terms(row)
    later = training_row(pieces, about | {"before": {"notes": 50, "elapsed_s": 60.0}})
    assert later["notes_heard"] == row["notes_heard"] + 50
    assert later["minutes"] == pytest.approx(row["minutes"] + 1.0)
    told = without_folders(about | {"config": {"start_from": "/elsewhere/runs/first/checkpoint.npz"}})
    assert told["config"] == {"start_from": "first"}
    parent = {"data": [{"source": "PiJAMA", "licence": "CC BY-NC 3.0", "pieces": 1, "notes": 7}]}
    child = training_row(pieces, about | {"parent": parent})
    assert "CC BY-NC 3.0" in child["licence"]
    assert child["notes"] == 600
    assert "non-commercial" in terms(child)


@pytest.mark.parametrize(
    "licence",
    ["MIT", "CC0 1.0", "CC BY 4.0", "CC BY-SA 3.0 DE", "Public Domain", "CC BY-NC 3.0", "CC BY-ND 4.0",
     "research use only", "Creative Commons Attribution-NonCommercial 4.0", "own files", "not stated"],
)  # fmt: skip
def test_the_card_says_of_terms_what_the_console_says(licence: str) -> None:
    said = terms({"data": [{"source": "Some", "licence": licence, "pieces": 1, "notes": 1}]})
    found = [use for use, words in ((FREE, "play it at a paid concert"), (NONCOMMERCIAL, "For non-commercial use only"),
                                    (UNCLEAR, "for you to find out")) if words in said]  # fmt: skip
    assert found == [use_of(licence)]


def test_the_card_of_a_child_claims_no_pieces_it_never_heard() -> None:
    heads = dict.fromkeys(("pitch", "step", "duration", "velocity"), 2.0)
    found = {"name": "mine", "held_out": {"pieces": 8, "notes": 90, "nats_per_note": 8.0, "heads": heads,
                                          "markov_nats_per_note": 9.0, "markov_heads": heads}}  # fmt: skip
    assert "none of whose compositions" in _scores(found)
    child = _scores(found | {"parent": {"name": "open", "nats_before": 8.5}})
    assert "Markov" not in child
    assert "none of whose" not in child
    assert "8 turns of the same player" in child
    assert "as `open`, it had 8.500" in child


def test_a_disk_that_is_full_leaves_the_model_that_was_there(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mine"
    put(model, out)
    (out / "notes.onnx").write_bytes(b"somebody's own")
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(_: Path, to: Path) -> None:
        to.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("training.bundles.shutil.copyfile", full)
        with pytest.raises(OSError, match="No space left"):
            put(model, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    put(model, out)
    assert (out / "notes.onnx").is_file()


@pytest.mark.parametrize("out", ["file", "\x1b[31m", "n" * 201])
def test_a_folder_that_no_model_can_have_is_refused_before_the_work(out: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match=r"a model needs a folder|no name that a model could have"):
        room_for_a_model(tmp_path / out)
    assert room_for_a_model(tmp_path / "mine") == tmp_path.resolve() / "mine"

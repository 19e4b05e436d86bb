"""Runs of the melody network: learning, going on after a kill, and a model that plays."""

import csv
import json
import shutil
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

from livemuse.model.bundle import load_bundle
from livemuse.model.grid_stepper import MelodyStepper
from livemuse.music.grid import HOLD, PER_BAR, REST
from livemuse.music.notes import Note
from tests.training.conftest import quiet
from tests.training.some_tunes import SMALL, some_tunes
from training.__main__ import main
from training.golden import FLOAT32, FROM_ITSELF, nearness, read_golden
from training.melody.answers import choose_turns, figures
from training.melody.baselines import baseline_nats
from training.melody.config import Settings
from training.melody.export import export, onnx_nats, onnx_outputs
from training.melody.run import load_best
from training.melody.train import train
from training.melody.tunes import load_tunes, write_tunes

TINY = Settings(name="tiny", epochs=4, batch=4, window=64, learning_rate=0.04, warmup_steps=2, average=0.5,
                transpose=2, shape=SMALL)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four epochs, and one that was cut off in its third and taken up again."""
    folder = tmp_path_factory.mktemp("melody")
    tunes = {"train": some_tunes(16, 8), "validation": some_tunes(4, 8, 9)}

    def cut_off(line: str) -> None:  # all that is on the disk at this moment is what a kill leaves
        if line.startswith("epoch 2:"):
            shutil.copytree(folder / "whole", folder / "run")

    train(tunes, folder / "whole", TINY, cut_off)
    with (folder / "run/history.csv").open("a") as stream:
        stream.write("3,99,99,0,0,0,0\n")  # a line whose epoch was not kept
    train(tunes, folder / "run", TINY, quiet)
    write_tunes(folder / "run/tunes.npz", tunes)
    return folder


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_it_learns_a_line(trained: Path) -> None:
    rows = history(trained / "whole")
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    first, last = (float(rows[k]["validation_nats"]) for k in (0, -1))
    assert last < 0.6 * first
    assert last < baseline_nats(some_tunes(16, 8), some_tunes(4, 8, 9))["frequency"].mean() * 0.6


def test_a_run_that_was_stopped_goes_on_as_if_nothing_had_happened(trained: Path) -> None:
    same = [{k: v for k, v in row.items() if k != "minutes"} for row in history(trained / "whole")]
    assert [{k: v for k, v in row.items() if k != "minutes"} for row in history(trained / "run")] == same
    with np.load(trained / "whole/best.npz") as ours, np.load(trained / "run/best.npz") as theirs:
        for name in ours.files:
            assert name == "about" or np.array_equal(ours[name], theirs[name]), name


def test_a_checkpoint_of_other_settings_is_refused(trained: Path) -> None:
    with pytest.raises(ValueError, match="other settings"):
        train(load_tunes(trained / "run/tunes.npz"), trained / "run", Settings(shape=SMALL), quiet)


def test_a_checkpoint_of_other_tunes_is_refused(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    tunes = {"train": some_tunes(16, 8, 5), "validation": some_tunes(4, 8, 9)}
    with pytest.raises(ValueError, match="other music"):
        train(tunes, tmp_path / "run", TINY, quiet)
    with pytest.raises(ValueError, match="other tunes"):
        export(tmp_path / "run", tunes, tmp_path / "model", quiet)


def test_a_checkpoint_of_before_is_still_read(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    for name in ("checkpoint.npz", "best.npz"):
        with np.load(tmp_path / "run" / name) as file:
            arrays = dict(file)
        about = json.loads(str(arrays.pop("about")))
        del about["notes_sha256"]
        np.savez(tmp_path / "run" / name, about=np.array(json.dumps(about)), **arrays)
    best = train(load_tunes(trained / "run/tunes.npz"), tmp_path / "run", TINY, quiet)
    assert load_best(best)[1]["progress"]["best_epoch"] == 3


@pytest.mark.parametrize("spoil", ["empty", "cut", "list", "shape"])
def test_a_damaged_checkpoint_is_told_in_a_sentence(trained: Path, tmp_path: Path, spoil: str) -> None:
    path, data = tmp_path / "best.npz", (trained / "run/best.npz").read_bytes()
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2]}.get(spoil, data))
    if spoil in ("list", "shape"):
        with np.load(path) as file:
            arrays = dict(file)
        changed = {"about": np.array("[1]")} if spoil == "list" else {"weight_0": np.zeros((2, 2), np.float32)}
        np.savez(path, **(arrays | changed))
    with pytest.raises(ValueError, match=r"best\.npz (is no checkpoint|holds a network of another shape)"):
        load_best(path)


def test_a_training_that_goes_astray_is_told(tmp_path: Path) -> None:
    tunes = {"train": some_tunes(4, 4), "validation": some_tunes(2, 4, 9)}
    settings = Settings(epochs=1, batch=4, window=64, learning_rate=1e38, warmup_steps=0, shape=SMALL)
    for _ in range(2):  # and again, when the run is over
        with pytest.raises(ValueError, match="went astray"):
            train(tunes, tmp_path, settings, quiet)


def test_a_run_that_has_its_tunes_takes_no_others(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["training", "melody", "train", "--run", str(trained / "run"), "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    assert main() == 1
    assert "leave out --data" in capsys.readouterr().err


# --- the model -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(trained: Path) -> Path:
    argv = sys.argv
    sys.argv = ["training", "melody", "export", "--run", str(trained / "run"), "--out", str(trained / "tiny")]
    try:
        assert main() == 0
    finally:
        sys.argv = argv
    return trained / "tiny"


def test_the_model_loads_and_says_what_the_network_said(exported: Path) -> None:
    bundle = load_bundle(exported)
    manifest = json.loads((exported / "manifest.json").read_text())
    assert (bundle.info.family, bundle.info.unit, bundle.info.licence) == ("melody", "event", "CC0 1.0")
    assert manifest["weights"]["parity_float32"] < 1e-4
    for batch in (1, 8):
        kept = read_golden(exported / "golden.npz", batch, ("event", "position"))
        said = onnx_outputs(exported, kept.inputs)
        if kept.eight_bit is None:
            assert nearness(said, kept.keras).within(FLOAT32)
        else:
            assert nearness(said, kept.eight_bit).within(FROM_ITSELF)


def test_its_score_is_that_of_the_graph_that_plays(exported: Path, trained: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    held_out = load_tunes(trained / "run/tunes.npz")["validation"]
    nats = onnx_nats(exported, held_out)
    assert manifest["held_out"]["nats_per_event"] == pytest.approx(nats.mean(), abs=1e-4)
    assert manifest["held_out"]["nats_per_begun_note"] == pytest.approx(nats.sum() / held_out.notes, abs=1e-3)
    # and it is what the player's own stepper expects, sixteenth after sixteenth
    stepper, state, followed = MelodyStepper(load_bundle(exported)), None, None
    state = stepper.start()
    for number, event in enumerate(held_out.tune(0)[:40].tolist()):
        logits = np.asarray(state.expects, np.float64)
        assert np.log(np.exp(logits).sum()) - logits[event] == pytest.approx(nats[number], abs=1e-3)
        followed = None if event == REST else followed if event == HOLD else event
        frame = (frozenset() if followed is None else frozenset({followed}),
                 frozenset({event}) if event < HOLD else frozenset())  # fmt: skip
        state = stepper.feed(state, frame, (number + 1) % PER_BAR)


def test_the_card_says_terms_scores_and_baselines(exported: Path) -> None:
    card = (exported / "MODEL.md").read_text()
    for said in ("CC0 1.0", "Markov model", "nats an event", "None of the sources is stated to forbid"):
        assert said in card


def test_it_answers_calls_and_the_answers_are_measured(
    exported: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tunes = {"train": some_tunes(2, 16), "validation": some_tunes(3, 16, 4)}
    write_tunes(tmp_path / "tunes.npz", tunes)
    words = [str(exported), "--run", str(tmp_path), "--out", str(tmp_path / "out"), "--count", "2", "--json"]
    monkeypatch.setattr(sys, "argv", ["training", "melody", "answers", *words, "--set", "temperature=0.7"])
    assert main() == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["calls"], found["answer"]["played"]) == (2, 2)
    assert found["following"]["rests"] == pytest.approx(0.125, abs=0.05)
    assert found["following"]["in_key_of_call"] == 1.0
    assert found["following"]["run_in_training_any_key"]["longest"] == found["following"]["notes"]  # the same line
    assert len(list((tmp_path / "out").glob("*.mid"))) == 4


def test_figures_tell_a_drone_from_a_tune() -> None:
    (turn,) = choose_turns(some_tunes(1, 16), 1, 0)
    drone = (Note(0.0, 64, 4.0, 80), Note(4.0, 64, 4.0, 80))
    found = figures([replace(turn, answer=drone)], some_tunes(1, 16, 3))
    assert (found["answer"]["longest_note_beats"], found["answer"]["same_pitch_again"]) == (8.0, 1.0)
    assert found["answer"]["rests"] == 0.0
    assert (found["following"]["longest_note_beats"], found["following"]["longest_rest_beats"]) == (1.0, 0.5)


def test_a_run_without_weights_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for todo, words in ((["export", "--out", str(tmp_path / "x")], "no tunes"), (["train"], "say --data")):
        monkeypatch.setattr(sys, "argv", ["training", "melody", todo[0], "--run", str(tmp_path), *todo[1:]])
        assert main() == 1
        told = capsys.readouterr().err.strip()
        assert words in told
        assert "\n" not in told

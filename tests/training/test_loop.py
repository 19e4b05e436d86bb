"""The loop of training: it stops when it should, keeps its best, goes on exactly, and says what is wrong."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.config import Config, Shape, config_from, load_config
from training.history import COLUMNS, EVENTS, History, plot_history, read_history

TINY = Config(
    name="tiny", lanes=3, chunk=16, epochs=4.0, warmup_steps=5, checkpoint_steps=6, validation_notes=200,
    learning_rate=1e-2, patience=0, shape=Shape(units=16, embed_pitch=8, embed_other=4, head_width=8),
)  # fmt: skip
HASTY = replace(TINY, learning_rate=0.2, epochs=40.0, patience=2)
TENSORFLOW = [pytest.mark.pipeline, pytest.mark.filterwarnings("default")]


def quiet(_: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def tensorflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own
        pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")


@pytest.fixture(scope="module")
def notes(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from training.corpus import prepare

    folder = tmp_path_factory.mktemp("notes")
    prepare(tiny_corpus / "manifest.csv", tiny_corpus, folder, say=quiet)
    return folder


# --- what a person may set -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lanes = 0", "lanes is more than 0, not 0"),
        ("lanes = 2.5", "lanes is a whole number, not 2.5"),
        ("bfloat16 = 1", "bfloat16 is true or false, not 1"),
        ("learning_rate = nan", "learning_rate is more than 0, not nan"),
        ("dropout = 1.5", "dropout is a share from 0 to 1, not 1.5"),
        ("weights = {pich = 1}", "weights are of pitch, step, duration, velocity, not of pich"),
        ("weights = {pitch = -1}", "weights.pitch is 0 or more, not -1"),
        ("weights = {pitch = 0, step = 0, duration = 0, velocity = 0}", "the weights are all 0"),
        ("shape = 3", "shape is a table of its own"),
        ("[shape]\nunits = 0", "units is more than 0, not 0"),
        ("lanes = ", "Invalid value"),
        ("colour = 3", "unknown setting: colour"),
    ],
)
def test_a_bad_config_is_refused_in_a_sentence_that_names_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"mine\.toml: ") as found:
        load_config(path)
    assert sentence in str(found.value)
    assert "\n" not in str(found.value)


def test_a_config_that_is_not_there_or_no_text_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.toml cannot be read"):
        load_config(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"bytes\.toml: "):
        load_config(tmp_path / "bytes.toml")


def test_a_config_file_holds_only_what_differs_and_a_written_config_is_read_back() -> None:
    made = config_from({"weights": {"pitch": 2}, "patience": 3, "shape": {"units": 8}})
    assert made == replace(Config(), weights={"pitch": 2}, patience=3, shape=Shape(units=8))
    assert made.head_weights == (2.0, 1.0, 1.0, 1.0)
    assert config_from(json.loads(json.dumps(made.as_dict()))) == made


def test_patience_is_off_where_the_clock_rules_unless_it_is_asked_for() -> None:
    assert Config().stop_after > 0
    assert Config(minutes=5.0).stop_after == 0
    assert Config(minutes=5.0, patience=3).stop_after == 3
    assert Config(patience=0).stop_after == 0


# --- the history -----------------------------------------------------------------------------------------------------


def line(step: int, nats: float = 9.0) -> list[float]:
    return [step, 0, 100 * step, 0.1, 1e-3, 9.5, nats, 3.0, 2.0, 2.0, 2.0]


def test_what_came_after_the_last_checkpoint_is_written_again(tmp_path: Path) -> None:
    history = History(tmp_path, 0)
    for step in (5, 10, 15):
        history.add(line(step))
    with (tmp_path / "history.csv").open("a") as stream:
        stream.write("20,0,20")  # the power went
    again = History(tmp_path, 10)
    assert [row["updates"] for row in read_history(tmp_path)] == [5, 10]
    again.add(line(15, 8.0))
    assert [row["validation_nats"] for row in read_history(tmp_path)] == [9.0, 9.0, 8.0]
    History(tmp_path, 0)
    assert read_history(tmp_path) == []


def test_a_folder_without_a_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing was trained there"):
        read_history(tmp_path)
    (tmp_path / "history.csv").write_text("step,epoch\n1,2\n")
    with pytest.raises(ValueError, match="is no history of a run"):
        read_history(tmp_path)


def test_the_history_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra: train)")
    history = History(tmp_path, 0)
    history.add(["0", 0, 0, 0.0, 1e-3, "nan", 9.0, 3.0, 2.0, 2.0, 2.0])
    history.add(line(5))
    assert plot_history(tmp_path).read_bytes().startswith(b"\x89PNG")
    assert b"held out" in plot_history(tmp_path, tmp_path / "x.svg").read_bytes()
    with pytest.raises(ValueError, match=r"x\.odd: "):
        plot_history(tmp_path, tmp_path / "x.odd")


# --- the loop --------------------------------------------------------------------------------------------------------


def kept(run: Path) -> list[list[float]]:
    """What must be the same in two runs that were taught the same."""
    columns = [name for name in COLUMNS if name not in ("minutes",)]
    return [[row[name] for name in columns] for row in read_history(run)]


@pytest.fixture(scope="module")
def stopped(tensorflow: None, notes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run that learns too fast, and is stopped when it gets worse."""
    from training.train import train

    folder, said = tmp_path_factory.mktemp("stopped"), list[str]()
    train(notes, folder, HASTY, False, said.append)
    return folder, said


@pytest.mark.usefixtures("tensorflow")
class TestTheLoop:
    pytestmark = TENSORFLOW

    def test_it_stops_when_nothing_gets_better_and_keeps_the_best(
        self, stopped: tuple[Path, list[str]], notes: Path
    ) -> None:
        from training.run import about_of, load_network, weights_of
        from training.score import nats_by_piece
        from training.train import corpora

        folder, said = stopped
        scores = [row["validation_nats"] for row in read_history(folder)]
        best = int(np.argmin(scores))
        assert best == len(scores) - 1 - HASTY.patience
        assert any(s.startswith("stopped early") for s in said)
        assert weights_of(folder).name == "best.npz"
        assert weights_of(folder, "last").name == "checkpoint.npz"
        held_out = corpora(notes)[1]
        for which, expected in (("best", scores[best]), ("last", scores[-1])):
            network, _ = load_network(weights_of(folder, which))
            found = nats_by_piece(network, held_out).sum() / held_out.notes
            assert found == pytest.approx(expected, abs=2e-3)  # on the pieces it is scored on while it learns
        assert about_of(folder / "checkpoint.npz")["progress"]["over"]

    def test_a_run_that_is_over_is_left_as_it_is(self, stopped: tuple[Path, list[str]], notes: Path) -> None:
        from training.train import train

        folder, _ = stopped
        before, said = (folder / "history.csv").read_bytes(), list[str]()
        train(notes, folder, HASTY, True, said.append)
        assert (folder / "history.csv").read_bytes() == before
        assert "is over" in said[-1]

    def test_killed_and_gone_on_with_it_stops_at_the_same_best(
        self, stopped: tuple[Path, list[str]], notes: Path, tmp_path: Path
    ) -> None:
        """A process of its own, killed with SIGKILL between two scores; the rest of the curve is the same."""
        from training.train import train

        config = tmp_path / "mine.toml"
        config.write_text(_toml(HASTY))
        command = [
            sys.executable,
            "-m",
            "training",
            "train",
            "--data",
            notes,
            "--run",
            tmp_path / "run",
            "--config",
            config,
        ]
        with subprocess.Popen(list(map(os.fspath, command)), stderr=subprocess.DEVNULL) as process:
            _wait_for_lines(tmp_path / "run" / "history.csv", 3, process)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        train(notes, tmp_path / "run", load_config(config), True, quiet)
        np.testing.assert_allclose(kept(tmp_path / "run"), kept(stopped[0]), atol=2e-4)
        with np.load(tmp_path / "run" / "best.npz") as ours, np.load(stopped[0] / "best.npz") as theirs:
            assert set(ours) == set(theirs)
            for name in set(ours) - {"about"}:
                np.testing.assert_allclose(ours[name], theirs[name], atol=1e-4)

    def test_the_event_files_hold_the_history(self, stopped: tuple[Path, list[str]]) -> None:
        import tensorflow as tf

        folder, _ = stopped
        found: dict[str, list[tuple[int, float]]] = {}
        for path in sorted(map(str, (folder / EVENTS).iterdir())):
            for raw in tf.data.TFRecordDataset(path):
                event = tf.compat.v1.Event.FromString(raw.numpy())
                for value in event.summary.value:
                    found.setdefault(value.tag, []).append((event.step, value.simple_value))
        rows = read_history(folder)
        assert [step for step, _ in found["validation_nats"]] == [row["updates"] for row in rows]
        np.testing.assert_allclose([v for _, v in found["heads/pitch"]], [row["pitch"] for row in rows], rtol=1e-6)

    def test_a_head_that_counts_nothing_learns_nothing_and_the_nats_stay_unweighted(
        self, notes: Path, tmp_path: Path
    ) -> None:
        from training.train import train

        as_written = replace(TINY, transpose=0, stretch=0.0, velocity_shift=0, learning_rate=0.03, epochs=2.0)
        train(notes, tmp_path, replace(as_written, weights={"velocity": 0.0, "pitch": 3.0}), False, quiet)
        rows = read_history(tmp_path)
        assert rows[-1]["velocity"] > math.log(32) - 0.3  # as good as a guess among 32
        assert rows[-1]["pitch"] < math.log(128) - 1
        total = sum(rows[-1][head] for head in ("pitch", "step", "duration", "velocity"))
        assert rows[-1]["validation_nats"] == pytest.approx(total, abs=1e-3)
        assert rows[-1]["train_nats"] == pytest.approx(total, abs=1.5)

    def test_few_pieces_are_all_read_to_their_end(self, notes: Path) -> None:
        from training.run import new_run
        from training.train import Course, corpora, lanes_for, plan_epoch

        corpus, held_out = corpora(notes)
        config = replace(Config(), shape=TINY.shape)
        assert lanes_for(config, corpus) == len(corpus.pieces) == 6
        run = new_run(replace(config, lanes=6))
        plan, _ = plan_epoch(run, Course(corpus, held_out, Path(), quiet), 0)
        assert plan.length.sum() == corpus.notes

    @pytest.mark.parametrize("damage", ["none", "empty", "cut", "other"])
    def test_a_bad_folder_or_checkpoint_is_named_in_a_sentence(
        self, notes: Path, stopped: tuple[Path, list[str]], tmp_path: Path, damage: str
    ) -> None:
        from training.train import train

        good = (stopped[0] / "checkpoint.npz").read_bytes()
        damaged = {"empty": b"", "cut": good[: len(good) // 2], "other": good}
        if damage in damaged:
            (tmp_path / "checkpoint.npz").write_bytes(damaged[damage])
        config = replace(TINY, shape=Shape(units=8)) if damage == "other" else TINY
        with pytest.raises(ValueError, match=r"checkpoint\.npz") as found:
            train(notes, tmp_path, config, True, quiet)
        assert "\n" not in str(found.value)
        with pytest.raises(ValueError, match="holds no notes"):
            train(tmp_path / "nowhere", tmp_path, TINY, False, quiet)
        (tmp_path / "file").write_text("")
        with pytest.raises(ValueError, match="cannot be the folder of a run"):
            train(notes, tmp_path / "file", TINY, False, quiet)


def _toml(config: Config) -> str:
    values = config.as_dict()
    shape = values.pop("shape")
    del values["weights"]
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join([*lines, "[shape]", *(f"{name} = {json.dumps(value)}" for name, value in shape.items())])


def _wait_for_lines(path: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Until a history has so many scores."""
    for _ in range(600):
        if path.is_file():
            with path.open(newline="") as stream:
                if len(list(csv.reader(stream))) > count:
                    return
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.1)
    pytest.fail("it took too long")

"""The loop of training: it stops when it should, keeps its best, goes on exactly, and says what is wrong."""

import csv
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import quiet
from training.config import Config, Shape
from training.corpus import Corpus, Piece
from training.history import COLUMNS, EVENTS, read_history

TINY = Config(
    name="tiny", lanes=3, chunk=16, epochs=4.0, warmup_steps=5, checkpoint_steps=6, validation_notes=200,
    learning_rate=1e-2, patience=0, shape=Shape(units=16, embed_pitch=8, embed_other=4, head_width=8),
)  # fmt: skip
HASTY = replace(TINY, learning_rate=0.2, epochs=40.0, patience=2)
TENSORFLOW = [pytest.mark.pipeline, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def tensorflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own
        pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")


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
        """Killed with SIGKILL between two scores, it goes on with its own config; the rest of the curve is the same."""
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
        ]
        with subprocess.Popen(
            [*map(os.fspath, command), "--config", os.fspath(config)], stderr=subprocess.DEVNULL
        ) as process:
            _wait_for_lines(tmp_path / "run" / "history.csv", 3, process)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        subprocess.run([*map(os.fspath, command), "--resume"], check=True, stderr=subprocess.DEVNULL)
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

    def test_pieces_with_encores_are_all_read_to_their_end(self) -> None:
        from training.lanes import vary
        from training.run import new_run
        from training.train import Course, plan_epoch

        corpus = two_pieces(600)
        config = replace(TINY, lanes=2, encore=1.0)
        run = new_run(config)
        for epoch in range(20):
            _, _, encores = vary(corpus, config, epoch)
            plan, _ = plan_epoch(run, Course(corpus, corpus, Path(), quiet), epoch)
            assert plan.length.sum() >= 0.9 * (corpus.notes + encores.length.sum())

    def test_it_goes_on_with_its_own_config_and_notes_alone(
        self, stopped: tuple[Path, list[str]], notes: Path, tmp_path: Path
    ) -> None:
        from training.train import train

        run, other = tmp_path / "run", tmp_path / "notes"
        shutil.copytree(stopped[0], run)
        shutil.copytree(notes, other)
        index = json.loads((other / "index.json").read_text())
        (other / "index.json").write_text(json.dumps(index | {"key": "others"}))
        for config in (None, replace(HASTY, epochs=80.0, minutes=3.0, patience=9, checkpoint_steps=2)):
            train(notes, run, config, True, quiet)
        for config in (replace(HASTY, dropout=0.7), replace(HASTY, style_notes=1)):
            with pytest.raises(ValueError, match=r"checkpoint\.npz was trained with another (dropout|style_notes):"):
                train(notes, run, config, True, quiet)
        with pytest.raises(ValueError, match="has learned from other notes than these"):
            train(other, run, None, True, quiet)
        kept = (run / "checkpoint.npz").read_bytes()
        with pytest.raises(ValueError, match="holds a run already: --resume goes on with it"):
            train(notes, run, HASTY, False, quiet)
        assert (run / "checkpoint.npz").read_bytes() == kept

    def test_a_checkpoint_of_an_older_version_goes_on(
        self, stopped: tuple[Path, list[str]], notes: Path, tmp_path: Path
    ) -> None:
        from training.run import about_of, check_notes
        from training.train import train

        with np.load(stopped[0] / "checkpoint.npz") as found:
            arrays = dict(found)
        about = json.loads(str(arrays["about"]))
        del about["styles"], about["notes_sha256"], about["config"]["encore"]
        for name in ("best_nats", "best_step", "since_best", "over"):
            del about["progress"][name]
        np.savez(tmp_path / "checkpoint.npz", **arrays | {"about": np.array(json.dumps(about))})
        check_notes(about, notes)
        before = about["progress"]["step"]
        train(notes, tmp_path, replace(HASTY, epochs=(before + 1.5) / _updates(notes)), True, quiet)
        now = about_of(tmp_path / "checkpoint.npz")
        assert now["progress"]["step"] == before + 2
        assert now["progress"]["best_step"] == before + 2
        assert now["notes_sha256"]

    def test_cut_off_before_its_first_update_it_keeps_what_it_began_with(
        self, stopped: tuple[Path, list[str]], notes: Path, tmp_path: Path
    ) -> None:
        from training.run import about_of, new_run
        from training.train import Course, corpora, teach, train

        class PowerCut(Exception):
            pass

        def cut(line: str) -> None:
            if line.startswith("checkpoint at step 0"):
                raise PowerCut

        begun, folder = tmp_path / "begun.npz", tmp_path / "run"
        shutil.copyfile(stopped[0] / "best.npz", begun)
        folder.mkdir()
        run = new_run(replace(TINY, epochs=1.0, learning_rate=1e-9, start_from=str(begun)))
        run.parent = {"name": "parent"}
        with pytest.raises(PowerCut):
            teach(run, Course(*corpora(notes), folder, cut))
        begun.unlink()  # it is not needed again
        train(notes, folder, None, True, quiet)
        steps = [row["updates"] for row in read_history(folder)]
        assert steps[0] == 0
        assert len(set(steps)) == len(steps) > 1
        assert about_of(folder / "checkpoint.npz")["parent"] == {"name": "parent"}
        assert (folder / "best.npz").is_file()

    def test_it_starts_from_a_network_with_the_same_labels_or_none(self, tmp_path: Path) -> None:
        from training.run import new_run

        begun = {styles: tmp_path / f"{len(styles)}.npz" for styles in ((), ("genre:jazz", "genre:pop"))}
        for styles, path in begun.items():
            new_run(TINY, styles).save_weights(path)
        for path in begun.values():
            new_run(replace(TINY, start_from=str(path)), ("genre:jazz", "genre:pop"))
        second = new_run(replace(TINY, start_from=str(path)), ("genre:jazz", "genre:pop"))
        second.progress.notes, second.progress.elapsed_s, second.before = 300, 3.0, {"notes": 50, "elapsed_s": 0.5}
        second.save_weights(tmp_path / "second.npz")
        third = new_run(replace(TINY, start_from=str(tmp_path / "second.npz")), ("genre:jazz", "genre:pop"))
        assert third.before == {"notes": 350, "elapsed_s": 3.5}
        with pytest.raises(ValueError, match="other labels"):
            new_run(replace(TINY, start_from=str(path)), ("genre:jazz", "mood:calm"))

    def test_no_number_is_not_the_best_for_ever(self) -> None:
        from training.run import Progress

        at = Progress(step=5)
        assert at.scored(math.nan)
        at.step = 10
        assert at.scored(9.0)
        assert not at.scored(math.nan)
        assert not at.scored(9.5)
        assert (at.best_nats, at.best_step, at.since_best) == (9.0, 10, 2)

    def test_dropout_is_drawn_by_the_seed(self) -> None:
        from training.dataset import batch_at
        from training.lanes import plain, plan_lanes
        from training.run import new_run
        from training.update import make_update

        corpus = two_pieces(40)
        batch = batch_at(0, corpus, plan_lanes(corpus, 2, 16, np.arange(2), full=True), plain(corpus), 16)
        run = new_run(replace(TINY, lanes=2, dropout=0.5))
        run.optimizer.learning_rate.assign(0.0)
        update, nats = make_update(run), []
        for seed in (1, 1, 2):
            run.config = replace(run.config, seed=seed)  # the weights stay
            nats.append(float(update(batch, run.state, 7)[0]))
        assert nats[0] == pytest.approx(nats[1], rel=1e-6)
        assert nats[2] != pytest.approx(nats[0], rel=1e-5)

    @pytest.mark.parametrize("damage", ["none", "empty", "cut", "other", "bare"])
    def test_a_bad_folder_or_checkpoint_is_named_in_a_sentence(
        self, notes: Path, stopped: tuple[Path, list[str]], tmp_path: Path, damage: str
    ) -> None:
        from training.run import load_network
        from training.train import train

        good = (stopped[0] / "checkpoint.npz").read_bytes()
        damaged = {"empty": b"", "cut": good[: len(good) // 2], "other": good, "bare": bare({"progress": {}})}
        if damage in damaged:
            (tmp_path / "checkpoint.npz").write_bytes(damaged[damage])
        config = replace(TINY, shape=Shape(units=8)) if damage == "other" else TINY
        with pytest.raises(ValueError, match=r"checkpoint\.npz") as found:
            train(notes, tmp_path, config, True, quiet)
        assert "\n" not in str(found.value)
        (tmp_path / "odd.npz").write_bytes(bare({"config": [], "progress": {}}))
        with pytest.raises(ValueError, match=r"odd\.npz is no checkpoint"):
            load_network(tmp_path / "odd.npz")
        with np.load(io.BytesIO(good)) as found:
            arrays = dict(found) | {"weight_0": np.full_like(found["weight_0"], np.nan)}
        np.savez(tmp_path / "checkpoint.npz", **arrays)
        with pytest.raises(ValueError, match=r"checkpoint\.npz holds weights that are no numbers"):
            train(notes, tmp_path, None, True, quiet)
        np.savez(tmp_path / "labels.npz", about=json.dumps(json.loads(str(arrays["about"])) | {"styles": ["a"] * 257}))
        with pytest.raises(ValueError, match="its labels are no labels"):
            load_network(tmp_path / "labels.npz")
        with pytest.raises(ValueError, match="holds no notes"):
            train(tmp_path / "nowhere", tmp_path, TINY, False, quiet)
        (tmp_path / "file").write_text("")
        with pytest.raises(ValueError, match="cannot be the folder of a run"):
            train(notes, tmp_path / "file", TINY, False, quiet)


def bare(about: dict[str, object]) -> bytes:
    """A file of weights that says nothing else of itself."""
    stream = io.BytesIO()
    np.savez(stream, about=np.array(json.dumps(about)))
    return stream.getvalue()


def two_pieces(notes: int) -> Corpus:
    count = 2 * notes
    return Corpus(
        tuple(Piece(f"{k}.mid", "Invented", "CC0 1.0", notes, str(k)) for k in range(2)),
        np.array([0, notes, count]),
        np.arange(40, 40 + count).astype(np.uint8) % 40 + 40,
        np.full(count, 0.25, np.float32),
        np.full(count, 0.5, np.float32),
        np.full(count, 64, np.uint8),
    )


def _updates(notes: Path) -> int:
    """Updates in an epoch of the hasty run."""
    from training.run import new_run
    from training.train import Course, corpora, plan_epoch

    return plan_epoch(new_run(HASTY), Course(*corpora(notes), Path(), quiet), 0)[0].steps


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

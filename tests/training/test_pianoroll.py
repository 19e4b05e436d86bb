"""The piano-roll networks: the measure, the exact likelihood over sets of keys, and runs that go on."""

import csv
import itertools
import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

from training.__main__ import main
from training.pianoroll.benchmark import PARTS, frame_nll, load_set
from training.pianoroll.config import CONFIGS, HEADS, Shape, load_settings, settings_from
from training.pianoroll.dataset import batches, plan
from training.pianoroll.sequences import Batch, Piece, batch_of, draws_of, echoes_of, features_of, scoring_batches

SMALL = {"units": 12, "head_width": 16}


def rolls(count: int, seed: int = 0) -> list[np.ndarray]:
    """Two chords in turn, each starting where the sequence begins by chance."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        roll = np.zeros((int(rng.integers(12, 30)), 88), np.uint8)
        for t in range(len(roll)):
            roll[t, [40, 44, 47] if (t + count) % 4 < 2 else [38, 45]] = 1
        made.append(roll)
    return made


def write_set(folder: Path, name: str = "jsb_chorales") -> None:
    arrays = {}
    for k, part in enumerate(PARTS):
        sequences = rolls(4, k)
        arrays[part] = np.packbits(np.concatenate(sequences), axis=1)
        arrays[f"{part}_lengths"] = np.array([len(r) for r in sequences], np.int32)
    np.savez(folder / f"{name}.npz", **arrays)


def test_the_measure_is_the_published_one() -> None:
    def predict(roll: np.ndarray) -> np.ndarray:
        p = np.full((len(roll) - 1, 88), 0.1)
        p[:, 40] = 0.7
        p[0, 3] = 0.0  # as sure as a number can be, and kept from being infinitely so
        return p

    sequences = rolls(3)
    total, frames = 0.0, 0
    for roll in sequences:
        for t in range(1, len(roll)):
            frames += 1
            for key in range(88):
                p = min(max(predict(roll)[t - 1, key], 1e-7), 1 - 1e-7)
                total += -math.log(p) if roll[t, key] else -math.log(1 - p)
    assert frame_nll(predict, sequences) == pytest.approx(total / frames, rel=1e-12)
    assert frame_nll(lambda r: np.full((len(r) - 1, 88), 0.5), sequences) == pytest.approx(88 * math.log(2))


def test_a_set_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_set(tmp_path)
    read = load_set(tmp_path, "jsb_chorales")
    for k, part in enumerate(PARTS):
        assert all(np.array_equal(a, b) for a, b in zip(read[part], rolls(4, k), strict=True))


@pytest.mark.parametrize("spoil", ["noise", "lengths", "columns"])
def test_a_damaged_set_is_refused_in_a_sentence(tmp_path: Path, spoil: str) -> None:
    write_set(tmp_path)
    path = tmp_path / "jsb_chorales.npz"
    with np.load(path) as file:
        arrays = dict(file)
    if spoil == "lengths":
        arrays["valid_lengths"] = arrays["valid_lengths"] + 1
    if spoil == "columns":
        arrays["train"] = arrays["train"][:, :5]
    np.savez(path, **arrays)
    if spoil == "noise":
        path.write_bytes(b"nothing good")
    with pytest.raises(ValueError, match=r"jsb_chorales\.npz is not a benchmark set"):
        load_set(tmp_path, "jsb_chorales")


def test_shipped_configs_are_of_the_heads_they_are_named_after() -> None:
    for path in CONFIGS.glob("*.toml"):
        settings = load_settings(path)
        assert path.stem.endswith(settings.shape.head) or settings.shape.kinds == 2
        assert settings.name == path.stem
    with pytest.raises(ValueError, match="unknown setting: unit"):
        settings_from({"shape": {"unit": 3}})
    with pytest.raises(ValueError, match="no such network"):
        settings_from({"shape": {"head": "softmax"}})


frames = st.lists(st.dictionaries(st.integers(0, 87), st.booleans(), max_size=9), min_size=1, max_size=5)


@given(frames, st.sampled_from(["up", "down"]), st.sampled_from([1, 2]))
def test_draws_give_the_frame_back(given_frames: list[dict[int, bool]], order: str, kinds: int) -> None:
    shape = Shape(kinds=kinds, draw_order=order)
    target = np.zeros((len(given_frames), shape.keys), np.uint8)
    for row, keys in zip(target, given_frames, strict=True):
        for key, struck in keys.items():
            row[key] = 1
            if kinds == 2:
                row[88 + key] = struck
    frame, last, token = draws_of(target, shape)
    again = np.zeros_like(target)
    before = dict.fromkeys(range(len(target)), shape.keys)
    for n, was, t in zip(frame, last, token, strict=True):
        assert was == before[n]
        if before[n] != shape.keys and t != shape.keys:
            assert (t % 88 > was % 88) if order == "up" else (t % 88 < was % 88)
        before[n] = t
        if t != shape.keys:
            again[n, t % 88] = 1
            if kinds == 2 and t < 88:
                again[n, 88 + t] = 1
    assert np.array_equal(again, target)
    assert (token[np.append(np.diff(frame) > 0, True)] == shape.keys).all()


def test_looking_back_never_sees_the_frame_to_be_drawn() -> None:
    roll = np.zeros((9, 88), np.uint8)
    roll[np.arange(9), np.arange(9)] = 1  # frame t sounds key t
    fed = features_of(Piece(roll, np.arange(9)), Shape(lookback=(1, 3), positions=4))
    for t in range(1, 9):
        last, one, three, position = np.split(fed[t - 1], [88, 176, 264])
        assert last.argmax() == t - 1
        assert one.argmax() == t - 1
        assert three.sum() == (t >= 3)
        assert t < 3 or three.argmax() == t - 3
        assert position.argmax() == t % 4


def test_transposition_moves_every_kind_and_drops_what_leaves_the_piano() -> None:
    frame = np.zeros((1, 176), np.uint8)
    frame[0, [0, 50, 88 + 50, 87]] = 1
    assert np.flatnonzero(Piece(frame).moved(2, 2).frames).tolist() == [2, 52, 88 + 52]
    assert np.flatnonzero(Piece(frame).moved(-2, 2).frames).tolist() == [48, 85, 88 + 48]


def test_nothing_that_is_read_depends_on_what_is_still_to_come() -> None:
    rng = np.random.default_rng(1)
    shape = Shape(lookback=(1, 2, 5), echo=3, positions=4)
    one = (rng.random((30, 88)) < 0.1).astype(np.uint8)
    other = one.copy()
    other[20:] = 1 - other[20:]
    fed = [features_of(Piece(frames, np.arange(30)), shape) for frames in (one, other)]
    assert np.array_equal(fed[0][:20], fed[1][:20])  # row 19 is what frame 20 is predicted from
    assert not np.array_equal(fed[0][20], fed[1][20])


def test_what_repeats_itself_is_told_by_its_lag() -> None:
    roll = np.zeros((12, 88), np.uint8)
    roll[np.arange(12), np.arange(12) % 4] = 1  # every four frames
    told = echoes_of(roll, Shape(lookback=(3, 4), echo=2))
    assert told[:, :2].sum() == 0  # three frames back it is never the same
    assert told[:, 2].tolist() == [0.0] * 4 + [1.0] * 8
    assert told[:, 3].tolist() == [0.0] * 4 + [0.5] + [1.0] * 7


def test_an_epoch_predicts_every_frame_once_and_is_another_each_time() -> None:
    pieces = [Piece(r) for r in rolls(5)]
    settings = settings_from({"batch": 2, "window": 7, "transpose": 3})
    planned = plan(pieces, settings, (0, 1))
    assert sum(planned.updates) == len(planned.windows)
    epochs = np.split(planned.windows, [planned.updates[0]])
    for windows in epochs:
        seen = [set[int]() for _ in pieces]
        for piece, first, count, *_ in windows.reshape(-1, 5).tolist():
            assert not seen[piece] & set(range(first, first + count))
            seen[piece] |= set(range(first, first + count))
        assert [len(frames) for frames in seen] == [len(p.frames) - 1 for p in pieces]
    assert epochs[0].shape != epochs[1].shape or not np.array_equal(*epochs)
    assert np.array_equal(plan(pieces, settings, (1,)).windows, epochs[1])  # as a run that goes on reads it


@pytest.mark.pipeline
@pytest.mark.parametrize("order", ["up", "down"])
@pytest.mark.parametrize("kinds", [1, 2])
def test_tf_data_lays_windows_out_as_plain_numpy_does(order: str, kinds: int) -> None:
    rng, pieces = np.random.default_rng(0), []
    for count in (5, 40, 2, 90):
        sounds = rng.random((count, 88)) < 0.05
        sounds[:, :8] = sounds[:, -8:] = False  # nothing leaves the piano
        struck = sounds & ((rng.random((count, 88)) < 0.5) | ~np.roll(sounds, 1, 0))
        struck[0] = sounds[0]
        frames = np.concatenate([sounds, struck][:kinds], 1).astype(np.uint8)
        pieces.append(Piece(frames, np.arange(count) % 16))
    shape = {"kinds": kinds, "positions": 16, "lookback": [2, 5], "echo": 3, "draw_order": order}
    settings = settings_from({"batch": 3, "window": 20, "transpose": 6, "shape": shape})
    planned = plan(pieces, settings, (0,))
    for windows, made in zip(planned.windows, batches(pieces, planned, settings.shape, 6), strict=True):
        cut = []
        for piece, first, count, far, _ in windows[windows[:, 2] > 0].tolist():
            moved = pieces[piece].moved(far, kinds)
            fed = features_of(moved, settings.shape)
            cut.append((fed[first : first + count], moved.frames[first : first + count + 1]))
        expected = batch_of(cut, settings.shape)
        lanes = len(cut)
        for name in Batch._fields:
            ours, theirs = getattr(expected, name), getattr(made, name).numpy()
            if name == "features":
                assert not theirs[:, lanes:].any()
                theirs = theirs[:, :lanes]
            if name == "where":
                ours = ours // lanes * settings.batch + ours % lanes
            np.testing.assert_array_equal(theirs, ours)


@pytest.mark.pipeline
@pytest.mark.parametrize("order", ["up", "down"])
@pytest.mark.parametrize("kinds", [1, 2])
def test_the_joint_head_is_a_distribution_over_all_frames_that_can_follow(order: str, kinds: int) -> None:
    from training.pianoroll.network import Network

    shape = Shape(**SMALL, kinds=kinds, draw_order=order, normalise=True, around=3, reach=2)
    network, playable, held = Network(shape, seed=3), (2, 30, 31, 80), (30, 80)
    bias = np.full(shape.tokens, -1e6, np.float32)  # four keys alone can be drawn, so that all frames can be counted
    bias[[*playable, shape.keys, *((88 + k for k in playable) if kinds == 2 else ())]] = 0.0
    network.keys_out[1].assign(bias)
    before = np.zeros(shape.keys, np.uint8)
    before[list(held)] = 1
    nexts = []
    kinds_of_key = {k: ("off", "struck", "held") if kinds == 2 and k in held else ("off", "struck") for k in playable}
    for choice in itertools.product(*kinds_of_key.values()):
        frame = np.zeros(shape.keys, np.uint8)
        for key, how in zip(playable, choice, strict=True):
            frame[key] = how != "off"
            if kinds == 2:
                frame[88 + key] = how == "struck"
        nexts.append(np.stack([before, frame]))
    batch = batch_of([(features_of(Piece(f), shape), f) for f in nexts], shape)
    chances = np.exp(-network.nats(batch).numpy().astype(np.float64))
    assert len(chances) == (16 if kinds == 1 else 36)
    assert np.ptp(chances) > 1e-3
    assert chances.sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.pipeline
def test_a_frame_at_a_time_is_the_same_as_the_whole_sequence() -> None:
    from training.pianoroll.network import Network

    shape = Shape(**SMALL, layers=2, residual=True, normalise=True, lookback=(3,), positions=4, around=3, echo=2)
    network = Network(shape)
    fed = features_of(Piece(rolls(1)[0], np.arange(100)[: len(rolls(1)[0])]), shape)
    whole = network.sequence(tensorflow.constant(fed[:, None]), tensorflow.range(len(fed)))
    state, steps = network.zero_state(1), []
    for row in fed:
        z, state = network.step(tensorflow.constant(row[None]), state)
        steps.append(z[0])
    np.testing.assert_allclose(np.stack(steps), whole, atol=1e-5)


@pytest.mark.pipeline
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    from training.pianoroll.train import load_best, train

    pieces = {part: [Piece(r) for r in rolls(4, k)] for k, part in enumerate(("train", "valid"))}
    settings = settings_from(
        {"epochs": 4, "batch": 2, "window": 9, "transpose": 2, "shape": SMALL | {"around": 2, "reach": 1}}
    )

    def stop(line: str) -> None:
        if "epoch 2," in line:
            raise KeyboardInterrupt

    train(pieces, tmp_path / "whole", settings, lambda line: None)
    with pytest.raises(KeyboardInterrupt):
        train(pieces, tmp_path / "cut", settings, stop)
    train(pieces, tmp_path / "cut", settings, lambda line: None)
    told = []
    for name in ("whole", "cut"):
        with (tmp_path / name / "history.csv").open(newline="") as stream:
            told.append([{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(stream)])
    assert told[0] == told[1]
    assert len(told[0]) == 4
    both = [load_best(tmp_path / name / "best.npz")[0].trainable_variables for name in ("whole", "cut")]
    assert all(np.array_equal(a, b) for a, b in zip(*both, strict=True))
    with pytest.raises(ValueError, match="other settings"):
        train(pieces, tmp_path / "cut", settings_from({"epochs": 9, "shape": SMALL}), lambda line: None)
    with pytest.raises(ValueError, match="other music"):
        train(pieces | {"train": [Piece(r) for r in rolls(4, 7)]}, tmp_path / "cut", settings, lambda line: None)
    as_older_files_are(tmp_path / "cut")
    network, about = load_best(train(pieces, tmp_path / "cut", settings, lambda line: None))
    assert np.array_equal(network.trainable_variables[0], both[0][0])
    assert about["progress"]["best"] == pytest.approx(min(float(row["validation_nats"]) for row in told[0]), abs=1e-4)


def as_older_files_are(folder: Path) -> None:
    """Leave out of a run's files what they did not say before, and write the rest as it was."""
    for name in ("checkpoint.npz", "best.npz"):
        with np.load(folder / name) as file:
            arrays = dict(file)
        about = json.loads(str(arrays.pop("about")))
        at = about["progress"]
        old = {"settings": about["config"]}
        old |= {"progress": {k: v for k, v in at.items() if k != "events"}} if name == "checkpoint.npz" else {
            "validation": at["best"], "epoch": at["epoch"], "elapsed_s": at["elapsed_s"]}  # fmt: skip
        np.savez(folder / name, about=np.array(json.dumps(old)), **arrays)


@pytest.mark.pipeline
def test_a_training_that_goes_astray_is_told(tmp_path: Path) -> None:
    from training.pianoroll.train import train

    pieces = {part: [Piece(r) for r in rolls(2, k)] for k, part in enumerate(("train", "valid"))}
    settings = settings_from({"epochs": 1, "learning_rate": 1e38, "warmup_steps": 0, "shape": SMALL})
    for _ in range(2):  # and again, when the run is over
        with pytest.raises(ValueError, match="went astray"):
            train(pieces, tmp_path, settings, lambda line: None)


@pytest.mark.pipeline
def test_another_seed_leaves_other_numbers_out() -> None:
    from training.pianoroll.network import Network
    from training.pianoroll.train import make_update, new_run

    nats = []
    for seed in (1, 2):
        settings = settings_from({"seed": seed, "dropout": 0.5, "head_dropout": 0.5, "shape": SMALL})
        run = new_run(settings)
        weights, same = run.network.trainable_variables, Network(settings.shape).trainable_variables
        for weight, value in zip(weights, same, strict=True):
            weight.assign(value)
        batch = batch_of([(features_of(Piece(rolls(1)[0]), settings.shape), rolls(1)[0])], settings.shape)
        nats.append(float(make_update(run)(batch, tensorflow.constant(0))))
    assert nats[0] != nats[1]


@pytest.mark.pipeline
def test_one_command_trains_tests_and_prints_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from training.pianoroll.report import predictor
    from training.pianoroll.train import load_best, make_score

    write_set(tmp_path)
    for head in HEADS:
        text = f"""
            epochs = 20
            batch = 1
            warmup_steps = 5
            learning_rate = 3e-2
            average = 0.5
            dropout = 0.0
            [shape]
            head = "{head}"
            units = 12
            head_width = 16
        """
        (tmp_path / f"jsb_chorales_{head}.toml").write_text(text, encoding="utf-8")
    command = ["training", "pianoroll", "--data", str(tmp_path), "--configs", str(tmp_path)]
    command += ["--run", str(tmp_path / "run"), "--set", "jsb_chorales"]
    monkeypatch.setattr(sys, "argv", [*command, "--json"])
    assert main() == 0
    told = json.loads(capsys.readouterr().out)
    assert [r["head"] for r in told["results"]] == list(HEADS)
    untrained = {"sigmoid": 60.0, "joint": 12.0}
    assert all(r["test"] < untrained[r["head"]] / 4 for r in told["results"]), told["results"]
    assert told["published"]["jsb_chorales"]["TCN"] == 8.10
    network, _ = load_best(tmp_path / "run/jsb_chorales_sigmoid/best.npz")
    test = load_set(tmp_path, "jsb_chorales")["test"]
    score = make_score(network, settings_from({"shape": {"head": "sigmoid", **SMALL}}))
    assert told["results"][0]["test"] == pytest.approx(frame_nll(predictor(network), test), rel=1e-6)
    assert score([Piece(r) for r in test]) == pytest.approx(told["results"][0]["test"], rel=1e-4)
    monkeypatch.setattr(sys, "argv", command)
    assert main() == 0
    shown = capsys.readouterr().out
    assert "RNN-NADE" in shown
    assert f"{told['results'][1]['test']:.3f}" in shown


def test_scoring_reads_every_sequence_whole() -> None:
    pieces = [Piece(r) for r in rolls(6)]
    groups = list(scoring_batches(pieces, Shape(), frames=60))
    assert sorted(k for group, _ in groups for k in group) == list(range(6))
    assert sum(len(b.target) for _, b in groups) == sum(len(p.frames) - 1 for p in pieces)

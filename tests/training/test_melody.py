"""The melody network: reading one voice from a file, learning it, going on after a kill, and a model that plays."""

import csv
import json
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

from livemuse.midi.smf import Track, read_song, write_song
from livemuse.model.bundle import load_bundle
from livemuse.model.grid_stepper import MelodyStepper
from livemuse.music.grid import BEGIN, EVENTS, HOLD, PER_BAR, REST, notes_of_melody
from livemuse.music.notes import Note
from training.__main__ import main
from training.golden import FLOAT32, FROM_ITSELF, nearness, read_golden
from training.melody.answers import choose_turns, figures
from training.melody.baselines import baseline_nats
from training.melody.config import CONFIGS, Settings, Shape, load_settings, settings_from
from training.melody.dataset import batches, plan_epoch, plan_whole
from training.melody.export import make_step, onnx_nats, onnx_outputs, sampled
from training.melody.network import Network
from training.melody.reading import LONGEST_REST, shortened, voices_of
from training.melody.train import make_score, nats_by_event, train
from training.melody.tunes import Tune, Tunes, load_tunes, tunes_from, write_tunes

SMALL = Shape(units=16, embed_other=4, embed_lookback=4, lookback=(16, 5))
LINE = [60, HOLD, 62, HOLD, 64, HOLD, HOLD, HOLD, 67, HOLD, HOLD, HOLD, 64, HOLD, REST, REST]


def quiet(_line: str) -> None:
    """Nobody listens."""


def midi(*tracks: tuple[str, list[int]], bpm: float = 97.0, beside: float = 0.0) -> bytes:
    """A file whose tracks play these events, all of them beside the beats by a part of a sixteenth."""
    length_s = 60 / bpm / 4
    made = []
    for name, events in tracks:
        messages = []
        for note in notes_of_melody(events, length_s, (4 + beside) * length_s):
            messages += [(note.onset_s, bytes([0x90, note.pitch, 70])), (note.end_s, bytes([0x80, note.pitch, 0]))]
        made.append(Track(name, sorted(messages)))
    return write_song(made, tempo_bpm=bpm)


def some_tunes(count: int, bars: int, seed: int = 0, source: str = "Invented") -> Tunes:
    """One line, a little higher or lower in each tune."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        events = np.array(LINE * bars, np.int16)[:-2]
        events[events < HOLD] += int(rng.integers(-3, 4))
        rows.append((Tune(f"{k}.mid", source, "CC0 1.0", "MELODY", int((events < HOLD).sum())), events))
    return tunes_from(rows)


# --- reading ---------------------------------------------------------------------------------------------------------


@st.composite
def voices(draw: st.DrawFn) -> list[int]:
    """At least 16 notes of one voice; it begins and ends with a note, and no rest is longer than is kept."""
    events: list[int] = []
    for _ in range(draw(st.integers(16, 30))):
        events += [draw(st.integers(30, 100)), *[HOLD] * draw(st.integers(0, 9)), *[REST] * draw(st.integers(0, 6))]
    while events[-1] == REST:
        events.pop()
    return events


@given(voices(), st.floats(50, 180), st.floats(-0.3, 0.3))
def test_a_voice_comes_back_from_a_file_at_any_tempo(events: list[int], bpm: float, beside: float) -> None:
    found = voices_of(read_song(midi(("Piano", [40, HOLD] * 40), ("MELODY", events), bpm=bpm, beside=beside)))
    assert [(list(v.events), v.track) for v in found] == [(events, "MELODY")]


def test_without_a_name_the_highest_voice_is_read() -> None:
    low, high = [p - 12 if p < HOLD else p for p in LINE * 4], LINE * 4
    (voice,) = voices_of(read_song(midi(("one", low), ("two", high), ("three", [36, HOLD, HOLD, HOLD] * 8))))
    assert voice.track == "two"


def test_two_singers_are_two_voices() -> None:
    song = read_song(midi(("Voice: Soprano", LINE * 4), ("Voice: Alto", LINE * 4), ("Piano", LINE * 8)))
    assert [voice.track for voice in voices_of(song)] == ["Voice: Soprano", "Voice: Alto"]


def test_legato_hides_no_lower_note() -> None:
    length_s = 0.125
    messages = []
    for k in range(20):  # down the scale, each note still sounding when the next begins
        pitch = 90 - k
        messages += [(k * length_s, bytes([0x90, pitch, 70])), ((k + 1.12) * length_s, bytes([0x80, pitch, 0]))]
    (voice,) = voices_of(read_song(write_song([Track("lead", sorted(messages))], tempo_bpm=120)))
    assert list(voice.events) == [90 - k for k in range(20)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (midi(("MELODY", LINE)), "only"),
        (midi(("MELODY", [60, HOLD] * 40), ("x", [70]), bpm=120)[:14], "no track"),
    ],
)
def test_what_holds_no_melody_is_told_why(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        voices_of(read_song(data, salvage=True))


def test_a_recital_without_a_beat_holds_no_melody() -> None:
    song = read_song((Path(__file__).parents[1] / "data/handel-air-hwv425.mid").read_bytes())
    with pytest.raises(ValueError, match=r"beats|one note at a time"):
        voices_of(song)


@given(st.lists(st.sampled_from([60, HOLD, REST]), max_size=20), st.integers(0, 200))
def test_a_long_rest_keeps_its_place_in_the_bar(before: list[int], silent: int) -> None:
    events = [60, *before, *[REST] * silent, 72]
    found = shortened(events)
    assert (len(events) - len(found)) % PER_BAR == 0
    assert found[-1] == 72
    longest = max((len(run) for run in "".join("r" if e == REST else " " for e in found).split()), default=0)
    assert longest <= LONGEST_REST


# --- what is learned from --------------------------------------------------------------------------------------------


def test_tunes_come_back_from_their_file(tmp_path: Path) -> None:
    tunes = {"train": some_tunes(3, 4), "validation": some_tunes(1, 4, 1)}
    write_tunes(tmp_path / "tunes.npz", tunes)
    found = load_tunes(tmp_path / "tunes.npz")
    assert found["train"].about == tunes["train"].about
    assert (found["train"].events == tunes["train"].events).all()
    (tmp_path / "tunes.npz").write_bytes(b"PK nothing good")
    with pytest.raises(ValueError, match="holds no tunes"):
        load_tunes(tmp_path / "tunes.npz")


def test_windows_are_cut_at_notes_and_moved_only_within_the_range() -> None:
    tunes = some_tunes(5, 12)
    settings = Settings(batch=4, window=64, transpose=12, lowest=58, highest=70, seed=3)
    plan = plan_epoch(tunes, settings, 0)
    assert int(plan.length.sum()) == tunes.count  # every event once
    shifts = set()
    for heard, events, weight in batches(tunes, plan):
        fed, places = heard.events, heard.position
        inside = weight.numpy() > 0
        drawn = events.numpy()[inside]
        assert drawn[drawn < HOLD].min() >= 57  # a tune's own lowest note
        assert drawn[drawn < HOLD].max() <= 70
        assert (events.numpy()[0][inside[0]] < HOLD).all()
        assert (fed.numpy()[0] == BEGIN).all()
        assert (fed.numpy()[1:][inside[1:]] == events.numpy()[:-1][inside[1:]]).all()
        steps = np.diff(places.numpy(), axis=0) % PER_BAR
        assert (steps == 1).all()
        shifts.update(drawn[drawn < HOLD].tolist())
    assert len(shifts) > 8
    again = plan_epoch(tunes, settings, 0)
    assert (again.begin == plan.begin).all()
    assert (again.shift == plan.shift).all()
    assert not np.array_equal(plan_epoch(tunes, settings, 1).shift, plan.shift)


def test_settings_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    assert load_settings(CONFIGS / "lead.toml").name == "lead"
    with pytest.raises(ValueError, match="unknown setting: speed"):
        settings_from({"speed": 1})
    (tmp_path / "bad.toml").write_text("[shape]\nunits = 0\n")
    with pytest.raises(ValueError, match=r"bad\.toml"):
        load_settings(tmp_path / "bad.toml")


# --- the baselines ---------------------------------------------------------------------------------------------------


def test_the_baselines_know_what_they_should() -> None:
    tunes, held_out = some_tunes(6, 6), some_tunes(2, 6, 5)
    nats = {name: values.mean() for name, values in baseline_nats(tunes, held_out).items()}
    assert nats["repeat"] < 0.6 * nats["frequency"]  # the bar before does come again
    assert nats["markov_events"] < 0.3 * nats["frequency"]
    assert nats["markov_notes"] < nats["markov_events"]
    uniform = np.arange(EVENTS, dtype=np.int16)
    other = tunes_from([(Tune("x", "", "", "", HOLD), uniform)])
    probabilities = np.exp(-baseline_nats(tunes, other)["frequency"])
    assert probabilities.sum() == pytest.approx(1.0)


# --- the network -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four epochs, and one that was cut off in its third and taken up again."""
    folder = tmp_path_factory.mktemp("melody")
    tunes = {"train": some_tunes(16, 8), "validation": some_tunes(4, 8, 9)}
    whole = Settings(name="tiny", epochs=4, batch=4, window=64, learning_rate=0.04, warmup_steps=2, average=0.5,
                     transpose=2, shape=SMALL)  # fmt: skip

    def cut_off(line: str) -> None:  # all that is on the disk at this moment is what a kill leaves
        if line.startswith("epoch 2:"):
            shutil.copytree(folder / "whole", folder / "run")

    train(tunes, folder / "whole", whole, cut_off)
    with (folder / "run/history.csv").open("a") as stream:
        stream.write("3,99,99,0,0,0,0\n")  # a line whose epoch was not kept
    train(tunes, folder / "run", whole, quiet)
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


@pytest.fixture(scope="module")
def untrained() -> tuple[Network, Callable[..., Any]]:
    network = Network(SMALL, seed=2)
    return network, make_score(network)


Untrained = tuple[Network, Callable[..., Any]]


def test_it_hears_nothing_that_is_still_to_come(untrained: Untrained) -> None:
    _, score = untrained
    tunes = some_tunes(1, 6)
    changed = tunes.events.copy()
    changed[50:] = REST
    nats, other = nats_by_event(score, tunes), nats_by_event(score, Tunes(tunes.about, tunes.starts, changed))
    assert np.array_equal(nats[:50], other[:50])
    assert not np.array_equal(nats[51:], other[51:])


def test_step_by_step_it_expects_what_it_learned_whole(untrained: Untrained) -> None:
    network, score = untrained
    rng = np.random.default_rng(3)
    rows = []
    for _ in range(8):
        events = rng.choice([HOLD, REST, *range(30, 110)], 60, p=[0.4, 0.2, *[0.4 / 80] * 80]).astype(np.int16)
        events[0] = 64
        rows.append((Tune("", "", "", "", 1), events))
    tunes = tunes_from(rows)
    lines, step, state = tunes.events.reshape(8, 60), make_step(network), network.zero_state(8)
    fed, found = np.full(8, BEGIN, np.int32), np.zeros((8, 60))
    for number in range(60):
        logits, state = step(tf.constant(fed), tf.constant(np.full(8, number % PER_BAR, np.int32)), state)
        fed = lines[:, number].astype(np.int32)
        found[:, number] = tf.nn.sparse_softmax_cross_entropy_with_logits(fed, logits)
    assert nats_by_event(score, tunes).reshape(8, 60) == pytest.approx(found, abs=1e-4)


def test_it_knows_a_tune_in_every_key(untrained: Untrained) -> None:
    network, score = untrained
    for weight in (network.tables[1], network.event_out[0], network.event_out[1]):
        weight.assign(np.zeros(weight.shape))  # where the voice lies is all that is not told as an interval
    tunes = some_tunes(1, 6)
    higher = np.where(tunes.events < HOLD, tunes.events + 7, tunes.events)
    nats, moved = nats_by_event(score, tunes), nats_by_event(score, Tunes(tunes.about, tunes.starts, higher))
    assert nats[1:] == pytest.approx(moved[1:], abs=1e-4)
    assert nats[1:].std() > 0.01


def test_scoring_does_not_depend_on_what_stands_in_the_batch(untrained: Untrained) -> None:
    _, score = untrained
    tunes = tunes_from([(t.about[0], t.tune(0)) for t in (some_tunes(1, bars, bars) for bars in (2, 5, 9))])
    together = nats_by_event(score, tunes)
    alone = np.concatenate([nats_by_event(score, tunes.select([k])) for k in range(3)])
    assert together == pytest.approx(alone, abs=1e-5)
    assert (plan_whole(tunes, 2).length.sum(), together.min() > 0) == (tunes.count, True)


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


def test_sampled_steps_are_the_same_each_time(untrained: Untrained) -> None:
    step = make_step(network := untrained[0])
    (ours, said), (theirs, _) = sampled(network, step, 20, 2), sampled(network, step, 20, 2)
    assert ours["event"].tolist() == theirs["event"].tolist()
    assert said["event_logits"].shape == (20, 2, EVENTS)

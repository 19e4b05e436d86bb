"""The melody network: reading one voice from a file, the baselines, and what the network hears."""

import warnings
from collections.abc import Callable
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
from livemuse.music.grid import BEGIN, EVENTS, HOLD, PER_BAR, REST
from tests.training.some_tunes import LINE, SMALL, midi, some_tunes
from training.melody.baselines import baseline_nats
from training.melody.config import CONFIGS, Settings, load_settings, settings_from
from training.melody.dataset import batches, plan_epoch, plan_whole
from training.melody.export import make_step, sampled
from training.melody.network import Network
from training.melody.reading import LONGEST_REST, shortened, voices_of
from training.melody.run import new_run
from training.melody.train import make_score, make_update, nats_by_event
from training.melody.tunes import Tune, Tunes, load_tunes, tunes_from, write_tunes

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


@pytest.mark.parametrize("heard", [3, 20])  # in a tune's first bar, and beyond
def test_what_the_baselines_expect_adds_up_to_one(heard: int) -> None:
    begun = (LINE * 2)[:heard]
    every = tunes_from([(Tune("", "", "", "", 1), np.array([*begun, event], np.int16)) for event in range(EVENTS)])
    for name, nats in baseline_nats(some_tunes(6, 6), every).items():
        assert np.exp(-nats[heard :: heard + 1]).sum() == pytest.approx(1.0), name


def test_a_bar_that_always_came_again_may_still_be_another() -> None:
    learned, other = some_tunes(1, 60), tunes_from([(Tune("", "", "", "", 32), np.arange(40, 72, dtype=np.int16))])
    assert np.isfinite(baseline_nats(learned, other)["repeat"]).all()


# --- the network -----------------------------------------------------------------------------------------------------


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


def test_another_seed_leaves_other_numbers_out() -> None:
    tunes = some_tunes(4, 4)
    given = next(iter(batches(tunes, plan_epoch(tunes, Settings(batch=4, window=64), 0))))
    nats = []
    for seed in (1, 2):
        run = new_run(Settings(seed=seed, dropout=0.5, shape=SMALL))
        for weight, same in zip(run.network.trainable_variables, Network(SMALL).trainable_variables, strict=True):
            weight.assign(same)
        nats.append(float(make_update(run)(*given, tf.constant(0))[0]))
    assert nats[0] != nats[1]


def test_sampled_steps_are_the_same_each_time(untrained: Untrained) -> None:
    step = make_step(network := untrained[0])
    (ours, said), (theirs, _) = sampled(network, step, 20, 2), sampled(network, step, 20, 2)
    assert ours["event"].tolist() == theirs["event"].tolist()
    assert said["event_logits"].shape == (20, 2, EVENTS)

"""Figures of made-up notes whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livemuse.music.notes import Note
from livemuse.music.theory import Key, parse_key
from training.corpus import Corpus, Piece
from training.figures.copying import SEPARATOR, longest_runs, pitches_of, pitches_of_corpus
from training.figures.form import bar_vectors, drone_bars, form, mean_form, self_similarity, silence_share, silent_bars
from training.figures.harmony import degrees, in_key_share, key_of, register_distance, repetition
from training.figures.histograms import KINDS, histograms, mean_overlap, overlap, overlaps, pooled, voices_in_frames
from training.figures.likeness import spread
from training.figures.rhythm import autocorrelation, beat


def line(pitches: list[int], step_s: float = 0.5, duration_s: float = 0.4, velocity: int = 80) -> list[Note]:
    return [Note(k * step_s, pitch, duration_s, velocity) for k, pitch in enumerate(pitches)]


def test_histograms_count_what_is_there() -> None:
    notes = [Note(0.0, 60, 0.5, 64), Note(0.0, 64, 0.5, 64), Note(0.5, 72, 1.0, 127)]
    found = histograms(notes, 3.0)
    assert set(found) == set(KINDS)
    assert found["pitch_class"].tolist() == [2, 0, 0, 0, 1] + [0] * 7
    assert found["inter_onset"].sum() == 2
    assert found["inter_onset"][0] == 1  # the chord
    assert found["duration"].sum() == 3
    assert found["velocity"][8] == 2
    assert found["velocity"][15] == 1
    assert found["polyphony"][:3].tolist() == [20, 10, 0]  # frames of 50 ms: one note for 1 s, two for 0.5 s
    assert found["density"][:4].tolist() == [2, 0, 0, 1]  # three onsets in the first second, none in two more


def test_degrees_are_counted_from_the_tonic() -> None:
    found = degrees(line([62, 66, 69, 74, 61]), parse_key("D major"))
    assert found.tolist() == [2, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1]


def test_voices_end_where_notes_end() -> None:
    assert voices_in_frames([]).tolist() == []
    assert voices_in_frames([Note(0.0, 60, 0.1, 1), Note(0.1, 62, 0.1, 1)]).tolist() == [1, 1, 1, 1]
    assert voices_in_frames([Note(0.0, 60, 0.0, 1)]).tolist() == [1]


def test_an_overlapping_area_is_one_for_the_same_and_nothing_for_what_shares_nothing() -> None:
    assert overlap(np.array([1, 3]), np.array([2, 6])) == pytest.approx(1.0)
    assert overlap(np.array([1, 0]), np.array([0, 5])) == 0.0
    assert overlap(np.array([1, 1]), np.array([3, 1])) == pytest.approx(0.75)
    assert overlap(np.zeros(2), np.array([3, 1])) == 0.0


@given(st.lists(st.integers(21, 108), min_size=2, max_size=30), st.floats(0.05, 1.0))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_music_overlaps_wholly_with_itself(pitches: list[int], step_s: float) -> None:
    one = histograms(line(pitches, step_s), 5.0)
    assert mean_overlap(one, one) == pytest.approx(1.0)
    assert all(0 <= area <= 1 for area in overlaps(one, histograms(line([60, 61, 62]), 5.0)).values())
    assert mean_overlap(pooled([one, one]), one) == pytest.approx(1.0)


def test_a_metronome_is_its_own_beat() -> None:
    found = beat([k * 0.5 for k in range(30)])
    assert found is not None
    assert found.beat_s == pytest.approx(0.5, abs=0.02)
    assert found.at_beat > 0.9
    assert found.at_four_beats > 0.9


def test_a_waltz_of_quavers_is_most_like_itself_after_the_figure() -> None:
    figure = [0.0, 0.12, 0.4]
    found = beat([bar * 0.7 + at for bar in range(20) for at in figure])
    assert found is not None
    assert found.beat_s == pytest.approx(0.7, abs=0.02)


def test_no_beat_is_found_in_chance() -> None:
    onsets_s = np.cumsum(np.random.default_rng(1).exponential(0.25, 400))
    found = beat(onsets_s.tolist())
    assert found is not None
    assert found.at_four_beats < 0.2
    assert found.at_beat < 0.3


def test_too_few_notes_have_no_beat() -> None:
    assert beat([]) is None
    assert beat([0.0] * 20) is None
    assert beat([0.0, 0.5, 1.0]) is None


def test_autocorrelation_begins_at_one() -> None:
    assert autocorrelation([0.0, 1.0, 2.0, 3.0], 1.0)[0] == pytest.approx(1.0)


@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_a_cadence_is_its_key(tonic: int) -> None:
    major = line([60 + tonic + p for p in (0, 4, 7, 5, 9, 12, 7, 11, 14, 0, 4, 7, 0)])
    assert key_of(major) == Key(tonic, "major")
    minor = line([60 + tonic + p for p in (0, 3, 7, 5, 8, 12, 7, 11, 14, 0, 3, 7, 0)])
    assert key_of(minor) == Key(tonic, "minor")


def test_the_share_in_key() -> None:
    assert in_key_share(line([60, 62, 64, 61]), parse_key("C major")) == 0.75
    with pytest.raises(ValueError, match="no key"):
        key_of([])


def test_repetition_counts_runs_that_came_before() -> None:
    assert repetition(line([60, 61, 62, 63, 64])) == 0.0
    assert repetition(line([60] * 13)) == pytest.approx(0.9)  # ten runs of four, one of them new
    assert repetition(line([60, 61])) == 0.0


def test_the_register_is_that_of_the_end_of_the_call() -> None:
    call = line([100] * 50 + [60] * 60)
    assert register_distance(line([72, 72, 72]), call) == 12


def corpus_of(*pieces: list[int]) -> Corpus:
    flat = np.array([p for piece in pieces for p in piece], np.uint8)
    starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])]).astype(np.int64)
    named = tuple(Piece(f"{k}.mid", "", "", len(p), "") for k, p in enumerate(pieces))
    return Corpus(named, starts, flat, np.zeros(len(flat), np.float32), np.ones(len(flat), np.float32), flat)


def test_a_run_does_not_go_from_one_piece_into_the_next() -> None:
    known = pitches_of_corpus(corpus_of([60, 61, 62], [63, 64, 65]))
    assert known.tolist() == [60, 61, 62, SEPARATOR, 63, 64, 65, SEPARATOR]
    queries = [np.array(q, np.uint8) for q in ([60, 61, 62, 63, 64], [64, 65], [70], [])]
    assert longest_runs(queries, known) == [3, 2, 0, 0]


def shared(one: list[int], other: list[int]) -> int:
    return max(
        (n for n in range(len(one), 0, -1) for k in range(len(one) - n + 1)
         for j in range(len(other) - n + 1) if one[k : k + n] == other[j : j + n]),
        default=0,
    )  # fmt: skip


few = st.lists(st.integers(60, 62), max_size=14)


@settings(max_examples=60)
@given(st.lists(few, max_size=4), few, few)
def test_the_longest_runs_are_those_of_looking_at_every_place(
    queries: list[list[int]], one: list[int], two: list[int]
) -> None:
    found = longest_runs([np.array(q, np.uint8) for q in queries], pitches_of_corpus(corpus_of(one, two)))
    assert found == [max(shared(q, one), shared(q, two)) for q in queries]


def test_long_runs_are_found_in_long_music() -> None:
    rng = np.random.default_rng(0)
    known = rng.integers(21, 109, 300_000).astype(np.uint8)
    query = np.concatenate([[20], known[5000:5040], [20]]).astype(np.uint8)
    assert longest_runs([query, query[:20]], known) == [40, 19]


def test_pitches_stand_in_the_order_of_their_onsets() -> None:
    assert pitches_of([Note(1.0, 60, 1, 1), Note(0.0, 67, 1, 1), Note(0.0, 64, 1, 1)]).tolist() == [64, 67, 60]


def test_music_that_comes_back_is_like_itself_when_it_does() -> None:
    a, b = [60, 62, 64, 65], [61, 63, 66, 68]
    notes = line((a + b) * 4)  # bars of 2 s, a and b in turn
    classes, rhythm = bar_vectors(notes, 8, 2.0)
    assert classes.sum() == rhythm.sum() == 32
    assert self_similarity(classes, 1) == pytest.approx(0.0)
    assert self_similarity(classes, 2) == pytest.approx(1.0)
    assert self_similarity(rhythm, 1) == pytest.approx(1.0)
    assert math.isnan(self_similarity(classes, 8))


def test_silence_and_drones_are_seen() -> None:
    drone = [Note(0.0, 36, 16.0, 80), *line([60, 62, 64, 65], 0.5)]
    assert drone_bars(drone, 8, 2.0).tolist() == [False] + [True] * 7
    assert silent_bars(drone, 8, 2.0).tolist() == [False] + [True] * 7
    assert silence_share(drone, 16.0) == 0.0
    assert silence_share([Note(0.0, 60, 4.0, 80)], 16.0) == pytest.approx(0.75)
    assert silence_share([], 16.0) == 1.0
    assert form(drone, 8, 2.0)["collapsed"] == 1.0
    assert form(line(list(range(40, 72))), 8, 2.0)["collapsed"] == 0.0
    assert form([], 8, 2.0)["collapsed"] == 1.0


def test_figures_of_many_are_means() -> None:
    assert mean_form([{"a": 1.0}, {"a": 3.0}]) == {"a": 2.0}
    assert spread([1, 2, 9])["longest"] == 9.0

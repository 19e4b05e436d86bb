"""Motifs put into calls, and found in answers."""

import itertools

import numpy as np
import pytest

from livemuse.music.notes import Note
from training.figures.planting import goes_round, in_a_voice, in_skyline, intervals_of, motif, planted

CALL = tuple(Note(0.2 * k, 50 + (k * 5) % 24, 0.3, 70) for k in range(100))


def line(*pitches: int, step_s: float = 0.3) -> list[Note]:
    return [Note(step_s * k, pitch, 0.25, 80) for k, pitch in enumerate(pitches)]


def test_a_motif_is_a_tune_within_an_octave() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        notes = motif(rng, 70)
        assert 5 <= len(notes) <= 8
        assert notes[0].pitch == 70
        assert max(n.pitch for n in notes) - min(n.pitch for n in notes) <= 12
        assert all(n.duration_s < later.onset_s - n.onset_s for n, later in itertools.pairwise(notes))


@pytest.mark.parametrize("seed", range(8))
def test_a_motif_that_is_planted_alone_stands_twice_in_another_key_and_slower(seed: int) -> None:
    found = planted(CALL, np.random.default_rng(seed), "alone")
    intervals = intervals_of(found.call)
    count = len(found.intervals)
    places = [k for k in range(len(intervals)) if intervals[k : k + count] == found.intervals]
    assert len(places) == 2
    first, again = (found.call[k : k + count + 1] for k in places)
    assert first[0].pitch != again[0].pitch
    assert (again[-1].onset_s - again[0].onset_s) == pytest.approx(1.2 * (first[-1].onset_s - first[0].onset_s))
    assert len(found.call) == len(CALL) + 2 * (count + 1)
    assert in_skyline(found.call, found.intervals)


@pytest.mark.parametrize("seed", range(8))
def test_a_motif_that_is_planted_above_is_the_upper_voice(seed: int) -> None:
    found = planted(CALL, np.random.default_rng(seed), "above")
    assert found.call == tuple(sorted(found.call, key=lambda n: (n.onset_s, n.pitch)))
    assert in_a_voice(found.call, found.intervals)


def test_intervals_are_found_in_the_upper_voice_and_in_a_voice_but_not_by_chance() -> None:
    tune = line(60, 64, 62, 67, 65)
    below = [Note(0.15 * k, 40 + k % 3, 0.1, 60) for k in range(10)]
    assert in_skyline(tune, (4, -2, 5, -2))
    assert in_skyline([*tune, *(Note(n.onset_s + 0.1, 45, 0.1, 60) for n in tune)], (4, -2, 5, -2))
    assert in_a_voice([*tune, *below], (4, -2, 5, -2))
    assert not in_skyline(tune, (4, -2, 5, -1))
    assert not in_a_voice(tune, (4, -2, 5, -1))


def test_figures_that_go_round_are_counted() -> None:
    assert goes_round(line(*(60, 64, 67, 72) * 5))
    assert not goes_round(line(*(60, 64, 67, 72) * 4))

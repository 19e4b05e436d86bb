"""How the hearing of the beat is measured: what counts as right, and where answers begin."""

import numpy as np
import pytest

from training.hearing.beats import f_measure, level_of
from training.hearing.entries import entries, entries_on_beat
from training.hearing.true_beats import TrueBeats


def eighths(beat_s: float, late_s: float = 0.0) -> TrueBeats:
    """Eighths over a bass on the beat, with a rest of a beat after every 20th; beats that lie ``late_s`` after them."""
    notes = []
    for k in range(240):
        at_s = (k + 2 * (k // 20)) * beat_s / 2
        notes += [(at_s, 48, 90), (at_s, 60 + k % 12, 95)] if k % 2 == 0 else [(at_s, 60 + k % 12, 70)]
    beats_s = [k * beat_s + late_s for k in range(-1, 200)]
    bars = np.zeros(len(beats_s), bool), np.zeros(len(beats_s), np.int64)
    return TrueBeats(tuple(notes), np.array(beats_s), *bars, phase_known=True)


def test_answers_to_steady_playing_begin_on_its_beat() -> None:
    made = entries(eighths(0.8))
    assert len(made) >= 5
    assert sum(entry.clear for entry in made) > len(made) / 2
    assert all(entry.on_beat for entry in made if entry.clear)


def test_a_beat_that_lies_elsewhere_is_missed() -> None:
    made = entries(eighths(0.8, late_s=0.11))
    assert any(entry.clear for entry in made)
    assert not any(entry.on_beat for entry in made if entry.clear)


def test_shares_are_of_the_answers_before_which_the_beat_was_clear() -> None:
    class Named:
        true = eighths(0.8)

    found = entries_on_beat([Named()])  # type: ignore[list-item]
    assert found["answers"] == len(entries(Named.true))
    assert found["clear"] == pytest.approx(np.mean([e.clear for e in entries(Named.true)]))
    assert found["on_beat"] == 1.0


@pytest.mark.parametrize(
    ("told", "level"),
    [(100.0, "right"), (103.9, "right"), (104.5, "wrong"), (200.0, "x2"), (33.3, "x1/3"), (None, "wrong")],
)
def test_a_tempo_is_right_within_four_percent_and_octaves_are_told_apart(told: float | None, level: str) -> None:
    assert level_of(told, 100.0) == level


def test_f_measure_matches_each_true_beat_once() -> None:
    true_s = [0.0, 0.5, 1.0, 1.5]
    assert f_measure(true_s, true_s) == 1.0
    assert f_measure([0.0, 0.01, 0.02, 0.03], true_s) == pytest.approx(2 / 8)
    assert f_measure([0.08, 0.58, 1.08, 1.58], true_s) == 0.0

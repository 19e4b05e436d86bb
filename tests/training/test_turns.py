"""Whose turn it is: cuts where the gaps are, counts that can be done by hand, and a fit that goes downhill."""

from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from livemuse.music.notes import KeyDown, KeyUp, Note, Pedal
from livemuse.music.turntaking import SILENCES_S, Ending
from tests.training.conftest import quiet, write_piece
from training.commands import turns as command
from training.figures.turns import (
    EACH,
    Listened,
    Silence,
    compared,
    cuts_of,
    false_at,
    fixed,
    judged,
    pauses_alone,
    table,
)
from training.figures.turns_data import Asked, Performance, events_of, performances
from training.figures.turns_fit import Table, descend, loss, table_of

MODEL = Path(__file__).parents[2] / "models" / "open"


def silence(gap_s: float | None, *due: str, held_s: float = 0.2, chord: int = 1) -> Silence:
    word = tuple(float(np.exp(-3 * at_s)) for at_s in SILENCES_S)
    return Silence(Ending(1.0, 0.4, held_s, 0.0, chord, False, 4.0, 0.0), word, 0.5, gap_s, frozenset(due))


def performance(*silences: Silence, seconds: float = 60.0) -> Listened:
    return Listened(Performance("x", "invented", (KeyDown(0.0, 0, 60, 80), KeyUp(seconds, 0, 60))), silences)


def test_a_performance_is_cut_at_the_longest_gap_of_each_forty_notes() -> None:
    steps_s = np.full(2 * EACH, 0.2)
    steps_s[[10, EACH + 5]] = 1.0
    notes = [Note(float(at_s), 60, 0.1, 80) for at_s in np.cumsum(steps_s)]
    notes[19] = Note(notes[19].onset_s, 60, 0.02, 80)  # let go early, but the next comes as soon as ever
    cuts = cuts_of(events_of(notes))
    assert cuts == {10: frozenset({"onset", "rest"})}  # the second forty have no gap after their last note


def test_a_held_note_makes_a_gap_but_no_rest() -> None:
    steps_s = np.full(EACH + 2, 0.2)
    steps_s[10] = 1.0
    notes = [Note(float(at_s), 60 + k % 2, 0.1, 80) for k, at_s in enumerate(np.cumsum(steps_s))]
    notes[9] = Note(notes[9].onset_s, 61, 0.98, 80)
    notes[29] = Note(notes[29].onset_s, 61, 0.01, 80)
    assert cuts_of(events_of(notes)) == {10: frozenset({"onset"}), 30: frozenset({"rest"})}


def test_keys_and_pedals_are_in_order() -> None:
    found = events_of([Note(0.0, 60, 0.5, 80), Note(0.5, 60, 0.5, 80)])
    assert [type(event) for event in found] == [KeyDown, KeyUp, KeyDown, KeyUp]  # let go before it is struck again
    assert not any(isinstance(event, Pedal) for event in found)


def test_answers_too_early_are_counted_where_the_player_went_on() -> None:
    heard = [performance(silence(0.4, "onset"), silence(0.8), silence(2.5, "rest"), silence(None, "onset", "rest"))]
    found = judged(heard, fixed(0.6), learns=False)
    assert found["false_a_minute"] == 2.0
    assert found["wait_s"]["onset"] == {"mean": 0.6, "median": 0.6}
    assert judged(heard, pauses_alone(2.0), learns=False)["false_a_minute"] == 1.0


def test_between_two_points_the_curve_is_straight_over_the_logarithm() -> None:
    points = [{"wait_s": {"onset": {"mean": wait_s}}, "false_a_minute": count} for wait_s, count in ((0.5, 3), (2, 1))]
    assert false_at(points, "onset", 1.0) == pytest.approx(2.0)
    assert false_at(points, "onset", 3.0) is None


def test_all_rules_are_compared_where_they_wait_as_long() -> None:
    rng = np.random.default_rng(0)
    heard = [performance(*(silence(float(gap_s), "onset", "rest") for gap_s in rng.exponential(0.4, 200)))]
    found = compared(heard)
    rows = found["equal_waiting"]["onset"]
    assert [row["wait_s"] for row in rows] == [0.3, 0.6, 1.0, 2.0]
    assert rows[1]["pauses alone"] == pytest.approx(rows[1]["fixed"], abs=10)
    assert "patience" in table(found | {"model": "m", "split": "validation"})


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    held_s = rng.uniform(0.05, 2.0, 300)
    rows = [silence(float(g), "onset", "rest", held_s=float(h)) for g, h in zip(rng.exponential(0.5, 300), held_s)]  # noqa: B905
    made = table_of([performance(*rows)])
    scaled = made.values
    at = np.append(0.3, rng.normal(0, 0.2, scaled.shape[1]))
    _, gradient = loss(made, scaled, at)
    for k in (0, 2):
        step = np.zeros(len(at))
        step[k] = 1e-3
        slope = (loss(made, scaled, at + step)[0] - loss(made, scaled, at - step)[0]) / 2e-3
        assert gradient[k] == pytest.approx(slope, rel=0.05, abs=2e-3)


def test_the_fit_finds_what_tells_an_end() -> None:
    """A chord is where the turn is due here, and single notes are not."""
    rng = np.random.default_rng(2)
    rows = []
    for _ in range(200):
        over = rng.random() < 0.3
        due = ("onset", "rest") if over else ()
        rows.append(silence(float(rng.exponential(0.5)), *due, chord=4 if over else 1))
    made: Table = table_of([performance(*rows)])
    before, _ = loss(made, made.values, np.zeros(made.values.shape[1] + 1))
    _, weights, left = descend(made, 20)
    assert weights[3] > 0.0
    assert left < before - 0.05


def test_the_command_hears_files_of_the_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(2):
        write_piece(tmp_path / f"{k}.mid", seed=k)
    (tmp_path / "manifest.csv").write_text(
        "file,source,split,composition_group\n0.mid,Invented,validation,a\n1.mid,Invented,train,b\nno.mid,X,validation,c\n"
    )
    asked = Asked(MODEL, tmp_path, manifest=tmp_path / "manifest.csv")
    assert [found.name for found in performances(asked, quiet)] == ["0.mid"]
    parser = ArgumentParser()
    command.options(parser)
    picture = tmp_path / "curves.png"
    command.run(parser.parse_args(["--data", str(tmp_path), "--picture", str(picture), str(MODEL)]))
    assert "2 performances" in capsys.readouterr().out
    assert picture.stat().st_size > 1000
    with pytest.raises(ValueError, match="no performance"):
        list(performances(Asked(MODEL, tmp_path, sources=("nobody",), manifest=tmp_path / "manifest.csv"), quiet))

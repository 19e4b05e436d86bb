"""Pieces under labels: each is read under none and every label of its kind, and the table knows which fits best."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livemuse.model.bundle import load_bundle
from tests.training.test_figures import corpus_of
from training.commands import labels as command
from training.figures import labelled
from training.figures.labelled import NONE, Asked, Reading, beginnings, readings, row_of, summary, table

MODEL = Path(__file__).parents[2] / "models" / "concert"
LABELS = ("genre:jazz", "genre:pop", "mood:calm")
ASKED = Asked(Path("model"), Path("data"), pieces=2)


def labelled_corpus() -> Any:
    """Three pieces of jazz, one of pop, one of no kind; two are calm."""
    corpus = corpus_of([60, 61], [62, 63, 64], [65], [66, 67], [68])
    told = [("jazz", "calm"), ("jazz", ""), ("jazz", "calm"), ("pop", ""), ("", "")]
    pieces = tuple(replace(p, genre=g, mood=m) for p, (g, m) in zip(corpus.pieces, told, strict=True))
    return replace(corpus, pieces=pieces)


def test_a_piece_is_read_under_none_and_every_label_of_its_kind() -> None:
    found = readings(labelled_corpus(), LABELS, ASKED)
    assert len({r.piece for r in found if r.own == 0}) == 2  # no more than were asked for
    assert {(r.own, r.told) for r in found} == {
        (own, told) for own, kind in enumerate([(0, 1), (0, 1), (2,)]) for told in (NONE, *kind)
    }
    assert [r.piece for r in found if r.own == 1] == [3, 3, 3]
    assert {r.piece for r in readings(labelled_corpus(), LABELS, replace(ASKED, pieces=0)) if r.own == 0} == {0, 1, 2}


def test_beginnings_are_cut_and_may_come_again() -> None:
    corpus = labelled_corpus()
    found = beginnings(corpus, [1, 3, 1], 2)
    assert found.pitch.tolist() == [62, 63, 66, 67, 62, 63]
    assert found.starts.tolist() == [0, 2, 4, 6]
    assert [p.notes for p in found.pieces] == [2, 2, 2]
    assert beginnings(corpus, [1], 0).pitch.tolist() == [62, 63, 64]


def scored_as(cost: dict[int, float], made: list[Reading]) -> Any:
    """Nats and notes of readings whose cost a note depends on what is told; ten notes each."""
    return np.array([(10 * (cost[r.told] if r.own == 0 else 5 - cost[r.told]), 10) for r in made])


def test_the_label_that_fits_best_is_named() -> None:
    made = [Reading(p, own, told) for p, own in ((0, 0), (1, 0), (2, 1)) for told in (NONE, 0, 1)]
    scored = scored_as({NONE: 3.0, 0: 2.0, 1: 4.0}, made)
    jazz, pop = (row_of(k, LABELS, made, scored) for k in (0, 1))
    assert (jazz["own"], jazz["none"], jazz["others"], jazz["gain"]) == (2.0, 3.0, 4.0, 2.0)
    assert jazz["best_is_own"]
    assert pop["best"] == "genre:pop"
    whole = summary([jazz, pop], made, scored)
    assert whole["best_under_own"] == whole["labels"] == 2
    assert whole["gain"] == pytest.approx(2.0)
    assert whole["low"] <= whole["gain"] <= whole["high"]
    wrong = scored_as({NONE: 3.0, 0: 4.0, 1: 2.0}, made)
    rows = [row_of(k, LABELS, made, wrong) for k in (0, 1)]
    assert [row["best"] for row in rows] == ["genre:pop", "genre:jazz"]
    assert summary(rows, made, wrong)["high"] < 0
    found = {"model": "x", "split": "validation", "rows": rows, "all": whole, "without_pieces": ["mood:calm"]}
    assert "no piece for: mood:calm" in table(found)


def test_one_label_alone_is_compared_with_nothing() -> None:
    made = [Reading(0, 2, told) for told in (NONE, 2)]
    scored = np.array([(30.0, 10), (20.0, 10)])
    row = row_of(2, LABELS, made, scored)
    assert "gain" not in row
    assert row["gain_over_none"] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="nothing to compare"):
        summary([row], made, scored)


def test_a_model_without_labels_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = replace(load_bundle(MODEL), styles=())
    monkeypatch.setattr(labelled, "performance_bundle", lambda _: bundle)
    with pytest.raises(ValueError, match="has learned no labels"):
        labelled.labels_table(replace(ASKED, model=MODEL, data=tmp_path), lambda _: None)
    with pytest.raises(ValueError, match="0 \\(all\\) or more"):
        labelled.labels_table(replace(ASKED, notes=-1), lambda _: None)


def test_the_command_has_its_options() -> None:
    parser = ArgumentParser()
    command.options(parser)
    args = parser.parse_args([str(MODEL), "--data", "x", "--pieces", "3", "--notes", "50", "--json"])
    assert (args.pieces, args.notes, args.json) == (3, 50, True)
    assert json.dumps(command.HELP)

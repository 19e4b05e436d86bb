"""The order in which notes reach a network: lanes, what follows a last chord, and what is told of each piece."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.config import Config
from training.corpus import Corpus, Piece
from training.lanes import Encores, plain, plan_lanes, style_table, styles_of, vary

CHUNK = 8


def invented(labels: list[tuple[str, str, str]], notes: int = 20) -> Corpus:
    pieces = tuple(Piece(f"{k}.mid", "Invented", "CC0 1.0", notes, str(k), *row) for k, row in enumerate(labels))
    count = notes * len(pieces)
    return Corpus(
        pieces,
        np.arange(0, count + 1, notes, dtype=np.int64),
        np.arange(count, dtype=np.uint8) % 128,
        np.full(count, 0.25, np.float32),
        np.full(count, 0.5, np.float32),
        np.full(count, 64, np.uint8),
    )


TWO = invented([("jazz", "", "calm"), ("classical", "Bach", "")])


def test_after_its_end_and_a_rest_a_piece_goes_on_from_its_middle() -> None:
    encores = Encores(np.array([5, -1]), np.array([10, 0]), np.array([1.5, 0.0]))
    plan = plan_lanes(TWO, 1, CHUNK, np.array([0, 1]), full=True, encores=encores)
    rows = list(zip(*(a[:, 0].tolist() for a in (plan.piece, plan.offset, plan.length, plan.before)), strict=True))
    assert rows[:5] == [(0, 0, 8, -1), (0, 8, 8, 7), (0, 16, 4, 15), (0, 5, 8, 19), (0, 13, 2, 12)]
    assert rows[5] == (1, 20, 8, -1)
    assert plan.gap_s[:, 0].tolist() == [0, 0, 0, 1.5, 0, 0, 0, 0]


def test_the_network_reads_the_rest_and_the_last_note_before_an_encore() -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")
    from livemuse.music.vocabulary import VOCABULARY
    from training.dataset import batches

    encores = Encores(np.array([5, -1]), np.array([10, 0]), np.array([1.5, 0.0]))
    plan = plan_lanes(TWO, 1, CHUNK, np.array([0, 1]), full=True, encores=encores)
    told = replace(plain(TWO), style=np.array([[1.0], [0.0]], np.float32))
    read = [[part.numpy() for part in batch] for batch in batches(TWO, plan, told, CHUNK)]
    inputs, targets, weight, new, style = read[3]  # the encore's first chunk
    assert (inputs[0, 0, 0], targets[0, 0, 0]) == (19, 5)  # after the last note comes one from the middle
    assert targets[1, 0, 0] == VOCABULARY.step_bin(1.5)
    assert targets[1, 1, 0] == VOCABULARY.step_bin(0.25)
    assert weight.sum() == CHUNK
    assert not new[0]
    assert [batch[4][0, 0] for batch in read] == [1, 1, 1, 1, 1, 0, 0, 0]
    assert [bool(batch[3][0]) for batch in read] == [True, False, False, False, False, True, False, False]
    assert style.shape == (1, 1)


def test_a_label_needs_enough_notes() -> None:
    corpus = invented([("jazz", "", "calm"), ("classical", "Bach", ""), ("jazz", "Bach", "")])
    assert styles_of(corpus, 40) == ("genre:jazz", "composer:Bach")
    assert styles_of(corpus, 1) == ("genre:classical", "genre:jazz", "composer:Bach", "mood:calm")
    assert styles_of(corpus, 0) == ()
    assert style_table(corpus, ("composer:Bach", "genre:jazz")).tolist() == [[0, 1], [1, 0], [1, 1]]


def test_each_kind_of_label_is_sometimes_kept_from_the_network() -> None:
    corpus = invented([("jazz", "Bach", "calm")] * 400, notes=4)
    styles = styles_of(corpus, 1)
    _, varied, encores = vary(corpus, Config(style_dropout=0.4, encore=0.5), 0, styles)
    assert np.all((varied.style.mean(0) > 0.5) & (varied.style.mean(0) < 0.7))
    assert abs(np.corrcoef(varied.style.T)[0, 1]) < 0.2  # each kind by itself
    assert 0.4 < (encores.start >= 0).mean() < 0.6
    assert np.all(encores.start[encores.start >= 0] + encores.length[encores.start >= 0] <= corpus.notes)


def test_evaluation_changes_nothing_and_tells_nothing(tmp_path: Path) -> None:
    found = plain(TWO, 3)
    assert found.style.shape == (2, 3)
    assert not found.style.any()
    assert np.all(found.stretch == 1)

"""The order in which notes reach a network: lanes, what follows a last chord, and what is told of each piece."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livemuse.music.vocabulary import BOS, VOCABULARY

pytest.importorskip("keras", reason="Keras is not installed (extra: train)")

from training.config import Config
from training.corpus import Corpus, Piece
from training.dataset import batch_at
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
    columns = (plan.piece, plan.offset, plan.length, plan.before, plan.jump, plan.resume)
    rows = list(zip(*(a[:, 0].tolist() for a in columns), strict=True))
    assert rows[:3] == [(0, 0, 8, -1, -2, 0), (0, 8, 8, 7, -2, 0), (0, 16, 8, 15, 4, 5)]
    assert rows[3:5] == [(0, 9, 6, 8, -2, 0), (1, 20, 8, -1, -2, 0)]
    assert plan.gap_s[:, 0].tolist() == [0, 0, 1.5, 0, 0, 0, 0]


@example(notes=15, start=5, more=10, chunk=8)  # the encore begins with the last note of a chunk
@given(st.integers(1, 40), st.integers(0, 39), st.integers(1, 40), st.integers(1, 17))
def test_every_note_is_read_after_the_one_that_was_played_before(notes: int, start: int, more: int, chunk: int) -> None:
    """What a lane reads of a piece and its encore, chunk after chunk, is one run without a hole or a stranger."""
    corpus = invented([("jazz", "", ""), ("pop", "", "")], notes)
    start, more = min(start, notes - 1), min(more, notes)
    more = min(more, notes - start)
    encores = Encores(np.array([start, -1]), np.array([more, 0]), np.array([1.5, 0.0]))
    plan = plan_lanes(corpus, 1, chunk, np.array([0, 1]), full=True, encores=encores)
    told, heard, given_, asked = plain(corpus), [], [], []
    for step in range(plan.steps):
        inputs, targets, weight, new, _ = batch_at(step, corpus, plan, told, chunk)
        if plan.piece[step, 0] == 0:
            assert new[0] == (step == 0)
            count = int(weight[:, 0].sum())
            given_.append(inputs[..., :count, 0])
            asked.append(targets[..., :count, 0])
            heard += list(zip(inputs[0, :count, 0].tolist(), targets[0, :count, 0].tolist(), strict=True))
    expected = [*range(notes), *range(start, start + more)]
    assert [target for _, target in heard] == [p % 128 for p in expected]
    assert [given for given, _ in heard] == [BOS, *(p % 128 for p in expected[:-1])]
    # what it is given is what it was asked for one note before, in all four heads and from chunk to chunk
    np.testing.assert_array_equal(np.concatenate(given_, 1)[:, 1:], np.concatenate(asked, 1)[:, :-1])


def test_the_network_reads_the_rest_and_the_last_note_before_an_encore() -> None:
    encores = Encores(np.array([5, -1]), np.array([10, 0]), np.array([1.5, 0.0]))
    plan = plan_lanes(TWO, 1, CHUNK, np.array([0, 1]), full=True, encores=encores)
    told = replace(plain(TWO), style=np.array([[1.0], [0.0]], np.float32))
    read = [batch_at(step, TWO, plan, told, CHUNK) for step in range(plan.steps)]
    inputs, targets, weight, new, style = read[2]  # the chunk in which the piece ends
    assert (inputs[0, 4, 0], targets[0, 4, 0]) == (19, 5)  # after the last note comes one from the middle
    assert targets[1, 4, 0] == VOCABULARY.step_bin(1.5)
    assert targets[1, 3, 0] == targets[1, 5, 0] == VOCABULARY.step_bin(0.25)
    assert weight.sum() == CHUNK
    assert not new[0]
    assert [batch[4][0, 0] for batch in read] == [1, 1, 1, 1, 0, 0, 0]
    assert [bool(batch[3][0]) for batch in read] == [True, False, False, False, True, False, False]
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

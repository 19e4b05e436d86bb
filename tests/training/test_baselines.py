"""The Markov model is a model: it sums to one, knows what it counted, and beats knowing nothing."""

import numpy as np
import pytest

from livemuse.music.vocabulary import HEADS, VOCABULARY
from training.baselines.markov import CHAINS, Level, Markov, _count, _Lagged, _order, fit_weights, markov_nats
from training.corpus import Corpus, Piece
from training.lanes import corpus_bins


def corpus_of(pieces: list[list[int]]) -> Corpus:
    """Pieces of these pitches, evenly played."""
    pitch = np.concatenate([np.array(p, np.uint8) for p in pieces])
    starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])])
    count = len(pitch)
    made = tuple(Piece(str(k), "x", "x", len(p), str(k)) for k, p in enumerate(pieces))
    times_s = np.full(count, 0.25, np.float32)
    return Corpus(made, starts, pitch, times_s, times_s, np.full(count, 64, np.uint8))


def test_what_follows_a_context_sums_to_one() -> None:
    rng = np.random.default_rng(0)
    seen = rng.integers(0, 20, 500).astype(np.uint64) * np.uint64(10) + rng.integers(0, 10, 500).astype(np.uint64)
    for context in (3, 99):  # known and unknown
        asked = np.uint64(context * 10) + np.arange(10, dtype=np.uint64)
        mixed, kind = _order(_count(seen, 10), asked, np.full(10, 0.1))
        assert mixed.sum() == pytest.approx(1.0)
        assert (kind > 0).all() == (context == 3)


def test_contexts_stop_at_the_beginning_of_a_piece() -> None:
    lagged = _Lagged.of(corpus_of([[60, 62], [70, 72]]))
    assert lagged.feature("p1")[0].tolist() == [128, 60, 128, 70]
    assert lagged.feature("i0")[0].tolist() == [256, 130, 256, 130]


def test_every_context_reaches_five_notes_and_fits_in_a_key() -> None:
    lagged = _Lagged.of(corpus_of([list(range(60, 70))]))
    for head, levels in CHAINS.items():
        for level in levels:
            lagged.keys(head, level)
    for head in HEADS:
        assert any(term[1] == "5" for term in CHAINS[head][-1].context)
    with pytest.raises(ValueError, match="64 bits"):
        lagged.keys("pitch", Level(("p1",) * 10))


def test_a_figure_is_learned_and_known_in_another_key() -> None:
    figure = [0, 4, 7, 12, 7, 4] * 20
    train = corpus_of([[p + 50 + k for p in figure] for k in range(8)])
    held_out = corpus_of([[p + 70 for p in figure], [30, 99, 31, 98, 32, 97] * 20])
    nats = markov_nats(train, held_out, lambda _: None) / np.diff(held_out.starts)[:, None]
    known, strange = nats[:, HEADS.index("pitch")]
    assert known < 2.5 < np.log(VOCABULARY.sizes["pitch"])
    assert known < strange


def test_what_plays_is_what_is_scored() -> None:
    rng = np.random.default_rng(2)
    train = corpus_of([rng.integers(50, 70, 60).tolist() for _ in range(30)])
    held_out = corpus_of([rng.integers(50, 70, 9).tolist()])
    bins = corpus_bins(held_out)
    model = Markov(corpus_bins(train), train.starts, fit_weights(train))
    nats = np.zeros(len(HEADS))
    for n in range(len(bins)):
        for k, _ in enumerate(HEADS):
            share = model.probabilities(bins[:n], bins[n, :k].tolist())
            assert share.sum() == pytest.approx(1.0)
            nats[k] -= np.log(share[bins[n, k]])
    assert nats == pytest.approx(markov_nats(train, held_out, lambda _: None)[0], abs=1e-6)


def test_it_plays_on_in_the_figure_it_knows() -> None:
    train = corpus_of([[60, 64, 67, 72] * 30 for _ in range(30)])
    model = Markov(corpus_bins(train), train.starts, fit_weights(train))
    rng = np.random.default_rng(0)
    played = corpus_bins(train)[:8]
    for _ in range(12):
        played = np.concatenate([played, [model.draw(played, rng)]])
    assert (played[8:, 0] == [60, 64, 67, 72] * 3).mean() > 0.7

"""The shape of a phrase: its height, its daring, and where it closes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.context import BeatGrid
from livemuse.music.controls import Controls
from livemuse.music.phrasing import NO_SURPRISE, Phrase, Surprise, close_of, close_of_notes, tilt, warmth
from livemuse.music.schedule import Plan
from livemuse.music.take import answer_length

GRID = BeatGrid(10.0, 0.5, 4, 10.0, clear=True)
UNCLEAR = BeatGrid(10.0, 0.5, 4, 10.0)


def test_a_phrase_is_the_whole_answer_however_often_it_is_made_again() -> None:
    later = Plan(2, 1, 1, (), None, 14.0, 18.0, None, 9, Controls(), first_beat_s=10.0)
    phrase = Phrase.of(later)
    assert phrase is not None
    assert [phrase.place(at_s, 9) for at_s in (10.0, 14.0, 18.0, 30.0)] == [0.0, 0.5, 1.0, 1.0]
    of_notes = Phrase.of(Plan(1, 1, 0, (), 1.0, 1.0, 121.0, 5, 0, Controls()))
    assert of_notes is not None
    assert [of_notes.place(1.0, index) for index in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert Phrase.of(Plan(1, 1, 0, (), 1.0, 1.0, math.inf, None, 0, Controls())) is None


def test_contours_go_where_their_names_say() -> None:
    heights = {
        name: [tilt(name, place / 10) for place in range(11)] for name in ("off", "auto", "arch", "rise", "fall")
    }
    assert not any(heights["off"])
    for arch in ("auto", "arch"):
        assert heights[arch][5] > 0 > heights[arch][0] == pytest.approx(heights[arch][10])
    assert heights["rise"] == sorted(heights["rise"])
    assert heights["fall"] == pytest.approx(heights["rise"][::-1])
    assert max(heights["auto"]) < max(heights["arch"]) / 2


def test_daring_follows_the_phrase() -> None:
    along = [warmth(1.0, place / 10, 1.0, NO_SURPRISE) for place in range(11)]
    assert along[0] < 1.0 < max(along[3:7])
    assert along[10] == min(along)
    assert all(warmth(0.0, place / 10, 4.0, Surprise(1.0, 9.0)) == 1.0 for place in range(11))


def test_it_warms_where_it_goes_round_and_cools_where_it_is_lost() -> None:
    plain = warmth(1.0, None, 1.0, Surprise(2.0, 2.0))
    assert plain == 1.0
    assert warmth(1.0, None, 3.5, Surprise(2.0, 2.0)) > plain
    assert warmth(1.0, None, 1.0, Surprise(2.0, 4.0)) < plain < warmth(1.0, None, 1.0, Surprise(2.0, 0.4))


def test_surprise_is_measured_against_the_player() -> None:
    heard = NO_SURPRISE
    for nats in (2.0, 3.0, 1.0, 2.0):
        heard = heard.heard(nats)
    assert heard.player == heard.lately == pytest.approx(2.0, abs=0.1)
    lost = heard
    for _ in range(20):
        lost = lost.played(6.0)
    assert lost.player == heard.player
    assert lost.ratio > 2.0
    assert lost.heard(2.0).ratio == 1.0  # whatever is played next begins anew


@given(st.floats(0.3, 120.0), st.sampled_from([None, GRID, UNCLEAR, BeatGrid(9.9, 1.7, None, None, clear=True)]))
def test_it_closes_inside_of_its_time_and_long_enough(length_s: float, beats: BeatGrid | None) -> None:
    close = close_of(10.0, 10.0 + length_s, beats)
    assert 10.0 <= close.from_s <= close.to_s < close.until_s == 10.0 + length_s
    assert close.until_s - close.to_s >= min(0.4, length_s / 2) - 1e-6


def test_it_closes_on_the_beat_and_on_the_first_of_a_bar_if_that_is_near() -> None:
    assert close_of(10.0, 18.0, GRID).from_s == 17.0  # the last beat that leaves room
    assert close_of(10.0, 18.9, GRID).from_s == 18.0  # the first of the fifth bar
    assert close_of(10.0, 18.0, UNCLEAR).from_s < close_of(10.0, 18.0, UNCLEAR).to_s


def test_the_first_onset_there_is_the_last_but_no_note_of_a_chord_before_it() -> None:
    close = close_of(10.0, 18.0, None)
    inside_s = (close.from_s + close.to_s) / 2
    assert close.onset_s(close.from_s - 0.01, 14.0) is None
    assert close.onset_s(inside_s, 16.0) == inside_s
    assert close.onset_s(inside_s, inside_s - 0.02) is None
    assert close.onset_s(math.inf, 16.0) == inside_s
    assert close.onset_s(inside_s, 16.0, tune=True) is None
    on_beat = close_of(10.0, 18.0, GRID)
    assert on_beat.onset_s(16.95, 16.5) == 17.0
    assert on_beat.onset_s(17.9, 16.5) == 17.0


def test_the_last_of_so_many_notes_is_on_the_next_beat() -> None:
    assert close_of_notes(12.3, 130.0, GRID).from_s == 12.5
    assert close_of_notes(12.3, 130.0, None).from_s == 12.3
    assert close_of_notes(12.3, 130.0, GRID).until_s == 13.5


@pytest.mark.parametrize(
    ("length", "call_s", "beats", "expected"),
    [
        ("auto", 7.3, None, 7.3), ("auto", 7.3, UNCLEAR, 7.3), ("auto", 7.3, GRID, 8.0), ("auto", 1.0, GRID, 4.0),
        ("auto", 100.0, GRID, 12.0), ("7 beats", 1.0, None, 3.5), ("7 beats", 1.0, GRID, 3.5),
        ("3 bars", 1.0, GRID, 6.0),
        ("auto", 5.0, BeatGrid(10.0, 2.0 / 3, 3, 10.0, clear=True), 4.0),
    ],
)  # fmt: skip
def test_an_answer_is_as_long_as_its_call_in_whole_bars(
    length: str, call_s: float, beats: BeatGrid | None, expected: float
) -> None:
    seconds, notes = answer_length(length, call_s, 2.0, beats)
    assert notes is None
    assert seconds == pytest.approx(expected)


def test_bars_too_long_for_an_answer_give_way_to_beats() -> None:
    slow = BeatGrid(10.0, 4.0, 4, 10.0, clear=True)
    assert answer_length("auto", 7.0, 16.0, slow)[0] == 8.0

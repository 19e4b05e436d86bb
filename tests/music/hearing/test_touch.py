"""Register, hands, loudness, density and articulation of simple playing."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.hearing.touch import Spread, TouchHearing, spread_of
from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Pedal


def played(pitches: list[int], every_s: float, share: float, velocity: int = 64) -> TouchHearing:
    hearing = TouchHearing()
    events: list[Heard] = []
    for number, pitch in enumerate(pitches):
        events += [KeyDown(number * every_s, 0, pitch, velocity), KeyUp((number + share) * every_s, 0, pitch)]
    for event in sorted(events, key=lambda event: (event.at_s, isinstance(event, KeyUp))):
        hearing.hear(event)
    return hearing


def test_nothing_is_heard_before_the_first_key() -> None:
    hearing = TouchHearing()
    assert (hearing.register, hearing.hands, hearing.loudness, hearing.articulation) == (None, (), None, None)
    assert hearing.density(5.0) == 0.0


def test_register_and_loudness_are_the_middle_of_what_was_struck_last() -> None:
    hearing = played([40] * 40 + [60, 62, 64, 65, 67] * 8, 0.25, 0.5, velocity=80)
    assert hearing.register == Spread(62, 64, 65)
    assert hearing.loudness == Spread(80, 80, 80)


def test_staccato_is_half_of_legato() -> None:
    assert played([60, 62, 64, 65] * 4, 0.5, 1.0).articulation == pytest.approx(1.0)
    assert played([60, 62, 64, 65] * 4, 0.5, 0.5).articulation == pytest.approx(0.5)


def test_under_the_pedal_everything_is_legato() -> None:
    hearing = TouchHearing()
    hearing.hear(Pedal(0.0, 0, True))
    for number in range(8):
        hearing.hear(KeyDown(0.5 * number, 0, 60, 64))
        hearing.hear(KeyUp(0.5 * number + 0.1, 0, 60))
    assert hearing.articulation == pytest.approx(1.0)


def test_a_rest_says_nothing_of_the_touch() -> None:
    hearing = played([60, 62, 64, 65] * 4, 0.5, 1.0)
    hearing.hear(KeyDown(60.0, 0, 60, 64))
    assert hearing.articulation == pytest.approx(1.0)


@pytest.mark.parametrize("every_s", [0.125, 0.25, 0.5])
def test_density_is_onsets_a_second_from_the_first_bar_on(every_s: float) -> None:
    count = round(4.0 / every_s)
    hearing = played([60, 64] * (count // 2), every_s, 0.9)
    assert hearing.density((count - 0.5) * every_s) == pytest.approx(1.0 / every_s, rel=0.1)


def test_a_chord_is_one_onset() -> None:
    hearing = TouchHearing()
    for number in range(16):
        for place, pitch in enumerate((48, 60, 64, 67)):
            hearing.hear(KeyDown(0.5 * number + 0.005 * place, 0, pitch, 64))
    assert hearing.density(7.75) == pytest.approx(2.0, rel=0.1)


def test_density_falls_in_silence() -> None:
    hearing = played([60] * 20, 0.2, 0.5)
    assert hearing.density(14.0) < 0.2 < 4.0 < hearing.density(4.0)


def test_two_hands_apart_are_two() -> None:
    both = [pitch for i in range(12) for pitch in (36 + i % 5, 72 + i % 7)]
    hands = played(both, 0.2, 0.9).hands
    assert [round(hand.median) for hand in hands] == [38, 74]


def test_a_run_over_the_keyboard_is_one_hand() -> None:
    assert len(played([*range(36, 50), *range(72, 86)], 0.1, 0.9).hands) == 1


def test_two_hands_close_together_are_one() -> None:
    assert len(played([57, 64, 60, 67, 55, 62] * 5, 0.2, 0.9).hands) == 1


@given(st.lists(st.integers(0, 127), min_size=2, max_size=40))
def test_a_spread_has_the_quartiles_of_statistics(values: list[int]) -> None:
    assert spread_of(values) == pytest.approx(statistics.quantiles(values, n=4, method="inclusive"))


events = st.one_of(
    st.builds(KeyDown, st.just(0.0), st.integers(0, 15), st.integers(0, 127), st.integers(1, 127)),
    st.builds(KeyUp, st.just(0.0), st.integers(0, 15), st.integers(0, 127)),
    st.builds(Pedal, st.just(0.0), st.integers(0, 15), st.booleans()),
    st.builds(AllNotesOff, st.just(0.0), st.integers(0, 15)),
)


@given(st.lists(st.tuples(events, st.floats(0.0, 10.0)), max_size=60))
def test_whatever_is_played_it_stays_within_its_bounds(played: list[tuple[Heard, float]]) -> None:
    hearing, now_s = TouchHearing(), 0.0
    for event, gap_s in played:
        now_s += gap_s
        hearing.hear(type(event)(now_s, *[getattr(event, name) for name in event.__slots__[1:]]))
        assert hearing.articulation is None or 0.0 <= hearing.articulation <= 1.0
        assert hearing.density(now_s) >= 0.0
        assert len(hearing.hands) <= 2

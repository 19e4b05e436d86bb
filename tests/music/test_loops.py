"""Figures that go round: what is counted, what it costs, and that nobody who obeys goes round for ever."""

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.music.loops import FORBIDDEN, NOTHING_STRUCK, Line, loop_costs, most_times, ordered


def line(pitches: Sequence[int], step_s: float = 0.2) -> Line:
    found = NOTHING_STRUCK
    for number, pitch in enumerate(pitches):
        found = found.after(number * step_s, pitch)
    return found


def chords(*struck: Sequence[int]) -> Line:
    found = NOTHING_STRUCK
    for number, chord in enumerate(struck):
        for place, pitch in enumerate(chord):
            found = found.after(number * 0.5 + place * 0.001, pitch)
    return found


def rounds(pitches: Sequence[int], figure: int) -> float:
    """How often a figure stands in a row at most, counted from outside."""
    same = [a == b for a, b in zip(pitches, pitches[figure:], strict=False)]
    run = max((len(list(group)) for is_same, group in itertools.groupby(same) if is_same), default=0)
    return (run + figure) / max(figure, 4)


@pytest.mark.parametrize("figure", [(60,), (60, 62), (60, 64, 67), (60, 64, 67, 64), tuple(range(60, 68))])
def test_a_figure_may_stand_four_times_and_each_note_from_its_third_time_on_costs_more(figure: tuple[int, ...]) -> None:
    length = max(len(figure), 4)
    told = list(itertools.islice(itertools.cycle(figure), 4 * length))
    costs = [loop_costs(line(told[:count]), 4).get(told[count], 0.0) for count in range(len(told))]
    assert not any(costs[: 2 * length])
    assert all(0.0 < a <= b < 4.0 for a, b in itertools.pairwise(costs[2 * length :]))
    once_more = figure[len(told) % len(figure)]
    assert loop_costs(line(told), 4)[once_more] == FORBIDDEN
    assert most_times(line(told)) == pytest.approx(4.0)


def test_a_chord_goes_round_in_whatever_order_its_notes_are_struck() -> None:
    """What ends up as C E G B five times in a file is a figure of four notes five times."""
    four = [(67, 60, 71, 64), (60, 64, 67, 71), (71, 67, 64, 60), (64, 60, 71, 67)]
    begun = chords(*four)
    assert ordered(begun.struck) == [60, 64, 67, 71] * 4
    assert loop_costs(begun, 4)[60] == FORBIDDEN
    almost = chords(*four, (71, 67, 64))
    assert loop_costs(almost, 4)[60] == FORBIDDEN  # struck with the last three, it would complete a fifth one
    assert not math.isinf(loop_costs(almost, 4).get(62, 0.0))


def test_other_notes_and_an_accompaniment_under_a_tune_cost_nothing() -> None:
    assert loop_costs(line(range(40, 90)), 4) == {}
    alberti = [note for k, top in enumerate(range(72, 88)) for note in ((48, 55, 52, 55)[k % 4], top)]
    assert loop_costs(line(alberti), 4) == {}
    assert loop_costs(line([60] * 7), 4) == {}


def test_more_is_allowed_where_more_is_set() -> None:
    assert 60 not in loop_costs(line([60] * 7), 8)
    assert loop_costs(line([60] * 16), 8)[60] < FORBIDDEN
    assert loop_costs(line([60] * 32), 8)[60] == FORBIDDEN


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=60, max_size=110),
    st.sampled_from([(60,), (60, 61), (60, 61, 62)]),
)
def test_whoever_obeys_it_never_goes_round(choices: list[tuple[int, bool]], few: tuple[int, ...]) -> None:
    """A player of three pitches at most, who repeats himself as well as he can; struck together or apart."""
    found, at_s = NOTHING_STRUCK, 0.0
    for choice, together in choices:
        costs = loop_costs(found, 4)
        wanted = [few[choice % len(few)], *few, 70, 71]
        pitch = next(p for p in wanted if costs.get(p) != FORBIDDEN)
        chord = {p for onset_s, p in found.struck if onset_s == at_s}
        at_s += 0.0 if together and pitch not in chord else 0.2  # no key is struck twice at once
        found = found.after(at_s, pitch)
    as_a_file = [pitch for _, pitch in sorted(found.struck)]
    assert all(rounds(as_a_file, figure) < 5.0 for figure in (1, 2, 4, 8))
    in_order = [pitch for _, pitch in found.struck]
    assert all(rounds(in_order, figure) <= 4.0 for figure in range(1, 17))

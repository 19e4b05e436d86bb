"""Drawing one value: temperature, top-k, top-p, and rules that nothing passes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from livemuse.music.chance import uniform
from livemuse.music.sampling import Draw, draw, draw_mixed

LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.1], dtype=np.float32))


def shares(how: Draw, logits: np.ndarray = LOGITS, times: int = 4000) -> list[float]:
    counts = Counter(draw(logits, how, (k + 0.5) / times) for k in range(times))
    return [round(counts[k] / times, 2) for k in range(len(logits))]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Draw(1.0), [0.5, 0.25, 0.15, 0.1]),
        (Draw(0.0), [1.0, 0.0, 0.0, 0.0]),
        (Draw(0.5), [0.72, 0.18, 0.07, 0.03]),  # squares, made to add up to one
        (Draw(1.0, top_k=2), [0.67, 0.33, 0.0, 0.0]),
        (Draw(1.0, top_p=0.6), [0.67, 0.33, 0.0, 0.0]),
        (Draw(1.0, top_p=0.05), [1.0, 0.0, 0.0, 0.0]),
        (Draw(1.0, top_k=3, top_p=0.99), [0.56, 0.28, 0.17, 0.0]),
    ],
)
def test_the_shares_of_a_draw(how: Draw, expected: list[float]) -> None:
    assert shares(how) == expected


def test_forbidden_values_are_never_drawn_at_any_temperature() -> None:
    rules = LOGITS - np.array([np.inf, 100.0, 0.0, 0.0])
    for temperature in (0.0, 0.5, 2.0):
        assert shares(Draw(temperature), rules)[0] == 0.0
    assert draw(rules, Draw(0.0), 0.0) == 2
    assert list(LOGITS[:1]) == [np.log(np.float32(0.5))]  # the model's own logits are left as they were


def test_nothing_left_to_choose_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no value"):
        draw(LOGITS - np.inf, Draw(1.0), 0.5)


@given(
    numbers.arrays(np.float32, st.integers(1, 40), elements=st.floats(-50, 50, width=32)),
    st.floats(0, 2),
    st.integers(0, 50),
    st.floats(0.05, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_a_draw_is_always_an_allowed_value(
    logits: np.ndarray, temperature: float, top_k: int, top_p: float, u: float
) -> None:
    low, high = len(logits) // 3, max(len(logits) // 2, len(logits) // 3)
    logits[:low] = logits[high + 1 :] = -np.inf
    assert low <= draw(logits, Draw(temperature, top_k, top_p), u) <= high


def by_definition(logits: np.ndarray, how: Draw, u: float) -> int:
    """The same draw, written down as it is told: order by likelihood, keep the first, draw from what is left."""
    if how.temperature < 1e-6:
        return int(np.argmax(logits))
    weights = np.exp((logits.astype(np.float64) - logits.max()) / how.temperature)
    order = np.argsort(-weights, kind="stable")
    kept = min(how.top_k or len(order), len(order))
    if how.top_p < 1.0:
        share = np.cumsum(weights[order])
        kept = min(kept, int(np.searchsorted(share, how.top_p * share[-1])) + 1)
    weights[order[kept:]] = 0.0
    reached = np.cumsum(weights)
    found = int(np.searchsorted(reached, u * reached[-1], side="right"))
    return found if found < len(weights) and weights[found] > 0 else int(np.flatnonzero(weights)[-1])


@given(
    numbers.arrays(np.float32, st.integers(1, 40), elements=st.floats(-6, 6, width=32) | st.sampled_from([0.0, 1.0])),
    st.sampled_from([0.0, 0.5, 0.9, 2.0]),
    st.integers(0, 50),
    st.floats(0.05, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_a_draw_is_the_one_of_the_definition_also_where_values_are_equally_likely(
    logits: np.ndarray, temperature: float, top_k: int, top_p: float, u: float
) -> None:
    given_, how = logits.copy(), Draw(temperature, top_k, top_p)
    assert draw(logits, how, u) == by_definition(logits, how, u)
    assert (logits == given_).all()  # the model's own are left as they were


def test_of_equally_likely_values_the_lower_are_kept() -> None:
    drawn = {draw(np.zeros(8, np.float32), Draw(1.0, top_k=3), (k + 0.5) / 100) for k in range(100)}
    assert drawn == {0, 1, 2}


def test_chance_is_named_not_consumed() -> None:
    assert uniform(7, 1, 0, 0, 5, 2) == uniform(7, 1, 0, 0, 5, 2)
    assert len({uniform(7, 1, 0, 0, 5, head) for head in range(8)}) == 8
    assert uniform(0) == 0.09686719122320409  # the same on every machine
    assert 0.45 < np.mean([uniform(1, k) for k in range(2000)]) < 0.55


def test_a_mixture_is_the_shares_and_for_the_rest_the_model() -> None:
    times, given = 4000, {3: 0.3, 1: 0.2}
    us = [(k * 0.6180339887498949) % 1.0 for k in range(times)]
    drawn = [draw_mixed(LOGITS, Draw(1.0), u, given, (k + 0.5) / times) for k, u in enumerate(us)]
    counts = Counter(value for value, _ in drawn)
    assert [counts[k] / times for k in range(4)] == pytest.approx([0.25, 0.325, 0.075, 0.35], abs=0.003)
    assert sum(own for _, own in drawn) / times == pytest.approx(0.5, abs=0.001)


def test_all_of_the_chance_may_be_given_away_and_none_of_it() -> None:
    forbidden = np.full(4, -np.inf, dtype=np.float32)
    assert draw_mixed(forbidden, Draw(0.9), 0.7, {2: 1.0}, 0.99) == (2, True)
    for u in (0.0, 0.3, 0.6, 0.999):
        assert draw_mixed(LOGITS, Draw(0.8, top_p=0.9), u, {}, 0.0) == (draw(LOGITS, Draw(0.8, top_p=0.9), u), False)
    with pytest.raises(ValueError, match="no value"):
        draw_mixed(forbidden, Draw(0.0), 0.5, {}, 0.5)


def test_at_temperature_0_the_likeliest_of_both_is_taken() -> None:
    assert draw_mixed(LOGITS, Draw(0.0), 0.99, {2: 0.2}, 0.0) == (0, False)
    assert draw_mixed(LOGITS, Draw(0.0), 0.01, {2: 0.6}, 0.9) == (2, True)

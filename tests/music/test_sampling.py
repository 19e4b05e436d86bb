"""Drawing one value: temperature, top-k, top-p, and rules that nothing passes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from livemuse.music.chance import uniform
from livemuse.music.sampling import Draw, draw, ruled, within

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
    rules = ruled(LOGITS, forbidden=[0], weaker={1: 100.0})
    for temperature in (0.0, 0.5, 2.0):
        assert shares(Draw(temperature), rules)[0] == 0.0
    assert draw(rules, Draw(0.0), 0.0) == 2
    assert list(LOGITS[:1]) == [np.log(np.float32(0.5))]  # the model's own logits are left as they were


def test_nothing_left_to_choose_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no value"):
        draw(ruled(LOGITS, forbidden=range(4)), Draw(1.0), 0.5)


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
    assert low <= draw(within(logits, low, high), Draw(temperature, top_k, top_p), u) <= high


def test_chance_is_named_not_consumed() -> None:
    assert uniform(7, 1, 0, 0, 5, 2) == uniform(7, 1, 0, 0, 5, 2)
    assert len({uniform(7, 1, 0, 0, 5, head) for head in range(8)}) == 8
    assert uniform(0) == 0.09686719122320409  # the same on every machine
    assert 0.45 < np.mean([uniform(1, k) for k in range(2000)]) < 0.55

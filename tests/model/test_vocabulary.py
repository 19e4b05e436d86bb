"""Bins and values are two names for one thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.vocabulary import HEADS, VOCABULARY, Vocabulary

BIN_OF = {
    "pitch": int,
    "step": VOCABULARY.step_bin,
    "duration": VOCABULARY.duration_bin,
    "velocity": VOCABULARY.velocity_bin,
}
ALL_BINS = [(head, index) for head in HEADS for index in range(VOCABULARY.sizes[head])]
FRACTIONS = st.floats(0, 1, exclude_max=True)


@given(st.sampled_from(ALL_BINS), FRACTIONS)
def test_a_value_of_a_bin_falls_into_that_bin(bin_: tuple[str, int], u: float) -> None:
    head, index = bin_
    value = VOCABULARY.value(head, index, u)
    assert BIN_OF[head](value) == index
    low, high = VOCABULARY.edges(head, index)
    assert low <= value < high


@pytest.mark.parametrize("u", [0.0, 1.0 - 2.0**-53])
def test_both_ends_of_every_bin_fall_into_it(u: float) -> None:
    assert [BIN_OF[h](VOCABULARY.value(h, k, u)) for h, k in ALL_BINS] == [k for _, k in ALL_BINS]


def test_every_centre_falls_into_its_bin() -> None:
    assert [BIN_OF[h](VOCABULARY.centre(h, k)) for h, k in ALL_BINS] == [k for _, k in ALL_BINS]


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_longer_times_never_fall_into_earlier_bins(a_s: float, b_s: float) -> None:
    shorter_s, longer_s = sorted((a_s, b_s))
    assert VOCABULARY.step_bin(shorter_s) <= VOCABULARY.step_bin(longer_s)
    assert VOCABULARY.duration_bin(shorter_s) <= VOCABULARY.duration_bin(longer_s)


@pytest.mark.parametrize(
    ("step_s", "index"),
    [(0.0, 0), (0.00499, 0), (0.005, 1), (5.99, 63), (6.0, 63), (3600.0, 63)],
)
def test_chords_share_the_first_step_and_long_rests_the_last(step_s: float, index: int) -> None:
    assert VOCABULARY.step_bin(step_s) == index


@pytest.mark.parametrize(("duration_s", "index"), [(0.0, 0), (0.02, 0), (9.99, 47), (60.0, 47)])
def test_lengths_beyond_the_edges_count_as_the_edges(duration_s: float, index: int) -> None:
    assert VOCABULARY.duration_bin(duration_s) == index


def test_the_notes_of_a_chord_have_no_time_between_them() -> None:
    assert VOCABULARY.centre("step", 0) == 0.0


def test_velocities_are_whole_numbers_from_1_to_127() -> None:
    bins = range(VOCABULARY.sizes["velocity"])
    found = {VOCABULARY.value("velocity", k, u / 8) for k in bins for u in range(8)}
    assert found == {float(v) for v in range(1, 128)}
    assert [VOCABULARY.velocity_bin(v) for v in (1, 127)] == [0, 31]


def test_sizes_are_those_every_model_is_built_for() -> None:
    assert VOCABULARY.sizes == {"pitch": 128, "step": 64, "duration": 48, "velocity": 32}


def test_the_hash_is_the_same_on_every_platform_and_changes_with_any_edge() -> None:
    assert VOCABULARY.sha256() == "e31106ecb93303e45ceb33c2e4c1c1646efaafe21dd21204f51515886e0358aa"
    assert Vocabulary(step_edges_s=(0.0, 0.1, 6.0)).sha256() != VOCABULARY.sha256()


@pytest.mark.parametrize(("head", "index"), [("step", 64), ("step", -1), ("tempo", 0), ("pitch", 128)])
def test_a_bin_that_does_not_exist_is_refused(head: str, index: int) -> None:
    with pytest.raises(ValueError, match="no bin"):
        VOCABULARY.value(head, index, 0.5)


@pytest.mark.parametrize("u", [-0.1, 1.0, float("nan")])
def test_a_fraction_outside_a_bin_is_refused(u: float) -> None:
    with pytest.raises(ValueError, match="fraction"):
        VOCABULARY.value("step", 3, u)

"""What the beat hearing makes of playing that anyone would tap a foot to, and of playing that nobody would."""

import math
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.music.hearing.beat import CLEAR, BeatHearing

Key = tuple[float, int, int]


def heard(keys: Iterable[Key]) -> BeatHearing:
    hearing = BeatHearing()
    for key in sorted(keys):
        hearing.hear(*key)
    return hearing


def accompaniment(beats: int, period_s: float, from_s: float = 0.0) -> list[Key]:
    """Bass on one, chords on the other beats, a melody in eighths: four beats a bar."""
    keys: list[Key] = []
    for beat in range(beats):
        at_s = from_s + beat * period_s
        keys.append((at_s, 36 if beat % 4 == 0 else 55, 90 if beat % 4 == 0 else 64))
        keys += [(at_s, pitch, 60) for pitch in (60, 64)]
        keys += [(at_s + k * period_s / 2, 72 + (beat * 2 + k) % 5, 74 - 8 * k) for k in (0, 1)]
    return keys


def beside_s(hearing: BeatHearing, after_s: float, period_s: float, from_s: float = 0.0) -> float:
    """How far from the true grid the next beat is foretold."""
    next_s = hearing.next_beat_s(after_s)
    assert next_s is not None
    beats = (next_s - from_s) / period_s
    return abs(beats - round(beats)) * period_s


@pytest.mark.parametrize("bpm", [72, 90, 108, 126])
def test_metronomic_playing_has_its_tempo_and_a_clear_beat(bpm: int) -> None:
    period_s = 60.0 / bpm
    hearing = heard(accompaniment(16, period_s, from_s=5.0))
    now_s = 5.0 + 15.6 * period_s
    grid = hearing.grid(now_s)
    assert grid is not None
    assert hearing.tempo_bpm(now_s) == pytest.approx(bpm, rel=0.01)
    assert grid.confidence >= CLEAR
    assert grid.beat_s == pytest.approx(5.0 + 15 * period_s, abs=0.01)
    assert hearing.next_beat_s(now_s) == pytest.approx(5.0 + 16 * period_s, abs=0.01)


def test_human_timing_moves_the_beat_by_less_than_it_is_late() -> None:
    rng = random.Random(1)
    hearing = heard((at_s + rng.gauss(0.0, 0.008), pitch, loud) for at_s, pitch, loud in accompaniment(24, 0.6))
    assert hearing.tempo_bpm(14.2) == pytest.approx(100.0, rel=0.03)
    assert beside_s(hearing, 14.2, 0.6) < 0.03


def test_swing_is_heard_on_the_beat() -> None:
    keys: list[Key] = []
    for beat in range(24):
        at_s = beat * 0.45
        keys += [(at_s, 40 + 5 * (beat % 4), 80), (at_s, 60, 70), (at_s + 0.3, 67 + beat % 3, 62)]
    hearing = heard(keys)
    assert hearing.tempo_bpm(10.7) == pytest.approx(60.0 / 0.45, rel=0.02)
    assert beside_s(hearing, 10.75, 0.45) < 0.03


def test_triplets_are_thirds_of_the_beat() -> None:
    keys: list[Key] = []
    for beat in range(20):
        keys += [(beat * 0.7, 40 - 4 * (beat % 2), 85), (beat * 0.7, 64, 70)]
        keys += [(beat * 0.7 + k * 0.7 / 3, 64 + 3 * k, 58) for k in (1, 2)]
    hearing = heard(keys)
    assert hearing.tempo_bpm(13.9) == pytest.approx(60.0 / 0.7, rel=0.02)
    assert beside_s(hearing, 13.95, 0.7) < 0.03


def test_an_accelerando_is_followed() -> None:
    keys, at_s, period_s = [], 0.0, 0.75
    for _ in range(40):
        keys += [(at_s, 45, 80), (at_s, 64, 70), (at_s + period_s / 2, 67, 60)]
        at_s += period_s
        period_s *= 0.985
    hearing = heard(keys)
    tempo = hearing.tempo_bpm(at_s)
    next_s = hearing.next_beat_s(at_s - 0.1)
    assert tempo == pytest.approx(60.0 / period_s, rel=0.06)
    assert next_s == pytest.approx(at_s, abs=0.03)


def test_nothing_is_told_of_silence_or_of_one_chord() -> None:
    hearing = BeatHearing()
    assert (hearing.grid(3.0), hearing.next_beat_s(3.0), hearing.tempo_bpm(3.0)) == (None, None, None)
    for k, pitch in enumerate((48, 55, 60, 64)):
        hearing.hear(3.0 + 0.004 * k, pitch, 70)
    assert hearing.grid(4.0) is None


def test_in_a_long_silence_the_beat_is_less_and_less_clear() -> None:
    hearing = heard(accompaniment(16, 0.6))
    sure = [grid.confidence for s in (9.2, 14.0, 60.0, 3600.0) if (grid := hearing.grid(s))]
    assert len(sure) == 4
    assert sure == sorted(sure, reverse=True)
    assert sure[-1] < 0.5 < sure[0]


@pytest.mark.parametrize("seed", range(6))
def test_keys_at_random_times_have_no_clear_beat(seed: int) -> None:
    rng = random.Random(seed)
    hearing, at_s, clear = BeatHearing(), 0.0, 0
    for _ in range(120):
        at_s += rng.expovariate(4.0)
        hearing.hear(at_s, rng.randrange(40, 85), rng.randrange(40, 100))
        grid = hearing.grid(at_s)
        clear += grid is not None and grid.confidence >= CLEAR
    assert clear <= 12


def test_the_bar_begins_with_the_bass() -> None:
    hearing = heard(accompaniment(48, 0.55))
    grid = hearing.grid(47.5 * 0.55)
    assert grid is not None
    assert grid.beats_a_bar in (2, 4)
    assert grid.bar_s is not None
    bars = grid.bar_s / (grid.beats_a_bar * 0.55)
    assert abs(bars - round(bars)) < 0.05


def test_a_set_tempo_stays_and_only_the_phase_follows() -> None:
    hearing = BeatHearing()
    hearing.set_tempo(100.0)
    for key in sorted(accompaniment(12, 0.6, from_s=1.23)):
        hearing.hear(*key)
    assert hearing.tempo_bpm(9.0) == pytest.approx(100.0)
    assert beside_s(hearing, 8.1, 0.6, from_s=1.23) < 0.02
    hearing.set_tempo(None)
    for key in sorted(accompaniment(24, 0.5, from_s=9.0)):
        hearing.hear(*key)
    assert hearing.tempo_bpm(21.0) == pytest.approx(120.0, rel=0.03)


def test_a_tempo_can_be_set_while_playing() -> None:
    keys = accompaniment(16, 0.6)
    hearing = heard(keys)
    hearing.set_tempo(100.0)
    assert beside_s(hearing, 9.2, 0.6) < 0.03
    hearing.set_tempo(50.0)
    grid = hearing.grid(9.2)
    assert grid is not None
    assert grid.period_s == pytest.approx(1.2)


def test_two_taps_give_the_beat() -> None:
    hearing = BeatHearing()
    hearing.tap(2.0)
    hearing.tap(2.5)
    assert hearing.tempo_bpm(2.6) == pytest.approx(120.0)
    assert hearing.next_beat_s(2.6) == pytest.approx(3.0)


def test_a_tap_moves_the_beat_from_the_half() -> None:
    hearing = heard(accompaniment(12, 0.6))
    assert beside_s(hearing, 7.1, 0.6) < 0.02
    for beat in range(3):
        hearing.tap(7.5 + 0.6 * beat)
    assert beside_s(hearing, 8.8, 0.6, from_s=7.5) < 0.02


def test_asking_changes_nothing() -> None:
    keys = sorted(accompaniment(8, 0.5))
    asked, silent = BeatHearing(), BeatHearing()
    for key in keys:
        for ask_s in (key[0], key[0] + 0.05, key[0] + 3.0):
            asked.grid(ask_s)
            asked.next_beat_s(ask_s)
        asked.hear(*key)
        silent.hear(*key)
    assert asked.grid(4.1) == silent.grid(4.1)


TIMES = st.floats(min_value=0.0, max_value=1e6, allow_nan=False) | st.sampled_from([0.0, 1.0, 1.0, 1e9])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TIMES, st.integers(0, 127), st.integers(1, 127)), max_size=40), st.booleans())
def test_any_keys_at_any_times_are_heard(keys: list[Key], in_order: bool) -> None:
    hearing = BeatHearing()
    for at_s, pitch, velocity in sorted(keys) if in_order else keys:
        hearing.hear(at_s, pitch, velocity)
        if velocity % 9 == 0:
            hearing.tap(at_s)
        if velocity % 11 == 0:
            hearing.set_tempo(float(pitch))
        grid = hearing.grid(at_s + 0.1)
        if grid is not None:
            assert 0.0 <= grid.confidence <= 1.0
            assert grid.period_s > 0.0
            assert grid.beat_s <= at_s + 0.1 + 1e-3 or not in_order
            next_s = hearing.next_beat_s(at_s + 0.1)
            assert next_s is not None
            assert math.isfinite(next_s)
            assert next_s > at_s + 0.1

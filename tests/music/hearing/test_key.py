"""Keys of music that everybody knows, in as many notes as it takes to know them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.hearing.key import KeyHearing
from livemuse.music.theory import Key, parse_key

NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def tune(text: str, octave: int = 60) -> list[int]:
    """``c d eb f#`` -> pitches in one octave."""
    return [octave + NOTES[w[0]] + w.count("#") - w[1:].count("b") for w in text.split()]


def heard(pitches: list[int], hearing: KeyHearing | None = None, from_s: float = 0.0) -> KeyHearing:
    hearing = hearing if hearing is not None else KeyHearing()
    for number, pitch in enumerate(pitches):
        hearing.hear(from_s + 0.3 * number, pitch)
    return hearing


FRERE_JACQUES = "c d e c c d e c e f g e f g g a g f e c g a g f e c c g c c g c"
GREENSLEEVES = "a c d e f e d b g a b c a a g# a b g# e a c d e f e d b g a b c b a g# f# g# a a"
GOD_REST_YE = (
    "e e b b a g f# e d e f# g a b e e b b a g f# e d e f# g a b b c a b c d e b a g e f# g a g a b c b b a g f# e"
)
OLD_JOE_CLARK = "d e f e d b g d d d e f e d f g b d e f e d b g a b g f f g g b g"
SO_THEY_VAMP = "d a c f g b d f d a c f e g b d d a c f"
AMAZING_GRACE = "d g b g b a g e d d g b g b a d b d b g b a g e d d g b g b a g"
BLUES = "c eb f gb g bb c bb g gb f eb c c eb f gb g f eb c bb c eb g gb f eb c"


@pytest.mark.parametrize(
    ("melody", "key"),
    [
        (FRERE_JACQUES, "C major"),
        (GREENSLEEVES, "A minor"),
        (GOD_REST_YE, "E minor"),
        (OLD_JOE_CLARK, "G mixolydian"),
        (SO_THEY_VAMP, "D dorian"),
        (AMAZING_GRACE, "G major pentatonic"),
        (BLUES, "C blues"),
    ],
)
def test_a_tune_is_heard_in_its_key_and_scale(melody: str, key: str) -> None:
    assert heard(tune(melody)).heard == parse_key(key)


TWELVE_BARS = [(36, 58, 64, 67)] * 2 + [(41, 57, 63, 69), (36, 58, 64, 67), (43, 59, 65, 67), (41, 57, 63, 69)]


def test_a_blues_of_seventh_chords_is_not_in_the_key_of_its_fourth() -> None:
    assert heard([pitch for chord in TWELVE_BARS * 4 for pitch in chord]).plain == Key(0, "major")


def test_a_chord_of_c_is_c_at_once_but_not_surely() -> None:
    hearing = heard([48, 64, 67, 72])
    assert hearing.plain == Key(0, "major")
    assert 0.2 < hearing.confidence < 0.9


def test_nothing_is_heard_before_the_first_note_and_nothing_to_play_in_after_it() -> None:
    hearing = KeyHearing()
    assert (hearing.key, hearing.heard, hearing.home, hearing.confidence) == (None, None, None, 0.0)
    assert heard([61]).key is None


CADENCE = [36, 60, 64, 67, 41, 57, 60, 65, 43, 59, 62, 65, 36, 60, 64, 67]  # C F G7 C


@pytest.mark.parametrize(("up", "cadences"), [(1, 3), (6, 3), (2, 8), (3, 8), (4, 8), (5, 8), (7, 8), (9, 8)])
def test_a_modulation_is_followed(up: int, cadences: int) -> None:
    hearing = heard(CADENCE * 8)
    heard([pitch + up for pitch in CADENCE * cadences], hearing, from_s=40.0)
    assert hearing.plain == Key(up, "major")


def test_home_is_remembered_through_a_modulation() -> None:
    hearing = heard(CADENCE * 8)
    heard([pitch + 6 for pitch in CADENCE * 3], hearing, from_s=40.0)
    assert (hearing.plain, hearing.home) == (Key(6, "major"), Key(0, "major"))


def test_where_a_piece_goes_soon_is_not_where_it_began() -> None:
    hearing = heard(CADENCE)
    heard([pitch + 7 for pitch in CADENCE * 2], hearing, from_s=5.0)
    assert hearing.home == Key(0, "major")


@pytest.mark.parametrize(("silence_s", "home"), [(1.0, 0), (600.0, 6)])
def test_after_a_long_silence_another_piece_begins(silence_s: float, home: int) -> None:
    hearing = heard(CADENCE * 4)
    heard([pitch + 6 for pitch in CADENCE * 3], hearing, from_s=20.0 + silence_s)
    assert (hearing.home, hearing.plain) == (Key(home, "major"), Key(6, "major"))


def test_a_passing_chord_of_another_key_does_not_move_it() -> None:
    hearing = heard(tune(FRERE_JACQUES) * 2)
    heard([56, 60, 63, 68], hearing, from_s=20.0)
    assert hearing.plain == Key(0, "major")


def test_a_lock_holds_the_key_while_hearing_goes_on() -> None:
    hearing = heard(tune(FRERE_JACQUES))
    hearing.lock()
    heard([pitch + 6 for pitch in tune(FRERE_JACQUES) * 4], hearing, from_s=10.0)
    assert hearing.locked
    assert hearing.key == Key(0, "major")
    assert hearing.plain == Key(6, "major")
    hearing.unlock()
    assert hearing.key == Key(6, "major")


def test_a_lock_on_a_key_of_ones_own_holds_before_anything_is_played() -> None:
    hearing = KeyHearing()
    hearing.lock(parse_key("Eb dorian"))
    assert hearing.key == parse_key("Eb dorian")


def test_a_scale_is_called_finer_only_once_all_its_notes_were_played() -> None:
    assert heard(tune("c e g c e g e c g e c g c e g c e g e c g e c g")).heard == Key(0, "major")


def test_after_a_long_silence_less_is_needed_to_change_the_key() -> None:
    def notes_needed(silence_s: float) -> int:
        melody = tune(FRERE_JACQUES) * 4
        hearing = heard(melody)
        for number, pitch in enumerate(melody):
            hearing.hear(0.3 * len(melody) + silence_s + 0.3 * number, pitch + 2)
            if hearing.plain == Key(2, "major"):
                return number
        return len(melody)

    assert notes_needed(120.0) < notes_needed(1.0)


def test_forgetting_forgets_the_notes_and_keeps_the_lock() -> None:
    hearing = heard(tune(FRERE_JACQUES))
    hearing.lock()
    hearing.forget()
    assert hearing.heard is None
    assert hearing.key == Key(0, "major")


def test_a_copy_hears_on_by_itself() -> None:
    hearing = heard(tune(FRERE_JACQUES))
    before = hearing.likelihoods()
    heard([61, 66, 68, 70] * 10, hearing.copy(), from_s=20.0)
    assert hearing.likelihoods() == before


@given(st.lists(st.integers(0, 127), min_size=1, max_size=60), st.integers(0, 11))
def test_the_same_in_another_key_is_heard_the_same_there(pitches: list[int], up: int) -> None:
    low = [pitch % 100 for pitch in pitches]
    here, there = heard(low).likelihoods(), heard([pitch + up for pitch in low]).likelihoods()
    moved = [here[12 * mode + (tonic - up) % 12] for mode in (0, 1) for tonic in range(12)]
    assert there == pytest.approx(moved)


@given(st.lists(st.tuples(st.floats(0.0, 1e6), st.integers(0, 127)), max_size=40))
def test_whatever_is_played_the_likelihoods_sum_to_one(notes: list[tuple[float, int]]) -> None:
    hearing = KeyHearing()
    for at_s, pitch in sorted(notes):
        hearing.hear(at_s, pitch)
    assert math.isclose(sum(hearing.likelihoods()), 1.0)
    assert 0.0 <= hearing.confidence <= 1.0

"""Chords, struck together, broken, pedalled, and with a melody above them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.hearing.chord import ChordHearing
from livemuse.music.hearing.chord_tables import COMMON, QUALITIES
from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Pedal


def keys(*played: tuple[float, float, int]) -> list[Heard]:
    """(from, to, pitch) -> events in the order of time, releases first."""
    found: list[Heard] = []
    for from_s, to_s, pitch in played:
        found += [KeyDown(from_s, 0, pitch, 70), KeyUp(to_s, 0, pitch)]
    return sorted(found, key=lambda event: (event.at_s, isinstance(event, KeyDown)))


def block(from_s: float, to_s: float, *pitches: int) -> list[tuple[float, float, int]]:
    return [(from_s, to_s, pitch) for pitch in pitches]


def broken(from_s: float, each_s: float, *pitches: int) -> list[tuple[float, float, int]]:
    return [(from_s + i * each_s, from_s + (i + 0.9) * each_s, pitch) for i, pitch in enumerate(pitches)]


def heard(events: list[Heard]) -> ChordHearing:
    hearing = ChordHearing()
    for event in events:
        hearing.hear(event)
    return hearing


@pytest.mark.parametrize(
    ("pitches", "symbol"),
    [
        ((48, 64, 67, 72), "C"),
        ((57, 64, 69, 72), "Am"),
        ((47, 62, 65, 71), "Bdim"),
        ((43, 59, 62, 65, 67), "G7"),
        ((41, 57, 60, 64), "Fmaj7"),
        ((50, 57, 60, 65), "Dm7"),
        ((47, 57, 62, 65), "Bm7b5"),
        ((44, 59, 62, 65), "Abdim7"),
        ((48, 64, 68, 72), "Caug"),
        ((43, 60, 62, 67), "Gsus4"),
        ((52, 60, 67, 72), "C/E"),
        ((50, 65, 67, 71), "G7/D"),
    ],
)
def test_a_chord_struck_together_is_heard(pitches: tuple[int, ...], symbol: str) -> None:
    assert str(heard(keys(*block(0.0, 1.0, *pitches))).heard) == symbol


def test_an_alberti_bass_is_one_chord_until_it_changes() -> None:
    bars = broken(0.0, 0.2, *[48, 55, 52, 55] * 2, *[43, 50, 47, 50] * 2, *[48, 55, 52, 55] * 2)
    progression = heard(keys(*bars)).progression
    assert [str(change.chord) for change in progression] == ["C", "G", "C"]
    assert [change.onset_s for change in progression] == pytest.approx([0.0, 1.6, 3.2], abs=0.41)


def test_a_run_over_a_held_chord_does_not_move_it() -> None:
    held = block(0.0, 2.0, 36, 48, 52, 55)
    run = broken(0.25, 0.12, 72, 74, 76, 77, 79, 77, 76, 74, 72)
    chord = heard(keys(*held, *run)).heard
    assert chord is not None
    assert (chord.root, chord.bass) == (0, 0)


def test_four_chords_are_the_progression() -> None:
    bars = [block(i * 2.4, i * 2.4 + 2.3, *chord) for i, chord in enumerate(
        [(45, 60, 64, 69), (41, 60, 65, 69), (36, 60, 64, 67), (43, 59, 62, 67)] * 2)]  # fmt: skip
    progression = heard(keys(*(note for bar in bars for note in bar))).progression
    assert [str(change.chord) for change in progression] == ["Am", "F", "C", "G"] * 2
    assert [change.onset_s for change in progression] == pytest.approx([2.4 * i for i in range(8)])


def test_a_chord_begins_with_its_bass_though_it_was_heard_later() -> None:
    """Oom-pah: the root on one, the chord on two, the fifth below on three, the chord on four."""
    played: list[tuple[float, float, int]] = []
    for bar, chord in enumerate([(45, 57, 60, 64), (41, 57, 60, 65), (36, 55, 60, 64), (43, 55, 59, 62)] * 2):
        for beat, struck in enumerate(((chord[0],), chord[1:], (chord[0] - 5,), chord[1:])):
            played += block(2.4 * bar + 0.6 * beat, 2.4 * bar + 0.6 * beat + 0.5, *struck)
    progression = heard(keys(*played)).progression
    assert [change.chord.root for change in progression] == [9, 5, 0, 7] * 2
    assert [change.onset_s for change in progression] == pytest.approx([2.4 * bar for bar in range(8)])


def test_the_same_chord_again_is_no_new_one() -> None:
    assert len(heard(keys(*(n for i in range(6) for n in block(0.5 * i, 0.5 * i + 0.4, 48, 64, 67)))).progression) == 1


def test_a_bass_under_the_pedal_is_still_the_bass() -> None:
    notes = keys((0.0, 0.1, 40), *broken(0.25, 0.25, 60, 67, 72))
    hearing = heard(sorted([*notes, Pedal(0.05, 0, True)], key=lambda event: event.at_s))
    assert str(hearing.heard) == "C/E"


def test_confidence_grows_from_one_note_to_a_chord() -> None:
    one, three = heard(keys((0.0, 1.0, 60))), heard(keys(*block(0.0, 1.0, 48, 64, 67)))
    assert one.confidence < three.confidence < 1.0
    assert ChordHearing().heard is None
    assert ChordHearing().confidence == 0.0


def test_how_common_chords_are_sums_to_one() -> None:
    assert sum(COMMON) == pytest.approx(1.0)
    assert len(COMMON) == 12 * len(QUALITIES)


events = st.one_of(
    st.builds(KeyDown, st.just(0.0), st.integers(0, 15), st.integers(0, 127), st.integers(1, 127)),
    st.builds(KeyUp, st.just(0.0), st.integers(0, 15), st.integers(0, 127)),
    st.builds(Pedal, st.just(0.0), st.integers(0, 15), st.booleans()),
    st.builds(AllNotesOff, st.just(0.0), st.integers(0, 15)),
)


@given(st.lists(st.tuples(events, st.floats(0.0, 1e4)), max_size=60))
def test_whatever_is_played_a_chord_follows_the_other_in_time(played: list[tuple[Heard, float]]) -> None:
    hearing, now_s = ChordHearing(), 0.0
    for event, gap_s in played:
        now_s += gap_s
        hearing.hear(type(event)(now_s, *[getattr(event, name) for name in event.__slots__[1:]]))
        assert 0.0 <= hearing.confidence <= 1.0
    onsets = [change.onset_s for change in hearing.progression]
    assert onsets == sorted(onsets)
    pairs = zip(hearing.progression, hearing.progression[1:], strict=False)
    assert all((a.chord.root, a.chord.quality) != (b.chord.root, b.chord.quality) for a, b in pairs)

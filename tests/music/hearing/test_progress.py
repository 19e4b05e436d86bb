"""Vamps that everybody plays, and what is to go on when the player stops."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.chords import parse_chord
from livemuse.music.context import BeatGrid
from livemuse.music.hearing.chord import Change, ChordHearing, HeardChord
from livemuse.music.hearing.chord_tables import CHORDS, QUALITIES
from livemuse.music.hearing.ear import Ear
from livemuse.music.hearing.progress import played_over
from livemuse.music.notes import Heard, KeyDown, KeyUp
from livemuse.music.progressions import progression
from livemuse.music.theory import PITCH_CLASS_NAMES

BEAT_S = 0.6  # 100 beats a minute
GRID = BeatGrid(0.0, BEAT_S, 4, 0.0, clear=True)
Played = list[tuple[float, float, int]]
"""(from, to, pitch), in beats."""

AM, F, C, G = (45, 57, 60, 64), (41, 57, 60, 65), (36, 55, 60, 64), (43, 55, 59, 62)
DM, E7 = (38, 53, 57, 62), (40, 56, 59, 62)


def block(begin: float, beats: float, chord: Sequence[int]) -> Played:
    return [(begin + beat, begin + beat + 0.9, pitch) for beat in range(int(beats)) for pitch in chord]


def broken(begin: float, beats: float, chord: Sequence[int]) -> Played:
    order = (chord[0], chord[2], chord[1], chord[2]) * int(beats)
    return [(begin + 0.5 * i, begin + 0.5 * i + 0.5, pitch) for i, pitch in enumerate(order[: int(2 * beats)])]


def stride(begin: float, beats: float, chord: Sequence[int]) -> Played:
    """The root or the fifth below, the chord above: oom-pah."""
    played: Played = []
    for beat in range(int(beats)):
        low = chord[0] if beat % 4 == 0 else chord[0] - 5
        struck = (low,) if beat % 2 == 0 else chord[1:]
        played += [(begin + beat, begin + beat + 0.8, pitch) for pitch in struck]
    return played


def arpeggio(begin: float, beats: float, chord: Sequence[int]) -> Played:
    """Up and down over two octaves in eighths."""
    tones = [*chord, *(pitch + 12 for pitch in chord[1:])]
    tones += tones[-2:0:-1]
    return [(begin + 0.5 * i, begin + 0.5 * i + 0.5, tones[i % len(tones)]) for i in range(int(2 * beats))]


def vamp(kind, *bars: tuple[Sequence[int], float]) -> Played:  # type: ignore[no-untyped-def]
    played: Played = []
    at = 0.0
    for chord, beats in bars:
        played += kind(at, beats, chord)
        at += beats
    return played


def events(played: Played, jitter_s: float = 0.0, beat_s: float = BEAT_S) -> list[Heard]:
    chance = random.Random(1)
    found: list[Heard] = []
    for from_beat, to_beat, pitch in played:
        late_s = chance.gauss(0.0, jitter_s) if jitter_s else 0.0
        from_s, to_s = max(from_beat * beat_s + late_s, 0.0), to_beat * beat_s + late_s
        found += [KeyDown(from_s, 0, pitch, 70), KeyUp(max(to_s, from_s + 0.05), 0, pitch)]
    return sorted(found, key=lambda event: (event.at_s, isinstance(event, KeyDown)))


def changes(played: Played, jitter_s: float = 0.0) -> list[Change]:
    hearing = ChordHearing()
    for event in events(played, jitter_s):
        hearing.hear(event)
    return hearing.progression


def heard(played: Played, begins_beat: float, jitter_s: float = 0.0, grid: BeatGrid | None = GRID) -> str | None:
    return played_over(changes(played, jitter_s), begins_beat * BEAT_S, 100.0, grid)


def triads(text: str | None) -> str | None:
    """Without what goes beyond the triad: a broken chord may well be heard with a seventh."""
    if text is None:
        return None
    for beyond in ("maj7", "m7", "7", "6", "add9"):
        text = text.replace(beyond, "m" if beyond == "m7" else "")
    return text


TWICE = [(AM, 4), (F, 4), (C, 4), (G, 4)] * 2


@pytest.mark.parametrize("kind", [block, broken, stride, arpeggio])
@pytest.mark.parametrize("jitter_s", [0.0, 0.02])
def test_a_vamp_played_twice_goes_on_with_its_first_chord(kind, jitter_s: float) -> None:  # type: ignore[no-untyped-def]
    assert triads(heard(vamp(kind, *TWICE), 32.0, jitter_s)) == "Am F C G"


@pytest.mark.parametrize("kind", [block, broken, stride, arpeggio])
def test_it_goes_on_where_the_round_was_left(kind) -> None:  # type: ignore[no-untyped-def]
    """Two rounds and a half: C is next."""
    assert triads(heard(vamp(kind, *TWICE, (AM, 4), (F, 4)), 40.0)) == "C G Am F"


def test_a_chord_that_is_half_over_stands_at_both_ends() -> None:
    played = vamp(block, *TWICE, (AM, 4), (F, 2))
    assert heard(played, 38.0) == "F:2 C G Am F:2"
    round_ = progression("F:2 C G Am F:2")
    assert [str(round_.at(beat).chord) for beat in (0, 1, 2, 6, 10, 14, 17, 18)] == [*"FFCG", "Am", *"FFC"]


def test_who_waits_goes_on_with_the_next_chord_in_its_place_in_the_bar() -> None:
    played = vamp(block, *TWICE)
    assert heard(played, 33.0) == "Am:3 F C G Am:1"
    assert heard(played, 36.0) == "Am F C G"  # a bar was rested: the round did not go on by itself
    assert heard(played, 32.1) == "Am F C G"  # nearly on the beat


def test_lengths_are_heard() -> None:
    assert heard(vamp(block, *[(AM, 2), (G, 2), (F, 3), (E7, 1)] * 3), 24.0) == "Am:2 G:2 F:3 E7:1"


def test_a_waltz_has_bars_of_three() -> None:
    grid = BeatGrid(0.0, BEAT_S, 3, 0.0, clear=True)
    assert heard(vamp(block, *[(C, 3), (AM, 3), (DM, 3), (G, 3)] * 2), 24.0, grid=grid) == "C:3 Am:3 Dm:3 G:3"


def test_two_chords_are_a_round() -> None:
    assert heard(vamp(block, *[(DM, 4), (G, 4)] * 3), 24.0) == "Dm G"


def test_one_other_chord_in_one_of_the_rounds_does_no_harm() -> None:
    played = vamp(block, *TWICE, (AM, 4), (DM, 4), (C, 4), (G, 4), *TWICE)
    assert heard(played, 80.0) == "Am F C G"


def test_four_bars_that_were_played_once_are_a_round_where_the_beat_is_clear() -> None:
    once = vamp(block, (AM, 4), (F, 4), (C, 4), (G, 4))
    assert heard(once, 16.0) == "Am F C G"
    assert heard(once, 16.0, grid=None) is None
    before = vamp(block, (E7, 4), (DM, 4), (AM, 4), (F, 4), (C, 4), (G, 4))
    assert heard(before, 24.0) == "Am F C G"


def test_without_a_beat_the_chords_alone_are_a_round() -> None:
    times_s = [0.0, 1.9, 4.1, 6.0, 8.1, 10.0, 12.2, 13.9]
    chords = [HeardChord(9, "m", 9), HeardChord(5, "", 5), HeardChord(0, "", 0), HeardChord(7, "", 7)] * 2
    played = [Change(at_s, chord) for at_s, chord in zip(times_s, chords, strict=True)]
    text = played_over(played, 16.0, 120.0)
    assert text is not None
    round_ = progression(text)
    assert [str(chord) for chord in round_.chords] == ["Am", "F", "C", "G"]
    assert round_.length_beats == pytest.approx(16.0, abs=1.0)  # eight seconds
    assert played_over(played, 14.5, 120.0, BeatGrid(0.0, 0.5)) != text  # G has only just begun


def test_the_round_of_the_phrase_before_is_still_known_after_a_rest() -> None:
    bars = [Change(2.4 * i + (30.0 if i > 3 else 0.0), chord) for i, chord in enumerate(
        [HeardChord(9, "m", 9), HeardChord(5, "", 5), HeardChord(0, "", 0), HeardChord(7, "", 7)] * 2)]  # fmt: skip
    assert played_over(bars, 49.2, 100.0, BeatGrid(49.2, BEAT_S, 4, 49.2, clear=True)) == "Am F C G"


@pytest.mark.parametrize("grid", [GRID, None])
def test_chords_that_go_nowhere_again_are_no_round(grid: BeatGrid | None) -> None:
    assert played_over([], 5.0, 100.0, grid) is None
    assert heard(vamp(block, (AM, 16)), 16.0, grid=grid) is None
    assert heard(vamp(block, (AM, 3), (F, 1), (DM, 3), (G, 2), (C, 1), (E7, 3), (G, 2)), 15.0, grid=grid) is None


def test_a_tempo_that_gives_way_is_followed() -> None:
    period_s, at_s, bars = BEAT_S, 0.0, []
    chords = [HeardChord(9, "m", 9), HeardChord(5, "", 5), HeardChord(0, "", 0), HeardChord(7, "", 7)] * 3
    for chord in chords:
        bars.append(Change(at_s, chord))
        at_s += 4 * period_s
        period_s *= 1.01
    assert played_over(bars, at_s, 100.0, BeatGrid(at_s, period_s, 4, at_s, clear=True)) == "Am F C G"


@pytest.mark.parametrize("kind", [block, stride])
def test_with_the_beat_as_it_is_heard(kind) -> None:  # type: ignore[no-untyped-def]
    ear = Ear()
    played = vamp(kind, *TWICE, *TWICE)
    for event in events(played, 0.005):
        ear.hear(event)
    begins_s = 64 * BEAT_S
    text = triads(played_over(ear.chord.progression, begins_s, 100.0, ear.beats(begins_s)))
    assert text is not None
    round_ = progression(text)
    assert [str(chord) for chord in round_.chords][:4] == ["Am", "F", "C", "G"]


@pytest.mark.parametrize(("root", "quality"), CHORDS)
def test_every_chord_that_is_heard_is_understood(root: int, quality: str) -> None:
    chord = parse_chord(f"{PITCH_CLASS_NAMES[root]}{quality}")
    assert chord is not None
    assert chord.pitch_classes == {(root + step) % 12 for step in QUALITIES[quality]}


chords = st.builds(
    lambda root, quality: HeardChord(root, quality, root), st.integers(0, 11), st.sampled_from(["", "m"])
)


@given(
    st.lists(st.tuples(st.floats(0.05, 20.0), chords), min_size=1, max_size=8),
    st.integers(1, 4),
    st.floats(0.0, 30.0),
    st.floats(20.0, 300.0),
    st.booleans(),
)
def test_whatever_goes_round_is_understood(
    bars: list[tuple[float, HeardChord]], times: int, wait_s: float, tempo_bpm: float, clear: bool
) -> None:
    at_s, played = 0.0, []
    for long_s, chord in bars * times:
        played.append(Change(at_s, chord))
        at_s += long_s
    text = played_over(played, at_s + wait_s, tempo_bpm, BeatGrid(0.3, 60.0 / tempo_bpm, None, None, clear))
    if text is not None:
        assert 2 <= len(set(progression(text).chords)) <= 16
        assert {chord.root for chord in progression(text).chords if chord} <= {chord.root for _, chord in bars}

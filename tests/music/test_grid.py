"""Music of the grid and notes are two names for one thing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.grid import (
    EMPTY,
    GRID_SHA256,
    HOLD,
    MOST_FRAMES,
    REST,
    Frame,
    frame_at,
    frames_of,
    melody_of,
    notes_of_frames,
    notes_of_melody,
    sixteenth_s,
)
from livemuse.music.notes import Note

TEMPI = st.floats(20, 300).map(sixteenth_s)
FIRST_S = st.floats(-10, 10_000)
S = 0.125


@st.composite
def legal_frames(draw: st.DrawFn) -> list[Frame]:
    """A key sounds because it is struck, or because it sounded before."""
    frames: list[Frame] = []
    for _ in range(draw(st.integers(0, 24))):
        before = sorted(frames[-1][0]) if frames else []
        struck = draw(st.frozensets(st.integers(21, 108), max_size=4))
        held = draw(st.frozensets(st.sampled_from(before), max_size=4)) if before else frozenset()
        frames.append((held | struck, struck))
    while frames and frames[-1] == EMPTY:
        frames.pop()
    return frames


@st.composite
def legal_events(draw: st.DrawFn) -> list[int]:
    """HOLD comes after a note or a HOLD; nothing follows the last note but its HOLDs."""
    events: list[int] = []
    for _ in range(draw(st.integers(0, 32))):
        held = [HOLD] if events and events[-1] != REST else []
        events.append(draw(st.one_of(st.integers(0, 127), st.sampled_from([REST, *held]))))
    while events and events[-1] == REST:
        events.pop()
    return events


@given(legal_frames(), TEMPI, FIRST_S)
def test_frames_come_back_exactly(frames: list[Frame], length_s: float, first_s: float) -> None:
    notes = notes_of_frames(frames, length_s, first_s)
    assert frames_of(notes, length_s, first_s) == frames
    assert frames_of(notes, length_s, first_s, count=len(frames) + 3) == [*frames, EMPTY, EMPTY, EMPTY]


@given(legal_events(), TEMPI, FIRST_S)
def test_a_voice_comes_back_exactly(events: list[int], length_s: float, first_s: float) -> None:
    notes = notes_of_melody(events, length_s, first_s)
    assert melody_of(notes, length_s, first_s) == events
    assert melody_of(notes, length_s, first_s, count=len(events) + 2) == [*events, REST, REST]


NOTES = st.lists(
    st.builds(Note, st.floats(0, 8), st.integers(0, 127), st.floats(0.01, 3), st.integers(1, 127)), max_size=20
)


@given(NOTES)
def test_what_was_laid_on_the_grid_once_lies_on_it(notes: list[Note]) -> None:
    """Any playing at all becomes legal grid music: laying it a second time changes nothing."""
    frames, events = frames_of(notes, S), melody_of(notes, S)
    assert frames_of(notes_of_frames(frames, S), S) == frames
    assert melody_of(notes_of_melody(events, S), S, count=len(events)) == events
    assert all(struck <= sounding for sounding, struck in frames)
    for (before, _), (sounding, struck) in itertools.pairwise([EMPTY, *frames]):
        assert sounding - struck <= before


def test_a_phrase_as_a_musician_reads_it() -> None:
    played = [Note(0.01, 60, 0.24, 80), Note(0.24, 64, 0.14, 80), Note(0.38, 64, 0.1, 80), Note(0.62, 67, 0.02, 80)]
    assert melody_of(played, S) == [60, HOLD, 64, 64, REST, 67]
    c, e, g = frozenset({60}), frozenset({64}), frozenset({67})
    assert frames_of(played, S) == [(c, c), (c, frozenset()), (e, e), (e, e), EMPTY, (g, g)]


def test_of_several_voices_the_highest_is_heard() -> None:
    chord = [Note(0.0, 48, 1.0, 80), Note(0.0, 72, 0.25, 80), Note(0.125, 60, 0.5, 80)]
    assert melody_of(chord, S) == [72, HOLD, REST, REST, REST, REST, REST, REST]
    assert melody_of([*chord, Note(0.5, 76, 0.125, 80)], S)[4] == 76


def test_a_pitch_struck_again_ends_there_and_the_longer_of_two_counts() -> None:
    notes = [Note(0.0, 60, 1.0, 80), Note(0.5, 60, 0.125, 80), Note(0.51, 60, 0.25, 80)]
    assert [(n.onset_s, n.duration_s) for n in notes_of_frames(frames_of(notes, S), S)] == [(0.0, 0.5), (0.5, 0.25)]


def test_a_note_that_began_before_is_held_over() -> None:
    notes = [Note(0.0, 60, 0.5, 80)]
    assert frames_of(notes, S, 0.25) == [(frozenset({60}), frozenset())] * 2
    assert melody_of(notes, S, 0.25) == [HOLD, HOLD]
    assert frames_of(notes, S, 0.5) == melody_of(notes, S, 0.5) == []


def test_keys_that_no_piano_has_are_left_out_of_frames_alone() -> None:
    notes = [Note(0.0, 20, 0.125, 80), Note(0.0, 109, 0.125, 80)]
    assert frames_of(notes, S) == []
    assert melody_of(notes, S) == [109]


@pytest.mark.parametrize(
    ("time_s", "length_s"), [(float("nan"), S), (float("inf"), S), (MOST_FRAMES * S, S), (0.0, 0.0), (0.0, -1.0)]
)
def test_what_lies_on_no_grid_is_refused(time_s: float, length_s: float) -> None:
    with pytest.raises(ValueError, match=r"grid|sixteenth"):
        frame_at(time_s, length_s)


@pytest.mark.parametrize("event", [-1, 130, 131])
def test_what_is_no_event_is_refused(event: int) -> None:
    with pytest.raises(ValueError, match="no event"):
        notes_of_melody([60, event], S)


def test_the_hashes_are_the_same_on_every_platform() -> None:
    assert GRID_SHA256 == {
        "melody": "bf91b21cc0ae8270219a2b1744d8a55e14878ecc06096669987727f9aea3d43e",
        "pianoroll": "0fa865a25098864ca35bb9281353941d90aabb7df0bedfc60ae78c60c66d9a63",
    }

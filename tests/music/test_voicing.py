"""The voices of what livemuse plays: which note is whose, and that each goes to its channel, whatever comes between."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.engine.virtual import Evening
from livemuse.errors import ControlError
from livemuse.midi.smf import read_song
from livemuse.model.improviser import Improviser
from livemuse.music.ceilings import Ceilings, Hand
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.instruments import PROGRAMS
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Extension, Plan
from livemuse.music.voicing import Streams, Voice, Voicing, channels_of, programs_of
from livemuse.offline import song_of
from livemuse.testing.scripted import ScriptedStepper


def controls(**values: object) -> Controls:
    chosen = Controls()
    for name, value in values.items():
        chosen = chosen.replaced(name, value)
    return chosen


APART = {"channel_upper": 2, "channel_middle": 3, "channel_lower": 4}


def note(index: int, onset_s: float, pitch: int, duration_s: float = 0.4) -> PlannedNote:
    return PlannedNote(1, index, onset_s, pitch, duration_s, 70)


def voices(*groups: tuple[float, tuple[int, ...], float]) -> list[list[Voice]]:
    streams, found = Streams(), []
    for onset_s, pitches, duration_s in groups:
        found.append(streams.voices([note(0, onset_s, pitch, duration_s) for pitch in pitches]))
    return found


def test_the_highest_is_the_upper_voice_the_lowest_the_lower_and_the_rest_the_middle() -> None:
    assert voices((0.0, (48, 64, 55, 72), 1.0)) == [["lower", "middle", "middle", "upper"]]


def test_what_sounds_on_counts() -> None:
    assert voices((0.0, (48,), 2.0), (0.5, (72,), 0.3), (1.0, (60, 64), 0.5)) == [
        ["upper"], ["upper"], ["middle", "upper"]  # 48 sounds on, and is the lowest
    ]  # fmt: skip


def test_a_line_alone_stays_in_its_voice() -> None:
    chord = (0.0, (40, 55, 76), 0.4)
    assert voices(chord, (1.0, (43,), 0.4), (2.0, (45,), 0.4), (3.0, (47,), 0.4))[1:] == [["lower"]] * 3
    assert voices(chord, (1.0, (74,), 0.4), (2.0, (71,), 0.4), (3.0, (67,), 0.4))[1:] == [["upper"]] * 3


def test_the_end_of_a_legato_note_is_no_other_voice() -> None:
    assert voices(*((0.5 * k, (pitch,), 0.55) for k, pitch in enumerate((72, 71, 69, 72)))) == [["upper"]] * 4


class Handfuls:
    """An improviser whose notes are known; it hands them out as they are asked for."""

    def __init__(self, notes: list[PlannedNote], voices: int = 16) -> None:
        hand, ceilings = Hand(), Ceilings.of(controls(max_voices=voices))
        self._rows, self._at = [hand.place(note, ceilings) for note in notes], 0

    def extend(self, take_id: int, until_s: float, most: int) -> Extension:
        made: list[PlannedNote] = []
        shortened: list[PlannedNote] = []
        while self._at < len(self._rows) and len(made) < most:
            if self._at and self._rows[self._at - 1][0].onset_s > until_s:
                break
            made.append(self._rows[self._at][0])
            shortened += self._rows[self._at][1]
            self._at += 1
        return Extension(take_id, tuple(made), tuple(shortened), self._at == len(self._rows))


def handed_out(notes: list[PlannedNote], most: int, horizon_s: float, voices: int = 16) -> list[PlannedNote]:
    """All notes, asked for in handfuls as the worker does, each time until some seconds after the last that sounded.

    They end as they were told to end last.
    """
    voicing, inner = Voicing(), Handfuls(notes, voices)
    voicing.begin(Plan(1, 1, 0, (), 0.0, 0.0, 1e9, None, 0, controls(**APART)))
    found: list[PlannedNote] = []
    until_s, done = horizon_s, False
    while not done:
        before = len(found)
        while True:
            made = voicing.extend(inner.extend, 1, until_s, most)
            found += made.notes
            ends = {n.index: n.duration_s for n in made.shortened}
            found = [replace(n, duration_s=ends.get(n.index, n.duration_s)) for n in found]
            done = made.done
            if made.done or len(made.notes) < most:
                break
        assert done or (found and found[-1].onset_s > until_s), "nothing would ever ask for more"
        assert len(found) > before or done
        until_s = found[-1].onset_s + horizon_s
    return found


_CHORDS = st.lists(
    st.tuples(
        st.floats(0.04, 3.0), st.lists(st.integers(30, 90), min_size=1, max_size=6, unique=True), st.floats(0.05, 2.0)
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(_CHORDS, st.integers(1, 6), st.floats(0.1, 4.0))
def test_voices_do_not_depend_on_the_handfuls(
    chords: list[tuple[float, list[int], float]], most: int, horizon_s: float
) -> None:
    notes: list[PlannedNote] = []
    at_s = 0.0
    for gap_s, pitches, duration_s in chords:
        at_s += gap_s
        notes += [note(len(notes) + k, at_s, pitch, duration_s) for k, pitch in enumerate(pitches)]
    whole = handed_out(notes, 1000, 1e6)
    assert handed_out(notes, most, horizon_s) == whole
    assert [(n.index, n.pitch, n.onset_s) for n in whole] == [(n.index, n.pitch, n.onset_s) for n in notes]
    for onset_s in {n.onset_s for n in whole}:
        chord = [n for n in whole if n.onset_s == onset_s]
        if len(chord) > 1:
            sounding = [n.pitch for n in whole if n.onset_s <= onset_s and n.end_s > onset_s + 0.1] or [0]
            for n in chord:
                if n.pitch == max(p.pitch for p in chord) and n.pitch >= max(sounding):
                    assert n.channel == 1
                if n.pitch == min(p.pitch for p in chord) and n.pitch <= min(sounding):
                    assert n.channel == 3


_LINES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.3, 1.0]), st.sampled_from([40, 48, 55, 60, 64, 72]), st.floats(0.05, 5.0)),
    min_size=4, max_size=24,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(_LINES, st.integers(1, 4), st.floats(0.1, 4.0))
def test_nor_on_whether_it_is_known_that_a_note_will_give_way(
    rows: list[tuple[float, int, float]], voices: int, horizon_s: float
) -> None:
    notes: list[PlannedNote] = []
    for gap_s, pitch, duration_s in rows:
        notes.append(note(len(notes), (notes[-1].onset_s if notes else 0.0) + gap_s, pitch, duration_s))
    whole = handed_out(notes, 10**6, 1e6, voices)
    for most in (1, 4):
        assert handed_out(notes, most, horizon_s, voices) == whole


def test_a_note_that_is_struck_again_counts_no_more_and_until_then_as_it_was_planned() -> None:
    told = ((0.0, 48, 5.0), (0.0, 72, 0.4), (1.0, 72, 0.4), (2.0, 48, 0.4), (3.0, 60, 0.4), (4.0, 50, 0.4))
    lines = [note(k, *row) for k, row in enumerate(told)]
    for most in (1, 4, 10**6):
        found = handed_out(lines, most, 10.0)
        assert found[0].duration_s == 2.0
        assert [n.channel for n in found] == [3, 1, 1, 3, 3, 3]  # 60 is alone, and 48 was heard last


def evening(**values: object) -> Evening:
    """A model that strikes three notes together, over and over."""
    stepper = ScriptedStepper(melody=(48, 60, 72), step_s=0.0, duration_s=0.2)
    chosen = controls(temperature=0, wait=0.5, answer_length="12 notes", key="off", tempo=120, **values)
    night = Evening(Duet(chosen), Improviser(stepper))
    night.play_notes([Note(1.0, 60, 0.2, 80), Note(1.3, 64, 0.2, 80), Note(1.6, 67, 0.2, 80)])
    return night


def test_an_evening_is_the_same_on_channels_of_its_own() -> None:
    one, several = evening().run(30.0), evening(**APART).run(30.0)
    assert [(n.onset_s, n.pitch, n.end_s) for n in one] == [(n.onset_s, n.pitch, n.end_s) for n in several]
    assert {n.channel for n in one} == {0}
    assert len({n.channel for n in several}) > 1
    assert {n.channel for n in evening(channel_out=7).run(30.0)} == {6}


def test_a_channel_that_is_changed_while_notes_sound_ends_them_where_they_began() -> None:
    night = evening(**APART)
    night.set(2.6, "channel_lower", 9)
    night.set(2.7, "channel_out", 5)
    played = night.run(30.0)
    assert night.stage.open_takes == []
    assert all(n.end_s < night.now_s for n in played)
    assert {n.channel for n in played if n.onset_s < 2.6} <= {1, 2, 3}


def test_channels_and_programs_are_those_of_the_controls() -> None:
    assert channels_of(controls(channel_out=5, channel_upper=2)) == {"upper": 1, "middle": 4, "lower": 4}
    assert programs_of(controls()) == {}
    asked = controls(program_out="church organ", program_upper=41, program_lower="Cello", channel_upper=2)
    assert programs_of(asked) == {0: 19, 1: 40}  # the lower voice has no channel of its own
    assert asked["program_upper"] == "violin"
    assert programs_of(controls(channel_upper=2, channel_lower=2, program_upper=1, program_lower=2)) == {1: 0}
    assert len(PROGRAMS) == len(set(PROGRAMS)) == 128
    assert (PROGRAMS[0], PROGRAMS[127]) == ("acoustic grand piano", "gunshot")


@pytest.mark.parametrize("wrong", ["0", "129", "kazoo", "", "1.5", "-1"])
def test_what_is_no_sound_is_refused(wrong: str) -> None:
    with pytest.raises(ControlError):
        controls(program_upper=wrong)


def test_a_file_has_the_sounds_and_the_channels() -> None:
    notes = [PlannedNote(1, 0, 0.0, 60, 0.5, 70, 1), PlannedNote(1, 1, 0.5, 48, 0.5, 70, 3)]
    events = [message for _, _, message in read_song(song_of(notes, {1: 40, 3: 42})).events if message[0] < 0xF0]
    assert events[:2] == [bytes((0xC1, 40)), bytes((0xC3, 42))]
    assert {message[0] & 15 for message in events[2:]} == {1, 3}

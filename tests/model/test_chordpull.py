"""Chords in playing: what they take off each pitch, what they end, and that nothing changes where there are none."""

import hashlib
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.engine.virtual import Evening
from livemuse.model.chordpull import PEDAL_S, ChordPull
from livemuse.model.improviser import Improviser
from livemuse.model.pitches import pitch_nats
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.progressions import progression
from livemuse.music.schedule import Extension, Plan
from livemuse.testing.scripted import ScriptedStepper

AM, F, C, G = ({9, 0, 4}, {5, 9, 0}, {0, 4, 7}, {7, 11, 2})
BEAT_S = 0.6  # at 100 bpm


def controls(**values: Any) -> Controls:
    chosen = Controls()
    for name, value in values.items():
        chosen = chosen.replaced(name, value)
    return chosen


def pull(**values: Any) -> ChordPull:
    found = ChordPull.of(controls(**{"chords": "Am F C G", "tempo": 100} | values), 10.0)
    assert found is not None
    return found


def improvise(confidence: float, seconds: float, handful: int = 1000, **values: Any) -> Iterator[Extension]:
    improviser = Improviser(ScriptedStepper(confidence=confidence))
    improviser.listen([Note(0.25 * k, 60 + k % 5, 0.3, 70 + k) for k in range(12)])
    improviser.begin(Plan(1, 1, 0, (), 4.0, 4.0, 4.0 + seconds, None, 0, controls(**values)))
    done = False
    while not done:
        yield (found := improviser.extend(1, 1e9, handful))
        done = found.done


def made(confidence: float = 0.0, seconds: float = 19.2, handful: int = 1000, **values: Any) -> list[PlannedNote]:
    """What is played from 4 s on, as it ends up sounding, by a model without an opinion."""
    ends: dict[int, PlannedNote] = {}
    for found in improvise(confidence, seconds, handful, **values):
        ends |= {n.index: n for n in (*found.notes, *found.shortened)}
    return list(ends.values())


# --- what it takes off ---------------------------------------------------------------------------------------------


def test_chord_tones_cost_nothing_and_others_most_on_the_beat_of_a_change() -> None:
    chords = pull()
    for at_beats, inside in ((0, AM), (1, AM), (2.25, AM), (4, F), (7.9, C), (8, C), (12.1, G), (16, AM), (1604, F)):
        nats = chords.nats(10.0 + at_beats * BEAT_S)
        assert {p % 12 for p in range(128) if nats[p] == 0.0} == inside, at_beats
    of_b = [float(chords.nats(10.0 + at_beats * BEAT_S)[71]) for at_beats in (4, 5, 5.3)]
    assert of_b[0] > of_b[1] > of_b[2] > 0.0
    change = chords.nats(10.0 + 4 * BEAT_S)
    assert change[61] > change[71]  # C sharp is far from all four chords, B belongs to one


def test_just_before_a_change_the_next_chord_holds_and_half_a_beat_before_it_is_anticipated() -> None:
    chords = pull()
    early = chords.nats(10.0 + 3.95 * BEAT_S)
    assert not early[65]
    assert early[64] > 0.0
    ahead = chords.nats(10.0 + 3.6 * BEAT_S)
    assert {p % 12 for p in range(128) if ahead[p] == 0.0} == AM | F


def test_what_does_not_belong_to_the_next_chord_ends_where_that_begins() -> None:
    chords = pull()
    begin = 10.0 + 1.5 * BEAT_S
    assert chords.until_s(64, begin) == pytest.approx(10.0 + 4 * BEAT_S - PEDAL_S)  # E is not in F
    assert chords.until_s(57, begin) == pytest.approx(10.0 + 8 * BEAT_S - PEDAL_S)  # A is, but not in C
    assert chords.until_s(60, begin) == pytest.approx(10.0 + 12 * BEAT_S - PEDAL_S)
    assert pull(chords="Am").until_s(61, begin) == math.inf
    assert pull(chords="Am N.C.").until_s(64, begin) == math.inf  # nothing to clash with


def test_a_long_note_outside_the_chord_costs_more_than_a_short_one() -> None:
    lengths_s = np.array([0.1, BEAT_S, 1.5 * BEAT_S, 4 * BEAT_S])
    nats = pull().length_nats(62, 10.5, lengths_s)
    assert list(nats[:2]) == [0.0, 0.0]
    assert 0.0 < nats[2] < nats[3]
    assert not pull().length_nats(64, 10.5, lengths_s).any()


def test_numerals_are_in_the_key_that_is_set() -> None:
    asked = controls(chords="ii V I", tempo=100)
    for key, chords in (("off", "Dm G C"), ("G major", "Am D G"), ("F major", "Gm C F")):
        found = ChordPull.of(asked.replaced("key", key), 0.0)
        assert found is not None
        assert found.progression == progression(chords)


def test_a_chord_tone_outside_the_key_is_as_good_as_one_inside_unless_the_key_is_never_left() -> None:
    e7 = {4, 8, 11, 2}
    soft = pull(chords="E7", key="A minor", key_strength=0.9).nats(10.0)
    assert {p % 12 for p in range(128) if soft[p] == 0.0} == e7
    assert soft[61] > soft[60] > 0.0  # C sharp is outside the key as well
    hard = pull(chords="E7", key="A minor", key_strength=1).nats(10.0)
    assert {p % 12 for p in range(128) if hard[p] == 0.0} == e7 - {8}
    assert np.isinf(hard[68])


def test_no_chord_leaves_the_key_alone() -> None:
    nats = pull(chords="N.C. C", key="C major", key_strength=0.9).nats(11.0)
    assert not nats[60]
    assert nats[61] == pytest.approx(-3.0 * math.log(0.1))


@given(
    st.sampled_from(["Am F C G", "F#7alt", "C5", "blues", "N.C. Db", "| Am:3.5 G |"]),
    st.sampled_from(["0-127", "60-61", "61-62", "auto", "48-72"]),
    st.sampled_from(["off", "D major pentatonic", "{C}", "F# blues"]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.3, 1.0]),
    st.sampled_from([0.0, 0.9, 1.0]),
    st.floats(0.0, 60.0),
)
def test_some_pitch_is_always_left(  # noqa: PLR0913 - all that bears on it
    chords: str, register: str, key: str, key_strength: float, strength: float, stay_out: float, at_s: float
) -> None:
    asked = controls(chords=chords, register=register, key=key, key_strength=key_strength, chords_strength=strength,
                     stay_out=stay_out)  # fmt: skip
    found = ChordPull.of(asked, 0.0)
    assert found is not None
    hands = ((20, 64), (80, 90))
    nats = pitch_nats(asked.replaced("key", "off"), (60,) * 12, (40, 80), hands=hands, chord=found.nats(at_s))
    assert np.isfinite(nats).any()
    assert found.until_s(60, at_s) >= at_s


# --- in playing ----------------------------------------------------------------------------------------------------


def on_changes(notes: list[PlannedNote], text: str = "Am F C G") -> list[bool]:
    """Of each note that sounds on the beat of a change, whether it belongs to the new chord."""
    chords = progression(text)
    found = []
    for change in range(8):
        at_s, chord = 4.0 + 4 * change * BEAT_S, chords.at(4 * change + 1e-6).chord
        assert chord is not None
        found += [n.pitch % 12 in chord.pitch_classes for n in notes if n.onset_s <= at_s + 0.02 and n.end_s > at_s]
    return found


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def test_a_model_without_an_opinion_plays_the_chords() -> None:
    asked: dict[str, Any] = {"chords": "Am F C G", "tempo": 100, "top_p": 1}
    followed = [flag for seed in range(6) for flag in on_changes(made(**asked, seed=seed))]
    free = [flag for seed in range(6) for flag in on_changes(made(tempo=100, top_p=1, seed=seed))]
    assert len(followed) > 30
    assert share(followed) > 0.9 > 0.5 > share(free)


def test_more_strength_pulls_more_and_1_strikes_chord_tones_alone() -> None:
    chords = progression("Am F C G")

    def inside(strength: float) -> float:
        notes = [
            n for seed in range(4) for n in made(chords="Am F C G", tempo=100, chords_strength=strength, seed=seed)
        ]
        found = []
        for note in notes:
            beats = (note.onset_s - 4.0) / BEAT_S
            here, soon = chords.at(beats).chord, chords.at(beats + 0.5).chord  # which may be anticipated
            assert here is not None
            assert soon is not None
            found.append(note.pitch % 12 in here.pitch_classes | soon.pitch_classes)
        return share(found)

    assert inside(0.0) < 0.45 < inside(0.5) < inside(0.8) <= inside(1.0) == 1.0


def test_nothing_that_is_outside_rings_over_a_change() -> None:
    chords = progression("Am F C G")
    notes = made(chords="Am F C G", tempo=100, chords_strength=0.3, max_note_s=20)
    for note, change in itertools.product(notes, range(1, 8)):
        at_s, chord = 4.0 + 4 * change * BEAT_S, chords.at(4 * change + 1e-6).chord
        assert chord is not None
        if note.onset_s < at_s - 0.125 * BEAT_S and note.end_s > at_s:
            assert note.pitch % 12 in chord.pitch_classes


def test_a_chord_that_forbids_nothing_disturbs_nothing() -> None:
    """Draws have names of their own, so what is drawn once more takes nothing from the others."""
    assert made(chords="N.C.", cadence="off") == made(cadence="off")


def test_it_is_the_same_again_and_in_handfuls_and_at_temperature_0() -> None:
    asked: dict[str, Any] = {"chords": "ii V I", "key": "Eb major", "tempo": 90}
    assert made(**asked) == made(**asked) == made(**asked, handful=1)
    assert made(**asked) != made(**asked, seed=1)
    cold = made(confidence=2.0, **asked, temperature=0, seed=1)
    assert cold == made(confidence=2.0, **asked, temperature=0, seed=2)
    assert len({n.pitch for n in cold}) > 3


def test_the_rhythm_is_the_models_own() -> None:
    """Only pitches give way: but where one is struck again too soon, steps stay as they were."""
    free, followed = made(imitate=0), made(imitate=0, chords="Am F C G")
    steps = [[b.onset_s - a.onset_s for a, b in itertools.pairwise(notes)] for notes in (free, followed)]
    same = [one == pytest.approx(other) for one, other in zip(*steps, strict=False)]
    assert share(same) > 0.8
    assert [n.pitch for n in free[:20]] != [n.pitch for n in followed[:20]]


@pytest.mark.parametrize(
    ("values", "digest"),
    [
        ({}, "11a11f0917f3cb37"),
        ({"key": "Eb dorian", "temperature": 1.2, "register": "48-80"}, "c4f6022ec00343be"),
        ({"density": 2, "repetition": 0}, "b44bfb6a23606804"),
    ],
)
def test_without_chords_every_note_is_what_it_was_before_there_were_any(values: dict[str, Any], digest: str) -> None:
    """The digests are of the notes of the version that had no chords, polyphony, dynamics, stay_out or imitate, and
    no shape."""
    values = {"contour": "off", "phrasing": 0, "loops": "off", "cadence": "off", **values}
    for more in ({}, {"tempo": 77, "chords_strength": 0.2}, {"chords": "Am F", "chords_strength": 0}):
        notes = [note for found in improvise(4.0, 8.0, imitate=0, **values, **more) for note in found.notes]
        told = [(n.index, round(n.onset_s, 6), n.pitch, round(n.duration_s, 6), n.velocity) for n in notes]
        assert hashlib.sha256(repr(told).encode()).hexdigest()[:16] == digest


def test_the_chords_go_on_through_a_control_that_changes() -> None:
    """A turn made again from its middle stands where it stood in the progression."""
    duet = Duet(controls(mode="solo", chords="| C | F# |", tempo=120, chords_strength=1))
    evening = Evening(duet, Improviser(ScriptedStepper(confidence=0.0)))
    evening.do(1.0, "tacet")
    evening.do(1.5, "tacet")  # it begins to play here
    for at_s in (4.3, 9.1, 13.7):
        evening.set(at_s, "temperature", at_s / 10)
    evening.do(17.5, "stop")
    notes = evening.run(20.0)
    assert len(notes) > 20
    for note in notes:
        beats = (note.onset_s - 1.5) / 0.5
        near = {round(beats + ahead, 3) // 4 % 2 for ahead in (0.0, 0.5)}
        assert note.pitch % 12 in set().union(*({0, 4, 7} if bar == 0 else {6, 10, 1} for bar in near)), note

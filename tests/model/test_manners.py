"""Manners: as loud as the player, out of their hands' way, and not too many notes at once."""

import math
from statistics import median
from typing import Any

import numpy as np
import pytest

from livemuse.model.improviser import Improviser
from livemuse.model.manners import crowd_nats, hands_of, loudness_nats, stay_out_nats, struck_together
from livemuse.music.controls import Controls
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Plan
from livemuse.music.vocabulary import VOCABULARY
from livemuse.testing.scripted import ScriptedStepper


def made(call: list[Note], stepper: ScriptedStepper, **values: Any) -> list[PlannedNote]:
    """What is played from 10 s on, as it ends up sounding."""
    chosen = Controls()
    for name, value in values.items():
        chosen = chosen.replaced(name, value)
    improviser = Improviser(stepper)
    improviser.listen(call)
    improviser.begin(Plan(1, 1, 0, (), 10.0, 10.0, 20.0, None, 0, chosen))
    found = improviser.extend(1, 1e9, 1000)
    ends = {n.index: n for n in (*found.notes, *found.shortened)}
    return list(ends.values())


def line(pitches: list[int], velocity: int = 80) -> list[Note]:
    return [Note(0.2 * k, pitch, 0.2, velocity) for k, pitch in enumerate(pitches)]


# --- where the hands are -------------------------------------------------------------------------------------------


def test_hands() -> None:
    assert hands_of([]) == ()
    assert hands_of([40, 43, 47] * 6) == ((40, 47),)
    assert hands_of([40, 72, 43, 76, 47, 79] * 4) == ((40, 47), (72, 79))
    assert hands_of([40, 43, 47] * 8 + [100]) == ((40, 47),)  # a hand that only passed there
    assert hands_of([30] * 40 + [60, 64] * 12) == ((60, 64),)  # what was played last counts


def test_under_a_hand_it_costs_and_at_1_nothing_is_struck() -> None:
    nats = stay_out_nats(0.5, ((60, 64),))
    assert {p for p in range(128) if nats[p] > 0} == set(range(58, 67))
    assert nats[62] == pytest.approx(3 * math.log(2))
    assert np.isinf(stay_out_nats(1.0, ((60, 64),))[58:67]).all()
    assert not stay_out_nats(0.0, ((60, 64),)).any()


@pytest.mark.parametrize("hands", [[48, 52, 55], [48, 52, 55, 72, 76]])
def test_livemuse_keeps_out_of_the_hands(hands: list[int]) -> None:
    call, spans = line(hands * 8), [range(46, 58), range(70, 79)][: len(hands) // 2]

    def under(stay_out: float) -> float:
        notes = [
            n for seed in range(4) for n in made(call, ScriptedStepper(confidence=0), stay_out=stay_out, seed=seed)
        ]
        return sum(any(n.pitch in span for span in spans) for n in notes) / len(notes)

    assert under(0.0) > 0.2 > under(0.4) > under(1.0) == 0.0


def test_where_there_is_no_other_place_it_plays_all_the_same() -> None:
    call = line([60, 64, 67] * 8)
    notes = made(call, ScriptedStepper(confidence=0), stay_out=1, register="60-67")
    assert {n.pitch for n in notes} <= set(range(60, 68))
    held = made(call, ScriptedStepper(confidence=0), stay_out=1, register="60-84", chords="C", chords_strength=1)
    assert {n.pitch for n in held} <= {72, 76, 79, 84}


# --- loudness ------------------------------------------------------------------------------------------------------


def test_loudness_pulls_towards_the_players() -> None:
    assert loudness_nats(0.0, (60,), VOCABULARY) is None
    assert loudness_nats(0.5, (), VOCABULARY) is None
    nats = loudness_nats(0.5, (20,) * 40 + (90,) * 24, VOCABULARY)
    assert nats is not None
    assert int(nats.argmin()) == VOCABULARY.velocity_bin(90)
    louder = loudness_nats(1.0, (90,), VOCABULARY)
    assert louder is not None
    assert (louder >= nats).all()


@pytest.mark.parametrize("velocity", [25, 70, 110])
def test_livemuse_plays_as_loud_as_the_player(velocity: int) -> None:
    def loudness(dynamics: float) -> float:
        call = line([60, 64, 67] * 8, velocity)
        notes = [n for s in range(3) for n in made(call, ScriptedStepper(confidence=0), dynamics=dynamics, seed=s)]
        return median(n.velocity for n in notes)

    assert abs(loudness(1.0) - velocity) <= 4
    assert abs(loudness(0.7) - velocity) <= 12
    assert abs(loudness(0.0) - 64) < 16


def test_another_model_is_told_how_loud_the_player_was() -> None:
    improviser = Improviser(ScriptedStepper())
    improviser.listen(line([60] * 12, 30))
    improviser.change_model(ScriptedStepper(confidence=0))
    improviser.begin(Plan(1, 1, 0, (), 10.0, 10.0, 18.0, None, 0, Controls().replaced("dynamics", 1)))
    assert abs(median(n.velocity for n in improviser.extend(1, 1e9, 1000).notes) - 30) <= 4


# --- polyphony -----------------------------------------------------------------------------------------------------


def test_notes_struck_together() -> None:
    assert struck_together([]) == 0
    assert struck_together([1.0, 2.0, 2.01, 2.03]) == 3
    assert crowd_nats(2, 1, VOCABULARY, 1.0) is None
    nats = crowd_nats(2, 3, VOCABULARY, 1.0)
    assert nats is not None
    assert nats[0] == nats[VOCABULARY.step_bin(0.03)] > 0.0 == nats[VOCABULARY.step_bin(0.05)]
    fast = crowd_nats(2, 3, VOCABULARY, 4.0)
    assert fast is not None
    assert fast[VOCABULARY.step_bin(0.1)] > 0.0


def sounding(notes: list[PlannedNote]) -> list[int]:
    """How many sound as each note is struck and those with it are, each counted a moment later."""
    return [sum(n.onset_s <= note.onset_s + 0.036 < n.end_s - 0.001 for n in notes) for note in notes]


def test_a_line_of_one_voice_and_chords_of_fewer_notes() -> None:
    ringing = ScriptedStepper(step_s=0.0, duration_s=2.0, confidence=3.0)  # chords under the pedal
    free, two, one = (
        [c for seed in range(4) for c in sounding(made([], ringing, polyphony=p, seed=seed))] for p in ("auto", 2, 1)
    )
    assert median(free) >= 4
    assert sum(count <= 2 for count in two) > 0.8 * len(two)
    assert sum(count <= 1 for count in one) > 0.8 * len(one)


def test_what_the_controls_do_not_ask_for_changes_nothing() -> None:
    call = line([60, 64, 67] * 8)
    plain = made(call, ScriptedStepper(confidence=2.0))
    assert made(call, ScriptedStepper(confidence=2.0), polyphony="auto", dynamics=0, stay_out=0) == plain
    assert made(call, ScriptedStepper(confidence=2.0), polyphony=16) == plain

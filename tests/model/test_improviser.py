"""The improviser under every rule, with a model that has no opinion (so that the rules alone decide)."""

import itertools
from typing import Any

import pytest

from livemuse.model.improviser import Improviser
from livemuse.music.controls import Controls
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Plan
from livemuse.music.theory import parse_key
from livemuse.testing.scripted import ScriptedStepper


def improvise(
    seconds: float = 8.0, *, confidence: float = 0.0, start_s: float = 2.0, **controls: Any
) -> list[PlannedNote]:
    chosen = Controls()
    for name, value in controls.items():
        chosen = chosen.replaced(name, value)
    improviser = Improviser(ScriptedStepper(confidence=confidence))
    improviser.listen([Note(0.0, 60, 0.5, 80), Note(0.5, 64, 0.5, 80)])
    improviser.begin(Plan(1, 1, 0, (), start_s, start_s, start_s + seconds, None, 0, chosen))
    made = improviser.extend(1, 1e9, 100_000)
    assert made.done
    ends = {(n.take, n.index): n for n in (*made.notes, *made.shortened)}
    return [ends[n.take, n.index] for n in made.notes]


def test_the_first_note_is_at_the_decision_and_nothing_outlasts_the_answer() -> None:
    for seed in range(20):
        notes = improvise(seed=seed, max_note_s=20)
        assert notes[0].onset_s == 2.0
        assert max(note.end_s for note in notes) <= 10.0
        assert len(notes) >= 3


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0, 4.0])
def test_a_short_answer_still_has_room_for_three_notes(seconds: float) -> None:
    for seed in range(20):
        assert len(improvise(seconds, seed=seed, density=0.25)) >= 3 or seconds == 0.5


def test_no_rest_is_long() -> None:
    for seed in range(20):
        onsets = [note.onset_s for note in improvise(20.0, seed=seed, density=0.25)]
        assert max(later - earlier for earlier, later in itertools.pairwise(onsets)) <= 2.5


@pytest.mark.parametrize("key", ["Eb dorian", "C major pentatonic", "F# whole tone"])
def test_strength_1_never_leaves_the_key(key: str) -> None:
    classes = parse_key(key).pitch_classes
    assert all(note.pitch % 12 in classes for note in improvise(key=key, key_strength=1, temperature=2))


def test_less_strength_pulls() -> None:
    classes = parse_key("C major").pitch_classes

    def share(strength: float) -> float:
        notes = [n for seed in range(8) for n in improvise(key="C major", key_strength=strength, seed=seed, top_p=1)]
        return sum(note.pitch % 12 in classes for note in notes) / len(notes)

    assert share(0.0) < 0.7 < share(0.5) < share(0.9) <= 1.0


def test_register_and_loudness() -> None:
    assert all(60 <= n.pitch <= 72 for n in improvise(register="60-72", temperature=2))
    assert all(n.velocity <= 50 for n in improvise(max_velocity=50, velocity=2))
    loud = improvise(confidence=20, velocity=1.5)
    assert {n.velocity for n in loud} <= set(range(110, 127))


def test_a_register_without_a_note_of_the_key_still_plays() -> None:
    assert {n.pitch for n in improvise(register="60-61", key="D major pentatonic", key_strength=1)} <= {60, 61}


def test_density_is_a_factor_on_time() -> None:
    steps = {}
    for density in (0.5, 1.0, 2.0):
        notes = improvise(confidence=30, temperature=0, density=density)
        steps[density] = notes[2].onset_s - notes[1].onset_s
    assert steps[0.5] == pytest.approx(2 * steps[1.0])
    assert steps[2.0] == pytest.approx(steps[1.0] / 2)


@pytest.mark.parametrize("most", [1, 4, 7])
def test_never_more_notes_in_any_second(most: int) -> None:
    onsets = [n.onset_s for n in improvise(max_notes_per_s=most, density=4)]
    assert all(later - earlier > 1.0 for earlier, later in zip(onsets, onsets[most:], strict=False))


def test_never_more_voices() -> None:
    notes = improvise(max_voices=2, max_note_s=20)
    for note in notes:
        assert sum(n.onset_s <= note.onset_s < n.end_s for n in notes) <= 2


def test_repetition_0_hardly_ever_repeats_and_1_leaves_the_model_alone() -> None:
    def repeats(repetition: float) -> int:
        notes = [
            n for seed in range(10) for n in improvise(repetition=repetition, register="60-64", seed=seed, top_p=1)
        ]
        return sum(a.pitch == b.pitch for a, b in itertools.pairwise(notes))

    assert repeats(0.0) < repeats(1.0) / 2


def test_seeds_differ_and_a_seed_repeats_itself() -> None:
    assert improvise(seed=7) == improvise(seed=7)
    assert improvise(seed=7) != improvise(seed=8)
    assert improvise(seed=7, temperature=0, confidence=9) == improvise(seed=8, temperature=0, confidence=9)


def test_going_back_to_the_last_note_that_sounded_goes_on_as_if_nothing_had_been() -> None:
    straight, broken = Improviser(ScriptedStepper()), Improviser(ScriptedStepper())
    controls = Controls().replaced("cadence", "off")  # or an answer of three notes would close with the third
    plan = Plan(1, 1, 0, (Note(0.0, 60, 0.5, 80),), 1.0, 1.0, 9.0, 3, 0, controls)
    straight.begin(plan)
    three = straight.extend(1, 99.0).notes
    straight.settle(1, 2)
    broken.begin(Plan(1, 1, 0, plan.tail, 1.0, 1.0, 9.0, None, 0, controls))
    assert broken.extend(1, 99.0).notes[:3] == three
    broken.settle(1, 2)  # the rest never was
    for improviser in (straight, broken):
        improviser.begin(Plan(2, 2, 0, (), 12.0, 12.0, 20.0, None, 0, Controls()))
    assert straight.extend(2, 99.0).notes == broken.extend(2, 99.0).notes


def test_a_new_model_is_told_of_the_evening_so_far() -> None:
    improviser = Improviser(ScriptedStepper())
    improviser.listen([Note(0.1 * k, 60, 0.1, 80) for k in range(5)])
    improviser.change_model(ScriptedStepper(melody=tuple(range(50, 70))))
    improviser.begin(Plan(1, 1, 0, (), 1.0, 1.0, 9.0, 1, 0, Controls().replaced("temperature", 0)))
    assert improviser.extend(1, 99.0).notes[0].pitch == 55  # the sixth of its melody

"""Answers as phrases: they close at home and on the beat, go where they are told, and do not go round."""

import math
from collections.abc import Sequence
from statistics import mean
from typing import Any

import pytest

from livemuse.engine.virtual import Evening
from livemuse.model.bundle import load_bundle, stepper_of
from livemuse.model.grid_stepper import GridStepper
from livemuse.model.improviser import Improviser
from livemuse.music.context import BeatGrid, Context
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Plan
from livemuse.music.theory import parse_key
from livemuse.testing.scripted import ScriptedStepper
from tests.model.tiny import tiny_bundle
from tests.music.test_loops import rounds

CALL = [Note(0.25 * k, 48 + 5 * (k % 8), 0.3, 80) for k in range(40)]
START_S = 12.0
TRIAD = {9, 1, 4}  # of A major
BEATS = BeatGrid(START_S, 0.6, 4, START_S, clear=True)
AT_HOME = Context(parse_key("A major"))
FREE = "free"
FAMILIES = (FREE, "melody", "pianoroll")


def controls_of(values: dict[str, Any]) -> Controls:
    controls = Controls()
    for name, value in {"key": "off", "imitate": 0, **values}.items():
        controls = controls.replaced(name, value)
    return controls


@pytest.fixture(scope="module")
def steppers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, GridStepper]:
    folder = tmp_path_factory.mktemp("grid")
    found = {}
    for name in ("melody", "pianoroll"):
        stepper = stepper_of(load_bundle(tiny_bundle(folder / name, name)))
        assert isinstance(stepper, GridStepper)
        found[name] = stepper
    return found


def planned(
    family: str, steppers: dict[str, GridStepper], context: Context = AT_HOME, seconds: float = 8.0,
    notes: int | None = None, confidence: float = 0.0, **values: Any,
) -> list[PlannedNote]:  # fmt: skip
    """An answer, with the ends as they came."""
    stepper = ScriptedStepper(confidence=confidence) if family == FREE else steppers[family]
    improviser = Improviser(stepper)
    improviser.listen(CALL)
    controls = controls_of(values)
    improviser.begin(
        Plan(1, 1, 0, (), START_S, START_S, START_S + seconds, notes, 0, controls, START_S, False, context)
    )
    made = improviser.extend(1, 1e9, 100_000)
    assert made.done
    ends = {n.index: n for n in (*made.notes, *made.shortened)}
    return [ends[n.index] for n in made.notes]


def last(notes: Sequence[PlannedNote]) -> list[PlannedNote]:
    return [n for n in notes if n.onset_s > notes[-1].onset_s - 0.05]


# --- cadence -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("temperature", [0, 0.9, 2])
def test_an_answer_ends_on_the_tonic_triad_of_the_key_that_is_heard(
    family: str, temperature: float, steppers: dict[str, GridStepper]
) -> None:
    for seed in range(6):
        notes = planned(family, steppers, seed=seed, temperature=temperature)
        assert {n.pitch % 12 for n in last(notes)} <= TRIAD
        assert all(n.end_s == pytest.approx(START_S + 8.0) for n in last(notes))
        assert 0.35 <= START_S + 8.0 - notes[-1].onset_s <= 1.6


@pytest.mark.parametrize("family", FAMILIES)
def test_without_it_the_answer_ends_anywhere(family: str, steppers: dict[str, GridStepper]) -> None:
    ends = [planned(family, steppers, seed=seed, cadence="off")[-1].pitch % 12 for seed in range(8)]
    assert not set(ends) <= TRIAD


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_so_many_notes_are_so_many_and_the_last_of_them_is_at_home(
    family: str, count: int, steppers: dict[str, GridStepper]
) -> None:
    for seed in range(4):
        notes = planned(family, steppers, seconds=120.0, notes=count, seed=seed)
        assert len(notes) == count
        assert {n.pitch % 12 for n in last(notes)} <= TRIAD
        assert notes[-1].duration_s >= 0.3


def test_the_key_that_is_set_is_before_the_one_that_is_heard_and_the_chord_before_both() -> None:
    assert {n.pitch % 12 for n in last(planned(FREE, {}, key="Eb minor", key_strength=0.2))} <= {3, 6, 10}
    for seed in range(6):
        notes = planned(FREE, {}, seed=seed, chords="| D | Bb |", tempo=120)  # 2 s each: D, Bb, D, Bb to the end
        assert {n.pitch % 12 for n in last(notes)} <= {10, 2, 5}
        beats = (notes[-1].onset_s - START_S) / 0.5
        assert beats == pytest.approx(round(beats), abs=0.08)


@pytest.mark.parametrize("seed", range(8))
def test_the_last_onset_is_on_a_beat_that_is_clear(seed: int) -> None:
    notes = planned(FREE, {}, Context(parse_key("A major"), BEATS), seed=seed)
    beats = (last(notes)[0].onset_s - START_S) / 0.6
    assert beats == pytest.approx(round(beats), abs=0.02)
    of_notes = planned(FREE, {}, Context(parse_key("A major"), BEATS), 120.0, 9, seed=seed)
    beats = (of_notes[-1].onset_s - START_S) / 0.6
    assert beats == pytest.approx(round(beats), abs=0.02)


def test_no_foreign_note_sounds_on_under_the_last_ones() -> None:
    for seed in range(12):
        notes = planned(FREE, {}, seed=seed, max_note_s=20)
        closes_s = last(notes)[0].onset_s
        assert all(n.pitch % 12 in TRIAD for n in notes if n.end_s > closes_s + 0.01)


def test_where_no_key_is_known_it_still_comes_to_rest() -> None:
    ends = [planned(FREE, {}, Context(), seed=seed) for seed in range(12)]
    assert all(notes[-1].end_s == pytest.approx(START_S + 8.0) and notes[-1].duration_s > 0.35 for notes in ends)
    assert len({notes[-1].pitch % 12 for notes in ends}) > 4


def test_a_bass_does_not_close_alone() -> None:
    """Under two hands the last onset has a note below and one above; a single voice has one."""
    wide = 0
    for seed in range(12):
        notes = planned(FREE, {}, seed=seed, register="36-84")
        before = sorted(n.pitch for n in notes[: -len(last(notes))])
        low, middle = before[len(before) // 5], before[len(before) // 2]
        if low < middle - 12:
            wide += 1
            assert last(notes)[0].pitch <= low + 6 < middle - 1 <= last(notes)[-1].pitch
    assert wide > 3
    assert all(len(last(planned(FREE, {}, seed=seed, polyphony=1))) == 1 for seed in range(6))


def test_playing_without_an_end_has_no_cadence() -> None:
    improviser, shapeless = Improviser(ScriptedStepper(confidence=0.0)), Improviser(ScriptedStepper(confidence=0.0))
    for one, cadence in ((improviser, "on"), (shapeless, "off")):
        one.begin(
            Plan(1, 1, 0, (), 1.0, 1.0, math.inf, None, 0, controls_of({"cadence": cadence}), 1.0, False, AT_HOME)
        )
    assert improviser.extend(1, 40.0, 1000).notes == shapeless.extend(1, 40.0, 1000).notes


def evening(**values: Any) -> Evening:
    night = Evening(Duet(controls_of({"wait": 0.5, "start_on": "any", "candidates": 1, **values})),
                    Improviser(ScriptedStepper(confidence=0.0)))  # fmt: skip
    night.play_notes(Note(0.3 * k, p, 0.28, 80) for k, p in enumerate((60, 64, 67, 65, 62, 59, 60, 64, 67, 72, 67, 60)))
    return night


def test_a_control_turned_in_the_last_note_does_not_begin_anew() -> None:
    straight, turned = evening(answer_length="6 s"), evening(answer_length="6 s")
    notes = straight.run(30.0)
    turned.set(last(notes)[0].onset_s + 0.2, "temperature", 1.5)
    assert turned.run(30.0)[: len(notes)] == notes
    assert len(turned.run(30.0)) == len(notes)
    assert turned.duet.state == "listening"


def test_a_control_turned_on_the_way_still_ends_at_home_and_cadence_off_is_heard_at_once() -> None:
    night = evening(answer_length="6 s")
    for at_s in (5.0, 6.3, 7.7):
        night.set(at_s, "density", 1 + at_s / 10)
    played = night.run(30.0)
    key = night.duet.ear.key.key
    assert key is not None
    assert {n.pitch % 12 for n in last(played)} <= key.tonic_triad
    assert max(n.end_s for n in played) == pytest.approx(night.decided_s + 6.0)
    ends = []
    for seed in range(6):
        night = evening(answer_length="6 s", seed=seed)
        night.set(6.0, "cadence", "off")
        ends.append(night.run(30.0)[-1].pitch % 12)
    assert not set(ends) <= key.tonic_triad


# --- loops -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("melody", [(60,), (60, 62), (60, 64, 67), (60, 64, 67, 64), (60, 62, 64, 65, 67, 69, 71)])
def test_a_model_that_is_sure_to_go_round_does_not(melody: tuple[int, ...]) -> None:
    for temperature in (0.0, 0.6, 1.5):
        improviser = Improviser(ScriptedStepper(melody, confidence=30.0))
        pitches = {}
        for take, loops in enumerate(("off", "4"), 1):
            controls = controls_of({"loops": loops, "temperature": temperature})
            improviser.begin(Plan(take, take, 0, (), 30.0 * take, 30.0 * take, 30.0 * take + 25, None, 0, controls))
            made = improviser.extend(take, 1e9, 1000).notes
            improviser.settle(take, made[-1].index)
            pitches[loops] = [n.pitch for n in sorted(made, key=lambda n: (n.onset_s, n.pitch))]
        assert rounds(pitches["off"], len(melody)) > 5 or temperature > 1.0
        assert all(rounds(pitches["4"], figure) <= 4.5 for figure in range(1, 9))


@pytest.mark.parametrize("family", ["melody", "pianoroll"])
def test_nor_do_models_on_a_grid(family: str, steppers: dict[str, GridStepper]) -> None:
    for values in ({"temperature": 0}, {"temperature": 0.3, "register": "60-61"}):
        notes = planned(family, steppers, Context(), 20.0, **values)
        pitches = [n.pitch for n in sorted(notes, key=lambda n: (n.onset_s, n.pitch))]
        assert len(pitches) > 20
        assert all(rounds(pitches, figure) < 5.0 for figure in (1, 2, 4, 8))


def test_one_pitch_is_played_where_there_is_but_one() -> None:
    notes = planned(FREE, {}, Context(), 10.0, key="{C}", key_strength=1, register="60-61")
    assert {n.pitch for n in notes} == {60}


# --- contour and daring ------------------------------------------------------------------------------------------


def test_a_contour_is_where_the_answer_goes() -> None:
    def thirds(contour: str) -> list[float]:
        parts: list[list[int]] = [[], [], []]
        for seed in range(12):
            for note in planned(FREE, {}, Context(), 12.0, seed=seed, contour=contour, cadence="off"):
                parts[min(int((note.onset_s - START_S) / 4.0), 2)].append(note.pitch)
        return [mean(part) for part in parts]

    low, middle, high = thirds("rise")
    assert low + 4 < middle < high - 4
    high, middle, low = thirds("fall")
    assert low + 4 < middle < high - 4
    first, middle, last_third = thirds("arch")
    assert middle > first + 4
    assert middle > last_third + 4


def test_phrasing_changes_the_notes_and_0_leaves_them() -> None:
    plain = planned(FREE, {}, confidence=2.0, phrasing=0)
    assert planned(FREE, {}, confidence=2.0, phrasing=1) != plain
    assert planned(FREE, {}, confidence=2.0, phrasing=0, contour="off") != planned(
        FREE, {}, confidence=2.0, phrasing=0, contour="fall"
    )


def test_a_note_that_closes_is_remembered_like_any_other() -> None:
    improviser = Improviser(ScriptedStepper())
    improviser.begin(Plan(1, 1, 0, (), 1.0, 1.0, 5.0, None, 0, controls_of({}), 1.0, False, AT_HOME))
    made = improviser.extend(1, 1e9, 1000).notes
    improviser.settle(1, made[-1].index)
    assert [n.pitch for n in improviser.memory.window] == [n.pitch for n in made]

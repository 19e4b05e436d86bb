"""Models of the grid play by the same rules as any other: on the grid, under the ceilings, and the same again."""

import dataclasses
import itertools
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.engine.virtual import Evening
from livemuse.midi.smf import notes_of, read_song
from livemuse.model.bundle import load_bundle, stepper_of
from livemuse.model.grid_draw import FrameRules, draw_frame
from livemuse.model.grid_past import MOST_SILENT, Feeding, Past
from livemuse.model.grid_stepper import GridState, GridStepper
from livemuse.model.improviser import Improviser
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.grid import EMPTY, PER_BAR, Frame, frames_of
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.sampling import Draw
from livemuse.music.schedule import Plan
from livemuse.music.theory import parse_key
from livemuse.offline import answer_file, song_of
from livemuse.testing.scripted import ScriptedStepper
from tests.model.tiny import tiny_bundle

S = 0.125  # a sixteenth at 120 bpm
CALL = (Note(0.0, 60, 0.5, 70), Note(0.5, 64, 0.25, 74), Note(0.75, 67, 0.25, 78))
FAMILIES = ("melody", "pianoroll")


@pytest.fixture(scope="session")
def steppers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, GridStepper]:
    folder = tmp_path_factory.mktemp("models")
    rows = {"melody": ("melody", {}), "pianoroll": ("pianoroll", {}), "down": ("pianoroll", {"draw_order": "down"})}
    found = {}
    for name, (family, more) in rows.items():
        stepper = stepper_of(load_bundle(tiny_bundle(folder / name, family, **more)))
        assert isinstance(stepper, GridStepper)
        found[name] = stepper
    return found


def controls(**values: Any) -> Controls:
    chosen = Controls()
    for name, value in values.items():
        chosen = chosen.replaced(name, value)
    return chosen


def improvise(
    stepper: GridStepper, seconds: float = 8.0, *, most: int = 100_000, notes: int | None = None, **values: Any
) -> list[PlannedNote]:
    """What it plays after CALL from 2.03 s on, as it ends up sounding; handed out ``most`` notes at a time."""
    improviser = Improviser(stepper)
    improviser.listen(CALL[:2])
    improviser.begin(Plan(1, 1, 0, CALL[2:], 2.03, 2.03, 2.03 + seconds, notes, 0, controls(**values)))
    ends: dict[int, PlannedNote] = {}
    for _ in range(10_000):
        made = improviser.extend(1, 1e9, most)
        ends |= {n.index: n for n in (*made.notes, *made.shortened)}
        if made.done:
            return [ends[k] for k in sorted(ends)]
    raise AssertionError("it never ends")


every = pytest.mark.parametrize("name", ["melody", "pianoroll", "down"])


@every
def test_an_answer_begins_at_the_decision_lies_on_the_grid_and_ends_in_time(
    steppers: dict[str, GridStepper], name: str
) -> None:
    for seed in range(6):
        notes = improvise(steppers[name], seed=seed)
        assert notes[0].onset_s == 2.03
        assert len(notes) >= 3
        sixteenths = [(n.onset_s - 2.03) / S for n in notes]
        assert sixteenths == pytest.approx([round(k) for k in sixteenths], abs=1e-6)
        assert [n.index for n in notes] == list(range(len(notes)))
        assert max(n.end_s for n in notes) <= 10.03 + 1e-9
        assert min(n.duration_s for n in notes) >= S - 1e-9
        assert max(b.onset_s - a.onset_s for a, b in itertools.pairwise(notes)) <= 2.5
        for one, other in itertools.combinations(notes, 2):  # no pitch sounds twice at once
            assert one.pitch != other.pitch or one.end_s <= other.onset_s + 1e-9


def test_a_voice_is_one_voice(steppers: dict[str, GridStepper]) -> None:
    notes = improvise(steppers["melody"], temperature=1.5)
    assert all(a.end_s <= b.onset_s + 1e-9 for a, b in itertools.pairwise(notes))


def test_keys_of_one_sixteenth_are_a_chord(steppers: dict[str, GridStepper]) -> None:
    for name, sign in (("pianoroll", 1), ("down", -1)):
        notes = improvise(steppers[name], density=4)
        chords = [[n.pitch * sign for n in g] for _, g in itertools.groupby(notes, key=lambda n: n.onset_s)]
        assert any(len(chord) > 1 for chord in chords)
        assert all(chord == sorted(set(chord)) for chord in chords)


@every
@pytest.mark.parametrize("most", [1, 4])
def test_handfuls_change_nothing(steppers: dict[str, GridStepper], name: str, most: int) -> None:
    assert improvise(steppers[name], most=most) == improvise(steppers[name])


@every
def test_chords_are_struck_and_what_is_outside_them_is_not_held_over(
    steppers: dict[str, GridStepper], name: str
) -> None:
    asked = {"chords": "C F#", "tempo": 120, "chords_strength": 1, "max_note_s": 20}
    notes = [note for seed in range(3) for note in improvise(steppers[name], 16.0, seed=seed, **asked)]
    assert len(notes) > 20
    for note in notes:
        beats = (note.onset_s - 2.03) / 0.5
        inside = [{0, 4, 7}, {6, 10, 1}][math.floor(beats / 4 + 1e-6) % 2]
        soon = [{0, 4, 7}, {6, 10, 1}][math.floor((beats + 0.5) / 4 + 1e-6) % 2]
        assert note.pitch % 12 in inside | soon
        if inside == soon:  # nor one of two chords that have no note in common
            assert (note.end_s - 2.03) / 2.0 <= math.floor(beats / 4 + 1e-6) + 1 + 1e-6


@every
def test_chords_of_no_strength_change_nothing(steppers: dict[str, GridStepper], name: str) -> None:
    assert improvise(steppers[name], chords="C F#", chords_strength=0) == improvise(steppers[name])


@every
def test_it_stays_out_of_the_hands(steppers: dict[str, GridStepper], name: str) -> None:
    notes = [note for seed in range(3) for note in improvise(steppers[name], seed=seed, stay_out=1)]
    assert not any(58 <= note.pitch <= 69 for note in notes)


@every
def test_seeds_differ_and_a_seed_repeats_itself(steppers: dict[str, GridStepper], name: str) -> None:
    stepper = steppers[name]
    assert improvise(stepper, seed=7) == improvise(stepper, seed=7) != improvise(stepper, seed=8)
    assert improvise(stepper, seed=7, temperature=0) == improvise(stepper, seed=8, temperature=0)


@every
def test_the_rules_hold(steppers: dict[str, GridStepper], name: str) -> None:
    stepper, classes = steppers[name], parse_key("Eb dorian").pitch_classes
    assert all(n.pitch % 12 in classes for n in improvise(stepper, key="Eb dorian", key_strength=1, temperature=2))
    assert all(60 <= n.pitch <= 72 for n in improvise(stepper, register="60-72", temperature=2))
    assert {n.velocity for n in improvise(stepper)} == {74}  # the mean of the call
    assert {n.velocity for n in improvise(stepper, velocity=1.5, max_velocity=90)} == {90}
    assert all(n.duration_s <= 0.1 for n in improvise(stepper, max_note_s=0.1))
    assert len(improvise(stepper, 120.0, notes=5)) == 5


@every
@pytest.mark.parametrize("most", [1, 5])
def test_ceilings(steppers: dict[str, GridStepper], name: str, most: int) -> None:
    notes = improvise(steppers[name], max_notes_per_s=most, density=4)
    assert all(b.onset_s - a.onset_s > 1.0 for a, b in zip(notes, notes[most:], strict=False))
    notes = improvise(steppers[name], max_voices=2, density=4)
    for note in notes:
        assert sum(n.onset_s <= note.onset_s + 1e-9 < n.end_s for n in notes) <= 2
    assert all(n.duration_s <= 1.0 + 1e-9 for n in improvise(steppers[name], max_note_s=1))


def frame_rules(**values: Any) -> FrameRules:
    plain = FrameRules(np.zeros(128), frozenset({60}), 9, 9, False, 0.0, Draw(1.0), Draw(1.0))
    return dataclasses.replace(plain, **values)


def test_density_and_register_do_what_they_say(steppers: dict[str, GridStepper]) -> None:
    """Begin, hold and rest are equally likely; a register changes which notes begin, density how many."""
    logits = np.array([-math.log(128)] * 128 + [0.0, 0.0], np.float32)
    state = GridState((), logits, 60)

    def kinds(rules: FrameRules) -> Counter[str]:
        drawn = [draw_frame(steppers["melody"], state, rules, lambda _, u=k / 300: u) for k in range(300)]
        assert all(rules.nats[pitch] < math.inf for struck, _ in drawn for pitch in struck)
        return Counter("begin" if struck else "hold" if held else "rest" for struck, held in drawn)

    few_keys = np.where(np.abs(np.arange(128) - 60) < 3, 0.0, np.inf)
    assert kinds(frame_rules()) == kinds(frame_rules(nats=few_keys)) == {"begin": 100, "hold": 100, "rest": 100}
    assert kinds(frame_rules(eagerness=math.log(4))) == {"begin": 200, "hold": 50, "rest": 50}
    assert kinds(frame_rules(must_strike=True)) == {"begin": 300}
    assert kinds(frame_rules(most_struck=0, must_strike=True)) == {"hold": 150, "rest": 150}
    assert kinds(frame_rules(most_struck=0, holdable=frozenset())) == {"rest": 300}


@every
def test_going_back_to_the_last_note_that_sounded_goes_on_as_if_nothing_had_been(
    steppers: dict[str, GridStepper], name: str
) -> None:
    straight, broken = Improviser(steppers[name]), Improviser(steppers[name])
    shapeless = controls(contour="off", phrasing=0, cadence="off")  # or the shape would be that of four notes
    straight.begin(Plan(1, 1, 0, CALL, 2.0, 2.0, 90.0, 4, 0, shapeless))
    four = straight.extend(1, 99.0).notes
    straight.settle(1, 3)
    broken.begin(Plan(1, 1, 0, CALL, 2.0, 2.0, 90.0, None, 0, shapeless))
    again = broken.extend(1, 99.0).notes[:4]
    assert [(n.onset_s, n.pitch) for n in again] == [(n.onset_s, n.pitch) for n in four]
    if any(a.duration_s != b.duration_s for a, b in zip(four, again, strict=True)):
        return  # the last of four was held longer, for nothing followed it
    broken.settle(1, 3)  # the rest never was
    for improviser in (straight, broken):
        improviser.begin(Plan(2, 2, 0, (), 97.0, 97.0, 99.0, None, 0, controls()))
    assert straight.extend(2, 99.0).notes == broken.extend(2, 99.0).notes


@every
def test_it_goes_on_from_a_note_in_the_middle(steppers: dict[str, GridStepper], name: str) -> None:
    """A control was turned: the rest is made again, on the same grid, and nothing before that moment."""
    improviser = Improviser(steppers[name])
    improviser.begin(Plan(1, 1, 0, CALL, 2.0, 2.0, 10.0, None, 0, controls()))
    first = improviser.extend(1, 99.0).notes
    improviser.settle(1, 2)
    at_s = first[2].onset_s + 0.05
    improviser.begin(Plan(2, 1, 1, (), None, at_s, 10.0, None, 3, controls(register="72-96")))
    notes = improviser.extend(2, 99.0).notes
    assert [n.index for n in notes] == list(range(3, 3 + len(notes)))
    assert all(72 <= n.pitch <= 96 and n.onset_s >= at_s for n in notes)
    assert [(n.onset_s - 2.0) / S for n in notes] == pytest.approx([round((n.onset_s - 2.0) / S) for n in notes])


@every
@pytest.mark.parametrize("mode", ["answer", "continue", "solo"])
def test_an_evening_can_be_had_again(steppers: dict[str, GridStepper], name: str, mode: str) -> None:
    def evening() -> list[PlannedNote]:
        night = Evening(Duet(controls(mode=mode, seed=3)), Improviser(steppers[name]))
        for turn in range(3):
            night.play_notes([Note(6.0 * turn + n.onset_s, n.pitch, n.duration_s, n.velocity) for n in CALL])
        night.do(1.2, "answer")
        night.set(9.0, "density", 2)
        night.do(19.0, "stop")
        return night.run(25.0)

    assert evening() == evening()
    assert len(evening()) > 5


def test_a_model_of_another_family_is_told_of_the_evening_so_far(steppers: dict[str, GridStepper]) -> None:
    free = ScriptedStepper(melody=tuple(range(50, 70)))
    improviser = Improviser(steppers["melody"])
    improviser.listen(CALL)
    improviser.begin(Plan(1, 1, 0, (), 2.0, 2.0, 9.0, 2, 0, controls()))
    improviser.extend(1, 99.0)
    improviser.change_model(free)
    assert not improviser.extend(1, 99.0).notes  # the take under way is left to the old one
    improviser.settle(1, 1)
    improviser.begin(Plan(2, 2, 0, (), 12.0, 12.0, 19.0, 1, 0, controls(temperature=0)))
    assert improviser.extend(2, 99.0).notes[0].pitch == 55  # after three of the call and two of the answer
    improviser.settle(2, 0)
    improviser.change_model(steppers["pianoroll"])
    improviser.begin(Plan(3, 3, 0, (), 22.0, 22.0, 29.0, None, 0, controls()))
    assert improviser.extend(3, 99.0).notes


@every
def test_a_file_is_answered(steppers: dict[str, GridStepper], name: str, tmp_path: Path) -> None:
    call, out = tmp_path / "call.mid", tmp_path / "answer.mid"
    call.write_bytes(song_of([PlannedNote(1, k, n.onset_s, n.pitch, n.duration_s, 70) for k, n in enumerate(CALL)]))
    done = answer_file(call, out, steppers[name], controls(answer_length="6 s"))
    answer = notes_of(read_song(out.read_bytes()))
    assert done["notes_heard"] == 3
    assert len(answer) == done["notes_answered"] >= 3
    assert answer[0].onset_s == 0.0


# --- what was heard --------------------------------------------------------------------------------------------------


class Listening(GridStepper):
    """Remembers what it was fed, and where in the bar each sixteenth stood."""

    family = "melody"

    def __init__(self) -> None:
        self.fed: list[tuple[Frame, int]] = []

    def feed(self, state: GridState, frame: Frame, position: int, style: Any = None) -> GridState:
        self.fed.append((frame, (position - 1) % PER_BAR))
        return GridState((), np.zeros(0, np.float32))

    def _begun(self, style: Any) -> GridState:
        raise NotImplementedError


NOTES = st.lists(
    st.builds(Note, st.integers(0, 60).map(lambda k: k * 0.07), st.integers(21, 108), st.floats(0.01, 2), st.just(80)),
    min_size=1, max_size=16,
)  # fmt: skip


@settings(max_examples=60)
@given(NOTES)
def test_the_past_is_fed_as_it_lies_on_the_grid(notes: list[Note]) -> None:
    notes = sorted(notes, key=lambda n: n.onset_s)
    stepper = Listening()
    feeding, past = Feeding(stepper), Past(GridState((), np.zeros(0, np.float32)))
    for note in notes:
        past = past.after(feeding, note, S)
    past.until(feeding, notes[0].onset_s + 10.0, S, 4)
    frames = frames_of(notes, S, notes[0].onset_s, count=len(stepper.fed))
    assert [frame for frame, _ in stepper.fed] == frames
    assert [place for _, place in stepper.fed] == [k % PER_BAR for k in range(len(frames))]


def test_a_long_silence_keeps_the_place_in_the_bar() -> None:
    stepper = Listening()
    feeding = Feeding(stepper)
    past = Past(GridState((), np.zeros(0, np.float32))).after(feeding, Note(0.0, 60, 0.125, 80), S)
    past = past.after(feeding, Note((5 * PER_BAR + 3) * S, 64, 9999.0, 80), S)
    assert past.frame == PER_BAR + 3
    assert [frame for frame, _ in stepper.fed[1:]] == [EMPTY] * (PER_BAR + 2)
    past = past.after(feeding, Note(1e12, 67, 0.1, 80), S)
    assert len(stepper.fed) <= 2 * MOST_SILENT + PER_BAR
    assert stepper.fed[-1][0][0] == {64}  # still held


def test_what_was_fed_once_is_not_fed_again() -> None:
    stepper = Listening()
    feeding, past = Feeding(stepper), Past(GridState((), np.zeros(0, np.float32)))
    for _ in range(3):
        later = past
        for note in CALL:
            later = later.after(feeding, note, S)
        later.until(feeding, 2.0, S, 4)
    assert len(stepper.fed) == 16


@pytest.mark.parametrize(
    "asked",
    [
        {"key": "{C}", "key_strength": 1, "register": "60-62", "loops": 2},
        {"chords": "C5", "chords_strength": 1, "register": "60-62", "answer_length": "20 s"},
    ],
)
def test_where_the_rules_leave_no_pitch_that_may_come_again_it_rests_and_goes_on(asked: dict[str, object]) -> None:
    controls = Controls().replaced("candidates", 1)
    for name, value in asked.items():
        controls = controls.replaced(name, value)
    night = Evening(Duet(controls), Improviser(stepper_of(load_bundle(Path("models/lead")))))
    night.play_notes([Note(1.0 + 0.25 * k, 60 + k % 2, 0.2, 80) for k in range(12)])
    played = night.run(60.0)
    assert len(played) >= 3
    assert {n.pitch for n in played} <= {60, 61, 62}

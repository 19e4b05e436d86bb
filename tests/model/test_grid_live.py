"""The shipped models of the grid in all four modes, with a player at 90 beats a minute: they play on those beats."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from livemuse.engine.virtual import Evening
from livemuse.model.grid_stepper import GridStepper
from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.grid import PER_BEAT
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Plan

BEAT_S = 60.0 / 90.0
FROM_S = 1.3  # the player's first beat: no multiple of anything
MODELS = ("chorale", "lead")
TUNE = (64, 65, 67, 72, 71, 67, 69, 65, 64, 67, 65, 62, 60, 64, 62, 59)


@pytest.fixture(scope="module")
def steppers() -> dict[str, GridStepper]:
    found = {}
    for name in MODELS:
        stepper, _ = Shelf().load(name)
        assert isinstance(stepper, GridStepper)
        found[name] = stepper
    return found


class Plans(Improviser):
    """An improviser that remembers what it was asked for."""

    def __init__(self, stepper: GridStepper) -> None:
        super().__init__(stepper)
        self.plans: dict[int, Plan] = {}

    def begin(self, plan: Plan) -> None:
        self.plans[plan.take] = plan
        super().begin(plan)


def tune(beats: float, beat_s: float = BEAT_S) -> list[Note]:
    """Eighths over a bass note on every other beat, so long."""
    eighths = int(beats * 2)
    found = [
        Note(FROM_S + k * beat_s / 2, TUNE[k % 16], beat_s / 2.2, 90 if k % 2 == 0 else 64) for k in range(eighths)
    ]
    found += [Note(FROM_S + k * beat_s, 48 - (k // 2) % 4, beat_s * 1.8, 80) for k in range(0, int(beats), 2)]
    return sorted(found, key=lambda note: (note.onset_s, note.pitch))


def evening(stepper: GridStepper, **values: Any) -> tuple[Evening, Plans]:
    controls = Controls()
    for name, value in values.items():
        controls = controls.replaced(name, value)
    partner = Plans(stepper)
    return Evening(Duet(controls), partner), partner


def off_line_s(at_s: float, first_s: float, sixteenth_s: float) -> float:
    number = (at_s - first_s) / sixteenth_s
    return abs(number - round(number)) * sixteenth_s


def assert_on_lines_that_were_heard(played: Sequence[PlannedNote], partner: Plans) -> None:
    for note in played:
        plan = partner.plans[note.take]
        beats = plan.context.beats
        assert beats is not None
        assert off_line_s(note.onset_s, beats.beat_s, beats.period_s / PER_BEAT) < 0.001


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_is_in_the_tempo_that_was_heard_and_begins_on_its_beat(
    steppers: dict[str, GridStepper], name: str
) -> None:
    night, partner = evening(steppers[name], answer_length="8 s", seed=2)
    night.play_notes(tune(24))
    played = night.run(40.0)
    assert len(played) >= 6
    start_s = played[0].onset_s
    assert off_line_s(start_s, FROM_S, BEAT_S) < 0.030
    heard = partner.plans[played[0].take].context.beats
    assert heard is not None
    assert heard.period_s == pytest.approx(BEAT_S, rel=0.02)
    assert all(off_line_s(n.onset_s, start_s, heard.period_s / PER_BEAT) < 0.001 for n in played)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("mode", ["continue", "duet"])
def test_what_is_played_beside_the_player_lies_on_their_beats(
    steppers: dict[str, GridStepper], name: str, mode: str
) -> None:
    night, partner = evening(steppers[name], mode=mode, seed=1)
    night.play_notes(tune(36))
    if mode == "continue":
        night.do(FROM_S + 16 * BEAT_S, "answer")
    until_s = FROM_S + 36 * BEAT_S
    played = [n for n in night.run(until_s) if partner.plans[n.take].start_s is None and n.onset_s > FROM_S + 10.0]
    assert len(played) >= 8
    assert_on_lines_that_were_heard(played, partner)
    assert all(off_line_s(n.onset_s, FROM_S, BEAT_S / PER_BEAT) < 0.030 for n in played)


@pytest.mark.parametrize("name", MODELS)
def test_alone_it_keeps_the_tempo_that_is_set_and_takes_another_from_the_next_sixteenth_on(
    steppers: dict[str, GridStepper], name: str
) -> None:
    night, _ = evening(steppers[name], tempo=90, seed=4)
    night.set(0.5, "mode", "solo")
    night.set(8.0, "tempo", 120)
    night.do(20.0, "stop")
    played = night.run(30.0)
    slow, fast = [n for n in played if n.onset_s <= 8.0], [n for n in played if n.onset_s > 8.0]
    assert len(slow) >= 5 <= len(fast)
    assert all(off_line_s(n.onset_s, 0.5, BEAT_S / PER_BEAT) < 0.001 for n in slow)
    assert all(off_line_s(n.onset_s, slow[-1].onset_s, 0.125) < 0.001 for n in fast)


@pytest.mark.parametrize("name", MODELS)
def test_a_player_who_slows_down_is_followed(steppers: dict[str, GridStepper], name: str) -> None:
    night, partner = evening(steppers[name], mode="duet", seed=1)
    first = tune(24)
    turn_s = FROM_S + 24 * BEAT_S
    slow_s = 60.0 / 72.0
    later = [Note(n.onset_s - FROM_S + turn_s, n.pitch, n.duration_s, n.velocity) for n in tune(30, slow_s)]
    night.play_notes(first + later)
    played = [n for n in night.run(turn_s + 30 * slow_s) if n.onset_s > turn_s + 16 * slow_s]
    assert len(played) >= 5
    assert_on_lines_that_were_heard(played, partner)
    periods_s = [beats.period_s for n in played if (beats := partner.plans[n.take].context.beats) is not None]
    assert periods_s == pytest.approx([slow_s] * len(periods_s), rel=0.03)
    assert all(off_line_s(n.onset_s, turn_s, slow_s / PER_BEAT) < 0.040 for n in played)


def test_polyphony_is_kept_to(steppers: dict[str, GridStepper]) -> None:
    night, _ = evening(steppers["chorale"], polyphony=2, mode="solo", seed=4)
    night.set(0.5, "seed", 5)
    night.do(0.6, "answer")
    night.do(15.0, "stop")
    played = night.run(20.0)
    assert len(played) > 10
    for note in played:
        assert sum(n.onset_s <= note.onset_s + 1e-9 < n.end_s - 1e-6 for n in played) <= 2
    assert any(a.onset_s == b.onset_s for a, b in pairwise(played))

"""A take: how it keeps its place in the chords, and what it is told where it is moved."""

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.engine.virtual import Evening
from livemuse.model.improviser import Improviser
from livemuse.music.context import BeatGrid
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Note
from livemuse.music.schedule import Plan
from livemuse.music.take import Take
from livemuse.testing.scripted import ScriptedStepper


def going_on(start_s: float, first_beat_s: float, tempo_bpm: float) -> Take:
    take = Take(2, 1, 1, start_s, 1e9, True, 5, None, start_s, first_beat_s, decided=True)
    take.tempo_bpm = tempo_bpm
    return take


@given(st.floats(0.0, 600.0), st.floats(40.0, 200.0), st.floats(0.9, 1.1))
def test_a_tempo_that_gives_way_keeps_the_place_in_the_chords(after_s: float, bpm: float, gives_way: float) -> None:
    take = going_on(10.0 + after_s, 10.0, bpm)
    take.keep_place(bpm * gives_way, None)
    beats = (take.start_s - take.first_beat_s) * bpm * gives_way / 60.0
    assert beats == pytest.approx(after_s * bpm / 60.0, abs=1e-6)


@given(st.floats(0.0, 600.0), st.floats(40.0, 200.0), st.floats(0.0, 1.0))
def test_where_the_beat_is_clear_the_chords_lie_on_it_no_more_than_half_a_beat_away(
    after_s: float, bpm: float, phase: float
) -> None:
    take, period_s = going_on(10.0 + after_s, 10.0, bpm), 60.0 / bpm
    grid = BeatGrid(10.0 + after_s - phase * period_s, period_s, clear=True)
    take.keep_place(bpm, grid)
    late = (grid.beat_s - take.first_beat_s) / period_s
    assert late == pytest.approx(round(late), abs=1e-5)
    assert abs(take.first_beat_s - 10.0) <= period_s / 2 + 1e-6


def test_an_answer_that_is_moved_knows_what_is_heard_by_then() -> None:
    """The network's word moves the answer: chords that went round begin where it begins then."""

    class Planned(Improviser):
        plans: ClassVar[list[Plan]] = []

        def begin(self, plan: Plan) -> None:
            self.plans.append(plan)
            super().begin(plan)

    duet = Duet(Controls().replaced("chords", "auto").replaced("start_on", "any"))
    night = Evening(duet, Planned(ScriptedStepper()))
    for bar, chord in enumerate(((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62)) * 2):
        for beat in range(4):
            night.play_notes([Note(2.0 * bar + 0.5 * beat, p, 0.45, 80) for p in (chord[0] - 12, *chord)])
    night.run(40.0)
    (plan,) = Planned.plans
    expected = duet.ear.meant(duet.controls, plan.not_before_s, plan.not_before_s)
    assert plan.controls["chords"] == expected["chords"] != "off"
    assert plan.first_beat_s == plan.start_s

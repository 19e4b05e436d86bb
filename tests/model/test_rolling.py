"""Candidates rolled ahead: the music that each would be alone, made in slices; the best is played as one alone."""

from dataclasses import replace

import pytest

from livemuse.model.beam import Beam, normalised
from livemuse.model.bundle import Bundle
from livemuse.model.free_improviser import FreeImproviser
from livemuse.model.grid_improviser import GridImproviser
from livemuse.model.rolling import TogetherRolling
from livemuse.model.shelf import Shelf
from livemuse.model.stepper import OnnxStepper
from livemuse.music.candidates import cost
from livemuse.music.controls import Controls
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Plan

HEARD = [Note(0.2 * k, (60, 64, 67, 72, 71, 67, 65, 62)[k % 8], 0.18, 70 + k % 9) for k in range(24)]


def plan(**controls: object) -> Plan:
    chosen = Controls().replaced("key", "C major").replaced("tempo", 120)
    for name, value in controls.items():
        chosen = chosen.replaced(name, value)
    return Plan(1, 1, 0, tuple(HEARD[20:]), 5.4, 5.4, 9.4, None, 0, chosen, 5.4)


def listener(stepper: OnnxStepper) -> FreeImproviser:
    improviser = FreeImproviser(stepper)
    improviser.listen(HEARD[:20])
    return improviser


def rolled(improviser: FreeImproviser | GridImproviser, wanted: Plan) -> int:
    improviser.roll(wanted)
    slices = 1
    while improviser.roll_on():
        slices += 1
    return slices


def answer(improviser: FreeImproviser | GridImproviser, wanted: Plan) -> tuple[PlannedNote, ...]:
    improviser.begin(wanted)
    return improviser.extend(wanted.take, 100.0, 1000).notes


@pytest.fixture(scope="module")
def stepper(shipped: Bundle) -> OnnxStepper:
    return OnnxStepper(shipped)


def test_the_chosen_one_is_made_as_if_it_were_the_only_one(stepper: OnnxStepper) -> None:
    one, other, asked = listener(stepper), listener(stepper), plan(candidates=4)
    rolled(one, asked)
    chosen = one.choose(asked)
    assert chosen is not None
    assert sorted(chosen.ranking) == [0, 1, 2, 3]
    best = replace(asked, candidate=chosen.ranking[0])
    assert answer(one, chosen.plan(asked)) == answer(other, best)


def test_each_candidate_is_the_music_that_it_would_be_alone(stepper: OnnxStepper) -> None:
    """The batch may differ in the last digits, which may bend a draw now and then; the beginnings are the same."""
    improviser, asked = listener(stepper), plan(candidates=3)
    rolled(improviser, asked)
    assert improviser._rolling is not None
    rolling = improviser._rolling[1]
    assert isinstance(rolling, TogetherRolling)
    alone = [answer(listener(stepper), replace(asked, candidate=k)) for k in range(3)]
    for candidate, notes in zip(rolling.candidates(), alone, strict=True):
        assert [n.pitch for n in candidate.notes[:8]] == [n.pitch for n in notes[:8]]
        assert candidate.surprise is not None
        assert candidate.surprise > 0.0
    assert len({tuple(n.pitch for n in notes) for notes in alone}) == 3
    costs = [cost(candidate, rolling._wanted) for candidate in rolling.candidates()]
    chosen = improviser.choose(asked)
    assert chosen is not None
    assert costs[chosen.ranking[0]] == min(costs)


def test_rolling_leaves_no_trace(stepper: OnnxStepper) -> None:
    one, other, asked = listener(stepper), listener(stepper), plan(candidates=4)
    rolled(one, asked)
    assert answer(one, asked) == answer(other, asked)


def test_what_was_rolled_for_another_call_is_not_chosen_from(stepper: OnnxStepper) -> None:
    improviser, asked = listener(stepper), plan(candidates=2)
    rolled(improviser, asked)
    assert improviser.choose(replace(asked, tail=(*asked.tail, Note(5.2, 60, 0.1, 70)))) is None
    rolled(improviser, asked)
    assert improviser.choose(replace(asked, controls=asked.controls.replaced("register", "60-72"))) is None
    rolled(improviser, asked)
    assert improviser.choose(replace(asked, start_s=5.5, not_before_s=5.5, end_s=9.5)) is not None


def test_one_may_choose_before_all_are_whole(stepper: OnnxStepper) -> None:
    improviser, asked = listener(stepper), plan(candidates=3)
    improviser.roll(asked)
    assert improviser.choose(asked) is None, "nothing was rolled"
    improviser.roll(asked)
    for _ in range(12):
        assert improviser.roll_on()
    chosen = improviser.choose(asked)
    assert chosen is not None
    assert not improviser.roll_on(), "what is chosen is rolled no further"


def test_an_answer_that_is_settled_is_rolled_no_further(stepper: OnnxStepper) -> None:
    improviser, asked = listener(stepper), plan(candidates=3)
    improviser.roll(asked)
    assert improviser.roll_on()
    improviser.settle(asked.take, None)
    assert not improviser.roll_on()
    improviser.roll(asked)  # the silence goes on, and so does what was begun
    assert improviser.roll_on()


def test_a_discarded_answer_was_never_heard_but_the_player_was(stepper: OnnxStepper) -> None:
    one, other, asked = listener(stepper), listener(stepper), plan(candidates=1)
    meanwhile = [Note(6.0, 50, 0.3, 60)]
    for improviser in (one, other):
        answer(improviser, asked)
        improviser.settle(1, 5)
        improviser.listen(meanwhile)
    before = one.memory.window
    one.discard(1, 8.0)
    assert one.memory.window == (*HEARD, *meanwhile)
    assert other.memory.window == before
    again = replace(asked, take=2, tail=(), start_s=8.0, not_before_s=8.0, end_s=12.0, candidate=1)
    assert answer(one, again) != answer(other, again)


def test_another_answer_is_the_one_that_was_rolled(stepper: OnnxStepper) -> None:
    """It begins later, but as if no time had passed since the call: with the pitches that it was ranked by."""
    one, other, asked = listener(stepper), listener(stepper), plan(candidates=2, cadence="off", start_on="any")
    meant = answer(other, replace(asked, candidate=1))
    answer(one, asked)
    one.settle(1, 0)
    one.discard(1, 6.25)
    again = replace(asked, take=2, tail=(), start_s=6.25, not_before_s=6.25, end_s=10.25, first_beat_s=6.25)
    found = answer(one, replace(again, candidate=1))
    assert [n.pitch for n in found[:6]] == [n.pitch for n in meant[:6]]


def test_a_beam_finds_a_likelier_answer_than_the_likeliest_pitch_each_time(stepper: OnnxStepper) -> None:
    gained = []
    for seed in range(3):
        asked = plan(temperature=0, candidates=4, imitate=0, loops="off")
        calls = [replace(note, pitch=note.pitch + seed) for note in HEARD]
        scores = []
        for width in (1, 4):
            improviser = FreeImproviser(stepper)
            improviser.listen(calls)
            wanted = replace(asked, tail=(), controls=asked.controls.replaced("candidates", width))
            rolled(improviser, wanted)
            assert improviser._rolling is not None
            beam = improviser._rolling[1]
            assert isinstance(beam, Beam)
            chosen = improviser.choose(wanted)
            assert chosen is not None
            scores.append(beam.ways[0].score)
            assert tuple(n.pitch for n in beam.ways[0].take.notes) == tuple(
                n.pitch for n in answer(improviser, chosen.plan(wanted))
            )
        gained.append(scores[1] - scores[0])
    assert min(gained) >= 0.0
    assert max(gained) > 0.0


def test_a_beam_one_wide_is_greedy(stepper: OnnxStepper) -> None:
    one, other, asked = listener(stepper), listener(stepper), plan(temperature=0, candidates=1)
    rolled(one, asked)
    chosen = one.choose(asked)
    assert chosen is not None
    assert answer(one, chosen.plan(asked)) == answer(other, asked)


def test_long_ways_may_compare_with_short_ones() -> None:
    assert normalised(-10.0, 1) == -10.0
    assert normalised(-20.0, 20) > normalised(-10.0, 2)


@pytest.mark.parametrize("name", ["lead", "chorale"])
def test_models_on_a_grid_have_candidates_too(name: str) -> None:
    model = Shelf().load(name)[0]
    asked, improvisers = plan(candidates=3), []
    for _ in range(2):
        improviser = GridImproviser(model)  # type: ignore[arg-type]
        improviser.listen(HEARD[:20])
        improvisers.append(improviser)
    rolled(improvisers[0], asked)
    chosen = improvisers[0].choose(asked)
    assert chosen is not None
    assert sorted(chosen.ranking) == [0, 1, 2]
    best = replace(asked, candidate=chosen.ranking[0])
    assert answer(improvisers[0], chosen.plan(asked)) == answer(improvisers[1], best)

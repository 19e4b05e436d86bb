"""What the rules take off each pitch: hard bounds, and a pull that follows the player."""

import numpy as np
import pytest

from livemuse.model.improviser import Improviser
from livemuse.model.pitches import PULL_FROM, PULL_NATS, pitch_nats, reach_of
from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.schedule import Plan
from livemuse.testing.scripted import ScriptedStepper

AUTO = Controls().replaced("repetition", 1)


def test_auto_costs_nothing_near_the_player_and_more_and_more_beyond() -> None:
    reach = reach_of([60] * 10 + [64] * 10)
    assert reach == (60 - PULL_FROM, 64 + PULL_FROM)
    nats = pitch_nats(AUTO, (), reach)
    assert not nats[48:77].any()
    assert nats[47] == nats[77] == PULL_NATS
    assert nats[86] == 10 * PULL_NATS
    assert np.isinf(nats[:21]).all()
    assert np.isinf(nats[109:]).all()


def test_a_few_far_notes_do_not_move_it_and_only_the_last_sixty_count() -> None:
    assert reach_of([60] * 20 + [104] * 4) == reach_of([60])
    assert reach_of([30] * 100 + [90] * 60) == reach_of([90])
    assert reach_of([]) is None


def test_a_register_that_is_set_is_not_pulled() -> None:
    nats = pitch_nats(AUTO.replaced("register", "84-108"), (), reach_of([40]))
    assert not nats[84:109].any()
    assert np.isinf(nats[83])


def test_nothing_heard_leaves_the_piano() -> None:
    assert not pitch_nats(AUTO, (), None)[21:109].any()


@pytest.mark.parametrize("register", ["60-61", "0-127", "auto"])
def test_some_pitch_is_always_left(register: str) -> None:
    chosen = AUTO.replaced("register", register).replaced("key", "D major pentatonic").replaced("key_strength", 1)
    assert np.isfinite(pitch_nats(chosen, (60,) * 12, reach_of([21]))).any()


@pytest.mark.parametrize(("played", "low", "high"), [(36, 21, 60), (96, 72, 108)])
def test_an_answer_stays_where_the_player_is_not_where_livemuse_went(played: int, low: int, high: int) -> None:
    """A model without an opinion, so that the pull alone decides; its own notes do not count as the player's."""
    improviser = Improviser(ScriptedStepper(confidence=0.0))
    improviser.listen([Note(0.2 * k, played, 0.2, 80) for k in range(20)])
    for take in (1, 2):
        improviser.begin(Plan(take, take, 0, (), 10.0 * take, 10.0 * take, 10.0 * take + 8, None, 0, AUTO))
        made = improviser.extend(take, 1e9, 1000).notes
        improviser.settle(take, made[-1].index)
        inside = [low <= note.pitch <= high for note in made]
        assert sum(inside) > 0.85 * len(inside)
    improviser.change_model(ScriptedStepper(confidence=0.0))
    improviser.begin(Plan(3, 3, 0, (), 40.0, 40.0, 48.0, None, 0, AUTO))
    inside = [low <= note.pitch <= high for note in improviser.extend(3, 1e9, 1000).notes]
    assert sum(inside) > 0.85 * len(inside)

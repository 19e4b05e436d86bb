"""Another answer to the same call, at once; the one before was never played. In virtual time, with a real model."""

from dataclasses import replace
from typing import Any

import pytest

from livemuse.engine.virtual import Evening
from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.protocols import Stepper

CALL = [Note(1.0 + 0.2 * k, (60, 64, 67, 72, 71, 67, 65, 62)[k % 8], 0.18, 75) for k in range(16)]
BEGINS_S = CALL[-1].end_s + 0.5
RELEASE_S = 0.3


class Records:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Any]]] = []

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        self.kept.append((kind, fields))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [fields for found, fields in self.kept if found == kind]


@pytest.fixture(scope="module")
def model() -> Stepper:
    found: Stepper = Shelf().load("concert")[0]
    return found


def evening(model: Stepper, journal: Records | None = None, **controls: object) -> Evening:
    chosen = Controls()
    settled = {"wait": 0.5, "start_on": "any", "answer_length": "3 s", "candidates": 3, "key": "C major"}
    for name, value in {**settled, **controls}.items():
        chosen = chosen.replaced(name, value)
    night = Evening(Duet(chosen), Improviser(model), journal)
    night.play_notes(CALL)
    return night


def of_take(notes: list[PlannedNote], take: int) -> list[tuple[float, int]]:
    found = [n for n in notes if n.take == take]
    return [(round(n.onset_s - found[0].onset_s, 6), n.pitch) for n in found]


def test_the_next_best_begins_at_once_and_the_first_ends(model: Stepper) -> None:
    journal = Records()
    night = evening(model, journal)
    night.do(BEGINS_S + 1.5, "another")
    played = night.run(60.0)
    (chosen,) = journal.of("chosen")
    assert sorted(chosen["ranking"]) == [0, 1, 2]
    first, second = ([n for n in played if n.take == take] for take in sorted({n.take for n in played}))
    assert max(n.end_s for n in first) <= BEGINS_S + 1.5 + RELEASE_S + 1e-9
    assert second[0].onset_s == BEGINS_S + 1.5
    assert max(n.end_s for n in second) == pytest.approx(BEGINS_S + 4.5, abs=0.3)
    assert night.duet.turn == 1


def test_after_the_last_comes_the_first_again(model: Stepper) -> None:
    night = evening(model, max_notes_per_s=60, max_voices=32)
    for k in range(1, 4):
        night.do(BEGINS_S + 1.5 * k, "another")
    played = night.run(60.0)
    takes = sorted({n.take for n in played})
    parts = [of_take(played, take) for take in takes]
    assert len(parts) == 4
    heard = [pitch for _, pitch in parts[0]]
    assert [pitch for _, pitch in parts[3]][: len(heard)][:6] == heard[:6]
    assert len({tuple(part[:5]) for part in parts[:3]}) == 3


def test_what_was_discarded_is_forgotten(model: Stepper) -> None:
    night = evening(model)
    night.do(BEGINS_S + 1.5, "another")
    played = night.run(60.0)
    last = [n for n in played if n.take == max(n.take for n in played)]
    memory = night._partner.memory  # type: ignore[attr-defined]
    assert [n.pitch for n in memory.window] == [n.pitch for n in (*CALL, *last)]


def test_an_answer_that_has_just_ended_has_another_too_until_the_player_plays(model: Stepper) -> None:
    night = evening(model)
    night.do(BEGINS_S + 6.0, "another")
    night.play_notes([Note(BEGINS_S + 12.0, 60, 0.2, 80)])
    night.do(BEGINS_S + 12.1, "another")
    played = night.run(BEGINS_S + 12.15)
    assert min(n.onset_s for n in played if n.onset_s > BEGINS_S + 5.0) == BEGINS_S + 6.0
    assert max(n.onset_s for n in played) < BEGINS_S + 12.0


def test_before_anything_was_answered_there_is_no_other(model: Stepper) -> None:
    night = evening(model)
    night.do(0.5, "another")
    night.do(BEGINS_S - 0.1, "another")  # it waits
    assert night.run(60.0)[0].onset_s == BEGINS_S
    assert evening(model).duet.do("another", 0.0) == []


def test_where_nothing_was_rolled_another_is_drawn_all_the_same(model: Stepper) -> None:
    journal = Records()
    night = evening(model, journal, candidates=1, imitate=0)
    night.do(BEGINS_S + 1.5, "another")
    played = night.run(60.0)
    assert journal.of("chosen") == []
    takes = sorted({n.take for n in played})
    assert len(takes) == 2
    assert [p for _, p in of_take(played, takes[0])][:5] != [p for _, p in of_take(played, takes[1])][:5]


def test_an_answer_that_is_asked_for_at_once_is_the_first_candidate(model: Stepper) -> None:
    journal = Records()
    night = evening(model, journal)
    night.do(CALL[-1].end_s + 0.01, "answer")
    assert night.run(60.0)[0].onset_s == pytest.approx(CALL[-1].end_s + 0.01)
    assert journal.of("chosen") == []


def test_one_that_is_asked_for_in_the_silence_is_the_best_of_those_rolled(model: Stepper) -> None:
    journal = Records()
    night = evening(model, journal)
    night.do(CALL[-1].end_s + 0.2, "answer")
    assert night.run(60.0)[0].onset_s == pytest.approx(CALL[-1].end_s + 0.2)
    assert len(journal.of("chosen")) == 1


def test_a_control_turned_in_the_chosen_answer_keeps_to_it(model: Stepper) -> None:
    """The rest is drawn anew, under the candidate's own number."""
    nights = [evening(model), evening(model)]
    for night in nights:
        night.set(BEGINS_S + 1.0, "velocity", 0.9)
    played = [night.run(60.0) for night in nights]
    assert played[0] == played[1]
    assert len({n.take for n in played[0]}) == 2


def test_at_temperature_0_the_next_best_way_is_played(model: Stepper) -> None:
    journal = Records()
    night = evening(model, journal, temperature=0)
    night.do(BEGINS_S + 1.5, "another")
    played = night.run(60.0)
    (chosen,) = journal.of("chosen")
    assert len(chosen["paths"]) == 3
    takes = sorted({n.take for n in played})
    for place, take in enumerate(takes):
        pitches = [pitch for _, pitch in of_take(played, take)]
        assert pitches[:4] == chosen["paths"][place][:4]


def test_a_ranking_for_a_call_that_was_never_answered_is_not_another_calls(model: Stepper) -> None:
    journal = Records()
    night = evening(model, journal)
    night.run(BEGINS_S + 30.0)
    (first,) = journal.of("chosen")
    again_s = BEGINS_S + 40.0
    night.play_notes([replace(n, onset_s=n.onset_s + again_s) for n in CALL])
    night.do(CALL[-1].end_s + again_s + 0.29, "stop")  # chosen, and stopped before its first note
    night.do(again_s + 20.0, "another")
    night.run(again_s + 60.0)
    assert len(journal.of("chosen")) == 2
    assert night.duet.choosing.chosen is not None
    assert night.duet.choosing.chosen.take == first["take"]


def test_another_after_a_later_call_that_was_stopped_still_forgets_the_first_answer(model: Stepper) -> None:
    played = []
    for stopped in (False, True):
        night = evening(model, candidates=1, imitate=0)
        night.run(BEGINS_S + 30.0)
        if stopped:
            night.play_notes([Note(BEGINS_S + 40.0, 65, 0.2, 70)])
            night.do(BEGINS_S + 40.2 + 0.45, "stop")
        night.do(BEGINS_S + 60.0, "another")
        made = night.run(BEGINS_S + 90.0)
        played.append([n for n in made if n.onset_s > BEGINS_S + 59.0])
        window = night._partner.memory.window  # type: ignore[attr-defined]
        assert [n.pitch for n in window[: len(CALL)]] == [n.pitch for n in CALL]
        assert len(window) == len(CALL) + int(stopped) + len(played[-1])
    assert all(played)

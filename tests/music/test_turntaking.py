"""When a phrase is over: what a silence weighs, and what is learned on stage."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.engine.virtual import Evening
from livemuse.model.improviser import Improviser
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Heard, KeyDown, KeyUp, Note, Pedal
from livemuse.music.phrases import Listener
from livemuse.music.schedule import Expect, WakeAt
from livemuse.music.theory import parse_key
from livemuse.music.turntaking import (
    SILENCES_S,
    Ending,
    TurnTaking,
    bounds_at,
    ending_of,
    over_after_s,
    surprise,
    threshold_at,
)
from livemuse.testing.scripted import ScriptedStepper

ENDING = Ending(10.0, 0.4, 0.2, 0.0, 1, False, 4.0, 0.0)
SOON = tuple(math.exp(-8.0 * at_s) for at_s in SILENCES_S)  # a network that expects a note every eighth of a second
LATER = tuple(math.exp(-at_s) for at_s in SILENCES_S)  # one that expects a note a second
SHARES = st.lists(st.floats(0.0, 1.0), min_size=len(SILENCES_S), max_size=len(SILENCES_S)).map(
    lambda shares: tuple(sorted(shares, reverse=True))
)


def listened(*notes: Note, pedal: bool = False) -> Listener:
    listener = Listener()
    events: list[Heard] = [
        *(KeyDown(n.onset_s, 0, n.pitch, n.velocity) for n in notes),
        *(KeyUp(n.end_s, 0, n.pitch) for n in notes),
    ]
    if pedal:
        listener.hear(Pedal(0.0, 0, True))
    for event in sorted(events, key=lambda e: e.at_s):
        listener.hear(event)
    return listener


def line(*onsets_s: float, duration_s: float = 0.2) -> tuple[Note, ...]:
    return tuple(Note(onset_s, 60 + k, duration_s, 80) for k, onset_s in enumerate(onsets_s))


# --- what a silence weighs ---------------------------------------------------------------------------------------


def test_a_silence_the_network_expects_is_no_surprise() -> None:
    assert surprise(SOON, 0.03) == 0.0
    assert surprise(SOON, SILENCES_S[4]) == pytest.approx(8.0 * SILENCES_S[4])
    assert surprise(LATER, 1.0) < surprise(SOON, 1.0)
    assert surprise(LATER, 60.0) == surprise(LATER, SILENCES_S[-1])  # the last it can tell


@given(SHARES, st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_the_longer_a_silence_the_greater_the_surprise(shares: tuple[float, ...], one_s: float, other_s: float) -> None:
    short_s, long_s = sorted((one_s, other_s))
    assert 0.0 <= surprise(shares, short_s) <= surprise(shares, long_s) + 1e-9 <= 9.3


@given(SHARES, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_more_patient_the_longer_the_wait_within_its_bounds(
    shares: tuple[float, ...], one: float, other: float
) -> None:
    waits_s = []
    for patience in sorted((one, other)):
        bounds_s = bounds_at(patience)
        waits_s.append(over_after_s(shares, ENDING, threshold_at(patience), bounds_s))
        assert bounds_s[0] <= waits_s[-1] <= bounds_s[1]
    assert waits_s[0] <= waits_s[1] + 0.01


def test_where_a_note_was_due_long_ago_the_phrase_is_over_sooner() -> None:
    bounds_s = bounds_at(0.5)
    soon_s, later_s = (over_after_s(word, ENDING, threshold_at(0.5), bounds_s) for word in (SOON, LATER))
    assert soon_s < later_s


def test_the_bounds_are_those_of_the_docs() -> None:
    assert bounds_at(0.5) == (0.3, 2.0)
    assert bounds_at(0.0) == pytest.approx((0.1, 2.0))
    assert bounds_at(1.0) == pytest.approx((0.3, 6.0))


def test_how_a_phrase_ended() -> None:
    chord = [Note(2.0, pitch, 1.6, 80) for pitch in (48, 64, 67)]
    found = ending_of(listened(*line(0.0, 0.5, 1.0, 1.5), *chord, pedal=True))
    assert found is not None
    assert (found.since_s, found.chord, found.pedal) == (3.6, 3, True)
    assert found.held_s == pytest.approx(1.6)
    assert found.length == pytest.approx(3.0)  # eight times as long as the others
    assert found.slower == 0.0
    assert found.onsets_per_s == pytest.approx(7 / 3.6)


def test_a_ritardando_is_heard() -> None:
    found = ending_of(listened(*line(0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 2.1, 2.7)))
    assert found is not None
    assert found.slower == pytest.approx(1.0)  # half as fast


def test_nothing_has_ended_while_a_key_is_down_or_before_the_first() -> None:
    listener = Listener()
    assert ending_of(listener) is None
    listener.hear(KeyDown(1.0, 0, 60, 80))
    assert ending_of(listener) is None


# --- what is learned ---------------------------------------------------------------------------------------------


def test_what_is_learned_is_bounded_and_fades() -> None:
    turns = TurnTaking(listened(*line(0.0, 0.3)))
    waits_s = [turns.wait_s(0.5)]
    for _ in range(50):
        turns.too_early()
        waits_s.append(turns.wait_s(0.5))
    assert waits_s == sorted(waits_s)
    assert waits_s[0] < waits_s[-1] <= 2.0
    for _ in range(200):
        turns.let_be()
    assert turns.wait_s(0.5) == pytest.approx(waits_s[0], abs=0.01)
    for _ in range(50):
        turns.too_late()
    assert turns.wait_s(0.5) == 0.3


def test_a_word_is_on_one_silence_alone() -> None:
    listener = listened(*line(0.0, 0.3))
    turns = TurnTaking(listener)
    turns.take_word(SOON)
    assert turns.has_word
    listener.hear(KeyDown(1.0, 0, 70, 80))
    listener.hear(KeyUp(1.2, 0, 70))
    assert not turns.has_word


# --- on stage ----------------------------------------------------------------------------------------------------


def evening(step_s: float = 0.25, **controls: object) -> Evening:
    """A model that is sure of when the next note comes: ``step_s`` after the last."""
    chosen = Controls()
    for name, value in {"temperature": 0, "answer_length": "2 notes", **controls}.items():
        chosen = chosen.replaced(name, value)
    return Evening(Duet(chosen), Improviser(ScriptedStepper(step_s=step_s)))


def first_s(night: Evening) -> float:
    return night.run(30.0)[0].onset_s


def test_livemuse_comes_in_sooner_where_the_network_expected_a_note_long_ago() -> None:
    waits_s = []
    for step_s in (0.15, 4.0):
        night = evening(step_s)
        night.play_notes(line(1.0, 1.3, 1.6, 1.9))
        waits_s.append(first_s(night) - 2.1)
    assert 0.3 <= waits_s[0] < waits_s[1] <= 2.0


def test_patience_makes_it_wait() -> None:
    waits_s = []
    for patience in (0.0, 0.5, 1.0):
        night = evening(patience=patience)
        night.play_notes(line(1.0, 1.3, 1.6, 1.9))
        waits_s.append(first_s(night) - 2.1)
    assert waits_s == sorted(waits_s)
    assert waits_s[0] < waits_s[2]


def test_a_late_word_changes_nothing_and_none_leaves_it_to_the_pauses() -> None:
    duet = Duet(Controls().replaced("candidates", 1))
    for event in (KeyDown(1.0, 0, 60, 80), KeyUp(1.2, 0, 60)):
        actions = duet.hear(event)
    alone_s = duet.deadline_s
    assert alone_s is not None
    assert alone_s == pytest.approx(1.2 + duet.listener.pauses.wait_s)
    asked = [action.at_s for action in actions if isinstance(action, WakeAt)]
    assert asked[0] == pytest.approx(1.25)
    assert [type(action) for action in duet.wake(1.25)] == [Expect]
    assert duet.expected(1, LATER, alone_s - 0.24) == []
    assert duet.expected(2, LATER, 1.26) == []  # of another take
    assert duet.deadline_s == alone_s
    assert duet.expected(1, LATER, 1.26)
    assert duet.deadline_s is not None
    assert duet.deadline_s != alone_s


def test_a_fixed_wait_asks_nobody() -> None:
    duet = Duet(Controls().replaced("wait", 1.0).replaced("candidates", 1))
    duet.hear(KeyDown(1.0, 0, 60, 80))
    actions = duet.hear(KeyUp(1.2, 0, 60))
    assert len([action for action in actions if isinstance(action, WakeAt)]) == 1
    assert duet.wake(1.3) == []


def test_later_puts_the_answer_off_and_is_remembered() -> None:
    night = evening()
    night.play_notes(line(1.0, 1.3))
    night.do(1.7, "later")
    night.play_notes([Note(20.0, 60, 0.2, 80)])
    played = night.run(40.0)
    assert played[0].onset_s >= 2.7
    before = evening()
    before.play_notes([*line(1.0, 1.3), Note(20.0, 60, 0.2, 80)])
    second = [next(n.onset_s for n in notes if n.onset_s > 20.0) for notes in (before.run(40.0), played)]
    assert second[0] < second[1]


@pytest.mark.parametrize("wait", [0.5, 2.0])
def test_later_works_with_a_fixed_wait_and_again(wait: float) -> None:
    night = evening(wait=wait)
    night.play_notes(line(1.0, 1.3))
    night.do(1.9, "later")
    night.do(2.2, "later")
    assert first_s(night) == pytest.approx(2.2 + max(wait, 1.0))


def test_later_ends_an_answer_that_came_too_early() -> None:
    night = evening(wait=0.3, answer_length="16 notes")
    night.play_notes(line(1.0, 1.3))
    night.do(2.2, "later")
    played = night.run(30.0)
    assert all(note.onset_s <= 2.2 and note.end_s <= 2.5 for note in played)
    assert night.duet.turns.learned > 0


def test_answer_teaches_it_to_hurry_and_is_no_mistake_of_its_own() -> None:
    night = evening(patience=1)
    night.play_notes(line(1.0, 1.3))
    night.do(1.6, "answer")
    night.play_notes([Note(1.9, 60, 0.2, 80)])  # goes on at once: it was asked for, so it did not come too early
    assert first_s(night) == 1.6
    assert night.duet.turns.learned < 0


def test_being_played_over_teaches_it_to_wait() -> None:
    night = evening(answer_length="16 notes", patience=0)
    night.play_notes([*line(1.0, 1.3), Note(2.4, 60, 0.2, 80)])
    night.run(2.5)
    assert night.duet.turns.learned > 0


# --- how it closes -----------------------------------------------------------------------------------------------


def test_finish_ends_the_answer_within_a_bar_on_the_tonic_triad_and_then_only_listens() -> None:
    night = evening(wait=0.5, answer_length="30 s", key="F major", key_strength=0)
    night.play_notes(line(1.0, 1.3))
    night.do(4.0, "finish")
    night.play_notes(
        [Note(4.3, 53, 0.5, 80), Note(9.0, 60, 0.2, 80)]
    )  # the player closes too, which is no interruption
    played = night.run(40.0)
    last = played[-1]
    assert last.pitch % 12 in parse_key("F major").tonic_triad
    assert (last.onset_s, last.end_s) == pytest.approx((5.0, 6.0))
    assert all(note.onset_s < 5.0 for note in played[:-1])
    assert night.duet.state == "tacet"


def test_finish_in_continue_closes_too() -> None:
    night = evening(mode="continue", key="C major")
    night.do(1.0, "answer")
    night.do(3.0, "finish")
    played = night.run(40.0)
    assert played[-1].pitch % 12 in {0, 4, 7}
    assert played[-1].end_s == pytest.approx(5.0)
    assert night.duet.state == "tacet"


def test_finish_before_an_answer_means_silence() -> None:
    night = evening(wait=1.0)
    night.play_notes(line(1.0, 1.3))
    night.do(1.8, "finish")
    assert night.run(40.0) == []
    night.do(41.0, "tacet")
    night.play_notes([Note(42.0, 60, 0.2, 80)])
    assert len(night.run(60.0)) == 2

"""What speaks against an answer: obviously good ones cost less than obviously bad ones, term by term and in all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.music.candidates import (
    TERMS,
    WEIGHTS,
    Candidate,
    Wanted,
    cost,
    longest_run,
    looping,
    ranked,
    terms,
)
from livemuse.music.notes import Note
from livemuse.music.theory import parse_key

C_MAJOR = parse_key("C major")


def line(pitches: list[int], from_s: float = 0.0, step_s: float = 0.25) -> list[Note]:
    return [Note(from_s + k * step_s, pitch, step_s, 70) for k, pitch in enumerate(pitches)]


CALL = line([60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 64, 67])
WANTED = Wanted(CALL, (), C_MAJOR, 8.0, 2.0)
GOOD = Candidate(line([67, 69, 72, 71, 69, 67, 65, 64, 65, 62, 64, 67, 65, 64, 62, 60], 4.0), 2.0, 0.5)
BAD = {
    "surprise": replace(GOOD, surprise=4.0),
    "unrelated": replace(GOOD, related=-0.5),
    "classes": replace(GOOD, notes=line([61, 63, 66, 68, 70, 73, 70, 68, 66, 63, 61, 63, 66, 68, 61, 60], 4.0)),
    "register": replace(GOOD, notes=line([n.pitch + 24 for n in GOOD.notes], 4.0)),
    "density": replace(GOOD, notes=line([n.pitch for n in GOOD.notes] * 4, 4.0, 0.0625)),
    "outside": replace(GOOD, notes=line([66, 68, 73, 70, 68, 66, 65, 63, 65, 61, 63, 66, 65, 63, 61, 60], 4.0)),
    "open": replace(GOOD, notes=line([*[n.pitch for n in GOOD.notes[:-1]], 62], 4.0)),
    "short": replace(GOOD, notes=GOOD.notes[:6]),
    "loop": replace(GOOD, notes=line([67, 65, 64, 62] * 3 + [64, 62, 64, 60], 4.0)),
    "copied": replace(GOOD, notes=line([n.pitch for n in CALL[:15]] + [60], 4.0)),
}


def test_there_is_a_bad_example_of_every_term() -> None:
    assert tuple(BAD) == TERMS == tuple(WEIGHTS)


@pytest.mark.parametrize("name", TERMS)
def test_what_is_worse_in_one_thing_costs_more(name: str) -> None:
    assert terms(BAD[name], WANTED)[name] > terms(GOOD, WANTED)[name]
    assert cost(BAD[name], WANTED) > cost(GOOD, WANTED)


def test_the_best_comes_first_and_of_equals_the_first() -> None:
    everybody = [*BAD.values(), GOOD, GOOD]
    order = ranked(everybody, WANTED)
    assert sorted(order) == list(range(len(everybody)))
    assert order[:2] == [len(BAD), len(BAD) + 1]


def test_an_answer_that_is_likelier_than_the_call_does_not_win_by_it() -> None:
    dull = replace(GOOD, surprise=0.1)
    assert cost(dull, WANTED) == pytest.approx(cost(replace(GOOD, surprise=3.9), WANTED))


def test_what_is_not_known_costs_nothing() -> None:
    assert terms(Candidate(GOOD.notes), Wanted()) == dict.fromkeys(TERMS, 0.0)
    unfinished = terms(replace(BAD["short"], whole=False), WANTED)
    assert unfinished["short"] == unfinished["open"] == 0.0  # it is not at its end


def test_nothing_to_say_is_the_worst() -> None:
    assert ranked([Candidate(()), GOOD], WANTED) == [1, 0]


def test_a_chord_at_the_end_counts_by_its_notes() -> None:
    ending = [*GOOD.notes[:-1], *(Note(7.75, pitch, 0.25, 70) for pitch in (60, 64, 67, 70))]
    assert terms(replace(GOOD, notes=ending), WANTED)["open"] == 0.25


def test_the_answer_before_is_not_played_once_more() -> None:
    fresh, again = replace(WANTED, call=()), replace(WANTED, call=(), before=GOOD.notes)
    assert terms(GOOD, fresh)["copied"] == 0.0
    assert terms(GOOD, again)["copied"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("pitches", "share"),
    [([60, 62, 64, 65] * 3, 1.0), ([60, 62, 64, 65] * 2, 0.0), ([60] * 6, 1.0), ([60] * 5, 0.0), ([], 0.0),
     ([72, 74, 76, 77, *[60, 62, 64] * 3, 71, 79, 80], 0.5625), ([60, 62] * 4, 1.0)],
)  # fmt: skip
def test_figures_that_come_again_and_again(pitches: list[int], share: float) -> None:
    assert looping(pitches) == share


@given(st.lists(st.integers(60, 63), max_size=20), st.lists(st.integers(60, 63), max_size=20))
def test_the_longest_run_is_that_of_all_runs(pitches: list[int], known: list[int]) -> None:
    every = {tuple(known[a:b]) for a in range(len(known)) for b in range(a + 1, len(known) + 1)}
    runs = [b - a for a in range(len(pitches)) for b in range(a + 1, len(pitches) + 1) if tuple(pitches[a:b]) in every]
    assert longest_run(pitches, known) == max(runs, default=0)
    assert 0.0 <= looping(pitches) <= 1.0

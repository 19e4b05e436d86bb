"""The player's material in an answer: a motif is taken up, in key, and turned over; at `imitate` 0 all is as ever."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from livemuse.engine.virtual import Evening
from livemuse.model.imitating import of_player
from livemuse.model.improviser import Improviser
from livemuse.model.rules import Rules
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Plan
from livemuse.music.theory import parse_key
from livemuse.testing.scripted import ScriptedStepper

TUNE = (67, 69, 64, 71, 72, 67)
INTERVALS = (2, -5, 7, 1, -5)
TIMES_S = (0.0, 0.3, 0.5, 0.9, 1.1, 1.6)


def tune(at_s: float, shift: int = 0, slower: float = 1.0) -> list[Note]:
    return [Note(at_s + t * slower, p + shift, 0.2 * slower, 80) for p, t in zip(TUNE, TIMES_S, strict=True)]


CALL = [
    *tune(0.0),
    *(Note(2.0 + 0.22 * k, p, 0.2, 70) for k, p in enumerate((60, 62, 64, 65, 60, 59, 57, 62))),
    *tune(4.2, -2, 1.2),
]
ENDS_S = CALL[-1].end_s


def controls_of(**values: Any) -> Controls:
    controls = Controls()
    for name, value in values.items():
        controls = controls.replaced(name, value)
    return controls


def answer(seconds: float = 8.0, call: list[Note] = CALL, tail: int = 0, **values: Any) -> list[PlannedNote]:
    improviser = Improviser(ScriptedStepper(confidence=values.pop("confidence", 0.0)))
    improviser.listen(call[: len(call) - tail])
    start_s = ENDS_S + 0.5
    rest = tuple(call[len(call) - tail :])
    improviser.begin(Plan(1, 1, 0, rest, start_s, start_s, start_s + seconds, None, 0, controls_of(**values)))
    made = improviser.extend(1, 1e9, 100_000)
    assert made.done
    return list(made.notes)


def stands(notes: list[PlannedNote], intervals: tuple[int, ...] = INTERVALS) -> int:
    """How often the intervals stand in the notes, one after the other."""
    found = tuple(b.pitch - a.pitch for a, b in itertools.pairwise(notes))
    return sum(found[k : k + len(intervals)] == intervals for k in range(len(found) - len(intervals) + 1))


SHAPELESS: dict[str, Any] = {"contour": "off", "phrasing": 0, "loops": "off", "cadence": "off"}
AS_EVER = (
    (60, 0),
    (69, 287),
    (52, 302),
    (77, 377),
    (60, 1013),
    (53, 1172),
    (64, 1289),
    (77, 1426),
    (55, 1435),
    (55, 1653),
    (60, 1658),
    (63, 1677),
)  # pitches, and onsets after the first note in ms, as they were before there was a memory


def test_at_0_the_notes_are_what_they_always_were() -> None:
    notes = answer(seed=5, imitate=0, confidence=2, **SHAPELESS)[:12]
    assert tuple((n.pitch, round(1000 * (n.onset_s - notes[0].onset_s))) for n in notes) == AS_EVER


def test_at_1_the_answer_begins_with_the_motif_in_its_proportions() -> None:
    for seed in range(10):
        notes = answer(seed=seed, imitate=1)[: len(TUNE)]
        assert tuple(b.pitch - a.pitch for a, b in itertools.pairwise(notes)) == INTERVALS
        times = [note.onset_s - notes[0].onset_s for note in notes]
        assert times == pytest.approx([t * 1.2 for t in TIMES_S], abs=0.02)  # as it was played last


def test_the_last_notes_of_a_call_are_known_before_they_are_final() -> None:
    assert answer(imitate=1, tail=6)[:6] == answer(imitate=1)[:6]


def test_the_more_it_imitates_the_more_answers_take_up_the_motif() -> None:
    shares = {
        amount: sum(stands(answer(2.5, seed=seed, imitate=amount)) > 0 for seed in range(12)) / 12
        for amount in (0.0, 0.25, 0.6, 1.0)
    }
    assert 0.0 == shares[0.0] <= shares[0.25] < shares[0.6] < shares[1.0] == 1.0


def test_a_motif_is_developed_and_no_endless_loop() -> None:
    for seed in range(10):
        notes = answer(20.0, seed=seed, imitate=1)
        pitches = [note.pitch for note in notes]
        assert 1 <= stands(notes) <= 5
        for period in range(1, 7):
            same = [a == b for a, b in zip(pitches, pitches[period:], strict=False)]
            longest = max((len(list(run)) for is_same, run in itertools.groupby(same) if is_same), default=0)
            assert longest < max(4 * period, 7)


@pytest.mark.parametrize("key", ["C major", "Eb minor", "F# whole tone"])
def test_strength_1_never_leaves_the_key(key: str) -> None:
    classes = parse_key(key).pitch_classes
    for seed in range(5):
        assert all(n.pitch % 12 in classes for n in answer(seed=seed, imitate=1, key=key, key_strength=1))


def test_where_chords_are_followed_the_motif_follows_them() -> None:
    for seed in range(3):
        notes = answer(seed=seed, imitate=1, chords="Am F C G", tempo=100, key="C major", key_strength=1)
        assert len(notes) > 6
        assert all(n.pitch % 12 in parse_key("C major").pitch_classes for n in notes)


def test_a_motif_goes_where_the_register_and_the_key_allow_all_of_it() -> None:
    for seed in range(5):
        notes = answer(seed=seed, imitate=1, register="40-56", key="D major", key_strength=1)
        assert all(40 <= n.pitch <= 56 for n in notes)
        assert stands(notes) >= 1


def test_the_ceilings_hold() -> None:
    notes = answer(imitate=1, max_notes_per_s=2, max_voices=1, max_velocity=40)
    onsets = [n.onset_s for n in notes]
    assert all(later - earlier > 1.0 for earlier, later in zip(onsets, onsets[2:], strict=False))
    assert all(n.velocity <= 40 for n in notes)


def test_density_is_a_factor_on_the_motifs_times_too() -> None:
    notes = answer(imitate=1, density=2)[: len(TUNE)]
    assert [n.onset_s - notes[0].onset_s for n in notes] == pytest.approx([t * 0.6 for t in TIMES_S], abs=0.02)


def test_a_short_answer_holds_what_there_is_room_for() -> None:
    for seed in range(10):
        notes = answer(1.5, seed=seed, imitate=1)
        assert max(n.end_s for n in notes) <= ENDS_S + 2.0 + 1e-9
        assert stands(notes, INTERVALS[:3]) == 1


def test_at_temperature_0_it_takes_the_likelier_of_both() -> None:
    assert stands(answer(imitate=1, temperature=0)) >= 1
    assert stands(answer(imitate=0.05, temperature=0, confidence=9)) == 0


def test_going_back_to_the_last_note_that_sounded_goes_on_as_if_nothing_had_been() -> None:
    straight, broken = Improviser(ScriptedStepper(confidence=0)), Improviser(ScriptedStepper(confidence=0))
    for improviser, left in ((straight, 4), (broken, None)):
        improviser.listen(CALL[:-2])
        start_s = ENDS_S + 0.5
        controls = controls_of(imitate=1, cadence="off")
        improviser.begin(Plan(1, 1, 0, tuple(CALL[-2:]), start_s, start_s, start_s + 8.0, left, 0, controls))
        improviser.extend(1, 99.0)
        improviser.settle(1, 3)
        improviser.begin(Plan(2, 1, 1, (), None, start_s + 2.0, start_s + 8.0, None, 4, controls))
    goes_on = straight.extend(2, 99.0).notes
    assert goes_on == broken.extend(2, 99.0).notes
    assert tuple(n.pitch for n in goes_on[:2])  # the motif that was under way is finished
    assert goes_on[1].pitch - goes_on[0].pitch == INTERVALS[-1]


def test_a_take_of_which_nothing_sounded_leaves_no_trace_in_the_memory() -> None:
    improviser = Improviser(ScriptedStepper())
    improviser.listen(CALL[:-2])
    plan = Plan(1, 1, 0, tuple(CALL[-2:]), ENDS_S + 0.5, ENDS_S + 0.5, ENDS_S + 8.0, None, 0, controls_of(imitate=1))
    improviser.begin(plan)
    improviser.extend(1, 99.0)
    improviser.settle(1, None)
    assert len(improviser.memory.motifs) == len(CALL) - 2
    improviser.listen(CALL[-2:])
    assert [n.pitch for n in improviser.memory.motifs.notes] == [n.pitch for n in CALL]


def test_the_memory_can_be_cleared_kept_and_put_back() -> None:
    improviser = Improviser(ScriptedStepper(confidence=0))
    improviser.listen(CALL)
    rows = improviser.motifs.to_rows()
    improviser.motifs.clear()
    assert len(improviser.memory.motifs) == 0
    improviser.motifs = MotifMemory.from_rows(rows)
    improviser.begin(Plan(1, 1, 0, (), 8.0, 8.0, 16.0, None, 0, controls_of(imitate=1)))
    assert stands(list(improviser.extend(1, 99.0).notes)) >= 1


def test_a_new_model_knows_the_players_motifs() -> None:
    improviser = Improviser(ScriptedStepper(confidence=0))
    improviser.listen(CALL)
    improviser.listen([Note(20.0 + 0.01 * k, 30, 0.01, 80) for k in range(600)])  # longer than the rolling window
    improviser.change_model(ScriptedStepper(confidence=0))
    assert [n.pitch for n in improviser.memory.motifs.notes[:6]] == list(TUNE)


def test_an_evening_that_imitates_is_had_again_however_it_is_asked_for() -> None:
    def evening() -> list[PlannedNote]:
        controls = controls_of(imitate=0.6, wait=0.5, answer_length="4 s")
        played = Evening(Duet(controls), Improviser(ScriptedStepper(confidence=3)))
        played.play_notes([*CALL, *tune(16.0, 3), *tune(24.0, 1)])
        return played.run(40.0)

    assert evening() == evening() != []
    at_once, by_handfuls = Improviser(ScriptedStepper(confidence=3)), Improviser(ScriptedStepper(confidence=3))
    for improviser in (at_once, by_handfuls):
        improviser.listen(CALL)
        improviser.begin(Plan(1, 1, 0, (), 8.0, 8.0, 16.0, None, 0, controls_of(imitate=0.6)))
    made = [note for _ in range(40) for note in by_handfuls.extend(1, 99.0, 4).notes]
    assert tuple(made) == at_once.extend(1, 99.0).notes


def test_a_key_that_may_be_left_weighs_little_on_the_players_own_motifs_and_one_that_may_not_as_ever() -> None:
    asked = Controls().replaced("key", "C major")
    assert of_player(asked.replaced("key_strength", 0.9)).number("key_strength") < 0.5
    assert of_player(asked.replaced("key_strength", 0.1)).number("key_strength") == 0.1
    assert of_player(asked.replaced("key_strength", 1)).number("key_strength") == 1.0


@pytest.mark.parametrize("index", [0, 7])
def test_all_candidates_take_up_as_much_of_the_player(index: int) -> None:
    plan = Plan(1, 1, 0, (), 1.0, 1.0, 5.0, None, 0, Controls())
    chances = {Rules(replace(plan, candidate=k)).whose(index) for k in range(8)}
    assert len(chances) == 1
    assert chances != {Rules(replace(plan, turn=2)).whose(index)}


def test_how_much_slower_the_music_is_is_told_by_the_beat_where_one_is_heard() -> None:
    """Eighths at 100 bpm, then quarters at 110: 9 % faster, however much longer the notes are."""
    tune = (60, 64, 67, 72, 71, 67, 65, 62)
    night = Evening(Duet(Controls().replaced("wait", 0.41)), partner := Improviser(ScriptedStepper()))
    for k in range(32):
        at_s = 1.0 + 0.3 * k
        night.play_notes([Note(at_s, tune[k % 8], 0.28, 95 if k % 2 == 0 else 70)])
        night.play_notes([Note(at_s, 48, 0.5, 80)] if k % 2 == 0 else [])
    for k in range(28):
        at_s = 40.0 + k * 60 / 110
        night.play_notes([Note(at_s, tune[k % 8], 0.4, 90), Note(at_s, 48, 0.4, 80)])
    night.run(70.0)
    phrases = partner.motifs.phrases
    assert phrases[0] != phrases[-1]
    assert partner.motifs.slower(phrases[0]) == pytest.approx(100 / 110, rel=0.03)

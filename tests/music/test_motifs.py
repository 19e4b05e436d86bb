"""A memory of motifs: what came back is known in another key and tempo, alone and in polyphony; and it is bounded."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.music.following import goes_round
from livemuse.music.motifs import MOST_NOTES, MotifMemory, Struck
from livemuse.music.notes import Note
from livemuse.music.openings import Openings, Where, profile_of
from livemuse.music.returns import LONGEST
from livemuse.music.salience import salient_motifs
from livemuse.music.statement import nearest_welcome

TUNE = (67, 69, 64, 71, 72, 67)  # G A E B C G
TIMES_S = (0.0, 0.3, 0.5, 0.9, 1.1, 1.6)
INTERVALS = (2, -5, 7, 1, -5)
FREE = [0.0] * 128


def tune(at_s: float = 0.0, shift: int = 0, slower: float = 1.0) -> list[Note]:
    return [Note(at_s + t * slower, p + shift, 0.18 * slower, 80) for p, t in zip(TUNE, TIMES_S, strict=True)]


def run_down(at_s: float, pitches: Sequence[int]) -> list[Note]:
    return [Note(at_s + 0.22 * k, pitch, 0.2, 70) for k, pitch in enumerate(pitches)]


def heard(notes: Sequence[Note]) -> MotifMemory:
    memory = MotifMemory()
    for note in sorted(notes, key=lambda n: (n.onset_s, n.pitch)):
        memory.hear(note)
    return memory


def struck(notes: Sequence[Note]) -> list[Struck]:
    return [Struck(n.onset_s, n.pitch) for n in notes]


BETWEEN = run_down(2.0, (60, 62, 63, 65, 60, 58, 57, 61))
CALL = [*tune(), *BETWEEN, *tune(4.2, -3, 1.2)]


def test_a_motif_that_came_back_lower_and_slower_is_the_first_to_be_taken_up() -> None:
    best = salient_motifs(heard(CALL))[0]
    assert best.intervals == INTERVALS
    assert [tone.pitch for tone in best.tones] == [p - 3 for p in TUNE]  # as it was played last
    assert best.length_s == pytest.approx(1.6 * 1.2)


def test_a_motif_is_found_in_the_upper_voice_of_what_goes_on_below() -> None:
    below = [Note(0.17 * k, 48 + (0, 7, 4, 7)[k % 4], 0.16, 60) for k in range(42)]
    best = salient_motifs(heard([*CALL, *below]))[0]
    assert best.intervals == INTERVALS
    assert {tone.pitch for tone in best.tones if not tone.leads} <= {48, 52, 55}  # and is accompanied as it was
    assert not any(tone.pitch > 55 for tone in best.tones if not tone.leads)


def test_notes_that_break_into_a_tune_are_passed_over() -> None:
    broken = sorted([*CALL, Note(0.7, 63, 0.05, 60), Note(5.5, 59, 0.05, 60)], key=lambda n: n.onset_s)
    assert salient_motifs(heard(broken))[0].intervals == INTERVALS


def test_where_nothing_came_back_it_is_how_the_last_phrase_began() -> None:
    notes = [*run_down(0.0, (80, 71, 75, 60, 70)), *tune(5.0)]
    assert salient_motifs(heard(notes))[0].intervals == INTERVALS
    assert salient_motifs(heard(notes[:3])) == []


def test_what_is_no_melody_gives_way_to_what_is() -> None:
    trill = [Note(10 + 0.1 * k, 72 + k % 2, 0.09, 80) for k in range(40)]
    scale = [Note(16 + 0.1 * k, 60 + k % 12, 0.09, 80) for k in range(48)]
    assert salient_motifs(heard([*CALL, *trill, *scale]))[0].intervals == INTERVALS


def test_it_knows_how_a_tune_goes_on_in_another_key_and_tempo() -> None:
    begun = struck(tune(20.0, 4, 1.25)[:4])
    found = heard(tune()).continuations(begun)
    assert max(found.weights, key=lambda p: found.weights[p]) == TUNE[4] + 4
    assert sum(found.weights.values()) == pytest.approx(1.0)
    suggestion = found.suggestions[TUNE[4] + 4]
    assert suggestion.step_s == pytest.approx(0.2 * 1.25)
    assert suggestion.duration_s == pytest.approx(0.18 * 1.25)
    assert found.order == 3
    assert found.sure > 0.7


def test_the_longest_match_speaks_loudest_and_backs_off() -> None:
    memory = heard([*run_down(0.0, (60, 62, 64, 65)), *run_down(3.0, (67, 62, 64, 70))])
    after_60 = memory.continuations(struck(run_down(9.0, (60, 62, 64))))
    after_67 = memory.continuations(struck(run_down(9.0, (67, 62, 64))))
    assert after_60.weights[65] > 0.55 > after_60.weights[70] > 0.0
    assert after_67.weights[70] > 0.55
    assert memory.continuations(struck(run_down(9.0, (60, 71)))).weights == {}
    short = memory.continuations(struck(run_down(9.0, (62, 64))))
    assert short.sure < after_60.sure


def test_what_was_taken_up_weighs_less() -> None:
    memory = heard([*run_down(0.0, (60, 62, 64, 65)), *run_down(3.0, (60, 62, 64, 70))])
    fresh = memory.continuations(struck(run_down(9.0, (60, 62, 64))))
    again = memory.continuations(struck(run_down(9.0, (60, 62, 64))), {fresh.suggestions[70].number})
    assert again.weights[70] < fresh.weights[70]


def test_a_motif_is_put_where_its_notes_are_at_home_and_the_rules_allow_them() -> None:
    memory = heard(CALL)
    low = [0.0 if 36 <= pitch <= 60 else float("inf") for pitch in range(128)]
    for opening in Openings(memory).at(Where(low, 55, 8.0)):
        assert all(36 <= tone.pitch + opening.shift <= 60 for tone in opening.motif.tones)
    found = Openings(memory).at(Where(FREE, 60, 8.0))
    assert sum(opening.weight for opening in found) == pytest.approx(1.0)
    profile = profile_of(memory)
    for opening in found:
        assert min(profile[(t.pitch + opening.shift) % 12] for t in opening.motif.tones) > 0.0


def test_a_motif_is_not_taken_up_where_it_has_just_been() -> None:
    memory = heard(CALL)
    first = max(Openings(memory).at(Where(FREE, 60, 8.0)), key=lambda o: o.weight)
    stated = ((first.motif.intervals, first.shift),)
    again = [o for o in Openings(memory).at(Where(FREE, 60, 8.0, stated, 1)) if o.motif.intervals == INTERVALS]
    assert again
    assert all(opening.shift != first.shift and opening.again for opening in again)


def test_a_motif_is_hurried_or_cut_off_where_the_time_is_short() -> None:
    whole, hurried, cut = (
        max(Openings(heard(CALL)).at(Where(FREE, 60, room_s)), key=lambda o: o.weight) for room_s in (8.0, 1.5, 1.0)
    )
    assert whole.stretch == 1.0
    assert hurried.motif.length_s * hurried.stretch <= 1.5 + 1e-9
    assert hurried.motif.intervals == INTERVALS
    assert cut.motif.intervals == INTERVALS[: len(cut.motif.intervals)] != INTERVALS
    assert Openings(heard(CALL)).at(Where(FREE, 60, 0.1)) == []


def test_a_beat_that_was_heard_says_how_fast_a_motif_comes_back() -> None:
    memory = MotifMemory()
    for note in CALL:
        memory.hear(note)
    memory.beat(0.5)
    for note in run_down(20.0, (50, 50, 50)):
        memory.hear(note)
    memory.beat(0.6)
    assert memory.slower(1) == pytest.approx(1.2)
    memory.beat(1.2)  # a beat may be heard an octave apart
    assert memory.slower(1) == pytest.approx(1.2)


def test_a_rest_begins_a_phrase_and_nothing_goes_on_over_it() -> None:
    memory = heard([*run_down(0.0, (60, 62, 64)), *run_down(5.0, (65, 67))])
    assert memory.phrases == [1, 1, 1, 2, 2]
    assert 65 not in memory.continuations(struck(run_down(9.0, (60, 62, 64)))).weights


def test_it_is_kept_as_plain_rows_and_cleared() -> None:
    memory = heard(CALL)
    again = MotifMemory.from_rows(json.loads(json.dumps(memory.to_rows())))
    assert again.to_rows() == memory.to_rows()
    assert salient_motifs(again) == salient_motifs(memory)
    memory.clear()
    assert memory.to_rows() == []
    assert salient_motifs(memory) == []
    assert len(again) == len(CALL)


@pytest.mark.parametrize(
    "rows",
    [None, {}, [[0.0, 60, 0.1, 80]], [["x", 60, 0.1, 80, 1]], [[0.0, 200, 0.1, 80, 1]], [[0.0, 60, 0.1, 0, 1]],
     [[float("nan"), 60, 0.1, 80, 1]], [[0.0, 60, 0.1, True, 1]], [[0.0, 60, 0.1, 80, 1]] * 5000],
)  # fmt: skip
def test_rows_that_no_memory_gave_are_refused(rows: object) -> None:
    with pytest.raises(ValueError, match="memory of motifs"):
        MotifMemory.from_rows(rows)


def test_a_copy_goes_its_own_way() -> None:
    memory = heard(CALL)
    other = memory.copy()
    for note in tune(20.0, 5):
        other.hear(note)
    assert memory.to_rows() == heard(CALL).to_rows()
    assert salient_motifs(memory) == salient_motifs(heard(CALL))
    assert len(other) == len(CALL) + len(TUNE)


def test_it_is_bounded_and_keeps_the_latest() -> None:
    memory = MotifMemory()
    for k in range(MOST_NOTES + 900):
        memory.hear(Note(0.3 * k, 40 + (7 * k * k + k // 9) % 61, 0.2, 80))
    assert MOST_NOTES // 2 <= len(memory) <= MOST_NOTES + 512
    assert memory.first + len(memory) == MOST_NOTES + 900
    assert memory.notes[-1].onset_s == pytest.approx(0.3 * (MOST_NOTES + 899))
    assert all(len(voice.returns.runs) <= 400 for voice in memory.voices.values())


NOTES = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.integers(0, 127), st.floats(0.01, 3.0), st.integers(1, 127)), max_size=60
)


@settings(max_examples=50, deadline=None)  # a shared machine is late when it likes
@given(NOTES)
def test_whatever_is_played_it_proposes_what_can_be_played(steps: list[tuple[float, int, float, int]]) -> None:
    memory, at_s = MotifMemory(), 0.0
    recent = []
    for step_s, pitch, duration_s, velocity in steps:
        at_s += step_s
        memory.hear(Note(at_s, pitch, duration_s, velocity))
        recent.append(Struck(at_s, pitch))
    found = memory.continuations(recent)
    assert all(0 <= p < 128 and s.step_s >= 0.0 and s.duration_s > 0.0 for p, s in found.suggestions.items())
    assert 0.0 <= found.sure < 1.0
    for motif in salient_motifs(memory):
        assert motif.tones[0].leads
        assert motif.tones[-1].leads
        assert len([tone for tone in motif.tones if tone.leads]) == len(motif.intervals) + 1 <= LONGEST
    assert MotifMemory.from_rows(memory.to_rows()).to_rows() == memory.to_rows()
    for opening in Openings(memory).at(Where(FREE, 60, 5.0)):
        assert all(0 <= tone.pitch + opening.shift < 128 for tone in opening.motif.tones)


@settings(max_examples=40, deadline=None)
@given(st.integers(-12, 12), st.floats(0.6, 1.6))
def test_no_key_and_no_tempo_makes_it_another_motif(shift: int, slower: float) -> None:
    call = [*tune(), *BETWEEN, *tune(4.2, shift, slower)]
    assert salient_motifs(heard(call))[0].intervals == INTERVALS


def test_figures_do_not_go_round_for_ever() -> None:
    def line(*pitches: int) -> list[Struck]:
        return struck(run_down(0.0, pitches))

    assert not goes_round(line(60, 64, 67, 60, 64, 67), 60)
    assert goes_round(line(60, 64, 67, 60, 64, 67, 60, 64, 67), 60)
    assert not goes_round(line(60, 64, 67, 60, 64, 67, 60, 64, 67), 62)
    assert goes_round(line(60, 60, 60, 60, 60, 60), 60)


def test_a_note_that_is_not_welcome_moves_to_one_nearby() -> None:
    nats = [7.0 if pitch % 12 in (1, 3, 6, 8, 10) else 0.0 for pitch in range(128)]
    assert nearest_welcome(60, nats) == 60
    assert nearest_welcome(61, nats) == 60
    assert nearest_welcome(127, nats) == 127


def test_chords_are_no_motifs() -> None:
    chords = [Note(0.5 * k + 0.001 * j, p, 0.4, 80) for k in range(12) for j, p in enumerate((48, 55, 60, 64, 67))]
    assert all(len(set(motif.intervals)) <= 1 for motif in salient_motifs(heard(chords)))


def test_memory_of_another_evening_begins_a_phrase() -> None:
    memory = heard([replace(note, onset_s=note.onset_s + 1000.0) for note in tune()])
    memory.hear(Note(3.0, 60, 0.2, 80))
    assert memory.phrases[-1] == 2


# --- what is loaded, and what is forgotten -----------------------------------------------------------------------


def test_an_earlier_session_comes_before_what_was_played_and_is_taken_up_too() -> None:
    now = heard(run_down(1.0, (48, 50, 47)))
    loaded = now.after(heard([*tune(100.0), *tune(104.0, -3)]))
    assert [note.pitch for note in loaded.notes[-3:]] == [48, 50, 47]
    assert loaded.phrases == [1] * 6 + [2] * 6 + [3] * 3
    assert loaded.first == now.first + len(now)  # no number is given twice
    assert any(motif.intervals == INTERVALS for motif in salient_motifs(loaded))
    assert len(heard(run_down(1.0, (48, 50, 47)))) == len(now) == 3  # the one it came from is as it was
    for note in tune(5.0, 2):
        loaded.hear(note)
    assert loaded.phrases[-6:] == [4] * 6


def test_what_is_loaded_into_an_empty_memory_is_followed_by_a_phrase_of_its_own() -> None:
    loaded = MotifMemory().after(heard(tune(1.0)))
    loaded.hear(Note(2.7, 60, 0.2, 80))  # by the clock of another evening it would be the same phrase
    assert loaded.phrases[-2:] == [1, 2]


def test_there_is_room_for_so_much_of_it_and_the_oldest_goes() -> None:
    long = heard([Note(0.3 * k, 40 + k % 24, 0.2, 80) for k in range(MOST_NOTES + 300)])
    both = long.after(long)
    assert MOST_NOTES // 2 <= len(both) <= MOST_NOTES
    assert both.notes[-1] == long.notes[-1]


def test_what_was_struck_before_it_was_forgotten_is_not_remembered_when_it_comes() -> None:
    memory = heard(tune(1.0))
    memory.clear(3.0)
    assert len(memory) == 0
    memory.hear(Note(2.9, 60, 0.2, 80))  # its key was down until now
    copy = memory.copy()
    for one in (memory, copy):
        one.hear(Note(3.1, 62, 0.2, 80))
        assert [note.pitch for note in one.notes] == [62]

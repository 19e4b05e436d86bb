"""The duet in virtual time: the expected music is the assert. A scripted model plays a C major scale in quarters."""

import pytest

from livemuse.engine.virtual import Evening
from livemuse.model.improviser import Improviser
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import KeyDown, KeyUp, Note, Pedal, PlannedNote
from livemuse.testing.scripted import ScriptedStepper


def evening(**controls: object) -> Evening:
    """An evening with a sure-footed model, `wait` half a second, unless said otherwise."""
    chosen = Controls()
    for name, value in {"temperature": 0, "wait": 0.5, "answer_length": "4 notes", **controls}.items():
        chosen = chosen.replaced(name, value)
    return Evening(Duet(chosen), Improviser(ScriptedStepper()))


def phrase(*onsets_s: float, pitch: int = 48, duration_s: float = 0.2) -> list[Note]:
    return [Note(onset_s, pitch, duration_s, 80) for onset_s in onsets_s]


def music(played: list[PlannedNote]) -> list[tuple[float, int]]:
    return [(round(note.onset_s, 2), note.pitch) for note in played]


def test_a_phrase_is_answered_when_its_silence_is_over() -> None:
    night = evening()
    night.play_notes(phrase(1.0, 1.3))
    # The last key is up at 1.5, the wait is 0.5: the answer starts at 2.0, and goes on where the model is.
    assert music(night.run(10.0)) == [(2.0, 64), (2.24, 65), (2.49, 67), (2.73, 69)]
    assert night.duet.state == "listening"
    assert night.duet.turn == 1


def test_the_second_phrase_is_turn_two() -> None:
    night = evening(answer_length="1 notes")
    night.play_notes(phrase(1.0) + phrase(5.0))
    assert music(night.run(20.0)) == [(1.7, 62), (5.7, 65)]
    assert night.duet.turn == 2


def test_a_held_key_keeps_the_turn() -> None:
    night = evening(answer_length="1 notes")
    night.hear(KeyDown(1.0, 0, 60, 80))
    night.hear(KeyUp(6.0, 0, 60))
    assert music(night.run(20.0)) == [(6.5, 62)]


def test_the_pedal_alone_does_not_keep_the_turn() -> None:
    night = evening(answer_length="1 notes")
    night.hear(Pedal(0.9, 0, down=True))
    night.play_notes(phrase(1.0))
    assert music(night.run(20.0)) == [(1.7, 62)]


def test_going_on_within_the_wait_takes_the_answer_back_before_it_sounds() -> None:
    night = evening(answer_length="1 notes")
    night.play_notes(phrase(1.0, 1.6, 2.2))  # silences of 0.4 s
    assert music(night.run(20.0)) == [(2.9, 65)]
    assert night.duet.turn == 1


def test_the_wait_follows_the_player() -> None:
    night = evening(wait="auto")
    before_s = night.duet.wait_s
    night.play_notes(phrase(*[1.0 + 0.9 * k for k in range(12)], duration_s=0.2))  # pauses of 0.7 s, each an offer
    night.run(30.0)
    slow_s = night.duet.wait_s
    hasty = evening(wait="auto")
    hasty.play_notes(phrase(*[1.0 + 0.12 * k for k in range(40)], duration_s=0.1))
    hasty.run(30.0)
    assert hasty.duet.wait_s == 0.3
    assert before_s < slow_s <= 2.0


@pytest.mark.parametrize(
    ("on_interrupt", "expected"),
    [
        # The player comes back at 2.3, in the middle of an answer that would end at 2.92.
        ("yield", [(1.7, 62), (1.94, 64), (2.19, 65), (3.0, 69)]),
        ("overlap", [(1.7, 62), (1.94, 64), (2.19, 65), (2.43, 67), (3.0, 71)]),
        ("ignore", [(1.7, 62), (1.94, 64), (2.19, 65), (2.43, 67)]),
    ],
)
def test_when_the_player_comes_back_in(on_interrupt: str, expected: list[tuple[float, int]]) -> None:
    night = evening(on_interrupt=on_interrupt)
    night.play_notes(phrase(1.0) + phrase(2.3))
    night.set(2.9, "answer_length", "1 notes")
    assert music(night.run(20.0)) == expected


def test_yielding_lets_what_sounds_end_within_a_third_of_a_second() -> None:
    night = evening(max_note_s=8)
    night._partner._stepper._rest = (night._partner._stepper._rest[0], 47, 20)  # type: ignore[attr-defined]  # long notes
    night.play_notes(phrase(1.0) + phrase(2.0, duration_s=3.0))
    played = night.run(4.0)
    assert all(note.end_s <= 2.3 for note in played)
    assert any(note.end_s == pytest.approx(2.3) for note in played)


def test_a_control_means_the_next_note() -> None:
    night = evening(answer_length="6 notes")
    night.play_notes(phrase(1.0))
    night.set(2.0, "register", "84-96")
    played = music(night.run(20.0))
    assert [pitch for onset_s, pitch in played if onset_s <= 2.0] == [62, 64]
    assert all(84 <= pitch <= 96 for onset_s, pitch in played if onset_s > 2.0)
    assert len(played) == 6


def test_a_control_turned_during_the_wait_changes_the_answer_not_its_time() -> None:
    night = evening(answer_length="2 notes")
    night.play_notes(phrase(1.0))
    night.set(1.4, "register", "84-96")
    played = music(night.run(20.0))
    assert played[0][0] == 1.7
    assert all(84 <= pitch <= 96 for _, pitch in played)


def test_answer_now_does_not_wait() -> None:
    night = evening(wait=2.0, answer_length="1 notes")
    night.play_notes(phrase(1.0))
    night.do(1.3, "answer")
    assert music(night.run(20.0)) == [(1.3, 62)]


def test_answer_now_with_a_key_still_held() -> None:
    night = evening(answer_length="1 notes")
    night.hear(KeyDown(1.0, 0, 60, 80))
    night.do(2.0, "answer")
    night.hear(KeyUp(9.0, 0, 60))  # belongs to the phrase that was answered
    assert music(night.run(20.0)) == [(2.0, 62)]


def test_stop_ends_the_answer_and_waits_for_a_new_phrase() -> None:
    night = evening(answer_length="16 notes")
    night.play_notes(phrase(1.0))
    night.do(2.0, "stop")
    played = night.run(20.0)
    assert music(played) == [(1.7, 62), (1.94, 64)]
    assert all(note.end_s <= 2.3 for note in played)


def test_tacet_listens_and_never_plays() -> None:
    night = evening(answer_length="1 notes")
    night.do(0.5, "tacet")
    night.play_notes(phrase(1.0, 5.0))
    assert night.run(10.0) == []
    night.do(11.0, "tacet")
    assert music(night.run(20.0)) == [(11.0, 64)]  # it heard both notes


def test_panic_silences_at_once_and_drops_the_phrase() -> None:
    night = evening(answer_length="16 notes")
    night.play_notes(phrase(1.0))
    night.do(2.0, "panic")
    played = night.run(20.0)
    assert music(played) == [(1.7, 62), (1.94, 64)]
    assert all(note.end_s <= 2.0 for note in played)


def test_continue_goes_on_until_stopped_and_takes_up_the_player() -> None:
    night = evening(mode="continue")
    night.play_notes(phrase(1.0))
    assert night.run(3.0) == []  # it waits for the trigger
    night.do(3.0, "answer")
    night.play_notes(phrase(4.1, pitch=50))
    night.do(6.0, "stop")
    played = music(night.run(20.0))
    assert played[0] == (3.0, 62)
    # The scale skips a step where the player's note was taken up.
    assert [pitch for _, pitch in played] == [62, 64, 65, 67, 69, 72, 60, 62, 64, 65, 67, 69]
    assert all(onset_s < 6.0 for onset_s, _ in played)


def test_solo_plays_from_silence_and_leaves_the_player_alone() -> None:
    night = evening()
    night.set(1.0, "mode", "solo")
    night.play_notes(phrase(1.6))
    night.set(2.0, "mode", "answer")
    played = music(night.run(20.0))
    assert [onset_s for onset_s, _ in played] == [1.0, 1.24, 1.49, 1.73, 1.97]
    assert [pitch for _, pitch in played] == [60, 62, 64, 65, 67]


def test_answer_length_in_seconds_and_bars() -> None:
    for length, end_s in (("3 s", 1.7 + 3), ("2 bars", 1.7 + 4), ("7 beats", 1.7 + 3.5)):
        night = evening(answer_length=length)
        night.play_notes(phrase(1.0))
        played = night.run(30.0)
        assert max(note.end_s for note in played) == pytest.approx(end_s)
        assert max(note.onset_s for note in played) > end_s - 1.0


def test_a_stage_that_dies_takes_no_turn_with_it() -> None:
    night = evening(answer_length="2 notes")
    night.play_notes(phrase(1.0))
    night.run(1.6)
    assert night.duet.state == "waiting"
    night.stage.take_back(1, 0.0, 1.6)  # whatever it had is gone with it
    night._inputs.append(lambda: night.duet.stage_lost(1.6))
    night._settle_inputs()
    assert night.duet.state == "listening"
    night.at(2.5, lambda now_s: night._inputs.append(lambda: night.duet.stage_back(now_s)))
    assert music(night.run(10.0)) == [(2.5, 62), (2.74, 64)]


def test_another_channel_to_listen_to_lets_go_of_keys_held_on_the_old_one() -> None:
    night = evening(answer_length="1 notes")
    night.hear(KeyDown(1.0, 0, 60, 80))
    night.set(1.5, "channel_in", 5)  # the release will not be heard
    assert music(night.run(10.0)) == [(2.0, 62)]


def test_a_flood_is_not_music() -> None:
    night = evening(answer_length="1 notes")
    night.play_notes(phrase(*[1.0 + k / 5000 for k in range(5000)], duration_s=0.0001))
    night.run(1.9)
    assert len(night._partner.memory.window) <= 201  # type: ignore[attr-defined]


def lose_the_stage(night: Evening, at_s: float) -> None:
    """The stage dies, and all it had with it."""
    for take in night.stage.open_takes:
        night.stage.take_back(take, 0.0, at_s)
    night._inputs.append(lambda: night.duet.stage_lost(at_s))
    night._settle_inputs()


def test_playing_goes_on_when_the_stage_is_back_unless_it_was_told_to_stop() -> None:
    for told, expected in ((None, "playing"), ("stop", "listening"), ("tacet", "tacet")):
        night = evening(mode="continue")
        night.do(1.0, "answer")
        night.run(2.0)
        lose_the_stage(night, 2.0)
        if told is not None:
            night.duet.do(told, 2.1)
        night.duet.stage_back(2.5)
        assert night.duet.state == expected


def test_a_trigger_without_a_stage_opens_nothing() -> None:
    night = evening()
    night.play_notes(phrase(1.0))
    night.run(1.3)
    lose_the_stage(night, 1.3)
    assert night.duet.do("answer", 1.4) == []
    assert night.duet.state == "listening"


def test_solo_as_the_first_mode_plays_when_there_is_a_stage() -> None:
    night = evening(mode="solo")
    assert night.duet.state == "listening"
    assert night.duet.stage_back(1.0)
    assert night.duet.state == "playing"

"""Listening: keys and pedal become notes as they sounded."""

from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Note, Pedal
from livemuse.music.phrases import LONGEST_TAIL, Listener


def listened(*events: Heard) -> Listener:
    listener = Listener()
    for event in events:
        listener.hear(event)
    return listener


def test_a_note_lasts_until_its_key_is_up() -> None:
    listener = listened(KeyDown(1.0, 0, 60, 80), KeyUp(1.5, 0, 60))
    assert listener.settled() == [Note(1.0, 60, 0.5, 80)]
    assert listener.settled() == []
    assert listener.silent_since_s == 1.5


def test_under_the_pedal_it_lasts_until_the_pedal_lifts() -> None:
    listener = listened(KeyDown(1.0, 0, 60, 80), Pedal(1.2, 0, True), KeyUp(1.5, 0, 60))
    assert listener.settled() == []
    assert listener.silent_since_s == 1.5  # the pedal alone is silence
    listener.hear(Pedal(3.0, 0, False))
    assert listener.settled() == [Note(1.0, 60, 2.0, 80)]


def test_struck_again_under_the_pedal_the_first_one_ends() -> None:
    listener = listened(
        Pedal(0.0, 0, True), KeyDown(1.0, 0, 60, 80), KeyUp(1.1, 0, 60), KeyDown(2.0, 0, 60, 70), KeyUp(2.1, 0, 60)
    )
    assert listener.settled() == [Note(1.0, 60, 1.0, 80)]
    assert listener.tail(4.0) == [Note(2.0, 60, 2.0, 70)]


def test_notes_are_handed_out_in_the_order_of_their_onsets() -> None:
    listener = listened(KeyDown(1.0, 0, 60, 80), KeyDown(1.1, 0, 64, 80), KeyUp(1.2, 0, 64))
    assert listener.settled() == []  # the first still sounds
    listener.hear(KeyUp(1.6, 0, 60))
    assert [note.pitch for note in listener.settled()] == [60, 64]


def test_a_pedal_on_one_channel_holds_nothing_on_another() -> None:
    listener = listened(Pedal(0.0, 1, True), KeyDown(1.0, 0, 60, 80), KeyUp(1.5, 0, 60))
    assert listener.settled() == [Note(1.0, 60, 0.5, 80)]


def test_all_notes_off_lets_everything_go() -> None:
    listener = listened(KeyDown(1.0, 0, 60, 80), KeyDown(1.0, 0, 64, 80), AllNotesOff(2.0, 0))
    assert [note.duration_s for note in listener.settled()] == [1.0, 1.0]
    assert not listener.holding


def test_releases_of_nothing_mean_nothing() -> None:
    listener = listened(KeyUp(1.0, 0, 60), Pedal(1.0, 0, False))
    assert listener.silent_since_s is None
    assert not listener.silence_counts


def test_a_long_pedal_does_not_keep_notes_back_for_ever() -> None:
    events: list[Heard] = [Pedal(0.0, 0, True)]
    for k in range(LONGEST_TAIL + 10):
        events += [KeyDown(float(k), 0, 30 + k, 80), KeyUp(k + 0.5, 0, 30 + k)]
    assert len(listened(*events).settled()) == 10


def test_a_lost_keyboard_holds_nothing() -> None:
    listener = listened(KeyDown(1.0, 3, 60, 80), Pedal(1.0, 3, True))
    listener.let_go(2.0)
    assert not listener.holding
    assert listener.settled() == [Note(1.0, 60, 1.0, 80)]


def test_a_release_that_was_lost_does_not_hold_the_turn_for_ever() -> None:
    listener = listened(KeyDown(1.0, 0, 60, 80), KeyDown(59.0, 0, 62, 80), KeyUp(59.5, 0, 62))
    assert listener.holding  # a drone may be long
    listener.hear(KeyDown(62.0, 0, 64, 80))
    listener.hear(KeyUp(62.5, 0, 64))
    assert not listener.holding

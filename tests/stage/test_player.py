"""The player in virtual time: what is sent, when, and what the engine is told."""

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.midi.ledger import Ledger
from livemuse.midi.link import (
    ALWAYS,
    NEVER,
    NO_NOTE,
    UNTIL_FIRST,
    BeginTake,
    Frame,
    NoteEnded,
    NoteSent,
    PlayNote,
    TakeBack,
    Taken,
)
from livemuse.midi.messages import is_note_on, note_off, note_on
from livemuse.stage.player import Player


@dataclass
class Room:
    """A player with a clock one can turn and a wire one can read."""

    now_s: float = 0.0
    wire: list[tuple[float, bytes]] = field(default_factory=list)
    told: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.player = Player(
            lambda data: self.wire.append((self.now_s, data)), self.told.append, threading.RLock(), lambda: self.now_s
        )

    def at(self, until_s: float) -> None:
        """Let time pass; every message is sent at the time it is due."""
        while (due_s := self.player.next_due_s) is not None and due_s <= until_s:
            self.now_s = max(self.now_s, due_s)
            self.player.send_due()
        self.now_s = until_s

    def begin(self, take: int, yields: int = ALWAYS, release_s: float = 0.3) -> None:
        """Open a take."""
        self.player.begin(BeginTake(take, yields, release_s))

    def play(self, take: int, index: int, on_s: float, off_s: float, pitch: int) -> None:
        """Plan a note on channel 0, velocity 80."""
        self.player.play(PlayNote(take, index, on_s, off_s, 0, pitch, 80))

    def told_of(self, kind: type[Frame]) -> list[Frame]:
        """The frames of one kind."""
        return [frame for frame in self.told if isinstance(frame, kind)]


def on(pitch: int) -> bytes:
    return note_on(0, pitch, 80)


def off(pitch: int) -> bytes:
    return note_off(0, pitch)


def test_notes_are_sent_when_due_in_order_and_ends_come_before_starts() -> None:
    room = Room()
    room.begin(1)
    room.play(1, 0, 1.0, 2.0, 60)
    room.play(1, 2, 2.0, 2.5, 67)
    room.play(1, 1, 1.0, 2.0, 64)
    room.at(9)
    assert room.wire == [(1.0, on(60)), (1.0, on(64)), (2.0, off(60)), (2.0, off(64)), (2.0, on(67)), (2.5, off(67))]
    assert room.told[:3] == [NoteSent(1, 0, 1.0, 1.0), NoteSent(1, 1, 1.0, 1.0), NoteEnded(1, 0, 2.0)]


def test_the_players_key_drops_what_was_not_sent_and_shortens_what_sounds() -> None:
    room = Room()
    room.begin(1, ALWAYS, 0.3)
    for index, pitch in enumerate((60, 62, 64)):
        room.play(1, index, 1.0 + index, 3.9 if index == 0 else 1.2 + index, pitch)
    room.at(2.1)
    room.player.yield_to_player(2.1)
    room.at(9)
    assert room.wire[2:] == [(2.2, off(62)), (pytest.approx(2.4), off(60))]
    assert room.told_of(Taken) == [Taken(1, 1, 2.1, True)]
    room.play(1, 3, 9.5, 9.6, 70)  # too late: ignored without a word
    room.player.take_back(TakeBack(1, 0.1))
    room.at(10)
    assert len(room.wire) == 4
    assert room.told_of(Taken)[1] == Taken(1, 1, 9, True)


@pytest.mark.parametrize(
    ("yields", "before_first", "after_first"), [(NEVER, 0, 0), (UNTIL_FIRST, 1, 0), (ALWAYS, 1, 1)]
)
def test_how_a_take_yields(yields: int, before_first: int, after_first: int) -> None:
    for struck_s, takens in ((0.5, before_first), (1.5, after_first)):
        room = Room()
        room.begin(1, yields)
        room.play(1, 0, 1.0, 1.2, 60)
        room.play(1, 1, 2.0, 2.2, 62)
        room.at(struck_s)
        room.player.yield_to_player(struck_s)
        room.at(5)
        assert len(room.told_of(Taken)) == takens
        assert any(data == on(62) for _, data in room.wire) == (not takens)


def test_take_back_with_a_negative_release_lets_notes_end_as_planned() -> None:
    room = Room()
    room.begin(1)
    room.play(1, 0, 1.0, 3.0, 60)
    room.play(1, 1, 2.0, 3.0, 62)
    room.at(1.5)
    room.player.take_back(TakeBack(1, -1.0))
    room.at(9)
    assert room.wire == [(1.0, on(60)), (3.0, off(60))]
    assert room.told_of(Taken) == [Taken(1, 0, 1.5, False)]


def test_take_back_of_what_never_was_is_answered() -> None:
    room = Room()
    room.player.take_back(TakeBack(5, 0.1))
    assert room.told == [Taken(5, NO_NOTE, 0.0, False)]


def test_the_same_pitch_again_ends_the_earlier_note_first() -> None:
    room = Room()
    room.begin(1)
    room.play(1, 0, 1.0, 3.0, 60)
    room.play(1, 1, 2.0, 4.0, 60)
    room.at(9)
    assert room.wire == [(1.0, on(60)), (2.0, off(60)), (2.0, on(60)), (4.0, off(60))]


def test_the_same_index_again_moves_the_end() -> None:
    room = Room()
    room.begin(1)
    room.play(1, 0, 1.0, 5.0, 60)
    room.play(1, 1, 3.0, 5.0, 62)
    room.at(2.0)
    room.play(1, 0, 1.0, 2.5, 60)  # sounds
    room.play(1, 1, 3.0, 3.5, 62)  # is planned
    room.at(9)
    room.play(1, 0, 1.0, 20.0, 60)  # is over
    room.at(30)
    assert room.wire == [(1.0, on(60)), (2.5, off(60)), (3.0, on(62)), (3.5, off(62))]


def test_a_note_that_is_late_is_heard_all_the_same() -> None:
    room = Room(now_s=5.0)
    room.begin(1)
    room.play(1, 0, 1.0, 1.5, 60)
    room.at(6)
    assert room.wire == [(5.0, on(60)), (pytest.approx(5.01), off(60))]


def test_panic_ends_all_and_says_so() -> None:
    room = Room()
    room.begin(1)
    room.begin(2)
    room.play(1, 0, 1.0, 5.0, 60)
    room.play(2, 0, 3.0, 5.0, 62)
    room.at(2)
    room.player.drop_all()
    room.at(9)
    assert room.wire == [(1.0, on(60)), (2, off(60))]
    assert room.told_of(Taken) == [Taken(1, 0, 2, False), Taken(2, NO_NOTE, 2, False)]
    assert room.player.sounding == 0


steps = st.one_of(
    st.tuples(st.just("play"), st.integers(0, 3), st.integers(0, 20), st.integers(60, 63), st.floats(0, 3)),
    st.tuples(st.sampled_from(("begin", "back", "key", "wait", "panic", "lost")), st.integers(0, 3)),
)


@given(st.lists(steps, max_size=60))
def test_whatever_happens_no_note_hangs(evening: list[tuple[object, ...]]) -> None:
    room = Room()
    for step in evening:
        take = int(step[1])  # type: ignore[call-overload]
        match step[0]:
            case "play":
                on_s = room.now_s + float(step[4]) / 2  # type: ignore[arg-type]
                room.play(take, int(step[2]), on_s, on_s + float(step[4]), int(step[3]))  # type: ignore[call-overload,arg-type]
            case "begin":
                room.begin(take, take % 3, 0.1 * take)
            case "back":
                room.player.take_back(TakeBack(take, 0.2 * (take - 1)))
            case "key":
                room.player.yield_to_player(room.now_s)
            case "wait":
                room.at(room.now_s + take)
            case "panic":
                room.player.drop_all()
            case "lost":
                room.player.end_all()
    room.at(room.now_s + 100)
    ledger = Ledger()
    for _, data in room.wire:
        ledger.passed("livemuse", data)
    assert ledger.silent
    ons = sum(is_note_on(data) for _, data in room.wire)
    assert ons == len(room.wire) - ons == len(room.told_of(NoteSent)) == len(room.told_of(NoteEnded))
    assert room.player.sounding == 0


def test_a_take_that_is_over_can_still_be_let_go_sooner_and_never_later() -> None:
    room = Room()
    room.begin(1, NEVER)
    room.play(1, 0, 1.0, 9.0, 60)
    room.at(1.5)
    room.player.take_back(TakeBack(1, -1.0))  # as planned
    room.player.take_back(TakeBack(1, 0.3))
    room.play(1, 0, 1.0, 8.0, 60)  # too late to make it longer again
    room.at(10.0)
    assert [at_s for at_s, data in room.wire if not is_note_on(data)] == [pytest.approx(1.8)]

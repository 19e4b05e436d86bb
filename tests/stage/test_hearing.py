"""What happens to a message that comes in: thru, map, guard, echo; no ports, no engine."""

import threading
import time
from collections.abc import Callable

import pytest

from livemuse.midi.echo import Echo
from livemuse.midi.link import ALWAYS, BeginTake, Frame, HeardMessage, Mapped, PlayNote, Taken
from livemuse.midi.messages import control_change, note_off, note_on
from livemuse.music.notes import Who
from livemuse.stage.hearing import Hearing, HearingRules
from livemuse.stage.player import Player
from livemuse.stage.wires import Wires

ON, OFF = note_on(0, 60, 80), note_off(0, 60, 64)
EVERY_KIND = [
    ON, b"\xa0\x3c\x22", b"\xb0\x40\x2d", b"\xb0\x01\x05", b"\xc0\x07", b"\xd0\x33", b"\xe0\x01\x41", OFF,
    b"\x91\x3c\x00", b"\xf0\x7e\x7f\x09\x01\xf7", b"\xf2\x01\x02", b"\xf6", b"\xf8", b"\xfa", b"\xfe", b"\xe5\x00\x40",
    b"\xd5\x01",
]  # fmt: skip


class Room:
    """Hearing with a wire, a synth and an engine that only write down what they get."""

    def __init__(self) -> None:
        self.wire: list[bytes] = []
        self.synth: list[tuple[Who, bytes]] = []
        self.told: list[Frame] = []
        lock, echo = threading.RLock(), Echo()
        self.wires = Wires(echo, lock)
        self.player = Player(self.wires.play, self.told.append, lock)
        self.hearing = Hearing(self.wires, self.player, echo, self.told.append, lambda: None)
        self.wires.open_output(self._put)
        self.wires.set_synth(self)

    def _put(self, data: bytes) -> bool:
        self.wire.append(data)
        return True

    def send(self, who: Who, data: bytes) -> None:
        """The synth's."""
        self.synth.append((who, data))

    def rules(self, **fields: object) -> None:
        """Set rules as the engine would."""
        self.hearing.set_rules(HearingRules.from_json(fields))

    def hear(self, *messages: bytes) -> None:
        """As python-rtmidi calls back."""
        for data in messages:
            self.hearing.heard((list(data), 0.0))

    def heard(self) -> list[bytes]:
        """What the engine was told of."""
        return [frame.data for frame in self.told if isinstance(frame, HeardMessage)]


@pytest.mark.parametrize(
    ("thru", "output", "synth"),
    [("auto", False, True), ("on", True, True), ("off", False, False)],
)
def test_thru_goes_where_it_is_wanted_byte_for_byte(thru: str, output: bool, synth: bool) -> None:
    room = Room()
    room.rules(thru=thru)
    room.hear(*EVERY_KIND)
    assert room.wire == (EVERY_KIND if output else [])
    assert room.synth == ([("player", data) for data in EVERY_KIND] if synth else [])
    assert room.heard() == [data for data in EVERY_KIND if data not in (b"\xf8", b"\xfe")]


def test_thru_is_timed_only_where_something_was_sent() -> None:
    room = Room()
    room.rules(thru="on")
    room.hear(ON)
    room.rules(thru="off")
    room.hear(OFF)
    first, second = (frame for frame in room.told if isinstance(frame, HeardMessage))
    assert 0 <= first.thru_s < 1
    assert second.thru_s < 0


def test_what_no_longer_goes_through_is_ended() -> None:
    room = Room()
    room.rules(thru="on")
    room.hear(ON, control_change(0, 64, 100))
    room.rules(thru="off")
    assert room.wire[2:] == [note_off(0, 60), control_change(0, 64, 0)]
    assert room.synth[2:] == [("player", note_off(0, 60)), ("player", control_change(0, 64, 0))]


def test_a_keyboard_that_is_gone_lets_go_of_everything() -> None:
    room = Room()
    room.rules(thru="on")
    room.hear(ON, control_change(0, 64, 100))
    room.hearing.let_go()
    assert room.wire[2:] == room.heard()[2:] == [note_off(0, 60), control_change(0, 64, 0)]


def test_our_own_message_coming_back_is_nobodys() -> None:
    room = Room()
    room.rules(thru="on")
    room.wires.play(ON)
    room.hear(ON, ON)  # the second is the player's
    assert room.wire == [ON, ON]
    assert room.heard() == [ON]


def take_of_two_notes(room: Room) -> None:
    now_s = time.monotonic()
    room.player.begin(BeginTake(1, ALWAYS, 0.1))
    room.player.play(PlayNote(1, 0, now_s, now_s + 60, 0, 72, 80))
    room.player.play(PlayNote(1, 1, now_s + 60, now_s + 61, 0, 74, 80))
    room.player.send_due()


@pytest.mark.parametrize(
    ("channel_in", "data", "yields"),
    [(None, ON, True), (0, ON, True), (1, ON, False), (None, OFF, False), (None, control_change(0, 64, 127), False)],
)
def test_the_players_key_takes_the_answer_back(channel_in: int | None, data: bytes, yields: bool) -> None:
    room = Room()
    room.rules(channel_in=channel_in)
    take_of_two_notes(room)
    room.hear(data)
    taken = [frame for frame in room.told if isinstance(frame, Taken)]
    assert [(frame.take, frame.last_index, frame.by_player) for frame in taken] == ([(1, 0, True)] if yields else [])
    if yields:
        heard = next(frame for frame in room.told if isinstance(frame, HeardMessage))
        assert taken[0].at_s == heard.at_s


MAP = {"thru": "on", "map": [{"cc": 67}, {"note": 21}]}


@pytest.mark.parametrize(
    ("sent", "entries", "through"),
    [
        ([control_change(0, 67, 127), control_change(0, 67, 127), control_change(0, 67, 0)], [0], []),
        ([control_change(0, 67, 127), control_change(0, 67, 3), control_change(0, 67, 64)], [0, 0], []),
        ([control_change(0, 67, 63)], [], []),
        ([note_on(0, 21, 9), note_off(0, 21, 64), note_on(3, 21, 9), b"\x93\x15\x00"], [1, 1], []),
        ([note_on(0, 21, 9), note_on(0, 21, 9), note_off(0, 21, 64), note_off(0, 21, 64)], [1, 1], []),
        ([note_on(0, 21, 9), b"\xa0\x15\x32", note_off(0, 21, 64)], [1], []),
        ([ON, control_change(0, 66, 127)], [], [ON, control_change(0, 66, 127)]),
    ],
)
def test_what_is_mapped_is_neither_thru_nor_music(sent: list[bytes], entries: list[int], through: list[bytes]) -> None:
    room = Room()
    room.rules(**MAP)
    take_of_two_notes(room)
    room.wire.clear()
    room.hear(*sent)
    assert [frame.entry for frame in room.told if isinstance(frame, Mapped)] == entries
    assert room.wire == room.heard() == through
    assert any(isinstance(frame, Taken) for frame in room.told) == (ON in sent)


def test_a_key_struck_before_it_was_mapped_is_music_to_its_end() -> None:
    room = Room()
    room.rules(thru="on")
    room.hear(note_on(0, 21, 9))
    room.rules(**MAP)
    room.hear(note_off(0, 21, 64))
    assert room.heard() == [note_on(0, 21, 9), note_off(0, 21, 64)]


def test_a_mapped_key_that_is_unmapped_while_held_stays_silent_to_its_end() -> None:
    room = Room()
    room.rules(**MAP)
    room.hear(note_on(0, 21, 9))
    room.rules(thru="on")
    room.hear(note_off(0, 21, 64))
    assert room.wire == []


@pytest.mark.parametrize(
    "fields", [{"thru": 3, "channel_in": "x", "map": [3, {"cc": "x"}, {}]}, {"map": None}, {"channel_in": 99}]
)
def test_nonsense_in_the_rules_is_as_by_default(fields: dict[str, object]) -> None:
    assert HearingRules.from_json(fields) == HearingRules()


def test_two_threads_and_no_note_hangs() -> None:
    """The player strikes keys on one thread while livemuse plays on another; in the end the wire is balanced."""
    room = Room()
    room.rules(thru="on")

    def livemuse() -> None:
        for number in range(400):
            room.wires.play(note_on(0, 60 + number % 3, 80))
            room.wires.play(note_off(0, 60 + number % 3))

    def keyboard() -> None:
        for number in range(400):
            room.hear(note_on(0, 60 + number % 3, 1 + number % 100), note_off(0, 60 + number % 3, number % 60))

    together: list[Callable[[], None]] = [livemuse, keyboard]
    threads = [threading.Thread(target=one) for one in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room.wires.everything_off()
    for pitch in (60, 61, 62):
        ons = sum(data[0] == 0x90 and data[1] == pitch for data in room.wire)
        assert ons == sum(data[0] == 0x80 and data[1] == pitch for data in room.wire)

"""Our own messages coming back are hidden once each; what the player truly plays is not."""

from hypothesis import given
from hypothesis import strategies as st

from livemuse.midi.echo import ECHO_S, STORM_TURNS, TURNS_AT_MOST, Echo
from livemuse.midi.messages import note_off, note_on

ON, OTHER = note_on(0, 60, 80), note_on(0, 62, 80)
DELAY_S = 0.005  # of a loop through a DAW


def test_one_sent_hides_one_received_within_the_time() -> None:
    echo = Echo()
    echo.sent(1.0, ON, own=True)
    assert not echo.hides(1.01, OTHER)
    assert echo.hides(1.02, ON)
    assert not echo.hides(1.03, ON)  # the second is the player's
    echo.sent(2.0, ON, own=True)
    assert not echo.hides(2.0 + ECHO_S + 0.001, ON)


def test_two_sent_hide_two() -> None:
    echo = Echo()
    echo.sent(1.0, ON, own=True)
    echo.sent(1.001, ON, own=True)
    assert [echo.hides(1.01, ON) for _ in range(3)] == [True, True, False]


class Wire:
    """Thru with a loop behind it: what goes out comes in again after ``DELAY_S`` if the loop passes such messages."""

    def __init__(self, loops: tuple[int, ...]) -> None:
        self.echo, self.loops = Echo(), loops
        self.out: list[bytes] = []
        self._coming: list[tuple[float, bytes]] = []
        self._held: set[int] = set()

    def receive(self, at_s: float, data: bytes) -> None:
        """A message comes in at ``at_s``: from the player, or from the loop before that."""
        self.run(at_s)
        if not self.echo.hides(at_s, data, held=data[1] in self._held if len(data) == 3 else False):
            self.out.append(data)
            if data[0] & 0xF0 in (0x80, 0x90):
                (self._held.add if data[0] & 0xF0 == 0x90 else self._held.discard)(data[1])
            self.echo.sent(at_s, data, own=False)
            if data[0] & 0xF0 in self.loops:
                self._coming.append((at_s + DELAY_S, data))

    def run(self, until_s: float) -> None:
        """Let everything come back that comes back until then."""
        while self._coming and self._coming[0][0] <= until_s:
            self.receive(*self._coming.pop(0))


ALL_KINDS = tuple(range(0x80, 0x100, 0x10))


def test_a_loop_does_not_run_round() -> None:
    wire = Wire(ALL_KINDS)
    played = [b"\xb0\x40\x7f", ON, note_off(0, 60, 64), OTHER, note_off(0, 62, 64), b"\xe0\x00\x41", ON]
    for number, data in enumerate(played):
        wire.receive(1 + 0.02 * number, data)
    wire.run(100.0)
    assert len(wire.out) <= len(played) + TURNS_AT_MOST  # the pedal goes round until it is known that there is a loop
    wire.out.clear()
    for number, data in enumerate(played):
        wire.receive(101 + 0.02 * number, data)
    wire.run(200.0)
    assert wire.out == played


def test_a_loop_with_a_held_key_repeats_nothing() -> None:
    wire = Wire(ALL_KINDS)
    played = [ON, OTHER, b"\xb0\x40\x7f", note_off(0, 60, 64), b"\xe0\x00\x41", note_off(0, 62, 64), b"\xb0\x40\x00"]
    for number, data in enumerate(played):
        wire.receive(1 + 0.02 * number, data)
    wire.run(100.0)
    assert wire.out == played


def test_a_loop_of_notes_alone_does_not_run_round_for_long() -> None:
    wire = Wire((0x80, 0x90))
    played = [b"\xb0\x40\x7f", ON, b"\xb0\x01\x05", note_off(0, 60, 64), OTHER, b"\xb0\x01\x06", note_off(0, 62, 64)]
    for number, data in enumerate(played):
        wire.receive(1 + 0.02 * number, data)
    wire.run(100.0)
    rounds = 2 * (TURNS_AT_MOST - 1)  # once for note-ons, once for note-offs; after that it is known
    assert len(wire.out) <= len(played) + rounds
    wire.out.clear()
    for number, data in enumerate(played):
        wire.receive(101 + 0.02 * number, data)
    wire.run(200.0)
    assert wire.out == played


def test_a_clock_does_not_run_round_for_long_and_is_not_halved() -> None:
    looped, straight = Wire(ALL_KINDS), Wire(())
    for wire in (looped, straight):
        for tick in range(200):
            wire.receive(1 + 0.0208 * tick, b"\xf8")
        wire.run(100.0)
    assert len(straight.out) == 200
    assert len(looped.out) <= 200 + STORM_TURNS + 5


def test_a_tremolo_goes_through() -> None:
    wire = Wire(())
    played = [data for _ in range(60) for data in (ON, note_off(0, 60, 64))]
    for number, data in enumerate(played):
        wire.receive(1 + 0.02 * number, data)
    assert len(wire.out) >= len(played) * 0.8  # now and then one is withheld, to see whether it comes again


KINDS = (b"\xb0\x40\x7f", b"\xb0\x40\x00", b"\xd0\x05", b"\xf8", b"\xfe", ON, OTHER)


@given(st.lists(st.sampled_from(KINDS), max_size=200))
def test_without_a_loop_what_the_player_repeats_goes_through(kinds: list[bytes]) -> None:
    """Once something did not come back nothing is taken for an echo, unless it is alike many times running."""
    wire = Wire(())
    wire.receive(0.9, note_on(3, 1, 1))
    played: list[bytes] = []
    for data in kinds:  # a keyboard does not strike a key that is down
        if data[0] & 0xF0 != 0x90 or data not in played:
            played.append(data if played[-4:].count(data) < 2 else b"\xc0\x01")
    played = [data for number, data in enumerate(played) if played[max(number - 4, 0) : number].count(data) < 2]
    for number, data in enumerate(played):
        wire.receive(1 + 0.012 * number, data)
    assert wire.out[1:] == played


@given(st.lists(st.tuples(st.booleans(), st.sampled_from((ON, OTHER, b"\xf8"))), max_size=80))
def test_no_more_is_hidden_than_was_sent(evening: list[tuple[bool, bytes]]) -> None:
    echo, sent, hidden = Echo(), 0, 0
    for number, (outward, data) in enumerate(evening):
        at_s = 1 + 0.004 * number
        if outward:
            echo.sent(at_s, data, own=number % 2 == 0)
            sent += 1
        else:
            hidden += echo.hides(at_s, data)
    assert hidden <= sent

"""The ledger: whatever was sent, it knows what ends it."""

from collections import Counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.midi.ledger import Ledger
from livemuse.midi.messages import control_change, is_note_off, is_note_on, note_off, note_on
from livemuse.music.notes import Who

ON, OFF = note_on(0, 60, 80), note_off(0, 60)
PLAYERS_OFF = note_off(0, 60, 17)


def passed(ledger: Ledger, *sent: tuple[Who, bytes]) -> list[list[bytes]]:
    """What goes on the wire for each message sent."""
    return [list(ledger.passed(who, data)) for who, data in sent]


def test_one_player_passes_byte_for_byte() -> None:
    sent = [ON, note_on(0, 60, 90), PLAYERS_OFF, note_on(0, 61, 1), PLAYERS_OFF, b"\x90\x3d\x00", PLAYERS_OFF, b"\xf8"]
    assert passed(Ledger(), *(("player", data) for data in sent)) == [[data] for data in sent]


@pytest.mark.parametrize(
    ("sent", "wire"),
    [
        # neither's note-off ends the other's note; the last to let go sends what was withheld
        ([("player", ON), ("livemuse", ON), ("player", PLAYERS_OFF), ("livemuse", OFF)],
         [[ON], [ON], [], [PLAYERS_OFF, OFF]]),
        ([("player", ON), ("livemuse", ON), ("livemuse", OFF), ("player", PLAYERS_OFF)],
         [[ON], [ON], [], [OFF, PLAYERS_OFF]]),
        ([("livemuse", ON), ("player", ON), ("player", PLAYERS_OFF), ("player", ON), ("livemuse", OFF),
          ("player", PLAYERS_OFF)],
         [[ON], [ON], [], [ON], [], [PLAYERS_OFF, OFF, PLAYERS_OFF]]),
        # another channel is another note
        ([("player", ON), ("livemuse", note_on(1, 60, 80)), ("player", PLAYERS_OFF)],
         [[ON], [note_on(1, 60, 80)], [PLAYERS_OFF]]),
        # a note-off of the player's that ends nothing is passed on, one of livemuse's is not
        ([("player", PLAYERS_OFF), ("livemuse", OFF)], [[PLAYERS_OFF], []]),
        # "all notes off" of the player's lets go of the player's keys alone
        ([("player", ON), ("livemuse", ON), ("livemuse", OFF), ("player", control_change(0, 123, 0))],
         [[ON], [ON], [], [control_change(0, 123, 0), OFF]]),
    ],
)  # fmt: skip
def test_two_on_the_same_pitch_are_counted(sent: list[tuple[Who, bytes]], wire: list[list[bytes]]) -> None:
    assert passed(Ledger(), *sent) == wire


def test_the_end_of_everything_ends_notes_and_pedals() -> None:
    ledger = Ledger()
    passed(ledger, ("player", ON), ("livemuse", ON), ("livemuse", OFF), ("player", control_change(3, 64, 30)))
    assert not ledger.silent
    assert ledger.everything_off() == [OFF, OFF, control_change(3, 64, 0)]
    assert ledger.silent
    assert ledger.everything_off() == []
    assert ledger.panic() == [control_change(0, 64, 0), control_change(0, 123, 0)]


def test_release_of_one_leaves_the_other() -> None:
    ledger = Ledger()
    passed(ledger, ("player", ON), ("livemuse", ON), ("livemuse", note_on(0, 72, 1)))
    passed(ledger, ("player", control_change(0, 64, 127)))
    assert ledger.release("livemuse") == [note_off(0, 72)]  # the other note-off is owed until the player lets go
    assert ledger.sounding() == (60,)
    assert passed(ledger, ("player", PLAYERS_OFF)) == [[OFF, PLAYERS_OFF]]
    assert ledger.release("player") == [control_change(0, 64, 0)]


messages = st.one_of(
    st.builds(note_on, st.integers(0, 1), st.integers(60, 62), st.integers(0, 127)),
    st.builds(note_off, st.integers(0, 1), st.integers(60, 62), st.integers(0, 127)),
    st.builds(control_change, st.integers(0, 1), st.sampled_from((64, 66, 1, 120, 121, 123, 127)), st.integers(0, 127)),
    st.binary(max_size=4),
)


@given(st.lists(st.tuples(st.sampled_from(get_args(Who)), messages), max_size=60))
def test_after_any_evening_nothing_sounds(evening: list[tuple[Who, bytes]]) -> None:
    ledger = Ledger()
    wire = [data for sent in passed(ledger, *evening) for data in sent]
    wire += ledger.everything_off()
    assert ledger.silent
    pedals = {data[:2]: data[2] for data in wire if len(data) == 3 and data[0] & 0xF0 == 0xB0 and data[1] in (64, 66)}
    assert not any(pedals.values())
    balance: Counter[tuple[int, int]] = Counter()
    for data in wire:
        if is_note_on(data):
            balance[data[0] & 15, data[1]] += 1
        elif is_note_off(data):
            balance[data[0] & 15, data[1]] -= 1
        elif len(data) == 3 and data[0] & 0xF0 == 0xB0 and data[1] in (120, 123, 124, 125, 126, 127) and data[2] < 128:
            for place in [place for place in balance if place[0] == data[0] & 15]:
                balance[place] = min(balance[place], 0)  # an instrument ends them all at this
    assert all(count <= 0 for count in balance.values())


@given(st.lists(st.tuples(st.sampled_from(get_args(Who)), st.booleans(), st.integers(60, 63)), max_size=60))
def test_note_ons_equal_note_offs_in_the_end(evening: list[tuple[Who, bool, int]]) -> None:
    ledger, held, wire = Ledger(), Counter[tuple[Who, int]](), []
    for who, down, pitch in evening:
        if down or held[who, pitch]:  # nobody lets go of what they do not hold
            held[who, pitch] += 1 if down else -1
            wire += ledger.passed(who, note_on(0, pitch, 64) if down else note_off(0, pitch))
    wire += ledger.everything_off()
    for pitch in range(60, 64):
        ons = sum(is_note_on(data) and data[1] == pitch for data in wire)
        assert ons == sum(is_note_off(data) and data[1] == pitch for data in wire)

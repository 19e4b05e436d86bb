"""What bytes mean: rows of MIDI and what a musician did, and any bytes at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.midi import messages
from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Pedal

AT_S = 3.5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90 3C 40", KeyDown(AT_S, 0, 60, 64)),
        ("9F 00 7F", KeyDown(AT_S, 15, 0, 127)),
        ("90 3C 00", KeyUp(AT_S, 0, 60)),  # velocity 0 is a note-off
        ("85 3C 40", KeyUp(AT_S, 5, 60)),
        ("B0 40 3F", Pedal(AT_S, 0, False)),  # a half-pedal below the middle
        ("B2 40 40", Pedal(AT_S, 2, True)),
        ("B0 7B 00", AllNotesOff(AT_S, 0)),
        ("B0 78 00", AllNotesOff(AT_S, 0)),
        ("B0 7F 00", AllNotesOff(AT_S, 0)),
        ("B0 79 00", None),  # reset all controllers ends no note
        ("B0 01 22", None),  # modulation
        ("E0 00 40", None),  # bend
        ("C0 05", None),
        ("D0 05", None),
        ("A0 3C 05", None),
        ("F0 7E 7F 06 01 F7", None),
        ("F8", None),
        ("90 3C", None),  # cut short
        ("90 3C 80", None),  # a data byte that is none
        ("3C 40", None),  # no status
        ("", None),
    ],
)
def test_heard(written: str, meant: Heard | None) -> None:
    assert messages.heard(AT_S, bytes.fromhex(written)) == meant


@pytest.mark.parametrize(
    ("written", "channel"),
    [("93 3C 40", 3), ("C5 07", 5), ("EF 00 40", 15), ("F8", None), ("F0 01 F7", None), ("C5 07 07", None), ("", None)],
)
def test_channel_of(written: str, channel: int | None) -> None:
    assert messages.channel_of(bytes.fromhex(written)) == channel


@given(st.binary(max_size=8))
def test_any_bytes_mean_something_or_nothing(data: bytes) -> None:
    event = messages.heard(AT_S, data)
    assert messages.is_note_on(data) == isinstance(event, KeyDown)
    assert messages.is_note_off(data) == isinstance(event, KeyUp)
    assert not (messages.is_note_on(data) and messages.is_note_off(data))
    assert isinstance(event, Pedal | AllNotesOff) <= messages.is_controller(data)
    assert (event is not None) <= (messages.channel_of(data) is not None)


@given(st.integers(0, 15), st.integers(0, 127), st.integers(1, 127))
def test_built_and_heard(channel: int, number: int, value: int) -> None:
    assert messages.heard(AT_S, messages.note_on(channel, number, value)) == KeyDown(AT_S, channel, number, value)
    assert messages.heard(AT_S, messages.note_off(channel, number)) == KeyUp(AT_S, channel, number)
    pedal = messages.control_change(channel, messages.SUSTAIN, value)
    assert messages.heard(AT_S, pedal) == Pedal(AT_S, channel, value >= 64)

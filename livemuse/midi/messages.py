"""MIDI messages as bytes, and what they mean to a musician.

Pure. A message here is complete: one status byte and its data, running status already written out. Anything else
(empty, cut short, a data byte first) is nobody's note; it is passed on as it came and means nothing.
"""

from typing import Final

from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Pedal

NOTE_OFF: Final = 0x80
NOTE_ON: Final = 0x90
CONTROL_CHANGE: Final = 0xB0
PROGRAM_CHANGE: Final = 0xC0
CLOCK: Final = 0xF8  # 24 a beat
ACTIVE_SENSING: Final = 0xFE  # "I am still here", about three a second

SUSTAIN: Final = 64  # the right pedal of a piano
HOLDING_PEDALS: Final = frozenset({64, 66, 69})  # sustain, sostenuto, hold 2: what keeps a released key sounding
RESET_CONTROLLERS: Final = 121
ALL_NOTES_OFF: Final = 123
ENDING_CONTROLLERS: Final = frozenset({120, 123, 124, 125, 126, 127})  # each of these ends every note of its channel

# No keyboard sends this release velocity by itself (they send 0, 64, or a measured one), so that a player's key-up
# that meets livemuse's within the echo time is not mistaken for an echo.
RELEASE_VELOCITY: Final = 63

_LENGTHS: Final = {0x80: 3, 0x90: 3, 0xA0: 3, 0xB0: 3, 0xC0: 2, 0xD0: 2, 0xE0: 3}  # of channel messages, in bytes


def channel_of(data: bytes) -> int | None:
    """The channel (0-15) of a complete channel message; None for anything else."""
    if not data or len(data) != _LENGTHS.get(data[0] & 0xF0) or max(data[1:]) > 127:
        return None
    return data[0] & 0x0F


def is_note_on(data: bytes) -> bool:
    """Whether a key was struck: a note-on with velocity 0 is a note-off."""
    return len(data) == 3 and data[0] & 0xF0 == NOTE_ON and 0 < data[2] < 128 and data[1] < 128


def is_note_off(data: bytes) -> bool:
    """Whether a key was let go, in either of the two ways MIDI has to say so."""
    if len(data) != 3 or data[1] > 127 or data[2] > 127:
        return False
    kind = data[0] & 0xF0
    return kind == NOTE_OFF or (kind == NOTE_ON and data[2] == 0)


def is_controller(data: bytes) -> bool:
    """Whether this is a control change (a pedal, a wheel, a knob)."""
    return len(data) == 3 and data[0] & 0xF0 == CONTROL_CHANGE and data[1] < 128 and data[2] < 128


def heard(at_s: float, data: bytes) -> Heard | None:
    """What the player did by sending ``data``; None where it is neither a key nor the sustain pedal."""
    if is_note_on(data):
        return KeyDown(at_s, data[0] & 0x0F, data[1], data[2])
    if is_note_off(data):
        return KeyUp(at_s, data[0] & 0x0F, data[1])
    if is_controller(data):
        if data[1] == SUSTAIN:
            return Pedal(at_s, data[0] & 0x0F, data[2] >= 64)
        if data[1] in ENDING_CONTROLLERS:
            return AllNotesOff(at_s, data[0] & 0x0F)
    return None


def note_on(channel: int, pitch: int, velocity: int) -> bytes:
    """Strike a key: channel 0-15, velocity 1-127."""
    return bytes((NOTE_ON | channel, pitch, velocity))


def note_off(channel: int, pitch: int, velocity: int = RELEASE_VELOCITY) -> bytes:
    """Let a key go."""
    return bytes((NOTE_OFF | channel, pitch, velocity))


def program_change(channel: int, program: int) -> bytes:
    """Choose a sound: program 0-127."""
    return bytes((PROGRAM_CHANGE | channel, program))


def control_change(channel: int, controller: int, value: int) -> bytes:
    """Move a controller."""
    return bytes((CONTROL_CHANGE | channel, controller, value))

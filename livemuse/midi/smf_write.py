"""Standard MIDI Files, written: type 1, no running status, every byte legal."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from livemuse.midi.smf_read import END_OF_TRACK, META, TEMPO, TRACK_NAME

TICKS_PER_BEAT: Final = 960  # at 120 beats a minute a tick is 0.52 ms; every sequencer takes it
TEMPO_BPM: Final = 120.0
LONGEST_DELTA: Final = 0x0FFFFFFF  # the largest variable-length number


@dataclass(frozen=True, slots=True)
class Track:
    """One track to write: its name, and (seconds, message) in any order; messages as in ``smf_read.Event``."""

    name: str
    events: Sequence[tuple[float, bytes]]


def meta(kind: int, content: bytes | str) -> bytes:
    """A meta event as a message: text, marker, lyric, sequencer-specific."""
    return bytes((META, kind)) + (content.encode() if isinstance(content, str) else content)


def write_song(tracks: Sequence[Track], *, ticks_per_beat: int = TICKS_PER_BEAT, tempo_bpm: float = TEMPO_BPM) -> bytes:
    """The bytes of a type 1 file at one tempo, which stands at the head of the first track.

    Events at one moment stay in the order given. Raises ValueError for a message that no file can hold.
    """
    ticks_per_s = ticks_per_beat * tempo_bpm / 60.0
    tempo = meta(TEMPO, round(6e7 / tempo_bpm).to_bytes(3, "big"))
    chunks = [b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), ticks_per_beat)]
    for number, track in enumerate(tracks):
        head = [tempo, meta(0x58, b"\x04\x02\x18\x08")] if number == 0 else []
        if track.name:
            head.insert(0, meta(TRACK_NAME, track.name))
        chunks.append(_chunk(head, track, ticks_per_s))
    return b"".join(chunks)


def number(value: int) -> bytes:
    """A variable-length number, one to four bytes."""
    out = [value & 127]
    while value := value >> 7:
        out.append(value & 127 | 128)
    return bytes(reversed(out))


def _chunk(head: list[bytes], track: Track, ticks_per_s: float) -> bytes:
    out = bytearray()
    for message in head:
        out += b"\0" + _encoded(message)
    now = 0
    for at_s, message in sorted(track.events, key=lambda event: event[0]):
        tick = max(round(at_s * ticks_per_s), now)
        delta = min(tick - now, LONGEST_DELTA)
        now += delta
        out += number(delta) + _encoded(message)
    out += b"\0" + bytes((META, END_OF_TRACK, 0))
    return b"MTrk" + len(out).to_bytes(4, "big") + bytes(out)


def _encoded(message: bytes) -> bytes:
    """A message as a track holds it: meta events and SysEx with their length, channel messages as they are."""
    status = message[0] if message else 0
    if status == META and len(message) >= 2 and message[1] < 128 and message[1] != END_OF_TRACK:
        return message[:2] + number(len(message) - 2) + message[2:]
    if status in (0xF0, 0xF7):
        return message[:1] + number(len(message) - 1) + message[1:]
    size = 2 if 0xC0 <= status < 0xE0 else 3
    if 0x80 <= status < 0xF0 and len(message) == size and max(message[1:]) < 128:
        return message
    raise ValueError(f"no MIDI file can hold the message {message[:16].hex(' ')}")

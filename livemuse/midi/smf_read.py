"""Standard MIDI Files, read so that no file can hurt: any bytes become a ``Song`` or one sentence.

Rules for whoever edits this file. It is pure: bytes in, values out. Nothing is believed that the bytes do not bear out:
a length is only ever compared with what is there, never allocated. Time is made in one pass over all tracks together,
because a tempo change in any track holds for every track. What is legal but rare is read (RIFF wrappers, SMPTE time,
unknown chunks, running status, split SysEx); what is harmless though illegal is read too; what was cut is refused,
unless ``salvage`` asks for the part that is whole.

Source: The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0" (RP-001).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from livemuse.errors import FileError

Event = tuple[float, int, bytes]
"""(seconds from the start, track from 0, message). A channel message is as on the wire, with its status byte; a meta
event is FF, its type and its content without the length; a SysEx is F0 (or F7: a continuation) and its content."""

DEFAULT_TEMPO_US: Final = 500_000  # microseconds a beat, until the file says otherwise
LONGEST_REST_S: Final = 60.0  # a longer gap between two events holds no music; what follows moves up
LARGEST_FILE: Final = 128 << 20
MOST_EVENTS: Final = 3_000_000  # an evening of dense playing with a streaming pedal is under a million
MOST_TRACKS: Final = 65_535  # what the header can announce
META: Final = 0xFF
TEXT: Final = 0x01
TRACK_NAME: Final = 0x03
MARKER: Final = 0x06
END_OF_TRACK: Final = 0x2F
TEMPO: Final = 0x51
SEQUENCER_SPECIFIC: Final = 0x7F
_SMPTE_FRAMES: Final = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}  # frames a second by the header's number
_SYSTEM_DATA: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # data bytes of the system messages that carry any

_NOT_MIDI: Final = "Give a Standard MIDI File (.mid)."
_CUT: Final = "The file was cut off or damaged: get a whole copy of it."


@dataclass(frozen=True, slots=True)
class Song:
    """A whole MIDI file in time order, its tempo map applied: what sounds when, and on which track."""

    ticks_per_beat: int  # 0 where the file counts SMPTE frames instead of beats
    track_names: tuple[str, ...]  # one a track, control characters taken out; "" where it has none
    tempos: tuple[tuple[float, float], ...]  # (seconds, beats a minute), the first at 0
    events: tuple[Event, ...]
    length_s: float  # the end of the longest track
    damage: str = ""  # what had to be left out; only with ``salvage``

    def track(self, number: int) -> Iterator[tuple[float, bytes]]:
        """The (seconds, message) of one track, in order."""
        return ((at_s, data) for at_s, track, data in self.events if track == number)


class _Damage(Exception):
    """What is wrong inside a track, in a few words."""


def read_song(data: bytes, *, salvage: bool = False) -> Song:
    """The song in the bytes of a Standard MIDI File (type 0, 1 or 2; also in a RIFF wrapper).

    FileError, one sentence, for what is no MIDI file, is cut, or is damaged; with ``salvage`` the events before the
    damage are given and ``damage`` tells. Gaps over ``LONGEST_REST_S`` are shortened to it.
    """
    if not data:
        raise FileError("The MIDI file is empty.", _NOT_MIDI)
    if len(data) > LARGEST_FILE:
        raise FileError(f"The MIDI file has {len(data) >> 20} MiB; at most {LARGEST_FILE >> 20} are read.", _NOT_MIDI)
    data = _unwrapped(bytes(data))
    kind, announced, division = _header(data)
    seconds_per_tick, ticks_per_beat = _division(division)
    timed, names, length, damage = _tracks(data, kind, announced)
    if damage and not salvage:
        raise FileError(f"The MIDI file {damage}.", _CUT)
    events, tempos, length_s = _in_seconds(timed, length, seconds_per_tick, ticks_per_beat)
    return Song(ticks_per_beat, names, tempos, events, length_s, damage)


def printable(raw: bytes) -> str:
    """Text of a file as it may be shown: UTF-8 or Latin-1, without control characters, at most 200 characters."""
    try:
        text = raw[:800].decode("utf-8")
    except UnicodeDecodeError:
        text = raw[:800].decode("latin-1")
    return "".join(c for c in text if c.isprintable())[:200].strip()


def _unwrapped(data: bytes) -> bytes:
    """The MIDI file inside a RIFF/RMID wrapper; anything else as it is."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)
    return data


def _header(data: bytes) -> tuple[int, int, int]:
    """(type, number of tracks announced, division)."""
    if data[:4] != b"MThd":
        raise FileError("This is no MIDI file: it does not begin with a MIDI header.", _NOT_MIDI)
    length = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or length < 6 or 8 + length > len(data):
        raise FileError("The MIDI file's header is cut off or damaged.", _CUT)
    kind, announced, division = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10, 12))
    if kind > 2:
        raise FileError(f"The MIDI file is of type {kind}, which does not exist.", _NOT_MIDI)
    return kind, announced, division


def _division(division: int) -> tuple[float, int]:
    """(seconds a tick, 0) for SMPTE time, (0, ticks a beat) for musical time."""
    if division & 0x8000:
        frames, per_frame = _SMPTE_FRAMES.get(256 - (division >> 8)), division & 0xFF
        if frames is None or not per_frame:
            raise FileError("The MIDI file counts time in SMPTE frames of a kind that does not exist.", _CUT)
        return 1.0 / (frames * per_frame), 0
    if not division:
        raise FileError("The MIDI file says that a beat has no ticks, so nothing in it has a time.", _CUT)
    return 0.0, division


_Timed = list[tuple[int, int, bytes]]  # (tick, track, message)


def _tracks(data: bytes, kind: int, announced: int) -> tuple[_Timed, tuple[str, ...], int, str]:
    """Every event of every track by tick, the track names, the last tick, and what was damaged ("" if nothing)."""
    timed: _Timed = []
    names: list[str] = []
    length, damage = 0, ""
    at = 8 + int.from_bytes(data[4:8], "big")
    while at + 8 <= len(data) and data[at : at + 4] != b"MThd":  # a second file behind the first is not ours
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        tag, chunk = data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size
        if tag == b"MTrk":
            number, first = len(names), len(timed)
            try:
                end = _read_track(chunk, length if kind == 2 else 0, number, timed.append)
            except _Damage as error:
                damage = damage or f"is damaged in track {number + 1}: {error}"
                end = timed[-1][0] if len(timed) > first else 0
            length = max(length, end)
            names.append(_name(timed, first))
            if len(timed) > MOST_EVENTS or len(names) > MOST_TRACKS:
                raise _too_many()
            if len(chunk) < size:
                damage = f"ends inside track {number + 1}"
    if len(names) < announced and not damage:
        damage = f"announces {announced} tracks and holds only {len(names)}"
    timed.sort(key=itemgetter(0))  # stable: at one tick, track after track as they stand in the file
    return timed, tuple(names), length, damage


def _too_many() -> FileError:
    return FileError(f"The MIDI file holds more than {MOST_EVENTS:,} events.", "Cut it into shorter pieces.")


def _name(timed: _Timed, first: int) -> str:
    for _, _, message in timed[first : first + 64]:  # names stand at the head of a track
        if message[:2] == b"\xff\x03":
            return printable(message[2:])
    return ""


def _number(chunk: bytes, at: int) -> tuple[int, int]:
    """A variable-length number (at most four bytes) and where it ends."""
    value = 0
    for place in range(at, at + 4):
        byte = chunk[place]
        value = value << 7 | byte & 127
        if byte < 128:
            return value, place + 1
    raise _Damage("a number is longer than four bytes")


def _read_track(chunk: bytes, tick: int, track: int, add: Callable[[tuple[int, int, bytes]], None]) -> int:
    """Add the events of one track and give its last tick; _Damage where it cannot go on."""
    try:
        return _read_events(chunk, tick, track, add)
    except IndexError:  # the loop below looks no byte twice: Python's own bounds check is the fastest
        raise _Damage("it ends inside an event") from None


def _read_events(chunk: bytes, tick: int, track: int, add: Callable[[tuple[int, int, bytes]], None]) -> int:
    at, size, status, room = 0, len(chunk), 0, MOST_EVENTS
    while at < size:
        room -= 1
        if room < 0:
            raise _too_many()
        delta = chunk[at]
        at += 1
        if delta > 127:
            delta, at = _number(chunk, at - 1)
        tick += delta
        first = chunk[at]
        if first > 127:
            at += 1
            if first > 0xEF:
                at, message = _system(chunk, at, first)
                if message == b"\xff\x2f":
                    return tick
                if message:
                    add((tick, track, message))
                continue
            status = first
            first = chunk[at]
        if first > 127 or not status:
            raise _Damage("a message is missing its beginning" if not status else "a message is missing its end")
        if 0xC0 <= status < 0xE0:  # program change and channel pressure have one data byte
            add((tick, track, bytes((status, first))))
            at += 1
        else:
            second = chunk[at + 1]
            add((tick, track, bytes((status, first, second if second < 128 else 127))))
            at += 2
    return tick


def _system(chunk: bytes, at: int, status: int) -> tuple[int, bytes]:
    """Where the meta event, SysEx or system message ends, and its message (none for what means nothing in a file)."""
    if status == META:
        kind = chunk[at]
        length, at = _number(chunk, at + 1)
        if at + length > len(chunk):
            raise _Damage("a text is longer than the track")
        return at + length, (b"\xff\x2f" if kind == END_OF_TRACK else bytes((META, kind)) + chunk[at : at + length])
    if status in (0xF0, 0xF7):
        length, at = _number(chunk, at)
        if at + length > len(chunk):
            raise _Damage("a SysEx is longer than the track")
        return at + length, bytes((status,)) + chunk[at : at + length]
    return at + _SYSTEM_DATA.get(status, 0), b""


def _in_seconds(
    timed: _Timed, last_tick: int, seconds_per_tick: float, ticks_per_beat: int
) -> tuple[tuple[Event, ...], tuple[tuple[float, float], ...], float]:
    """The same events by seconds, the tempo map, and the length of the song."""
    rate = seconds_per_tick or DEFAULT_TEMPO_US / 1e6 / ticks_per_beat
    tempos = [(0.0, 6e7 / DEFAULT_TEMPO_US)]
    events: list[Event] = []
    add = events.append
    now_s, now = 0.0, 0
    for tick, track, message in timed:
        if tick != now:
            gap_s = (tick - now) * rate
            now_s += gap_s if gap_s < LONGEST_REST_S else LONGEST_REST_S
            now = tick
        add((now_s, track, message))
        if message[0] == META and message[1] == TEMPO and len(message) == 5 and ticks_per_beat:
            tempo_us = int.from_bytes(message[2:], "big")
            if tempo_us:  # a tempo of 0 would put everything after it at one moment
                rate = tempo_us / 1e6 / ticks_per_beat
                if tempos[-1][0] == now_s:
                    tempos.pop()
                tempos.append((now_s, 6e7 / tempo_us))
    length_s = now_s + min((last_tick - now) * rate, LONGEST_REST_S)
    return tuple(events), tuple(tempos), length_s

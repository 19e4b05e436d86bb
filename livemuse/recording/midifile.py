"""A session's MIDI file: what was played, for any sequencer, and the journal's exact records, for livemuse itself.

See docs/session-format.md. Track 1 is the conductor (tempo, markers for turns, changes of controls as text, the exact
records as sequencer-specific events), track 2 is called ``player``, track 3 ``livemuse``.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from livemuse.errors import ControlError, FileError
from livemuse.midi.messages import program_change
from livemuse.midi.smf import MARKER, SEQUENCER_SPECIFIC, TEXT, Song, Track, meta, read_song, write_song
from livemuse.music.controls import CONTROLS, Controls, Value, parse_control
from livemuse.music.voicing import programs_of
from livemuse.recording.records import Record, check_format, decode_record

SIGNATURE: Final = b"\x7dlivemuse "  # 7D: the maker's number for whoever has none; then the record's line
SHORTEST_S: Final = 0.0011  # just over one tick: a note never begins and ends at the same one
LARGEST_MIDI_FILE: Final = 128 << 20

Event = tuple[float, bytes]


@dataclass(slots=True)
class _Held:
    """What one player has sounding: for each key the strikes that wait for their end."""

    events: list[Event] = field(default_factory=list)
    keys: dict[tuple[int, int], deque[float]] = field(default_factory=dict)
    pedals: set[tuple[int, int]] = field(default_factory=set)

    def add(self, at_s: float, message: bytes) -> None:
        """Keep a message, and in mind what it leaves sounding."""
        kind, channel = message[0] & 0xF0, message[0] & 15
        if kind == 0x90 and message[2]:
            self.keys.setdefault((channel, message[1]), deque()).append(at_s)
        elif kind in (0x80, 0x90):
            struck = self.keys.get((channel, message[1]))
            if struck:
                at_s = max(at_s, struck.popleft() + SHORTEST_S)
        elif kind == 0xB0 and message[1] in (64, 66):
            (self.pedals.add if message[2] >= 64 else self.pedals.discard)((channel, message[1]))
        self.events.append((at_s, message))

    def end(self, at_s: float) -> None:
        """End whatever still sounds."""
        for (channel, pitch), struck in self.keys.items():
            for struck_s in struck:
                self.events.append((max(at_s, struck_s + SHORTEST_S), bytes((0x80 | channel, pitch, 64))))
        for channel, controller in sorted(self.pedals):
            self.events.append((at_s, bytes((0xB0 | channel, controller, 0))))
        self.keys.clear()
        self.pedals.clear()


def session_song(records: Sequence[Record]) -> bytes:
    """The bytes of the MIDI file of these records, every note of it ended."""
    start_s = next((r.at_s for r in records if r.kind == "session"), records[0].at_s if records else 0.0)
    conductor: list[Event] = []
    player, livemuse = _Held(), _Held()
    sent: dict[tuple[int, int], tuple[int, int]] = {}  # (take, note) -> (channel, pitch)
    last_s = 0.0
    sounds = _Sounds()
    for record in records:
        at_s = max(record.at_s - start_s, 0.0)
        last_s = max(last_s, at_s)
        # at the latest moment so far, so that the file keeps the journal's order though stamps may go back
        conductor.append((last_s, meta(SEQUENCER_SPECIFIC, SIGNATURE + record.line)))
        conductor.extend((at_s, message) for message in _signs(record))
        livemuse.events += [(at_s, message) for message in sounds.told(record)]
        if record.kind == "heard":
            for message in _playable(record.fields["b"]):
                player.add(at_s, message)
        elif record.kind == "sent":
            key = (record.fields["channel"] & 15, record.fields["pitch"] & 127)
            sent[record.fields["take"], record.fields["index"]] = key
            velocity = min(max(record.fields["velocity"], 1), 127)
            livemuse.add(at_s, bytes((0x90 | key[0], key[1], velocity)))
        elif record.kind == "ended":
            ended = sent.pop((record.fields["take"], record.fields["index"]), None)
            if ended:
                livemuse.add(at_s, bytes((0x80 | ended[0], ended[1], 64)))
        elif record.kind == "stage" and record.fields["event"] == "lost":
            for side in (player, livemuse):
                side.end(at_s)  # what sounded ended with it
            sent.clear()
    for side in (player, livemuse):
        side.end(last_s)
    return write_song([Track("session", conductor), Track("player", player.events), Track("livemuse", livemuse.events)])


def write_session(records: Sequence[Record], path: Path) -> None:
    """Write the session's MIDI file whole or not at all; FileError where the disk does not take it."""
    write_whole(path, session_song(records))


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` in ``path`` so that nobody ever sees half of it, not after a power cut either."""
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes ``path``'s place when it is whole; FileError where the disk does not take it."""
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is not an ordinary file.", "Name a file to write.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror or error}."
        raise FileError(what, "Choose another folder, or make room.") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def read_midi_file(path: Path, *, salvage: bool = False) -> Song:
    """The song in a file; FileError where there is none, or none that can be read."""
    return read_song(read_bytes(path), salvage=salvage)


def read_bytes(path: Path, largest: int = LARGEST_MIDI_FILE) -> bytes:
    """All bytes of an ordinary file of at most ``largest``; FileError otherwise."""
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder, not a file.", "Name a file in it.")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror or error}."
        raise FileError(what, "Check its name and its rights.") from error
    if len(data) > largest:
        raise FileError(f"{path} is larger than {largest >> 20} MiB.", "That is no music livemuse can take in.")
    return data


def records_of(path: Path) -> tuple[Record, ...]:
    """The exact records that a session's MIDI file carries, as the journal had them.

    FileError where the file is no session of livemuse, or of another version.
    """
    records = []
    for _, _, message in read_midi_file(path).events:
        if message[:2] == b"\xff\x7f" and message.startswith(SIGNATURE, 2):
            try:
                records.append(decode_record(message[2 + len(SIGNATURE) :]))
            except ValueError as error:
                raise FileError(f"A record in {path} is damaged: {error}.", "Use an unchanged copy.") from error
    if not records:
        raise FileError(f"{path} carries no records of a session.", "Give a file that livemuse recorded.")
    check_format(records, str(path))
    return tuple(records)


class _Sounds:
    """Which program livemuse has on which channel, by the controls."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._programs: dict[int, int] = {}

    def told(self, record: Record) -> list[bytes]:
        """The program changes that follow from a record."""
        if record.kind == "session":
            self._values = {name: value for name, value in record.fields["controls"].items() if name in CONTROLS}
        elif record.kind == "control" and record.fields["name"] in CONTROLS:
            self._values[record.fields["name"]] = record.fields["value"]
        else:
            return []
        try:
            programs = programs_of(Controls({name: parse_control(name, v) for name, v in self._values.items()}))
        except ControlError:  # of another version, which knew other values
            return []
        new = [row for row in programs.items() if self._programs.get(row[0]) != row[1]]
        self._programs = programs
        return [program_change(*row) for row in new]


def _playable(text: str) -> Iterator[bytes]:
    """The message in a ``heard`` record where a MIDI file can hold it: channel messages and SysEx."""
    try:
        message = bytes.fromhex(text)
    except ValueError:
        return
    status = message[0] if message else 0
    size = 2 if 0xC0 <= status < 0xE0 else 3
    if status == 0xF0 or (0x80 <= status < 0xF0 and len(message) == size and max(message[1:]) < 128):
        yield message


def _signs(record: Record) -> Iterator[bytes]:
    """What the conductor track shows of a record to a person who opens the file elsewhere."""
    fields = record.fields
    if record.kind == "turn":
        yield meta(MARKER, f"turn {fields['number']}: {fields['who']}")
    elif record.kind == "kept":
        yield meta(MARKER, f"keep: turn {fields['turn']}")
    elif record.kind == "control":
        yield meta(TEXT, f"{fields['name']} = {fields['value']}")
    elif record.kind in ("action", "mapped"):
        yield meta(TEXT, f"do {fields['name'] if record.kind == 'action' else fields['action']}")
    elif record.kind in ("session", "model"):
        model = fields["model"] if record.kind == "session" else fields
        for words, name in (("model", "name"), ("terms of the model", "terms")):
            yield meta(TEXT, f"{words} = {str(model.get(name, ''))[:500]}".encode("utf-8", "replace"))
    elif record.kind == "remembered":
        yield meta(TEXT, f"remember {fields['session'][:500]}".encode("utf-8", "replace"))
    elif record.kind == "taken":
        yield meta(TEXT, f"taken back by {'the player' if fields['by_player'] else 'livemuse'}")
    elif record.kind == "notice":
        yield meta(TEXT, fields["text"][:500])

"""The sounds of livemuse's voices in a session's MIDI file."""

from typing import Any

from livemuse.midi.smf import read_song
from livemuse.recording.midifile import session_song
from livemuse.recording.records import Record, decode_record, encode_record
from tests.recording.evening import SESSION, START_S


def record(kind: str, at_s: float, **fields: Any) -> Record:
    return decode_record(encode_record(kind, START_S + at_s, fields).rstrip(b"\n"))


def test_program_changes_stand_where_they_were_set() -> None:
    session = {**SESSION, "controls": {"temperature": 0.9, "program_out": "church organ", "channel_out": 1}}
    records = [
        record("session", 0.0, **session),
        record("sent", 1.0, take=1, index=0, due=START_S + 1.0, pitch=60, velocity=70, channel=0),
        record("control", 1.5, name="channel_upper", value=2),
        record("control", 1.6, name="program_upper", value="violin"),
        record("control", 1.7, name="no_longer_there", value=1),
        record("ended", 1.8, take=1, index=0),
        record("control", 2.0, name="program_upper", value="off"),
        record("end", 3.0),
    ]
    events = [(round(at_s, 2), m) for at_s, _, m in read_song(session_song(records)).events if m[0] < 0xF0]
    assert events == [
        (0.0, bytes((0xC0, 19))), (1.0, bytes((0x90, 60, 70))), (1.6, bytes((0xC1, 40))), (1.8, bytes((0x80, 60, 64)))
    ]  # fmt: skip

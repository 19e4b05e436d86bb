"""A short evening as a journal has it: what the tests of this folder record, cut, damage and read back."""

from pathlib import Path
from typing import Any

from livemuse.recording.journal import SessionJournal

START_S = 1000.0
SESSION: dict[str, Any] = {
    "format": 1,
    "livemuse": "0.1.0",
    "name": "livemuse",
    "started_utc": "2026-11-21T19:30:00Z",
    "seed": 7,
    "model": {"name": "concert", "hash": "sha256:00", "terms": "CC BY-NC-SA 4.0"},
    "onnxruntime": "1.31.1",
    "processor": "x86_64",
    "controls": {"temperature": 0.9, "key": "off"},
}

# (kind, seconds from the start, fields): a phrase of two notes under the pedal, a knob, an answer that is taken back
EVENING: list[tuple[str, float, dict[str, Any]]] = [
    ("session", 0.0, SESSION),
    ("turn", 0.5, {"number": 1, "who": "player"}),
    ("heard", 0.50, {"b": "b0407f"}),
    ("heard", 0.51, {"b": "903c50"}),
    ("heard", 0.81, {"b": "803c00"}),
    ("heard", 0.82, {"b": "904060"}),
    ("heard", 0.83, {"b": "e00042"}),
    ("heard", 0.90, {"b": "f07e7f0601f7"}),
    ("heard", 1.20, {"b": "904000", "typed": True}),
    ("heard", 1.21, {"b": "b04000"}),
    ("control", 1.3, {"name": "temperature", "value": 0.7}),
    ("turn", 2.0, {"number": 1, "who": "livemuse"}),
    ("take", 2.0, {"take": 1, "turn": 1, "revision": 0, "yields": True}),
    ("sent", 2.0004, {"take": 1, "index": 0, "due": 1002.0, "pitch": 67, "velocity": 70, "channel": 0}),
    ("sent", 2.2504, {"take": 1, "index": 1, "due": 1002.25, "pitch": 72, "velocity": 75, "channel": 0}),
    ("ended", 2.2400, {"take": 1, "index": 0}),
    ("taken", 2.4, {"take": 1, "last": 1, "by_player": True}),
    ("ended", 2.5, {"take": 1, "index": 1}),
    ("action", 2.6, {"name": "stop"}),
    ("notice", 2.7, {"text": "The MIDI output is gone."}),
    ("end", 3.0, {}),
]


def write_evening(path: Path) -> list[bytes]:
    """Record the evening; gives the journal's lines."""
    journal = SessionJournal(path)
    for kind, at_s, fields in EVENING:
        journal.write(kind, START_S + at_s, **fields)
    journal.close()
    assert journal.trouble == ""
    return path.read_bytes().splitlines()

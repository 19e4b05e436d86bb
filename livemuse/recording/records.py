"""What a journal holds: one record a line, each a small JSON object that says what happened and when.

Rules for whoever edits this file. ``KINDS`` is the one table of what each record must carry; a record may carry more.
The exact line is kept beside what it says, because the line itself goes into the session's MIDI file. Changing what a
record means raises ``FORMAT``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from livemuse.errors import FileError

FORMAT: Final = 1
LONGEST_LINE: Final = 4 << 20  # the largest SysEx as hex, twice over

_number: Final = (int, float)
_maybe_whole: Final = (int, type(None))
# kind -> {field: type}; bool is never taken for a number
KINDS: Final[dict[str, dict[str, type | tuple[type, ...]]]] = {
    "session": {"format": int, "livemuse": str, "seed": int, "model": dict, "controls": dict},
    "heard": {"b": str},  # one complete message of the player's as hex
    "mapped": {"action": str},
    "control": {"name": str, "value": (int, float, str)},
    "action": {"name": str},
    "turn": {"number": int, "who": str},
    "take": {"take": int, "turn": int, "revision": int, "yields": bool},
    "expected": {"take": int, "silence": list},
    "chosen": {"take": int, "ranking": list, "paths": list},
    "kept": {"turn": int},
    "woke": {},  # a time that the duet had asked for had come, and it did something
    "remembered": {"session": str, "notes": list},
    "sent": {"take": int, "index": int, "due": _number, "pitch": int, "velocity": int, "channel": int},
    "ended": {"take": int, "index": int},
    "taken": {"take": int, "last": _maybe_whole, "by_player": bool},
    "model": {"name": str, "hash": str},
    "stage": {"event": str},
    "notice": {"text": str},
    "end": {},
}


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened: its kind, its moment on the monotonic clock, the rest of it, and its exact line."""

    kind: str
    at_s: float
    fields: Mapping[str, Any]
    line: bytes  # as it stands in the journal, without the line's end


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal gave: its whole records, and how many lines were damaged besides a torn last one."""

    records: tuple[Record, ...]
    damaged: int


def encode_record(kind: str, at_s: float, fields: Mapping[str, Any]) -> bytes:
    """The line for one record, with its end; ValueError for what JSON cannot hold."""
    text = json.dumps({"k": kind, "t": at_s, **fields}, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def decode_record(line: bytes) -> Record:
    """The record in one line; ValueError when it is damaged. A kind that is not in ``KINDS`` is let through."""
    if len(line) > LONGEST_LINE:
        raise ValueError("the line is too long")
    try:
        values = json.loads(line, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    if not isinstance(values, dict):
        raise ValueError("the line is no object")
    kind, at_s = values.pop("k", None), values.pop("t", None)
    if not isinstance(kind, str) or not _is(at_s, _number) or not -1e12 < at_s < 1e12:
        raise ValueError("the record has no kind or no time")
    for name, wanted in KINDS.get(kind, {}).items():
        if not _is(values.get(name), wanted):
            raise ValueError(f"the {kind} record's {name} is missing or of another type")
    return Record(kind, float(at_s), values, line)


def read_records(data: bytes, name: str) -> Reading:
    """Every whole record of a journal's bytes; a line torn off at the end is no damage.

    FileError when it holds no record at all, or was written in another version's format; ``name`` is what the
    sentence calls the journal. A session record that was lost counts as damage.
    """
    records, damaged = [], 0
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        if not line:
            continue
        try:
            records.append(decode_record(line))
        except ValueError:
            damaged += number < len(lines) - 1
    if any(record.kind == "session" for record in records):
        check_format(records, name)
    elif records:
        damaged = max(damaged, 1)
    else:
        raise FileError(f"{name} holds not one whole record.", "It is left as it is.")
    return Reading(tuple(records), damaged)


def check_format(records: Iterable[Record], name: str) -> None:
    """FileError unless these are the records of a session in a format that this version reads."""
    first = next((record for record in records if record.kind == "session"), None)
    if first is None:
        raise FileError(f"{name} does not say what session it is of.", "It is left as it is.")
    if first.fields["format"] != FORMAT:
        raise FileError(
            f"{name} is in format {first.fields['format']}; this livemuse reads format {FORMAT}.",
            f"Use the version that wrote it ({first.fields['livemuse'][:40]}).",
        )


def _is(value: object, wanted: type | tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, wanted)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")

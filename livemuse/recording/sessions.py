"""The folder of sessions: what there is, and journals that were cut off made into MIDI files.

A session that runs has ``NAME.journal``; one that ended has ``NAME.mid`` in its place. A journal that nobody holds open
is of a session that was cut off. What cannot be made sense of is kept as ``NAME.damaged``, never thrown away.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from livemuse.errors import FileError
from livemuse.recording.journal import SUFFIX, lock
from livemuse.recording.midifile import read_bytes, records_of, write_session
from livemuse.recording.records import Record, read_records

LARGEST_JOURNAL: Final = 1 << 30
KEPT: Final = ".damaged"
_MARKED: Final = re.compile(rb'"k":"kept","t":[-+.e0-9]+,"turn":([0-9]{1,9})}')  # in journals and MIDI files alike


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded evening: its name (without suffix), its file, its size, and how far it is."""

    name: str
    path: Path
    size_bytes: int
    state: Literal["done", "recording", "cut off", "damaged"]

    @property
    def kept(self) -> tuple[int, ...]:
        """The turns whose answers were marked with `keep`, in order; none where the file cannot be read."""
        try:
            data = read_bytes(self.path, LARGEST_JOURNAL)
        except FileError:
            return ()
        return tuple(sorted({int(turn) for turn in _MARKED.findall(data)}))


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of one journal: the MIDI file made of it (None: none could be), and a sentence on what was lost."""

    journal: Path
    path: Path | None
    notes: int  # notes begun, of both
    problem: str = ""


def list_sessions(directory: Path) -> list[Session]:
    """Every session in the folder, oldest first by name."""
    found = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        state: Literal["done", "recording", "cut off", "damaged"]
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.suffix == SUFFIX:
            state = "recording" if is_open(path) else "cut off"
        elif path.suffix in (".mid", KEPT):
            state = "done" if path.suffix == ".mid" else "damaged"
        else:
            continue
        found.append(Session(path.stem, path, path.stat().st_size, state))
    return found


def is_open(journal: Path) -> bool:
    """Whether a living engine writes this journal."""
    try:
        descriptor = os.open(journal, os.O_RDWR)
    except OSError:
        return False
    try:
        return not lock(descriptor)
    finally:
        os.close(descriptor)


def finish(journal: Path) -> Path:
    """The MIDI file of a journal that is complete and closed; the journal goes once the file is safe.

    FileError when it could not be written: the journal then stays, for ``recover``.
    """
    outcome = _recovered(journal)
    if outcome.path is None:
        raise FileError(outcome.problem, "Run `livemuse sessions recover` when that is put right.")
    return outcome.path


def save(journal: Path, path: Path) -> None:
    """Write the MIDI file of a session that still runs, up to now; FileError where it cannot be."""
    write_session(read_records(read_bytes(journal, LARGEST_JOURNAL), journal.name).records, path)


def recover(directory: Path) -> list[Recovered]:
    """Make a MIDI file of every journal in the folder whose engine is gone; those being written are left alone."""
    journals = sorted(directory.glob(f"*{SUFFIX}")) if directory.is_dir() else []
    return [outcome for journal in journals if (outcome := _recover_one(journal)) is not None]


def _recover_one(journal: Path) -> Recovered | None:
    try:
        descriptor = os.open(journal, os.O_RDWR)
    except FileNotFoundError:
        return None  # somebody else was quicker
    except OSError as error:
        return Recovered(journal, None, 0, f"{journal.name} cannot be read: {error.strerror or error}.")
    try:
        if not lock(descriptor) or not journal.exists():
            return None
        return _recovered(journal)
    finally:
        os.close(descriptor)


def _recovered(journal: Path) -> Recovered:
    try:
        reading = read_records(read_bytes(journal, LARGEST_JOURNAL), journal.name)
        path = _place(journal, reading.records)
        write_session(reading.records, path)
    except FileError as error:
        return Recovered(journal, None, 0, error.what)
    notes = sum(r.kind == "sent" or (r.kind == "heard" and _strikes(r.fields["b"])) for r in reading.records)
    return Recovered(journal, path, notes, _put_away(journal, reading.damaged))


def _put_away(journal: Path, damaged: int) -> str:
    """The journal goes, its MIDI file being safe, or is kept beside it where some of it could not be read."""
    kept = journal.with_suffix(KEPT)
    try:
        if not damaged:
            journal.unlink(missing_ok=True)
            return ""
        journal.replace(kept)
    except OSError as error:
        return f"{journal.name} could not be put away: {error.strerror or error}."
    lines = "1 damaged line was" if damaged == 1 else f"{damaged} damaged lines were"
    return f"{lines} left out; the journal is kept as {kept.name}."


def _place(journal: Path, records: Sequence[Record]) -> Path:
    """Where the MIDI file goes: in place of an earlier save of the same session, never over anything else."""
    path = journal.with_suffix(".mid")
    for number in range(2, 10**6):
        if not path.exists() or _is_earlier(path, records):
            break
        path = journal.with_name(f"{journal.stem}-{number}.mid")
    return path


def _is_earlier(path: Path, records: Sequence[Record]) -> bool:
    try:
        saved = records_of(path)
    except FileError:
        return False
    return {record.line for record in saved} <= {record.line for record in records}


def _strikes(text: str) -> bool:
    return len(text) == 6 and text[0] == "9" and text[4:] != "00"

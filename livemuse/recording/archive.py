"""What was played in earlier sessions, to be remembered: heard again from exact records, or any MIDI file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from livemuse.errors import FileError
from livemuse.midi import messages
from livemuse.midi.smf import notes_of
from livemuse.music.motifs import MotifMemory
from livemuse.music.phrases import Listener
from livemuse.recording.journal import SUFFIX
from livemuse.recording.midifile import read_bytes, read_midi_file, records_of
from livemuse.recording.records import Record, read_records
from livemuse.recording.sessions import LARGEST_JOURNAL, list_sessions

LAST: Final = "last"  # the latest session that is over


class Archive:
    """The sessions of a folder, by their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sessions(self) -> list[Mapping[str, Any]]:
        """Those that are over, oldest first: ``name``, ``path``, ``bytes``, ``state``."""
        return [
            {"name": s.name, "path": str(s.path), "bytes": s.size_bytes, "state": s.state}
            for s in list_sessions(self._folder)
            if s.state in ("done", "cut off")
        ]

    def remembered(self, session: str) -> tuple[str, MotifMemory]:
        """The name of the file that a session's name, ``last`` or a path means, and what was played in it.

        FileError where there is no such session, or nothing was played in it.
        """
        path = self._path(session)
        rows = memory_of(path).to_rows()
        if not rows:
            raise FileError(f"Nothing was played in {path.name}.", "Name another session; see `livemuse sessions`.")
        return path.name, MotifMemory.from_rows(rows)  # as a replay makes it

    def _path(self, session: str) -> Path:
        paths = {str(s["name"]): Path(s["path"]) for s in self.sessions()}
        if session == LAST and paths:
            return list(paths.values())[-1]
        path = paths.get(session, Path(session).expanduser())
        if session == LAST or not path.is_file():
            known = f"The latest is {list(paths)[-1]}; see `livemuse sessions`." if paths else "None was recorded yet."
            raise FileError(f"There is no session {session[:80]!r}.", known)
        return path


def memory_of(path: Path) -> MotifMemory:
    """What was played in a session, or in any MIDI file; FileError where it cannot be read."""
    if path.suffix == SUFFIX:
        return memory_from(read_records(read_bytes(path, LARGEST_JOURNAL), path.name).records)
    try:
        records = records_of(path)
    except FileError:  # of somebody else: all its notes are music
        memory = MotifMemory()
        for note in notes_of(read_midi_file(path, salvage=True), pedal=False):
            memory.hear(note)
        return memory
    return memory_from(records)


def memory_from(records: Iterable[Record]) -> MotifMemory:
    """What the player of a session is remembered to have played at its end: note for note as it was heard then.

    A key that was still down when livemuse came in counts here until it was let go. What was loaded in that session is
    part of it, and what was forgotten is not.
    """
    memory, listener = MotifMemory(), Listener()
    channel_in: object = "all"
    for record in records:
        fields = record.fields
        match record.kind:
            case "session":
                channel_in = fields["controls"].get("channel_in", "all")
            case "control" if fields["name"] == "channel_in":
                channel_in = fields["value"]
                listener.let_go(record.at_s)
            case "heard":
                _hear(listener, record, channel_in)
            case "action" if fields["name"] == "forget":
                memory.clear(record.at_s)
            case "remembered":
                memory = memory.after(_loaded(fields["notes"]))
            case "stage" if fields["event"] == "lost":
                listener.let_go(record.at_s)
            case "end":
                listener.let_go(record.at_s)
        for note in listener.settled():
            memory.hear(note)
    for note in listener.tail(listener.last_onset_s or 0.0):  # of a session that was cut off
        memory.hear(note)
    return memory


def _hear(listener: Listener, record: Record, channel_in: object) -> None:
    event = messages.heard(record.at_s, bytes.fromhex(record.fields["b"]))
    if event is not None and (not isinstance(channel_in, int) or event.channel == channel_in - 1):
        listener.hear(event)


def _loaded(rows: object) -> MotifMemory:
    try:
        return MotifMemory.from_rows(rows)
    except ValueError:  # a damaged file: what can be had of it is had
        return MotifMemory()

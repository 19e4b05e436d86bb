"""The journal: everything that happens in a session, on disk within a second of happening.

Rules for whoever edits this file. A record is one ``os.write`` in the thread that has it, so that a killed engine loses
nothing; a small thread of its own puts what was written on the disk itself, so that a slow disk stalls nobody. A disk
that is full or read-only never stops the music: what cannot be written waits in memory, and is written, whole and in
order, when there is room again. Whoever has a journal open holds a lock on it: ``recover`` leaves it alone.
"""

import os
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from livemuse.recording.records import encode_record

SUFFIX: Final = ".journal"
SYNC_EVERY_S: Final = 0.5  # at most this long between a record and the order to put it on the disk
MOST_WAITING: Final = 16 << 20  # bytes kept in memory while the disk takes nothing


def session_stem(directory: Path, started: datetime) -> str:
    """A name for a new session that no file in ``directory`` has: the day and time it began (UTC)."""
    stem = f"{started.astimezone(UTC):%Y-%m-%d_%H%M%S}"
    taken = {path.stem for path in directory.glob(f"{stem}*")} if directory.is_dir() else set()
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 10**6))
    return next(name for name in names if name not in taken)


def lock(descriptor: int) -> bool:
    """Take the lock on an open journal; False where somebody else has it. It goes when the file is closed."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 1 << 40, os.SEEK_SET)  # far behind the records: others may still read those
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: nobody can be kept out
    return True


class SessionJournal:
    """The open journal of the session that runs now; never raises once made, ``trouble`` tells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""  # one sentence while records cannot be written; "" when all are on their way to the disk
        self.lost = 0  # records given up because memory ran out too
        self._descriptor = -1
        self._locked = False
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._closing = threading.Event()
        self._written = threading.Event()  # something is to be put on the disk
        self._sync_failure = ""
        self._open()
        self._syncer = threading.Thread(target=self._sync_forever, name="journal-sync", daemon=True)
        self._syncer.start()

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        """Append one record (see ``records.KINDS``); ValueError for a value that JSON cannot hold."""
        line = encode_record(kind, at_s, fields)
        if self._closing.is_set():
            self.lost += 1
            return
        if self._waiting_bytes + len(line) > MOST_WAITING:
            self.lost += 1
        else:
            self._waiting.append(line)
            self._waiting_bytes += len(line)
        self._flush()

    def sync(self) -> None:
        """Put everything on the disk now; waits for the disk."""
        self._flush()
        self._put_on_disk()

    def close(self) -> None:
        """The end of the session: everything is on the disk, and the lock is free."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._written.set()
        self._syncer.join()
        self.sync()
        self.lost += len(self._waiting)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, flags, 0o644)
        except OSError as error:
            self._say(error)
            return
        self._locked = lock(self._descriptor)

    def _flush(self) -> None:
        """Write what waits, oldest first; what is left of a record that went down in part goes next time."""
        if not self._waiting:
            return
        if self._descriptor < 0:
            self._open()
            if self._descriptor < 0:
                return
        self._locked = self._locked or lock(self._descriptor)  # a `recover` may have looked in just as it was made
        try:
            while self._waiting:
                line = self._waiting[0]
                count = os.write(self._descriptor, line)
                self._waiting_bytes -= count
                if count < len(line):
                    self._waiting[0] = line[count:]
                else:
                    self._waiting.popleft()
        except OSError as error:
            self._say(error)
            return
        self.trouble = self._sync_failure
        self._written.set()

    def _say(self, error: OSError) -> None:
        self.trouble = f"The session cannot be written to {self.path.parent}: {error.strerror or error}."

    def _put_on_disk(self) -> None:
        if self._descriptor < 0:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._sync_failure = f"The session may not be safe on the disk: {error.strerror or error}."
        else:
            self._sync_failure = ""

    def _sync_forever(self) -> None:
        while not self._closing.is_set():
            self._written.wait()  # asleep for as long as nothing happens
            self._closing.wait(SYNC_EVERY_S)
            self._written.clear()
            self._put_on_disk()

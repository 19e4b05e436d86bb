"""One MIDI file's bytes to the notes of its players, and the file store that keeps them by content.

Rules for whoever edits this file: the same bytes and the same `Reading` give the same notes on every machine, because
the store is keyed by them; raise `training.corpus.READER_VERSION` when that changes.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.errors import LivemuseError
from livemuse.midi.smf import Song, note_rows, read_song
from training.corpus import MIN_NOTES, READER_VERSION

COLUMNS: Final = (("pitch", "|u1"), ("step_s", "<f4"), ("duration_s", "<f4"), ("velocity", "|u1"))
"""What is kept of a note: pitch 0-127, seconds since the previous onset, seconds it sounds, velocity 1-127."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is kept of a file: drums or none, all instruments as one player or each as one of its own."""

    drums: bool = False
    apart: bool = False

    @property
    def key(self) -> str:
        """What distinguishes notes read this way from notes read another way."""
        return f"{READER_VERSION}.{int(self.drums)}{int(self.apart)}"


@dataclass(frozen=True, slots=True)
class Player:
    """The notes of one player of a file: how many, and the four columns as bytes."""

    name: str  # "" where the file is one player, else track and channel, from 1
    notes: int
    columns: tuple[bytes, ...]


Read = tuple[Player, ...] | str
"""The players of a file, or why it has none, in a few words."""


def content_key(data: bytes, reading: Reading) -> str:
    """The name of a file's notes in the store: the SHA-256 of its bytes, and the way of reading."""
    return f"{hashlib.sha256(data).hexdigest()}.{reading.key}"


def read_midi(data: bytes, reading: Reading) -> Read:
    """The players of one MIDI file, each with 16 notes or more; what is damaged becomes a sentence, never an error."""
    try:
        song = read_song(data)
        parts = _parts(song) if reading.apart else [("", song)]
        players = [_player(name, note_rows(part, drums=reading.drums)) for name, part in parts]
    except (LivemuseError, MemoryError, RecursionError) as problem:
        return str(problem) or "it needs more memory than there is"
    kept = tuple(player for player in players if player.notes >= MIN_NOTES)
    return kept or f"only {max((player.notes for player in players), default=0)} notes"


def _parts(song: Song) -> list[tuple[str, Song]]:
    """One song for each channel of each track that plays."""
    events: dict[tuple[int, int], list[tuple[float, int, bytes]]] = {}
    for event in song.events:
        if event[2][0] < 0xF0:
            events.setdefault((event[1], event[2][0] & 15), []).append(event)
    return [
        (f"{track + 1}.{channel + 1}", replace(song, events=tuple(chosen)))
        for (track, channel), chosen in sorted(events.items(), key=lambda item: item[0])
        if any(message[0] & 0xF0 == 0x90 for _, _, message in chosen)
    ]


def _player(name: str, rows: list[tuple[float, int, float, int]]) -> Player:
    table = np.array(rows, np.float64).reshape(-1, 4)  # onset_s, pitch, duration_s, velocity
    columns = (table[:, 1], np.diff(table[:, 0], prepend=table[:1, 0]), table[:, 2], table[:, 3])
    return Player(
        name, len(rows), tuple(c.astype(kind).tobytes() for c, (_, kind) in zip(columns, COLUMNS, strict=True))
    )


def read_batch(batch: list[tuple[str, bytes]], reading: Reading) -> list[tuple[str, Read]]:
    """(key, players) of each (key, bytes): the unit of work of a process, here or in a cluster."""
    return [(key, read_midi(data, reading)) for key, data in batch]


def arrays_of(player: Player) -> tuple[npt.NDArray[Any], ...]:
    """(pitch, step_s, duration_s, velocity), each (notes,)."""
    return tuple(np.frombuffer(c, kind) for c, (_, kind) in zip(player.columns, COLUMNS, strict=True))


class Store:
    """One SQLite file with the notes of every MIDI file ever read, by content."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, timeout=60.0)
        self._base.execute("CREATE TABLE IF NOT EXISTS files (key TEXT PRIMARY KEY, reason TEXT NOT NULL)")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS players (key TEXT, place INTEGER, name TEXT, notes INTEGER, pitch BLOB,"
            " step_s BLOB, duration_s BLOB, velocity BLOB, PRIMARY KEY (key, place))"
        )

    def __contains__(self, key: str) -> bool:
        return self._base.execute("SELECT 1 FROM files WHERE key = ?", (key,)).fetchone() is not None

    def add(self, results: Iterable[tuple[str, Read]]) -> None:
        """Keep what was read of some files, all of it or nothing."""
        with self._base:
            for key, read in results:
                reason = read if isinstance(read, str) else ""
                self._base.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (key, reason))
                for place, player in enumerate(() if isinstance(read, str) else read):
                    row = (key, place, player.name, player.notes, *player.columns)
                    self._base.execute("INSERT OR REPLACE INTO players VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def get(self, key: str) -> Read:
        """What `add` kept under this key."""
        reason = self._base.execute("SELECT reason FROM files WHERE key = ?", (key,)).fetchone()
        if reason is None:
            raise KeyError(key)
        if reason[0]:
            return str(reason[0])
        rows = self._base.execute(
            "SELECT name, notes, pitch, step_s, duration_s, velocity FROM players WHERE key = ? ORDER BY place", (key,)
        )
        return tuple(Player(name, notes, tuple(columns)) for name, notes, *columns in rows)

    def close(self) -> None:
        """Done with it."""
        self._base.close()


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """The store in this file, made where there is none; ValueError where the file is damaged or no store."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        store = Store(path)
        try:
            yield store
        finally:
            store.close()
    except sqlite3.Error as problem:
        raise ValueError(f"{path}: {problem}. Delete the file: it is made again from the MIDI files.") from None


__all__ = [
    "COLUMNS", "Player", "Read", "Reading", "Store", "arrays_of", "content_key", "open_store",
    "read_batch", "read_midi",
]  # fmt: skip

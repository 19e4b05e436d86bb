"""The turns of one player, read from recorded sessions and from MIDI files.

A session that livemuse recorded says where each turn began; only the track `player` counts there, never what livemuse
answered. Any other MIDI file is one player, and a rest ends a phrase.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.errors import LivemuseError
from livemuse.midi.smf import MARKER, Song, note_rows
from livemuse.recording.midifile import read_midi_file
from training.corpus import Corpus, Piece

REST_S: Final = 0.6  # without any key down: a phrase is over
LONGEST: Final = 96  # notes of a phrase; a longer one is cut where it breathes most
SHORTEST: Final = 8  # notes of a phrase; a shorter one belongs to the one before it
FEWEST: Final = 4  # notes of a turn that stands alone; fewer say nothing
LONGEST_REST_S: Final = 4.0  # between two turns learned one after the other
TERMS: Final = "one's own playing"
KINDS: Final = (".mid", ".midi", ".MID", ".MIDI")
MOST_FILES: Final = 100_000

Row = tuple[float, int, float, int]  # onset in seconds, pitch, duration in seconds, velocity
Turn = list[Row]
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Session:
    """The turns of the player in one file, in order."""

    name: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Material:
    """One player's turns: to learn from, to stop by, and to judge by."""

    learn: Corpus
    stop: Corpus
    judge: Corpus
    turns: int  # in all


def sessions_of(folder: Path, say: Callable[[str], None]) -> list[Session]:
    """The sessions in a folder (or one file), by name; a file that cannot be read is named and passed over.

    ValueError where nothing is there. Two files with the same notes count once.
    """
    if not folder.exists():
        raise ValueError(f"{folder} is not there; --sessions is a folder of recorded sessions or MIDI files")
    paths = sorted(p for p in folder.rglob("*") if p.suffix in KINDS) if folder.is_dir() else [folder]
    found: list[Session] = []
    seen: set[bytes] = set()
    for path in paths[:MOST_FILES]:
        try:
            turns = turns_of(read_midi_file(path))
        except LivemuseError as problem:
            say(f"skipped {path.name}: {problem}")
            continue
        key = hashlib.sha256(repr(turns).encode()).digest()
        if turns and key not in seen:
            seen.add(key)
            found.append(Session(path.name, tuple(turns)))
    if not found:
        raise ValueError(f"{folder} holds no MIDI file with notes of a player")
    return found


def turns_of(song: Song) -> list[Turn]:
    """The player's turns in a song, each cut where a phrase ends, in order."""
    own = replace(song, events=tuple(e for e in song.events if _is_player(song, e[1])))
    sounding, keys = note_rows(own), note_rows(own, pedal=False)
    if not sounding:
        return []
    begins = [at_s - 0.002 for at_s, _, message in song.events if _begins_turn(message)]
    turns: list[Turn] = []
    for part, held in zip(_cut(sounding, begins), _cut(keys, begins), strict=True):
        phrases = _cut(part, _after_rests(held))
        short = [piece for phrase in phrases for piece in _breathing(phrase)]
        turns += _joined(short)
    return [turn for turn in turns if len(turn) >= FEWEST]


def _is_player(song: Song, track: int) -> bool:
    """A session's player track; of another file every track, unless it bears the name of livemuse's."""
    if {"session", "player", "livemuse"} <= set(song.track_names):
        return song.track_names[track] == "player"
    return song.track_names[track] != "livemuse"


def _begins_turn(message: bytes) -> bool:
    return message[:2] == bytes((0xFF, MARKER)) and message[2:7] == b"turn " and message.endswith(b": player")


def _cut(rows: Sequence[Row], at_s: Iterable[float]) -> list[Turn]:
    """The rows, cut before the first onset at or after each moment; parts can be empty."""
    where = np.searchsorted(np.array([row[0] for row in rows]), sorted(at_s), "left")
    ends = [*where.tolist(), len(rows)]
    return [list(rows[a:b]) for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def _after_rests(keys: Sequence[Row]) -> list[float]:
    """The onsets that follow a rest."""
    found, released_s = [], float("inf")
    for onset_s, _, duration_s, _ in keys:
        if onset_s - released_s >= REST_S:
            found.append(onset_s)
        end_s = onset_s + duration_s
        released_s = end_s if released_s == float("inf") else max(released_s, end_s)
    return found


def _breathing(phrase: Turn) -> list[Turn]:
    """A phrase of at most `LONGEST` notes, or several: cut at the widest gap in the middle half."""
    done, waiting = [], [phrase]
    while waiting:
        part = waiting.pop()
        if len(part) <= LONGEST:
            done.append(part)
            continue
        quarter = len(part) // 4
        gaps = [part[k][0] - part[k - 1][0] for k in range(quarter, len(part) - quarter)]
        middle = quarter + int(np.argmax(gaps))
        waiting += [part[middle:], part[:middle]]
    return done


def _joined(phrases: Iterable[Turn]) -> list[Turn]:
    """Phrases too short to stand alone go with the one before them."""
    turns: list[Turn] = []
    for phrase in phrases:
        if turns and phrase and (len(phrase) < SHORTEST or len(turns[-1]) < SHORTEST):
            turns[-1] += phrase
        elif phrase:
            turns.append(phrase)
    return turns


def material_of(sessions: Sequence[Session]) -> Material:
    """Of each ten turns in a row seven are learned from, one says when to stop, and two judge.

    Which they are follows from their order alone, so it is the same every time and stays when sessions are added
    behind. Turns that are learned from and followed one another are read as one piece.
    """
    learn: list[tuple[str, Turn]] = []
    others: dict[str, list[tuple[str, Turn]]] = {"stop": [], "judge": []}
    count = 0
    for session in sessions:
        last = -2
        for turn in session.turns:
            place, name = count % 10, f"{session.name}#{count + 1}"
            if place >= 7:
                others["stop" if place == 7 else "judge"].append((name, turn))
            elif last == count - 1:
                learn[-1] = (learn[-1][0], _after(learn[-1][1], turn))
                last = count
            else:
                learn.append((name, list(turn)))
                last = count
            count += 1
    return Material(corpus_of(learn), corpus_of(others["stop"]), corpus_of(others["judge"]), count)


def _after(before: Turn, turn: Turn) -> Turn:
    """One turn after another, the rest between them shortened where it was long."""
    earlier_s = max(turn[0][0] - before[-1][0] - LONGEST_REST_S, 0.0)
    return [*before, *((row[0] - earlier_s, row[1], row[2], row[3]) for row in turn)]


def corpus_of(named: Sequence[tuple[str, Turn]]) -> Corpus:
    """Turns as a corpus, a piece each."""
    pieces = tuple(Piece(name, "own turns", TERMS, len(turn), name) for name, turn in named)
    table = np.array([row for _, turn in named for row in turn], np.float64).reshape(-1, 4)
    step_s = np.diff(table[:, 0], prepend=table[:1, 0])
    starts = np.concatenate([[0], np.cumsum([len(turn) for _, turn in named])]).astype(np.int64)
    step_s[starts[:-1]] = 0.0
    kinds = (np.uint8, np.float32, np.float32, np.uint8)
    columns = (table[:, 1], step_s, table[:, 2], table[:, 3])
    return Corpus(pieces, starts, *(column.astype(kind) for column, kind in zip(columns, kinds, strict=True)))

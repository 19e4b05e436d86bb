"""Scores and files with a beat, as the frames a piano-roll network for live play learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.grid import PER_BAR, Frame, frames_of, melody_of, notes_of_melody
from livemuse.music.notes import PIANO_LOW, Note
from training.beatgrid import GridPiece, Score, grid_piece, scores_of
from training.corpus import SPLITS
from training.corpus import Piece as File
from training.pianoroll.config import KEYS
from training.pianoroll.sequences import Piece
from training.prepare.listing import Input, Row, with_splits

Array = npt.NDArray[Any]
KINDS: Final = 2  # held and struck are told apart
LEAST_FRAMES: Final = PER_BAR  # a shorter piece teaches nothing


@dataclass
class Scores:
    """The pieces of each split, the files they came from, and why others were left out."""

    pieces: dict[str, list[Piece]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    files: dict[str, list[File]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    skipped: list[tuple[str, str]] = field(default_factory=list)  # (file, reason)

    def frames(self, split: str) -> int:
        """Sixteenths in all."""
        return sum(len(piece.frames) - 1 for piece in self.pieces[split])


def roll_of_frames(frames: Sequence[Frame]) -> Array:
    """(T, 176) uint8: columns 0-87 the key sounds in the sixteenth (A0 to C8), 88-175 it is struck in it."""
    roll = np.zeros((len(frames), KINDS * KEYS), np.uint8)
    for row, (sounding, struck) in zip(roll, frames, strict=True):
        row[[p - PIANO_LOW for p in sounding | struck]] = 1
        row[[p - PIANO_LOW + KEYS for p in struck]] = 1
    return roll


def frames_of_roll(roll: Array) -> list[Frame]:
    """The sixteenths of a roll (T, 176), as livemuse.music.grid has them; the inverse of `roll_of_frames`."""
    return [
        (frozenset((np.flatnonzero(row[:KEYS]) + PIANO_LOW).tolist()),
         frozenset((np.flatnonzero(row[KEYS:]) + PIANO_LOW).tolist()))
        for row in roll
    ]  # fmt: skip


def piece_of(notes: Iterable[Note], positions: Array) -> Piece:
    """Notes whose times count sixteenths, as one piece; `positions` (T,) is the place in the bar of each sixteenth.

    It begins with a frame of silence, which is what a network reads before the first, and ends with its last note.
    """
    notes = list(notes)
    frames = frames_of(notes, 1.0)[: len(positions)]
    alone = notes_of_melody(melody_of(notes, 1.0, count=len(frames)), 1.0)
    first = np.zeros((1, KINDS * KEYS), np.uint8)
    places = np.concatenate([positions[:1] - 1, positions[: len(frames)]]) % PER_BAR
    top = roll_of_frames(frames_of(alone, 1.0, count=len(frames)))
    return Piece(np.concatenate([first, roll_of_frames(frames)]), places, np.concatenate([first, top]))


def usable(piece: GridPiece) -> str:
    """Why a piece on the grid is not learned from; nothing where it is."""
    if not piece.common_time():
        return "it is not in common time"
    return "it is shorter than a bar" if piece.length < LEAST_FRAMES else ""


def load_scores(inputs: Sequence[Input], manifest: Path | None, sources: Sequence[str]) -> Scores:
    """Every file of these inputs that has a beat to go by, in the split its manifest gives it (else by piece).

    Raises ValueError where no file is left to learn from or to test on.
    """
    found = Scores()
    kept: list[tuple[Row, GridPiece]] = []
    for given in inputs:
        for score in scores_of(given, manifest, sources, split=False):
            piece, reason = _read(score)
            if piece is None:
                found.skipped.append((score.row.file, reason))
            else:
                kept.append((score.row, piece))
    rows = with_splits([row for row, _ in kept]) if kept else []  # by what is left: a damaged file is held out nowhere
    for row, (_, piece) in zip(rows, kept, strict=True):
        found.pieces[row.split].append(piece_of(piece.notes, piece.positions()))
        found.files[row.split].append(
            File(row.file, row.source, row.licence, len(piece.notes), row.composition, **row.labels)
        )
    empty = [split for split in SPLITS if not found.pieces[split]]
    if empty:
        left_out = found.skipped[:1]
        why = "".join(f" ({len(found.skipped)} files were left out: {file}: {reason})" for file, reason in left_out)
        raise ValueError(f"there is no piece for {' and '.join(empty)}{why}")
    return found


def _read(score: Score) -> tuple[GridPiece | None, str]:
    """The piece, or why there is none."""
    if score.song is None:
        return None, score.reason
    try:
        piece = grid_piece(score.song)
    except ValueError as problem:
        return None, str(problem)
    reason = usable(piece)
    return (None, reason) if reason else (piece, "")


def say_skipped(scores: Scores, say: Callable[[str], None], most: int = 20) -> None:
    """Name the files that were left out, with the reason."""
    for file, reason in scores.skipped[:most]:
        say(f"left out: {file}: {reason}")
    if len(scores.skipped) > most:
        say(f"... and {len(scores.skipped) - most:,} more")

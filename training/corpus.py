"""The notes a network learns from, as `python -m training prepare` (training/prepare) leaves them in NOTES_DIR.

NOTES_DIR holds one .npz a split, and index.json, its table of contents.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.midi.smf import note_rows, read_song

READER_VERSION = 4
"""Raise it when the notes read from a file change: older caches are then made again."""
MIN_NOTES = 16
SPLITS = ("train", "validation")
INDEX = "index.json"
ARRAYS = (("pitch", "u", 127.0), ("step_s", "f", 1e9), ("duration_s", "f", 1e9), ("velocity", "u", 127.0))
"""What is kept of a note: its name, its kind of number, the most it may be."""
DAMAGE = (
    OSError, EOFError, KeyError, TypeError, ValueError, ArithmeticError, MemoryError, RecursionError, SyntaxError,
    NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What reading a damaged file of numpy or JSON can raise."""
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the corpus: where it came from and how many notes it gave."""

    file: str
    source: str
    licence: str
    notes: int
    composition: str  # the same for all performances of one piece of music
    genre: str = ""  # labels as training.labels has them; empty where nobody says
    composer: str = ""
    mood: str = ""


@dataclass(frozen=True)
class Corpus:
    """All notes of one split, piece after piece, in four flat arrays."""

    pieces: tuple[Piece, ...]
    starts: Array  # (pieces + 1,) int64: where each piece begins, and the end of the last
    pitch: Array  # (notes,) uint8
    step_s: Array  # (notes,) float32, seconds since the previous onset
    duration_s: Array  # (notes,) float32
    velocity: Array  # (notes,) uint8

    @property
    def notes(self) -> int:
        """How many notes there are in all."""
        return int(self.starts[-1])

    def select(self, indices: Iterable[int]) -> Corpus:
        """The same corpus with only these pieces, in this order."""
        chosen = list(indices)
        where = [np.arange(self.starts[i], self.starts[i + 1]) for i in chosen]
        flat = np.concatenate(where) if where else np.zeros(0, np.int64)
        lengths = [len(w) for w in where]
        return Corpus(
            tuple(self.pieces[i] for i in chosen),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            self.pitch[flat],
            self.step_s[flat],
            self.duration_s[flat],
            self.velocity[flat],
        )


def load_corpus(folder: Path, split: str) -> Corpus:
    """The notes of one split as `prepare` left them; ValueError, naming the folder, where they are none or damaged."""
    try:
        return _corpus(folder, split)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{folder} holds no notes; `python -m training prepare --out {folder}` makes them") from None
    except DAMAGE as problem:
        raise ValueError(f"{folder} holds damaged notes, prepare them again: {problem}") from None


def _corpus(folder: Path, split: str) -> Corpus:
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    pieces = tuple(Piece(**row) for row in index["pieces"][split])
    if any(not isinstance(piece.notes, int) or not 0 < piece.notes < 2**31 for piece in pieces):
        raise ValueError("a piece has no number of notes")
    starts = np.concatenate([[0], np.cumsum([piece.notes for piece in pieces])]).astype(np.int64)
    with (folder / f"{split}.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name, _, _ in ARRAYS}
    for name, kind, most in ARRAYS:
        found = arrays[name]
        if found.shape != (starts[-1],) or found.dtype.kind != kind:
            raise ValueError(f"{name} does not fit the table of contents")
        if len(found) and not (found.min() >= 0 and found.max() <= most):
            raise ValueError(f"{name} has a value that is none")
    return Corpus(pieces, starts, **arrays)


def some_of(corpus: Corpus, least_notes: int, longest: int, seed: int) -> Corpus:
    """Whole pieces drawn by chance until they have so many notes; pieces of more than `longest` notes are left out."""
    lengths, chosen, notes = np.diff(corpus.starts), [], 0
    for piece in np.random.default_rng(seed).permutation(len(lengths)).tolist():
        if notes >= least_notes:
            break
        if lengths[piece] <= longest:
            chosen.append(piece)
            notes += int(lengths[piece])
    return corpus.select(sorted(chosen))


def write_corpora(folder: Path, corpora: Mapping[str, Corpus]) -> None:
    """Write notes as `prepare` does; what was there stays until all is written, and index.json comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces: dict[str, list[dict[str, Any]]] = {}
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix=".notes-", dir=folder) as scratch:
        for split, corpus in corpora.items():
            pieces[split] = [asdict(piece) for piece in corpus.pieces]
            arrays = {name: getattr(corpus, name) for name, _, _ in ARRAYS}
            for array in arrays.values():
                digest.update(array.tobytes())
            with (Path(scratch) / f"{split}.npz").open("wb") as stream:
                np.savez(stream, allow_pickle=False, **arrays)
        text = json.dumps({"key": digest.hexdigest(), "pieces": pieces, "skipped": []})
        (Path(scratch) / INDEX).write_text(text, encoding="utf-8")
        (folder / INDEX).unlink(missing_ok=True)  # the splits are replaced one by one: no index must name half of them
        for name in (*(f"{split}.npz" for split in corpora), INDEX):
            os.replace(Path(scratch) / name, folder / name)


def read_notes(path: Path) -> tuple[Array, Array, Array, Array]:
    """(pitch, step_s, duration_s, velocity) of a file's notes as they sound under the pedal; the first step is 0."""
    rows = np.array(note_rows(read_song(path.read_bytes())), np.float64).reshape(-1, 4)
    step_s = np.diff(rows[:, 0], prepend=rows[:1, 0])
    return (
        rows[:, 1].astype(np.uint8),
        step_s.astype(np.float32),
        rows[:, 2].astype(np.float32),
        rows[:, 3].astype(np.uint8),
    )


def prepare(
    manifest: Path, root: Path, out: Path, sources: Sequence[str] = (), say: Callable[[str], None] = print
) -> dict[str, int]:
    """Read every file of a manifest once and keep its notes, all instruments as one player, no drums: notes a split."""
    from training.prepare.build import Request, prepare_notes
    from training.prepare.listing import Input

    given = Input(root, root.resolve().name, "own files")
    return prepare_notes(Request((given,), out, manifest, tuple(sources), jobs=2), say).notes

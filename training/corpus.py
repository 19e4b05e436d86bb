"""MIDI files to the notes a network learns from.

    python -m training prepare --manifest manifest.csv --root MIDI_DIR --out NOTES_DIR
    python -m training prepare --manifest manifest.csv --root MIDI_DIR --out NOTES_DIR --sources POP909 EMOPIA
    python -m training prepare --root MY_MIDI_FILES --out NOTES_DIR

The manifest is a CSV with the columns file (relative to --root), source, licence and split, and, where several files
hold one piece of music, composition_group. Without a manifest a tenth of the file names are held out. NOTES_DIR then
holds one .npz a split, and index.json, its table of contents.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.errors import LivemuseError
from livemuse.midi.smf import note_rows, read_song

READER_VERSION = 3
"""Raise it when the notes read from a file change: older caches are then made again."""
MIN_NOTES = 16
SPLITS = ("train", "validation")
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the corpus: where it came from and how many notes it gave."""

    file: str
    source: str
    licence: str
    notes: int
    composition: str  # the same for all performances of one piece of music


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
    """The notes of one split as `prepare` left them."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    pieces = tuple(Piece(**row) for row in index["pieces"][split])
    with np.load(folder / f"{split}.npz") as arrays:
        starts = np.concatenate([[0], np.cumsum([p.notes for p in pieces])]).astype(np.int64)
        return Corpus(pieces, starts, arrays["pitch"], arrays["step_s"], arrays["duration_s"], arrays["velocity"])


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


def _read(root: Path, file: str) -> tuple[Array, Array, Array, Array] | str:
    """The notes of one file, or a sentence on why it has none."""
    try:
        columns = read_notes(root / file)
    except (OSError, LivemuseError) as problem:
        return f"{file}: {problem}"
    if len(columns[0]) < MIN_NOTES:
        return f"{file}: only {len(columns[0])} notes"
    return columns


def _rows(manifest: Path, sources: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """The manifest's rows by split; `sources` are matched by how a source's name begins."""
    with manifest.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = {row["source"] for row in rows}
    unknown = [s for s in sources if not any(n.startswith(s) for n in names)]
    if unknown:
        raise ValueError(f"the manifest has no source {', '.join(unknown)}; it has {', '.join(sorted(names))}")
    wanted = [r for r in rows if not sources or r["source"].startswith(tuple(sources))]
    return {split: [r for r in wanted if r["split"] == split] for split in SPLITS}


def own_manifest(root: Path, out: Path, licence: str) -> Path:
    """A manifest of all MIDI files under a folder: each tenth name, in an order without meaning, is held out."""
    files = sorted(p.relative_to(root) for p in root.rglob("*") if p.suffix.lower() in (".mid", ".midi"))
    names = sorted({f.stem for f in files}, key=lambda name: hashlib.sha256(name.encode()).digest())
    if len(names) < 2:
        raise ValueError(
            f"{root} holds {len(names)} MIDI files; at least two are needed, one to learn from and one to test"
        )
    held_out = set(names[: max(len(names) // 10, 1)])
    out.mkdir(parents=True, exist_ok=True)
    path = out / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "source", "licence", "split", "composition_group"])
        for file in files:
            split = "validation" if file.stem in held_out else "train"
            writer.writerow([file.as_posix(), root.resolve().name, licence, split, file.stem])
    return path


def _key(rows: dict[str, list[dict[str, str]]], root: Path) -> str:
    text = "\n".join(
        f"{s}|{r['file']}|{(root / r['file']).stat().st_size if (root / r['file']).is_file() else -1}"
        for s in SPLITS
        for r in rows[s]
    )
    return hashlib.sha256(f"{READER_VERSION}\n{text}".encode()).hexdigest()


def prepare(
    manifest: Path, root: Path, out: Path, sources: Sequence[str] = (), say: Callable[[str], None] = print
) -> dict[str, int]:
    """Read every file of the manifest once and keep its notes; damaged files are named and skipped."""
    rows = _rows(manifest, sources)
    key = _key(rows, root)
    index_path = out / "index.json"
    if index_path.is_file():
        index = json.loads(index_path.read_text(encoding="utf-8"))
        if index.get("key") == key:
            say("the notes are up to date")
            return {split: sum(p["notes"] for p in index["pieces"][split]) for split in SPLITS}
    out.mkdir(parents=True, exist_ok=True)
    pieces: dict[str, list[dict[str, Any]]] = {}
    skipped: list[str] = []
    for split in SPLITS:
        pieces[split] = _prepare_split(rows[split], root, out / f"{split}.npz", skipped, say)
    empty = [split for split in SPLITS if not pieces[split]]
    if empty:
        raise ValueError(f"no file of the split {empty[0]} has {MIN_NOTES} notes or more")
    text = json.dumps({"key": key, "pieces": pieces, "skipped": skipped}, indent=0)
    index_path.write_text(text, encoding="utf-8")
    return {split: sum(int(p["notes"]) for p in pieces[split]) for split in SPLITS}


def _prepare_split(
    rows: list[dict[str, str]], root: Path, target: Path, skipped: list[str], say: Callable[[str], None]
) -> list[dict[str, Any]]:
    columns: list[list[Array]] = [[], [], [], []]
    pieces: list[dict[str, Any]] = []
    notes, began_s = 0, time.monotonic()
    with ProcessPoolExecutor(max_workers=2) as pool:
        results = pool.map(partial(_read, root), [r["file"] for r in rows], chunksize=8)
        for done, (row, result) in enumerate(zip(rows, results, strict=True), 1):
            if isinstance(result, str):
                skipped.append(result)
                say(f"skipped {result}")
            else:
                for column, array in zip(columns, result, strict=True):
                    column.append(array)
                composition = row.get("composition_group") or row["file"]
                piece = Piece(row["file"], row["source"], row["licence"], len(result[0]), composition)
                pieces.append(asdict(piece))
                notes += len(result[0])
            if done % 200 == 0 or done == len(rows):
                left_s = (time.monotonic() - began_s) / done * (len(rows) - done)
                say(f"{target.stem}: {done}/{len(rows)} files, {notes:,} notes, {left_s:.0f} s left")
    kinds = (np.uint8, np.float32, np.float32, np.uint8)
    flat = [np.concatenate(c) if c else np.zeros(0, k) for c, k in zip(columns, kinds, strict=True)]
    np.savez(target, pitch=flat[0], step_s=flat[1], duration_s=flat[2], velocity=flat[3])
    return pieces

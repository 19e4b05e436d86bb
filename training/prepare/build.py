"""From inputs to NOTES_DIR: every file read once, kept by content, and written split by split.

NOTES_DIR/index.json names the pieces of each split, in order, and what was skipped; train.npz and validation.npz hold
their notes; store.sqlite is the file store (elsewhere with `cache`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from training.corpus import MIN_NOTES, SPLITS, Piece
from training.prepare import applause
from training.prepare.engines import Batch, results_of
from training.prepare.listing import Input, Row, listed, manifest_of, with_splits
from training.prepare.progress import Progress
from training.prepare.reading import COLUMNS, Player, Reading, Store, arrays_of, content_key, open_store

BATCH_FILES: Final = 16
BATCH_BYTES: Final = 512 << 10
STORE: Final = "store.sqlite"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What to prepare, and how."""

    inputs: tuple[Input, ...]
    out: Path
    manifest: Path | None = None
    sources: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)
    cache: Path | None = None  # the folder of the file store; None is `out`
    jobs: int = 0  # processes; 0 is one a core
    scheduler: str = ""  # address of a Dask scheduler; "" is this machine


@dataclass(frozen=True)
class Prepared:
    """What came of it: notes a split, files found and skipped, and how fast those not in the store were read."""

    notes: dict[str, int]
    pieces: dict[str, int]
    files: int
    skipped: int
    files_read: int
    notes_read: int
    elapsed_s: float
    fresh: bool  # False: nothing had changed, and nothing was written


def prepare_notes(request: Request, say: Say, watch: Callable[[int], None] | None = None) -> Prepared:
    """Read every file once and write its notes; damaged files are named and skipped.

    `watch`, if given, is told the number of files read after each batch. ValueError where there is nothing to learn
    from or nothing to test on, OSError where NOTES_DIR cannot be written.
    """
    request.out.mkdir(parents=True, exist_ok=True)
    manifests = [manifest_of(each, request.manifest, request.sources) for each in request.inputs]
    totals = [len(m.rows) for m in manifests if m]
    total = sum(totals) if len(totals) == len(manifests) else None
    with open_store((request.cache or request.out) / STORE) as store:
        rows: list[tuple[Row, str, str]] = []  # what is said of a file, its key in the store, why it cannot be read
        with Progress(say, total) as progress:
            found = (pair for given, manifest in zip(request.inputs, manifests, strict=True)
                     for pair in _in_order(listed(given, manifest), rows, request.reading))  # fmt: skip
            batches = _batches(found, store, progress)
            for result in results_of(batches, request.reading, request.jobs or os.cpu_count() or 1, request.scheduler):
                store.add(result)
                played = sum(p.notes for _, read in result if not isinstance(read, str) for p in read)
                progress.add(len(result), played)
                if watch:
                    watch(progress.read)
        fresh = _write(request, rows, store, say)
        index = json.loads((request.out / "index.json").read_text(encoding="utf-8"))
    return Prepared(
        {split: sum(int(p["notes"]) for p in index["pieces"][split]) for split in SPLITS},
        {split: len(index["pieces"][split]) for split in SPLITS},
        len(rows), len(index["skipped"]), progress.read, progress.notes, progress.elapsed_s, fresh,
    )  # fmt: skip


def _in_order(
    pairs: Iterable[tuple[Row, Any]], rows: list[tuple[Row, str, str]], reading: Reading
) -> Iterator[tuple[str, bytes]]:
    """(key, bytes) of each readable file as it is found; `rows` gets all of them, sorted by their place in the end."""
    mine: list[tuple[Row, str, str]] = []
    for row, found in pairs:
        key = "" if found.reason else content_key(found.data, reading)
        mine.append((row, key, found.reason))
        yield key, found.data
    rows += sorted(mine, key=lambda item: item[0].place)


def _batches(found: Iterable[tuple[str, bytes]], store: Store, progress: Progress) -> Iterator[Batch]:
    """What is not in the store yet, each content once, in batches."""
    batch: Batch = []
    size, asked = 0, set()
    for key, data in found:
        progress.listed()
        if not key or key in asked or key in store:
            continue
        asked.add(key)
        batch.append((key, data))
        size += len(data)
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write(request: Request, rows: Sequence[tuple[Row, str, str]], store: Store, say: Say) -> bool:
    """Write the splits and the index, unless they are those of last time."""
    key = _key(rows, request.reading)
    index_path = request.out / "index.json"
    if _key_of(index_path) == key and all((request.out / f"{split}.npz").is_file() for split in SPLITS):
        say("the notes are up to date")
        return False
    kept, skipped = _kept(rows, store)
    for line in skipped:
        say(f"skipped {line}")
    chosen = with_splits([row for row, _ in kept])
    pieces: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix=".prepare-", dir=request.out) as scratch:
        for split in SPLITS:
            of_split = [(row, key) for row, (_, key) in zip(chosen, kept, strict=True) if row.split == split]
            if not of_split:
                raise ValueError(f"no file of the split {split} has {MIN_NOTES} notes or more")
            pieces[split] = _write_split(of_split, store, Path(scratch), split)
        text = json.dumps({"key": key, "pieces": pieces, "skipped": skipped}, indent=0)
        (Path(scratch) / "index.json").write_text(text, encoding="utf-8")
        index_path.unlink(missing_ok=True)  # the splits are replaced one by one: no index must name half of them
        for name in (*(f"{split}.npz" for split in SPLITS), "index.json"):
            os.replace(Path(scratch) / name, request.out / name)
    return True


def _kept(rows: Sequence[tuple[Row, str, str]], store: Store) -> tuple[list[tuple[Row, str]], list[str]]:
    """The rows that have notes, with their keys; and a sentence for each of the others.

    Where no manifest says otherwise one content counts once: a renamed copy must not stand in two splits.
    """
    kept: list[tuple[Row, str]] = []
    skipped: list[str] = []
    seen: dict[str, str] = {}
    for row, key, reason in rows:
        read = reason or store.get(key)
        if isinstance(read, str):
            skipped.append(f"{row.file}: {read}")
        elif not row.split and key in seen:
            skipped.append(f"{row.file}: the same bytes as {seen[key]}")
        else:
            seen.setdefault(key, row.file)
            kept.append((row, key))
    return kept, skipped


def _write_split(rows: Sequence[tuple[Row, str]], store: Store, folder: Path, split: str) -> list[dict[str, Any]]:
    """Write one split's notes, piece after piece, never more than one file in memory, and give its pieces."""
    pieces: list[dict[str, Any]] = []
    columns = [(folder / f"{split}.{name}").open("w+b") for name, _ in COLUMNS]
    try:
        for row, key in rows:
            read = store.get(key)
            for player in _music_of(row, () if isinstance(read, str) else read):
                for stream, column in zip(columns, player.columns, strict=True):
                    stream.write(column)
                file = f"{row.file}#{player.name}" if player.name else row.file
                piece = Piece(file, row.source, row.licence, player.notes, row.composition, **row.labels)
                pieces.append(asdict(piece))
        _pack(columns, sum(int(p["notes"]) for p in pieces), folder / f"{split}.npz")
    finally:
        for stream in columns:
            stream.close()
    return pieces


def _music_of(row: Row, players: Iterable[Player]) -> Iterator[Player]:
    """The players without the applause that a machine took for notes; one who has nothing else is left out."""
    for player in players:
        if row.source not in applause.TRANSCRIBED:
            yield player
            continue
        arrays = arrays_of(player)
        first, last = applause.music_between(arrays[0])
        if last - first >= MIN_NOTES:
            cut = [a[first:last].copy() for a in arrays]
            cut[1][0] = 0.0  # the first step
            yield Player(player.name, last - first, tuple(a.tobytes() for a in cut))


def _pack(columns: Sequence[BinaryIO], notes: int, target: Path) -> None:
    """Four raw columns to one .npz, as `numpy.savez` writes it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for stream, (name, kind) in zip(columns, COLUMNS, strict=True):
            stream.seek(0)
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                header = {"descr": kind, "fortran_order": False, "shape": (notes,)}
                np.lib.format.write_array_header_1_0(member, header)
                shutil.copyfileobj(stream, member, 1 << 20)


def _key(rows: Sequence[tuple[Row, str, str]], reading: Reading) -> str:
    """What the notes depend on, in one number."""
    said = [[asdict(replace(row, place=0, labels=dict(row.labels))), key, reason] for row, key, reason in rows]
    return hashlib.sha256(json.dumps([reading.key, applause.RULE, said], sort_keys=True).encode()).hexdigest()


def _key_of(index: Path) -> str:
    try:
        return str(json.loads(index.read_text(encoding="utf-8")).get("key", ""))
    except (OSError, ValueError, AttributeError):
        return ""

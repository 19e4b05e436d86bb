"""Which files there are, what is said of each, and which split a piece belongs to."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from training.corpus import SPLITS
from training.labels import labels_of
from training.prepare.archives import Found, found_in, member, shown
from training.prepare.named import Collection

ALIASES: Final = {
    "midi_filename": "file",
    "canonical_composer": "composer",
    "canonical_title": "composition_group",
}
"""MAESTRO's names of a manifest's columns."""


@dataclass(frozen=True, slots=True)
class Input:
    """One folder, archive or file to be read, and what holds for all of it."""

    path: Path
    source: str
    licence: str
    collection: Collection | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of one file: where it came from, its split ("" where nobody says), its piece, its labels."""

    file: str
    source: str
    licence: str
    split: str
    composition: str
    place: int  # its place in the manifest, or in the order found
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files that are wanted, by name; without one every file is."""

    rows: Mapping[str, Row]


def read_manifest(text: str, sources: Sequence[str], default: Row) -> Manifest:
    """The rows of a CSV that belong to a split that is learned from or tested on.

    `sources` are matched by how a source's name begins; `default` gives what a column leaves out. ValueError for a
    source that is not there, a manifest without the column file, and text that is no CSV.
    """
    try:
        rows = [
            {ALIASES.get(k, k): v or "" for k, v in raw.items() if isinstance(k, str) and not isinstance(v, list)}
            for raw in csv.DictReader(io.StringIO(text))
        ]
    except csv.Error as problem:
        raise ValueError(f"the manifest is no CSV table: {problem}") from None
    if rows and "file" not in rows[0]:
        raise ValueError("the manifest has no column named file")
    names = {row.get("source") or default.source for row in rows}
    unknown = [s for s in sources if not any(n.startswith(s) for n in names)]
    if unknown:
        raise ValueError(f"the manifest has no source {', '.join(unknown)}; it has {', '.join(sorted(names))}")
    wanted: dict[str, Row] = {}
    for row in rows:
        source = row.get("source") or default.source
        if row.get("split", "") not in ("", *SPLITS) or not source.startswith(tuple(sources) or ""):
            continue
        file = shown(row["file"].strip().replace("\\", "/"))
        composition = row.get("composition_group", "")
        if composition and "midi_filename" in text.partition("\n")[0]:
            composition = f"{row.get('composer', '')}: {composition}"
        labels = labels_of({"genre": default.labels.get("genre", ""), **row})
        licence = row.get("licence") or default.licence
        wanted.setdefault(
            file, Row(file, source, licence, row.get("split", ""), composition or file, len(wanted), labels)
        )
    return Manifest(wanted)


def manifest_of(given: Input, path: Path | None, sources: Sequence[str]) -> Manifest | None:
    """The manifest that was named, lies in the folder (manifest.csv), or inside a known collection; None without."""
    if path is None and given.path.is_dir() and (given.path / "manifest.csv").is_file():
        path = given.path / "manifest.csv"
    collection = given.collection
    default = Row("", given.source, given.licence, "", "", 0, {"genre": collection.genre if collection else ""})
    if path is not None:
        try:
            return read_manifest(path.read_text(encoding="utf-8-sig"), sources, default)
        except UnicodeDecodeError:
            raise ValueError(f"{path} is no CSV table in UTF-8") from None
    if collection and collection.table:
        table = member(given.path, collection.table)
        if table:
            return read_manifest(table.decode("utf-8", "replace"), sources, default)
    if sources:
        raise ValueError("--sources chooses from a manifest; there is none")
    return None


def listed(given: Input, manifest: Manifest | None) -> Iterator[tuple[Row, Found]]:
    """Every file of an input that is wanted, with what is said of it; then, with a reason, those that are not there."""
    collection = given.collection
    left = dict(manifest.rows) if manifest else {}
    keep = re.compile(collection.keep).search if collection and collection.keep else None
    piece = re.compile(collection.piece).search if collection and collection.piece else None
    root = f"{_root(given, manifest)}/" if manifest and collection else ""

    def wanted(name: str) -> bool:
        return name.removeprefix(root) in left if manifest else not keep or keep(name) is not None

    genre = labels_of({"genre": collection.genre if collection else ""})
    for place, found in enumerate(found_in(given.path, wanted)):
        if manifest:
            row = left.pop(found.name.removeprefix(root), None)
            if row is None:  # an archive that is damaged: what it should have held is named below
                row = Row(found.name, given.source, given.licence, SPLITS[0], found.name, -1)
        else:
            match = piece(found.name) if piece else None
            name = match.group(1) if match else Path(found.name).stem
            row = Row(found.name, given.source, given.licence, "", name, place, genre)
        yield row, found
    for row in left.values():
        yield row, Found(row.file, b"", "it is not there")


def _root(given: Input, manifest: Manifest | None) -> str:
    """The folder inside a collection's archive that its table's names leave out."""
    return given.collection.table.removesuffix(".csv") if given.collection and manifest else ""


def held_out(compositions: Sequence[str]) -> set[str]:
    """A tenth of the pieces (at least one), by an order without meaning that is the same every time."""
    names = sorted(set(compositions), key=lambda name: hashlib.sha256(name.encode("utf-8", "replace")).digest())
    return set(names[: max(len(names) // 10, 1)])


def with_splits(rows: Sequence[Row]) -> list[Row]:
    """The rows, each in a split: a manifest's is kept, of the others a tenth of the pieces is held out."""
    open_rows = [row for row in rows if not row.split]
    if not open_rows:
        return list(rows)
    names = sorted({row.composition for row in open_rows})
    if len(names) < 2:
        if len(open_rows) < len(rows):
            return [replace(row, split=row.split or SPLITS[0]) for row in rows]
        raise ValueError(
            f"there are {len(names)} pieces; at least two are needed, one to learn from and one to test on"
        )
    chosen = held_out(names)
    return [row if row.split else replace(row, split=SPLITS[row.composition in chosen]) for row in rows]

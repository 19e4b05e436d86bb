"""The manifest of a model folder: a stranger's table of contents, believed only where it is checked."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from livemuse.errors import ModelError
from livemuse.model.families import FAMILIES, Family

FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
AGAIN: Final = "Copy the model folder again from where it came."
MAX_MANIFEST_BYTES: Final = 1_000_000
MAX_UNITS: Final = 4096
MAX_STATES: Final = 16
MAX_STYLES: Final = 256
MAX_TEXT: Final = 200  # characters of any name or licence that a person is shown


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a person wants to know of a model before playing with it."""

    name: str
    family: str
    path: Path
    hash: str = ""
    notes: int = 0  # it was trained on
    licence: str = ""
    held_out_nats: float = math.nan  # by `unit`, on pieces it never saw
    unit: str = "note"  # or event, or frame
    problem: str = ""  # why it cannot be used, if it cannot
    styles: tuple[str, ...] = ()  # the labels it was trained with, as "genre:jazz"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder holds, as far as playing it needs to know."""

    info: ModelInfo
    family: Family
    state: tuple[tuple[str, int], ...]
    z_width: int  # 0 where there is none
    sha256: dict[str, str]  # graph name -> hash of its file
    styles: tuple[str, ...]  # the labels it was trained with
    draw_order: str  # "up" or "down": how the keys of a frame are drawn


def read_bounded(path: Path, limit: int) -> bytes:
    """A file's bytes if it is a regular one and not too large."""
    if not path.is_file():
        raise ModelError(f"The model in {path.parent} has no {path.name}.", AGAIN)
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size <= limit:
            data = stream.read(limit + 1)
            if len(data) <= limit:
                return data
    raise ModelError(f"{path} is larger than {limit // 1_000_000} MB.", AGAIN)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder; ModelError with one sentence when anything about it is wrong, OSError."""
    path = folder / MANIFEST

    def refuse(why: str, remedy: str = AGAIN) -> NoReturn:
        raise ModelError(f"The manifest of the model in {folder} {why}.", remedy)

    data = read_bounded(path, MAX_MANIFEST_BYTES)
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        refuse("is not valid JSON")
    if not isinstance(found, dict):
        refuse("is not a table")
    version = found.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        newer = isinstance(version, int) and version > FORMAT_VERSION
        refuse(
            f"has format version {short(version)}, and this livemuse reads version {FORMAT_VERSION}",
            "Update livemuse." if newer else AGAIN,
        )
    family = found.get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        known = ", ".join(FAMILIES)
        refuse(f"names the family {short(family)}, which does not play here", f"Choose a model of one of: {known}.")
    try:
        vocabulary = _table(found, "vocabulary")
        if vocabulary.get("sha256") != FAMILIES[family].vocabulary_sha256:
            refuse("was made for another vocabulary", "Export the model again with this version of livemuse.")
        return _contents(found, FAMILIES[family], folder)
    except _Unfit as problem:
        refuse(str(problem))


class _Unfit(Exception):
    """Something in a manifest that is missing or out of bounds."""


def _contents(found: dict[str, Any], family: Family, folder: Path) -> Manifest:
    graphs = _table(found, "graphs")
    sha256 = {}
    for name in family.graphs:
        graph = _table(graphs, name)
        if _text(graph, "file") != f"{name}.onnx":
            raise _Unfit(f"keeps {name} in {short(graph['file'])} instead of {name}.onnx")
        sha256[name] = _text(graph, "sha256")
    state = found.get("state")
    if not isinstance(state, list) or not 0 < len(state) <= MAX_STATES:
        raise _Unfit("does not say what state is carried")
    rows = tuple((_text(row, "name"), _count(row, "units", MAX_UNITS)) for row in state)
    if len({name for name, _ in rows}) != len(rows):
        raise _Unfit("names a state twice")
    if family.grid is not None and _table(found, "grid") != family.grid:
        raise _Unfit("was made for another grid")
    styles, order = _styles(found), _draw_order(found, family)
    training, held_out = _table(found, "training"), _table(found, "held_out")
    nats = held_out.get("nats_per_note")
    if isinstance(nats, bool) or not isinstance(nats, (int, float)) or not 0 <= nats <= 100:
        raise _Unfit("gives no held-out score")
    together = "".join([family.vocabulary_sha256, *(sha256[name] for name in family.graphs), *styles, order])
    _text(found, "name")  # what it calls itself; it is found, and so called, by its folder
    info = ModelInfo(
        name=short(folder.resolve().name),
        family=family.name,
        path=folder,
        hash=hashlib.sha256(together.encode()).hexdigest(),
        notes=_count(training, "notes", 10**12),
        licence=_text(training, "licence"),
        held_out_nats=float(nats),
        unit=family.unit,
        styles=styles,
    )
    z_width = _count(found, "z", MAX_UNITS) if family.has_z else 0
    return Manifest(info, family, rows, z_width, sha256, styles, order)


def _styles(found: dict[str, Any]) -> tuple[str, ...]:
    labels = found.get("styles", [])
    if not isinstance(labels, list) or len(labels) > MAX_STYLES:
        raise _Unfit(f"has no list of at most {MAX_STYLES} styles")
    texts = tuple(_text({"styles": label}, "styles") for label in labels)
    if len(set(texts)) != len(texts):
        raise _Unfit("names a style twice")
    return texts


def _draw_order(found: dict[str, Any], family: Family) -> str:
    """How the keys of a frame are drawn; empty for a family that draws none."""
    if not family.draw_orders:
        return ""
    order = found.get("draw_order", family.draw_orders[0])
    if order not in family.draw_orders:
        raise _Unfit(f"has no draw_order of {' or '.join(family.draw_orders)}")
    return str(order)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def short(value: object) -> str:
    """A stranger's value, fit to be shown in a sentence."""
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:60]) if not isinstance(value, int) else ""
    return text or (str(value) if isinstance(value, int) and abs(value) < 10**9 else "out of range")


def _table(found: object, key: str) -> dict[str, Any]:
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, dict):
        raise _Unfit(f"has no table {key}")
    return value


def _text(found: object, key: str) -> str:
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise _Unfit(f"has no fit text for {key}")
    return value


def _count(found: object, key: str, most: int) -> int:
    value = found.get(key) if isinstance(found, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise _Unfit(f"has no number of {key} from 1 to {most}")
    return value

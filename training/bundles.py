"""What a model folder holds beside its graphs, whatever the family: manifest parts, sources with terms, weights.

Used by the exporter of each family, which writes into a folder beside the model's and puts all of it in place at the
end (`put`), so that a model is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import onnx

from livemuse.errors import LivemuseError
from livemuse.model.bundle import open_graph
from livemuse.model.manifest import MANIFEST, read_manifest
from training.corpus import Piece

WEIGHTS: Final = "weights.npz"


class Trained(Protocol):
    """A network with weights, of whatever family."""

    @property
    def trainable_variables(self) -> Sequence[Any]:
        """Its weights, always in the same order."""
        ...


def graph_rows(files: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """The manifest's `graphs`: of each graph its file, hash, size, and what it takes and gives, read from the file."""
    rows = {}
    for name, path in files.items():
        data = path.read_bytes()
        graph = onnx.load_from_string(data).graph
        rows[name] = {
            "file": path.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "inputs": [value.name for value in graph.input],
            "outputs": [value.name for value in graph.output],
        }
    return rows


def training_row(pieces: Sequence[Piece], about: dict[str, Any]) -> dict[str, Any]:
    """The manifest's `training`: what was trained on, under which terms, for how long; `about` as in a checkpoint.

    Of a model that began as another (`about["parent"]`), what that one was trained on is named too: its terms hold.
    """
    sources = [*sources_of(pieces), *(about.get("parent") or {}).get("data", ())]
    before = {} if about.get("parent") else about.get("before", {})  # of the same music
    row = {
        "notes": sum(piece.notes for piece in pieces),
        "pieces": len(pieces),
        "licence": "; ".join(sorted({row["licence"] for row in sources})),
        "data": sources,
        "notes_heard": about["progress"]["notes"] + before.get("notes", 0),
        "minutes": round((about["progress"]["elapsed_s"] + before.get("elapsed_s", 0.0)) / 60, 1),
        "config": about["config"],
    }
    found = {credit for piece in pieces if (credit := terms_of(piece.licence)[1])}
    credits_ = sorted(found | set((about.get("parent") or {}).get("attribution", ())))
    return row | ({"attribution": credits_} if credits_ else {})


def sources_of(pieces: Iterable[Piece]) -> list[dict[str, Any]]:
    """What was trained on, by source and terms, most notes first: {source, licence, pieces, notes}."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for piece in pieces:
        licence = terms_of(piece.licence)[0]
        empty: dict[str, Any] = {"source": piece.source, "licence": licence, "pieces": 0, "notes": 0}
        row = rows.setdefault((piece.source, licence), empty)
        row["pieces"] += 1
        row["notes"] += piece.notes
    return sorted(rows.values(), key=lambda row: -row["notes"])


def terms_of(licence: str) -> tuple[str, str]:
    """(the terms in short, who made the file as the terms ask to be said, or an empty string).

    `Creative Commons Attribution 3.0 - typeset by A. Name` becomes `CC BY 3.0` and `typeset by A. Name`.
    """
    terms, _, credit = licence.partition(" - ")
    terms = re.sub(r"^Creative Commons Attribution(?= \d)", "CC BY", terms.split(" (")[0].strip())
    return terms, credit.strip()


def without_folders(about: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of itself, with the name alone of the run that it began with, not where that lay."""
    began = str(about["config"].get("start_from", ""))
    path = Path(began)
    name = path.parent.name if path.suffix == ".npz" else began
    return about | {"config": about["config"] | {"start_from": name}}


def revision() -> str:
    """The commit that made the model, `+` when files had changed since; empty outside a checkout."""
    root = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+"],
            cwd=root, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def write_weights(network: Trained, about: dict[str, Any], path: Path) -> None:
    """Keep the weights in float16 with what a checkpoint says of itself, so that fine-tuning can start from a model."""
    with np.errstate(over="ignore"):  # said in words
        arrays = {f"weight_{k}": np.asarray(w).astype(np.float16) for k, w in enumerate(network.trainable_variables)}
    wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if wrong:
        raise ValueError(f"The network has weights that are no numbers, or beyond 65504: {', '.join(wrong[:5])}.")
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        np.savez_compressed(stream, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    os.replace(part, path)


def put(folder: Path, out: Path) -> None:
    """Replace a model; the one that was there stays whole until all is copied, and the manifest comes last."""
    out.mkdir(parents=True, exist_ok=True)
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.name == MANIFEST)
    with tempfile.TemporaryDirectory(prefix=".model-", dir=out) as scratch:
        for path in files:
            shutil.copyfile(path, Path(scratch) / path.name)
        stale = _graphs_of(out) - {path.name for path in files}
        (out / MANIFEST).unlink(missing_ok=True)
        for name in stale:
            (out / name).unlink(missing_ok=True)
        for path in files:
            os.replace(Path(scratch) / path.name, out / path.name)


def _graphs_of(folder: Path) -> set[str]:
    """The graph files of the model in a folder, as its manifest names them; none where there is no model."""
    try:
        return {f"{name}.onnx" for name in read_manifest(folder).sha256}
    except (LivemuseError, OSError):
        return set()


def room_for_a_model(out: Path) -> Path:
    """`out` as the folder of a new model, before any work is done for it; ValueError where it cannot be."""
    out = out.resolve()
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; a model needs a folder")
    if not 0 < len(out.name) <= 200 or not out.name.isprintable():
        raise ValueError(f"{out} has no name that a model could have")
    return out


def open_graphs(folder: Path) -> dict[str, Any]:
    """The graphs of a folder by name (onnxruntime.InferenceSession), one thread each, as they are opened to play."""
    return {path.stem: open_graph(folder, path.stem, path.read_bytes()) for path in sorted(folder.glob("*.onnx"))}

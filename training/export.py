"""Weights to a model that plays: ONNX graphs for one note, proved equal to the Keras graph, with manifest and card.

    python -m training export --run RUN_DIR --data NOTES_DIR --out models/NAME
    python -m training export --run RUN_DIR --data NOTES_DIR --out models/NAME --pieces 100     (a quick score)

The folder is written only when everything has passed: the graphs are made and tried beside it first.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from livemuse.model.bundle import FORMAT_VERSION, MANIFEST, load_bundle
from livemuse.music.vocabulary import BOS, HEADS, VOCABULARY
from training.card import card
from training.corpus import Corpus, load_corpus
from training.evaluate import cached_markov
from training.graphs import OPSET, write_graphs
from training.network import Network
from training.parity import STEPS, TOLERANCE, check_parity, write_golden
from training.run import load_network
from training.score import nats_by_piece


def export(run: Path, data: Path, out: Path, pieces: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Write the model of a run's last checkpoint to `out`; returns its manifest."""
    network, about = load_network(run / "checkpoint.npz")
    held_out = load_corpus(data, "validation")
    chosen = np.sort(np.random.default_rng(0).permutation(len(held_out.pieces))[: pieces or None])
    held_out = held_out.select(chosen.tolist())
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        folder = Path(scratch) / out.name
        folder.mkdir()
        graphs = write_graphs(network, folder)
        parity = check_parity(network, folder)
        say(f"graphs agree with Keras to {parity:.1e} over {STEPS} notes")
        write_golden(network, folder / "golden.npz")
        by_head = nats_by_piece(network, held_out).sum(0) / held_out.notes
        markov = cached_markov(data, "validation", say)[chosen].sum(0) / held_out.notes
        say(f"held out: {by_head.sum():.4f} nats a note over {len(held_out.pieces)} pieces")
        found = manifest(network, about, graphs, load_corpus(data, "train"))
        found["held_out"] = {
            "split": "validation",
            "pieces": len(held_out.pieces),
            "notes": held_out.notes,
            "nats_per_note": round(float(by_head.sum()), 4),
            "heads": {h: round(float(v), 4) for h, v in zip(HEADS, by_head, strict=True)},
            "markov_nats_per_note": round(float(markov.sum()), 4),
            "markov_heads": {h: round(float(v), 4) for h, v in zip(HEADS, markov, strict=True)},
        }
        found["parity"] = {"steps": STEPS, "tolerance": TOLERANCE, "largest_difference": float(f"{parity:.2g}")}
        (folder / MANIFEST).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (folder / "MODEL.md").write_text(card(found), encoding="utf-8")
        load_bundle(folder)
        _put(folder, out)
    say(f"{out} is ready")
    return found


def _put(folder: Path, out: Path) -> None:
    """Replace the files of a model; the manifest comes last, so a half-copied model is refused."""
    out.mkdir(exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)
    for path in sorted(folder.iterdir(), key=lambda p: p.name == MANIFEST):
        shutil.copyfile(path, out / path.name)


def manifest(network: Network, about: dict[str, Any], graphs: dict[str, Path], corpus: Corpus) -> dict[str, Any]:
    """All that the loader checks and a reader may want to know, except the scores."""
    sources = _sources(corpus)
    return {
        "format_version": FORMAT_VERSION,
        "name": about["config"]["name"],
        "family": "performance",
        "units": network.shape.units,
        "layers": network.shape.layers,
        "vocabulary": {"sha256": VOCABULARY.sha256(), "sizes": VOCABULARY.sizes, "bos": BOS, "order": list(HEADS)},
        "state": [{"name": n, "units": network.shape.units, "dtype": "float32"} for n in network.state_names],
        "styles": list(about.get("styles", ())),
        "z": network.shape.head_width * (len(HEADS) - 1),
        "graphs": {
            name: {
                "file": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "bytes": path.stat().st_size,
                "inputs": _inputs(network, name),
                "outputs": _outputs(network, name),
            }
            for name, path in graphs.items()
        },
        "opset": OPSET,
        "training": {
            "notes": corpus.notes,
            "pieces": len(corpus.pieces),
            "licence": "; ".join(sorted({s["licence"] for s in sources})),
            "data": sources,
            "notes_heard": about["progress"]["notes"],
            "minutes": round(about["progress"]["elapsed_s"] / 60, 1),
            "config": about["config"],
        },
        "git_revision": _revision(),
    }


def _inputs(network: Network, graph: str) -> list[str]:
    if graph == "step":
        return [*HEADS, *(["style"] if network.styles else []), *network.state_names]
    return ["z", *HEADS[: HEADS.index(graph.removeprefix("head_"))]]


def _outputs(network: Network, graph: str) -> list[str]:
    if graph == "step":
        return ["pitch_logits", "z", *(f"{n}_out" for n in network.state_names)]
    return [f"{graph.removeprefix('head_')}_logits"]


def _sources(corpus: Corpus) -> list[dict[str, Any]]:
    """What was trained on, source by source, most notes first."""
    rows: dict[str, dict[str, Any]] = {}
    for piece in corpus.pieces:
        licence = piece.licence.split(" (")[0]
        row = rows.setdefault(piece.source, {"source": piece.source, "licence": licence, "pieces": 0, "notes": 0})
        row["pieces"] += 1
        row["notes"] += piece.notes
    return sorted(rows.values(), key=lambda r: -r["notes"])


def _revision() -> str:
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

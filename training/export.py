"""Weights to a model that plays: ONNX graphs for one note, proved equal to the Keras graph, with manifest and card.

    python -m training export --run RUN_DIR --data NOTES_DIR --out models/NAME
    python -m training export --run RUN_DIR --data NOTES_DIR --out models/NAME --pieces 100     (a quick score)

The folder is written only when everything has passed: the graphs are made and tried beside it first. 8-bit weights are
shipped where held-out pieces hardly tell them from float32 (training/weights.py).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livemuse.model.bundle import FORMAT_VERSION, MANIFEST, Bundle, ModelInfo, load_bundle
from livemuse.music.vocabulary import BOS, HEADS, VOCABULARY
from training.bundles import (
    WEIGHTS,
    graph_rows,
    open_graphs,
    put,
    revision,
    room_for_a_model,
    training_row,
    without_folders,
    write_weights,
)
from training.card import card
from training.corpus import Corpus, load_corpus
from training.evaluate import cached_markov, onnx_nats
from training.golden import GOLDEN, write_golden
from training.graphs import OPSET, write_graphs
from training.network import Network
from training.parity import golden_runs, keras_outputs, onnx_outputs, some_notes
from training.run import check_notes, load_network, weights_of
from training.score import some_pieces
from training.step_time import HOT_NOTES, step_time, summary
from training.weights import STEPS, TOLERANCE, Trial, choose_weights

COLD_NOTES = 60
COMPARED_NOTES = 200_000  # of whole held-out pieces, on which the 8-bit weights are compared with float32


@dataclass(frozen=True)
class Held:
    """The held-out pieces a model is scored on, and what the Markov model expects of each, (pieces, 4) nats."""

    corpus: Corpus
    markov: Any


def export(
    run: Path, data: Path, out: Path, pieces: int, say: Callable[[str], None], which: str = "best"
) -> dict[str, Any]:
    """Write the model of a run's best weights, or its last (`which`), to `out`; returns its manifest.

    It is scored on the validation pieces of `data`, or so many of them; 0 is all. Raises ValueError where there are no
    weights, or where the graphs do not say what the network says.
    """
    if pieces < 0:
        raise ValueError(f"--pieces is 0 or more, not {pieces}")
    out = room_for_a_model(out)
    network, about = load_network(weights_of(run, which))
    check_notes(about, data)
    about = without_folders(about)
    held = held_out(data, pieces, say)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        folder, float32 = Path(scratch) / out.name, Path(scratch) / "float32"
        folder.mkdir()
        float32.mkdir()
        write_graphs(network, float32)
        notes, compared = some_notes(STEPS, 1), some_pieces(held.corpus, COMPARED_NOTES)
        trial = Trial(
            keras_outputs(network, notes),
            lambda graphs: onnx_outputs(graphs, notes),
            lambda graphs: onnx_nats(_bundle(network, about, graphs), compared, say),
            compared.notes,
        )
        chosen = choose_weights(float32, Path(scratch) / "8bit", trial, say)
        whole = compared.notes == held.corpus.notes
        files = {name: path.rename(folder / path.name) for name, path in chosen.files.items()}
        write_golden(folder / GOLDEN, golden_runs(network, folder if chosen.weights["bits"] == 8 else None))
        write_weights(network, about, folder / WEIGHTS)
        found = manifest(network, about, files, load_corpus(data, "train"))
        nats = chosen.score if whole else onnx_nats(_bundle(network, about, folder), held.corpus, say)
        found["held_out"] = scores(nats, held)
        found["weights"] = chosen.weights
        found["parity"] = {"steps": STEPS, "tolerance": TOLERANCE,
                           "largest_difference": chosen.weights["parity_float32"]}  # fmt: skip
        write_manifest(folder, found)
        load_bundle(folder)
        found["step_time"] = step_time(folder, HOT_NOTES, COLD_NOTES, False, say)
        say(summary(found["step_time"]))
        write_manifest(folder, found)
        (folder / "MODEL.md").write_text(card(found), encoding="utf-8")
        put(folder, out)
    say(f"{out} is ready")
    return found


def held_out(data: Path, pieces: int, say: Callable[[str], None]) -> Held:
    """The validation pieces, or so many of them, always the same ones."""
    corpus = load_corpus(data, "validation")
    chosen = np.sort(np.random.default_rng(0).permutation(len(corpus.pieces))[: pieces or None])
    return Held(corpus.select(chosen.tolist()), cached_markov(data, "validation", say)[chosen])


def scores(nats: Any, held: Held) -> dict[str, Any]:
    """The manifest's `held_out` from the nats (pieces, 4) of what is shipped, beside the Markov model's."""
    by_head, markov = nats.sum(0) / held.corpus.notes, held.markov.sum(0) / held.corpus.notes
    return {
        "split": "validation",
        "pieces": len(held.corpus.pieces),
        "notes": held.corpus.notes,
        "nats_per_note": round(float(by_head.sum()), 4),
        "heads": {h: round(float(v), 4) for h, v in zip(HEADS, by_head, strict=True)},
        "markov_nats_per_note": round(float(markov.sum()), 4),
        "markov_heads": {h: round(float(v), 4) for h, v in zip(HEADS, markov, strict=True)},
    }


def manifest(network: Network, about: dict[str, Any], files: dict[str, Path], corpus: Corpus) -> dict[str, Any]:
    """All that the loader checks and a reader may want to know, except the scores."""
    parent = about.get("parent")
    return {
        "format_version": FORMAT_VERSION,
        "name": about["config"]["name"],
        "family": "performance",
        "units": network.shape.units,
        "layers": network.shape.layers,
        "vocabulary": {"sha256": VOCABULARY.sha256(), "sizes": VOCABULARY.sizes, "bos": BOS, "order": list(HEADS)},
        "state": [{"name": n, "units": units, "dtype": "float32"} for n, units in _state(network)],
        "styles": list(about.get("styles", ())),
        "z": network.shape.head_width * (len(HEADS) - 1),
        "graphs": graph_rows(files),
        "opset": OPSET,
        "training": training_row(corpus.pieces, about),
        "git_revision": revision(),
    } | ({"parent": {k: v for k, v in parent.items() if k not in ("data", "attribution")}} if parent else {})


def write_manifest(folder: Path, found: dict[str, Any]) -> None:
    """The manifest of a folder that is being made."""
    (folder / MANIFEST).write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _state(network: Network) -> list[tuple[str, int]]:
    return list(network.state_widths.items())


def _bundle(network: Network, about: dict[str, Any], graphs: Path) -> Bundle:
    """Graphs that are not a model yet, as evaluation reads them."""
    name = about["config"]["name"]
    z_width = network.shape.head_width * (len(HEADS) - 1)
    styles = tuple(about.get("styles", ()))
    return Bundle(ModelInfo(name, "performance", graphs), tuple(_state(network)), z_width, open_graphs(graphs), styles)

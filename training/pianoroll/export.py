"""A trained piano-roll network to a model that plays: graphs proved equal to Keras, scored, with manifest and card."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from livemuse.model.bundle import FORMAT_VERSION, load_bundle
from livemuse.model.manifest import MANIFEST
from livemuse.music.grid import GRID_SHA256, NO_KEY_YET, PER_BAR, PER_BEAT
from training.bundles import WEIGHTS, graph_rows, open_graphs, put, revision, training_row, write_weights
from training.golden import GOLDEN, GOLDEN_STEPS, Kept, write_golden
from training.graphs import OPSET
from training.pianoroll.card import card
from training.pianoroll.config import KEYS, settings_from
from training.pianoroll.graphs import write_graphs, z_width
from training.pianoroll.network import NEVER, Network
from training.pianoroll.plain import PLAIN, nats_of_plain
from training.pianoroll.scores import Scores
from training.pianoroll.sequences import Piece, draws_of
from training.pianoroll.train import load_best
from training.weights import STEPS, Choice, Trial, choose_weights

Array = npt.NDArray[Any]
HEAD_BATCH: Final = 4096  # draws put to the head at a time


@dataclass(frozen=True)
class Told:
    """Made-up sixteenths to try graphs with: all arrays (steps, batch, ...)."""

    keys: Array  # (steps, batch, 176) float32
    position: Array  # (steps, batch) int32
    drawn: Array  # (steps, batch, 176) float32: what of the next sixteenth is drawn so far
    last: Array  # (steps, batch) int32

    def inputs(self) -> dict[str, Array]:
        """By the names that graphs know."""
        return dict(vars(self))


def some_frames(steps: int, batch: int, seed: int = 7) -> Told:
    """Random chords of up to six keys, held and struck, the first of them silent, and chords that are half drawn."""
    rng = np.random.default_rng(seed)

    def chords(most: int) -> Array:
        frames = np.zeros((steps, batch, 2 * KEYS), np.float32)
        for frame in frames.reshape(-1, 2 * KEYS):
            keys = rng.integers(15, 70, rng.integers(0, most + 1))
            frame[keys] = 1.0
            frame[keys[: rng.integers(0, len(keys) + 1)] + KEYS] = 1.0
        return frames

    keys, drawn = chords(6), chords(3)
    keys[0] = 0.0
    places = np.broadcast_to((np.arange(steps) % PER_BAR)[:, None], (steps, batch))
    last = rng.integers(0, NO_KEY_YET + 1, (steps, batch))
    return Told(keys, places.astype(np.int32), drawn, last.astype(np.int32))


def keras_words(network: Network, told: Told) -> dict[str, Array]:
    """What the Keras graph says of these sixteenths, the state carried: z, keys_logits and the state, (steps, ...)."""
    positions = np.eye(PER_BAR, dtype=np.float32)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def once(features: Any, drawn: Any, last: Any, state: Any) -> Any:
        z, after = network.step(features, state)
        return z, network.keys_logits(z, drawn, last), after

    state, found = network.zero_state(told.keys.shape[1]), []
    for keys, position, drawn, last in zip(told.keys, told.position, told.drawn, told.last, strict=True):
        features = np.concatenate([keys, positions[position]], 1)
        z, logits, state = once(tf.constant(features), tf.constant(drawn), tf.constant(last), state)
        arrays = [part.numpy() for pair in state for part in pair]
        names = [f"{name}_out" for name in network.state_names]
        found.append({"z": z.numpy(), "keys_logits": logits.numpy(), **dict(zip(names, arrays, strict=True))})
    return {name: np.stack([row[name] for row in found]) for name in found[0]}


def graph_words(folder: Path, told: Told) -> dict[str, Array]:
    """The same from the graphs of a folder."""
    graphs, found = open_graphs(folder), []
    state = _zero(graphs["step"], told.keys.shape[1])
    for keys, position, drawn, last in zip(told.keys, told.position, told.drawn, told.last, strict=True):
        row = _step(graphs["step"], keys, position, state)
        state = {name: row[f"{name}_out"] for name in state}
        row["keys_logits"] = graphs["head_keys"].run(None, {"z": row["z"], "drawn": drawn, "last": last})[0]
        found.append(row)
    return {name: np.stack([row[name] for row in found]) for name in found[0]}


def _zero(step: Any, batch: int) -> dict[str, Array]:
    widths = {value.name: value.shape[1] for value in step.get_inputs()[2:]}
    return {name: np.zeros((batch, width), np.float32) for name, width in widths.items()}


def _step(step: Any, keys: Array, position: Array, state: dict[str, Array]) -> dict[str, Array]:
    names = [value.name for value in step.get_outputs()]
    return dict(zip(names, step.run(names, {"keys": keys, "position": position} | state), strict=True))


def graph_nats(folder: Path, pieces: Sequence[Piece], network: Network) -> Array:
    """Nats of each whole piece by the graphs of a folder, (pieces,); `network` lends its rules of what can be drawn."""
    graphs, lengths = open_graphs(folder), [len(piece.frames) - 1 for piece in pieces]
    state = _zero(graphs["step"], len(pieces))
    longest = max(lengths)
    frames = np.zeros((longest + 1, len(pieces), 2 * KEYS), np.float32)
    places = np.zeros((longest + 1, len(pieces)), np.int32)
    for k, piece in enumerate(pieces):
        frames[: len(piece.frames), k] = piece.frames
        places[: len(piece.frames), k] = 0 if piece.position is None else piece.position
    found = []
    for t in range(longest):
        row = _step(graphs["step"], frames[t], places[t + 1], state)
        state = {name: row[f"{name}_out"] for name in state}
        found.append(row["z"])
    total = np.zeros(len(pieces))
    for k, length in enumerate(lengths):
        z = np.stack([row[k] for row in found[:length]])
        total[k] = _piece_nats(graphs["head_keys"], z, frames[: length + 1, k], network)
    return total


def _piece_nats(head: Any, z: Array, frames: Array, network: Network) -> float:
    """Nats of a piece's frames but the first, each given z (T - 1, Z)."""
    frame, last, token = draws_of(frames[1:], network.shape)
    total = 0.0
    for k in range(0, len(frame), HEAD_BATCH):
        at, before, drawn = (a[k : k + HEAD_BATCH] for a in (frame, last, token))
        given = network.drawn_before(tf.constant(frames[1:][at]), tf.constant(drawn)).numpy()
        logits = head.run(None, {"z": z[at], "drawn": given, "last": before})[0].astype(np.float64)
        allowed = network.possible(tf.constant(before), tf.constant(frames[:-1][at])).numpy()
        logits = np.where(allowed, logits, NEVER)
        top = logits.max(1, keepdims=True)
        total += float((np.log(np.exp(logits - top).sum(1)) + top[:, 0] - logits[np.arange(len(at)), drawn]).sum())
    return total


def export(best: Path, scores: Scores, out: Path, heard: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Write the model of the best weights to `out`; returns its manifest.

    It is scored on the validation pieces of `scores`; `heard` is how many notes were learned from, each time counted.
    Raises ValueError where the graphs do not say what the network says.
    """
    network, about = load_best(best)
    about["progress"]["notes"] = heard
    held_out, units = scores.pieces["validation"], scores.frames("validation")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        folder, float32 = Path(scratch) / out.name, Path(scratch) / "float32"
        folder.mkdir()
        float32.mkdir()
        write_graphs(network, float32)
        told = some_frames(STEPS, 1)
        trial = Trial(
            keras_words(network, told),
            lambda graphs: graph_words(graphs, told),
            lambda graphs: graph_nats(graphs, held_out, network),
            units,
            "sixteenth",
        )
        chosen = choose_weights(float32, Path(scratch) / "8bit", trial, say)
        files = {name: path.rename(folder / path.name) for name, path in chosen.files.items()}
        runs = []
        for batch, steps in GOLDEN_STEPS.items():
            kept = some_frames(steps, batch)
            eight = graph_words(folder, kept) if chosen.weights["bits"] == 8 else None
            runs.append(Kept(kept.inputs(), keras_words(network, kept), eight))
        write_golden(folder / GOLDEN, runs)
        write_weights(network, about, folder / WEIGHTS)
        found = _manifest(network, about, files, scores)
        found |= {"held_out": _held_out(chosen, scores), "weights": chosen.weights}
        (folder / MANIFEST).write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        load_bundle(folder)
        (folder / "MODEL.md").write_text(card(found), encoding="utf-8")
        put(folder, out)
    say(f"{out} is ready")
    return found


def _held_out(chosen: Choice, scores: Scores) -> dict[str, Any]:
    learned, tested, frames = scores.pieces["train"], scores.pieces["validation"], scores.frames("validation")
    nats = round(float(chosen.score.sum() / frames), 4)
    plain = {kind: round(float(nats_of_plain(kind, learned, tested).sum() / frames), 4) for kind in PLAIN}
    return {
        "split": "validation",
        "pieces": len(tested),
        "notes": sum(file.notes for file in scores.files["validation"]),
        "frames": frames,
        "nats_per_frame": nats,
        "nats_per_note": nats,  # of the same name in every family, by its own unit
        "plain_nats_per_frame": plain,
    }


def _manifest(network: Network, about: dict[str, Any], files: dict[str, Path], scores: Scores) -> dict[str, Any]:
    shape = settings_from(about["config"]).shape
    return {
        "format_version": FORMAT_VERSION,
        "name": about["config"]["name"],
        "family": "pianoroll",
        "units": shape.units,
        "layers": shape.layers,
        "vocabulary": {"sha256": GRID_SHA256["pianoroll"]},
        "grid": {"per_beat": PER_BEAT, "per_bar": PER_BAR},
        "draw_order": shape.draw_order,
        "state": [{"name": n, "units": units, "dtype": "float32"} for n, units in network.state_widths.items()],
        "styles": [],
        "z": z_width(shape),
        "graphs": graph_rows(files),
        "opset": OPSET,
        "training": training_row(scores.files["train"], about) | {"frames": scores.frames("train")},
        "git_revision": revision(),
    }

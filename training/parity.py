"""The exported graphs must say what the Keras graph says: measured note after note, and kept as golden.npz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import tensorflow as tf

from livemuse.music.vocabulary import BOS, HEADS, VOCABULARY
from training.network import Network

Array = npt.NDArray[Any]
TOLERANCE = 1e-4
"""Of a difference, beside the size of the number where that is more than 1: an LSTM's c can grow to tens."""
STEPS = 500
GOLDEN_STEPS = {1: 24, 8: 8}  # batch -> steps kept


def some_notes(steps: int, batch: int, seed: int = 7) -> Array:
    """Random notes in bins, (steps, 4, batch) int32, the first of them the beginning of a piece."""
    rng = np.random.default_rng(seed)
    notes = np.stack([rng.integers(0, VOCABULARY.sizes[h], (steps, batch)) for h in HEADS], 1)
    notes[0] = np.array([BOS, 0, 0, 0])[:, None]
    return notes.astype(np.int32)


def some_style(batch: int, styles: int) -> Array:
    """(batch, S) float32: a little of every label, so that none of them is left untried."""
    return np.tile(np.linspace(0.0, 1.0, styles, dtype=np.float32), (batch, 1))


def keras_outputs(network: Network, notes: Array) -> dict[str, Array]:
    """What the Keras graph gives for (steps, 4, batch) notes: each head's logits, z and the state, step by step.

    The heads are given the next note of the row as what was drawn; the last row's is the first's.
    """
    state = network.zero_state(notes.shape[2])
    style = some_style(notes.shape[2], network.styles)
    found: dict[str, list[Array]] = {}

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def once(given: Any, drawn: Any, state: Any) -> Any:
        pitch_logits, z, after = network.step(tf.unstack(given), state, tf.constant(style))
        values = tf.unstack(drawn)
        return pitch_logits, z, [network.head(h, z, values[:k]) for k, h in enumerate(HEADS[1:], 1)], after

    for given, drawn in zip(notes, drawn_after(notes), strict=True):
        pitch_logits, z, heads, state = once(given, drawn, state)
        row = {"pitch_logits": pitch_logits, "z": z}
        row |= {f"{h}_logits": g for h, g in zip(HEADS[1:], heads, strict=True)}
        row |= dict(zip((f"{n}_out" for n in network.state_names), (s for p in state for s in p), strict=True))
        for name, value in row.items():
            found.setdefault(name, []).append(value.numpy())
    return {name: np.stack(values) for name, values in found.items()}


def drawn_after(notes: Array) -> Array:
    """The values given to the heads at each step: the next row's note; never the beginning of a piece."""
    drawn = np.roll(notes, -1, axis=0).copy()
    drawn[:, 0] = np.minimum(drawn[:, 0], VOCABULARY.sizes["pitch"] - 1)
    return drawn


def onnx_outputs(folder: Path, notes: Array) -> dict[str, Array]:
    """The same from the exported graphs, the state carried by hand."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    open_graph = {
        path.stem: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        for path in folder.glob("*.onnx")
    }
    step = open_graph["step"]
    outputs = [v.name for v in step.get_outputs()]
    widths = {v.name: v.shape[1] for v in step.get_inputs()[len(HEADS) :]}
    told = {"style": some_style(notes.shape[2], widths.pop("style"))} if "style" in widths else {}
    state = {name: np.zeros((notes.shape[2], width), np.float32) for name, width in widths.items()}
    found: dict[str, list[Array]] = {}
    for given, drawn in zip(notes, drawn_after(notes), strict=True):
        row = dict(zip(outputs, step.run(outputs, dict(zip(HEADS, given, strict=True)) | told | state), strict=True))
        state = {name: row[f"{name}_out"] for name in state}
        for k, head in enumerate(HEADS[1:], 1):
            feeds = {"z": row["z"], **dict(zip(HEADS[:k], drawn, strict=False))}
            row[f"{head}_logits"] = open_graph[f"head_{head}"].run(None, feeds)[0]
        for name, value in row.items():
            found.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in found.items()}


def difference(ours: Array, theirs: Array) -> float:
    """The largest difference of two arrays, relative where the numbers are more than 1."""
    return float((np.abs(ours - theirs) / np.maximum(np.abs(ours), 1.0)).max())


def check_parity(network: Network, folder: Path) -> float:
    """The largest difference over a long run; ValueError when it is more than the tolerance."""
    notes = some_notes(STEPS, 1)
    ours, theirs = keras_outputs(network, notes), onnx_outputs(folder, notes)
    worst = max(difference(ours[name], theirs[name]) for name in ours)
    if not worst < TOLERANCE:
        raise ValueError(f"the exported graphs differ from Keras by {worst:.2g}")
    return worst


def write_golden(network: Network, path: Path) -> None:
    """Keep inputs and outputs of the Keras graph, so that any later build can be compared with it."""
    arrays: dict[str, Array] = {}
    for batch, steps in GOLDEN_STEPS.items():
        notes = some_notes(steps, batch)
        arrays[f"batch{batch}/notes"] = notes
        arrays |= {f"batch{batch}/{name}": value for name, value in keras_outputs(network, notes).items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)

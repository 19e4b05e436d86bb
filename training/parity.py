"""What the Keras graph and the exported graphs say of the same made-up notes, note after note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from livemuse.music.vocabulary import BOS, HEADS, VOCABULARY
from training.bundles import open_graphs
from training.golden import GOLDEN_STEPS, Kept, difference, nearness
from training.network import Network
from training.weights import STEPS, TOLERANCE

__all__ = ["STEPS", "TOLERANCE", "check_parity", "difference", "drawn_after", "golden_runs", "keras_outputs",
           "onnx_outputs", "some_notes", "some_style"]  # fmt: skip

Array = npt.NDArray[Any]


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
    graphs = open_graphs(folder)
    step = graphs["step"]
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
            row[f"{head}_logits"] = graphs[f"head_{head}"].run(None, feeds)[0]
        for name, value in row.items():
            found.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in found.items()}


def check_parity(network: Network, folder: Path) -> float:
    """The largest difference over a long run; ValueError when it is more than the tolerance."""
    notes = some_notes(STEPS, 1)
    worst = nearness(onnx_outputs(folder, notes), keras_outputs(network, notes)).numbers
    if not worst < TOLERANCE:
        raise ValueError(f"The exported graphs differ from Keras by {worst:.2g}.")
    return worst


def golden_runs(network: Network, eight_bit: Path | None) -> list[Kept]:
    """What golden.npz keeps of a network, and of the folder of 8-bit graphs that is shipped, if it is those."""
    runs = []
    for batch, steps in GOLDEN_STEPS.items():
        notes = some_notes(steps, batch)
        style = {"style": some_style(batch, network.styles)[None]} if network.styles else {}
        own = onnx_outputs(eight_bit, notes) if eight_bit is not None else None
        runs.append(Kept({"notes": notes} | style, keras_outputs(network, notes), own))
    return runs

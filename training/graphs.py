"""The network as ONNX graphs for one note: the step, and one small graph for each head that follows the pitch.

`convert` makes one graph of any function of TensorFlow, for networks of other families too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx
import tensorflow as tf
import tf2onnx

from livemuse.music.vocabulary import HEADS
from training.network import Network

OPSET = 18
FORBIDDEN = ("Loop", "If", "Scan")  # an LSTM layer exported as such becomes a Loop, three times as slow


def write_graphs(network: Network, folder: Path) -> dict[str, Path]:
    """Write step.onnx and head_*.onnx; returns them by graph name."""
    widths = network.state_widths
    told = [tf.TensorSpec((None, network.styles), tf.float32, name="style")] if network.styles else []
    z_width = network.shape.head_width * (len(HEADS) - 1)

    def step(*given: Any) -> Any:
        notes, flat = list(given[:4]), given[4 + len(told) :]
        state = list(zip(flat[::2], flat[1::2], strict=True))
        pitch_logits, z, after = network.step(notes, state, given[4] if told else None)
        return [pitch_logits, z, *(part for pair in after for part in pair)]

    signature = [tf.TensorSpec((None,), tf.int32, name=h) for h in HEADS]
    signature += told + [tf.TensorSpec((None, width), tf.float32, name=name) for name, width in widths.items()]
    outputs = ["pitch_logits", "z", *(f"{name}_out" for name in widths)]
    files = {"step": convert(step, signature, outputs, folder / "step.onnx")}
    for k, head in enumerate(HEADS[1:], 1):
        files[f"head_{head}"] = _head(network, head, k, z_width, folder)
    return files


def _head(network: Network, head: str, drawn: int, z_width: int, folder: Path) -> Path:
    def logits(z: Any, *given: Any) -> Any:
        return [network.head(head, z, list(given))]

    signature = [tf.TensorSpec((None, z_width), tf.float32, name="z")]
    signature += [tf.TensorSpec((None,), tf.int32, name=h) for h in HEADS[:drawn]]
    return convert(logits, signature, [f"{head}_logits"], folder / f"head_{head}.onnx")


def convert(function: Callable[..., Any], signature: Sequence[Any], outputs: Sequence[str], path: Path) -> Path:
    """Write a function as an ONNX graph for a batch of any size; ValueError where the graph would be slow or odd.

    `signature` has a tf.TensorSpec for each argument, (None, ...) with the name of the input; the function returns a
    list of tensors, (batch, ...), whose names are `outputs`.
    """
    model, _ = tf2onnx.convert.from_function(
        tf.function(function, autograph=False), input_signature=list(signature), opset=OPSET
    )
    _rename(model.graph, [s.name for s in signature], list(outputs))
    model.ir_version = 8
    unused = [o for o in model.opset_import if o.domain]
    for entry in unused:
        model.opset_import.remove(entry)
    for value, spec in zip(model.graph.input, signature, strict=True):
        dims = value.type.tensor_type.shape.dim
        dims[0].ClearField("dim_value")
        dims[0].dim_param = "batch"
        if len(dims) != len(spec.shape):
            raise ValueError(f"{path.name}: input {value.name} changed its shape")
    for value in model.graph.output:
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    found = {node.op_type for node in model.graph.node} & set(FORBIDDEN)
    if found:
        raise ValueError(f"{path.name} holds {', '.join(sorted(found))}")
    model.graph.name = path.stem
    model.graph.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    return path


def _rename(graph: Any, inputs: list[str], outputs: list[str]) -> None:
    """tf2onnx names tensors after TensorFlow's; ours are the contract."""
    if [v.name.split(":")[0] for v in graph.input] != inputs or len(graph.output) != len(outputs):
        raise ValueError(f"{graph.name} has inputs {[v.name for v in graph.input]}")
    new = dict(zip((v.name for v in graph.input), inputs, strict=True))
    new |= dict(zip((v.name for v in graph.output), outputs, strict=True))
    if len(new) != len(inputs) + len(outputs):
        raise ValueError("two outputs are one tensor")
    for value in (*graph.input, *graph.output):
        value.name = new[value.name]
    for node in graph.node:
        node.input[:] = [new.get(n, n) for n in node.input]
        node.output[:] = [new.get(n, n) for n in node.output]

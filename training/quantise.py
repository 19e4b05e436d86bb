"""The graphs of a model with weights of 8 bits instead of 32: a quarter of the size, and quicker to read.

An LSTM that plays one note at a time does little but read its weights, so what is smaller is also faster.
A matrix is found as MatMul or Gemm, however it was exported; its bias, if any, stays float32.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Array = npt.NDArray[Any]
BLOCKS: Final = (64, 32, 16)  # rows of a matrix that share a scale: the most that it fills; at 128 batches differ
LEAST: Final = 1024  # numbers: a smaller matrix or table is not worth a scale
MICROSOFT: Final = "com.microsoft"
DEFAULT_WAY: Final = "blocks"
OPERATIONS: Final[dict[str, frozenset[str]]] = {
    "blocks": frozenset({f"{MICROSOFT}.MatMulNBits", "Cast", "Mul"}),
    "integers": frozenset({"DynamicQuantizeLinear", "MatMulInteger", "Cast", "Mul"}),
    "weights": frozenset({"Cast", "Mul"}),
}
"""What each way adds to a graph, as `livemuse.model.graphfile` names it: the domain and a dot before the operation,
unless it is of ONNX itself."""


@dataclass
class _Rewrite:
    """A graph as it is written anew."""

    way: str
    weights: dict[str, Array]  # name -> the float32 array it had
    nodes: list[Any] = field(default_factory=list)
    added: dict[str, Any] = field(default_factory=dict)  # name -> TensorProto
    cached: dict[str, str] = field(default_factory=dict)  # table -> the output that holds it as float32

    def keep(self, name: str, values: Array) -> str:
        self.added.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operation: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [output], name=f"{operation}/{output}", **attributes))
        return output


def quantise(folder: Path, out: Path, way: str = DEFAULT_WAY) -> dict[str, Path]:
    """Write the step and heads of `folder` to `out` with 8-bit weights; returns them by graph name.

    The ways: `blocks` multiplies 8-bit numbers with a scale for up to 64 of them (MatMulNBits of ONNX Runtime 1.23
    and later; vectors scaled alike in LLM.int8(), Dettmers et al. 2022). `integers` multiplies them with a scale for
    each column by ONNX's own operations (Jacob et al. 2018), but what it says of one note depends on what else is in
    the batch. `weights` makes them float32 again when the file is opened: as small, and no faster than it was.

    Inputs, outputs and their names stay as they were. Raises ValueError for another way, or where there is no graph.
    """
    if way not in OPERATIONS:
        raise ValueError(f"There is no way {way!r} to write 8-bit weights; there are {', '.join(OPERATIONS)}.")
    paths = sorted(folder.glob("*.onnx"))
    if not paths:
        raise ValueError(f"There is no graph in {folder}.")
    out.mkdir(parents=True, exist_ok=True)
    return {path.stem: quantise_graph(path, out / path.name, way) for path in paths}


def quantise_graph(source: Path, target: Path, way: str = DEFAULT_WAY) -> Path:
    """One graph file with 8-bit weights, checked by ONNX before it is there."""
    model = onnx.load(source)
    graph = model.graph
    weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer if w.data_type == onnx.TensorProto.FLOAT}
    work = _Rewrite(way, weights)
    for node in graph.node:
        _rewritten(node)(work, node)
    read = {name for node in work.nodes for name in node.input}
    kept = [w for w in graph.initializer if w.name in read] + [w for w in work.added.values() if w.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(work.nodes)
    graph.initializer.extend(kept)
    if any(node.domain == MICROSOFT for node in work.nodes):
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    onnx.checker.check_model(model)
    part = target.with_name(target.name + ".part")
    part.write_bytes(model.SerializeToString())
    os.replace(part, target)
    return target


def bytes_of(folder: Path) -> int:
    """The size of all graphs of a model together."""
    return sum(path.stat().st_size for path in folder.glob("*.onnx"))


def _rewritten(node: Any) -> Callable[[_Rewrite, Any], None]:
    return {"MatMul": _product, "Gemm": _product, "Gather": _table}.get(node.op_type, _as_it_was)


def _as_it_was(work: _Rewrite, node: Any) -> None:
    work.nodes.append(node)


def _product(work: _Rewrite, node: Any) -> None:
    """A MatMul or Gemm by a constant matrix (K, N)."""
    matrix = _matrix(work, node)
    if matrix is None:
        work.nodes.append(node)
        return
    x, name, output = node.input[0], node.input[1], node.output[0]
    bias = node.input[2] if len(node.input) > 2 and node.input[2] else ""
    product = {"blocks": _by_blocks, "integers": _by_integers, "weights": _by_weights}[work.way]
    made = product(work, x, (name, matrix), f"{output}/product" if bias else output)
    if bias:
        work.node("Add", [made, bias], output)


def _matrix(work: _Rewrite, node: Any) -> Array | None:
    """The (K, N) matrix that a product multiplies by, a Gemm's turned and scaled as it says; None to leave it be."""
    matrix = work.weights.get(node.input[1])
    if matrix is None or matrix.ndim != 2 or matrix.size < LEAST:
        return None
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if given.get("transA", 0) or given.get("beta", 1.0) != 1.0 or given.get("alpha", 1.0) != 1.0:
        return None
    return matrix.T if given.get("transB", 0) else matrix


def _by_blocks(work: _Rewrite, x: str, weight: tuple[str, Array], output: str) -> str:
    name, matrix = weight
    rows, columns = matrix.shape
    block = block_of(rows)
    numbers, scales = blocks_of(matrix, block)
    inputs = [x, work.keep(f"{name}/8bit", numbers), work.keep(f"{name}/scale", scales)]
    about = {"K": rows, "N": columns, "bits": 8, "block_size": block, "accuracy_level": 4}
    return work.node("MatMulNBits", inputs, output, domain=MICROSOFT, **about)


def block_of(rows: int) -> int:
    """How many of so many rows share a scale. Larger blocks are faster; smaller ones waste less on a small matrix."""
    return next((block for block in BLOCKS if block <= rows), BLOCKS[-1])


def blocks_of(matrix: Array, block: int) -> tuple[Array, Array]:
    """A (K, N) matrix as MatMulNBits wants it: (N, K / block, block) uint8 around 128, and a scale for each block.

    K is filled up with zeros to whole blocks; the scales are (N, K / block) float32.
    """
    rows, columns = matrix.shape
    blocks = -(-rows // block)
    filled = np.zeros((columns, blocks * block), np.float32)
    filled[:, :rows] = matrix.T
    numbers, scales = _rounded(filled.reshape(columns, blocks, block))
    return (numbers.astype(np.int16) + 128).astype(np.uint8), scales[..., 0]


def _rounded(values: Array) -> tuple[Array, Array]:
    """(int8 numbers -127 to 127, float32 scale of each last axis, kept as an axis of 1)."""
    scale = np.abs(values).max(-1, keepdims=True).astype(np.float32) / np.float32(127)
    scale[scale == 0] = 1
    return np.rint(values / scale).astype(np.int8), scale


def _by_integers(work: _Rewrite, x: str, weight: tuple[str, Array], output: str) -> str:
    name, matrix = weight
    numbers, scales = _rounded(matrix.T)  # a scale a column
    parts = [f"{x}/{part}" for part in ("8bit", "scale", "zero")]
    if parts[0] not in work.cached:
        work.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], parts, name=f"DynamicQuantizeLinear/{x}"))
        work.cached[parts[0]] = x
    zero = work.keep("zero/8bit", np.zeros((), np.int8))
    whole = work.node("MatMulInteger", [parts[0], work.keep(f"{name}/8bit", numbers.T), parts[2], zero], f"{output}/n")
    scale = work.node("Mul", [parts[1], work.keep(f"{name}/scale", scales[:, 0])], f"{output}/scale")
    as_float = work.node("Cast", [whole], f"{output}/float", to=onnx.TensorProto.FLOAT)
    return work.node("Mul", [as_float, scale], output)


def _by_weights(work: _Rewrite, x: str, weight: tuple[str, Array], output: str) -> str:
    name, matrix = weight
    return work.node("MatMul", [x, _folded(work, name, matrix)], output)


def _folded(work: _Rewrite, name: str, table: Array) -> str:
    """A table kept in 8 bits with a scale a row (or, of a matrix, a column: whichever is shorter to write).

    Only constants enter, so ONNX Runtime makes it float32 once, when it opens the file: nothing is done for it a note.
    """
    if name not in work.cached:
        by_column = work.way == "weights" and table.shape[0] > table.shape[1]
        numbers, scales = _rounded(table.T if by_column else table)
        if by_column:
            numbers, scales = numbers.T, scales.T
        whole = work.node("Cast", [work.keep(f"{name}/8bit", numbers)], f"{name}/float", to=onnx.TensorProto.FLOAT)
        work.cached[name] = work.node("Mul", [whole, work.keep(f"{name}/scale", scales)], f"{name}/table")
    return work.cached[name]


def _table(work: _Rewrite, node: Any) -> None:
    """The look-up of an embedding: (rows, width) of constants."""
    table = work.weights.get(node.input[0])
    if table is not None and table.ndim == 2 and table.size >= LEAST:
        node.input[0] = _folded(work, node.input[0], table)
    work.nodes.append(node)

"""Tiny bundles of every family, made with ONNX's own helpers: an Elman network of a few units with random weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livemuse.model.families import FAMILIES, FLOAT, signatures

onnx = pytest.importorskip("onnx")  # comes with what training needs
from onnx import helper, numpy_helper  # noqa: E402

UNITS, Z = 8, 6
INDEX_SIZES = {"event": 131, "position": 16, "last": 177, "pitch": 129, "step": 64, "duration": 48, "velocity": 32}


class Graph:
    """A graph whose outputs are random projections of a sum of projections of its inputs."""

    def __init__(self, signature: Any, seed: int, scale: float = 1.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.scale = scale
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        inputs, outputs = signature
        total = ""
        for name, kind, width in inputs:
            rows = width if kind == FLOAT else INDEX_SIZES[name]
            part = self.node("MatMul" if kind == FLOAT else "Gather", name, rows, UNITS)
            if total:
                self.nodes.append(helper.make_node("Add", [total, part], [f"sum/{name}"]))
                part = f"sum/{name}"
            total = part
        self.nodes.append(helper.make_node("Tanh", [total], ["hidden"]))
        for name, _, width in outputs:
            self.nodes.append(helper.make_node("MatMul", ["hidden", self.weight(f"{name}/w", UNITS, width)], [name]))
        self.values = [[self.value(*v) for v in side] for side in (inputs, outputs)]

    def weight(self, name: str, rows: int, columns: int) -> str:
        values = self.rng.normal(0, self.scale, (rows, columns)).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operation: str, name: str, rows: int, columns: int) -> str:
        weight = self.weight(f"{name}/w", rows, columns)
        order = [name, weight] if operation == "MatMul" else [weight, name]
        self.nodes.append(helper.make_node(operation, order, [f"{name}/part"]))
        return f"{name}/part"

    @staticmethod
    def value(name: str, kind: str, width: int | None) -> Any:
        element = onnx.TensorProto.FLOAT if kind == FLOAT else onnx.TensorProto.INT32
        return helper.make_tensor_value_info(name, element, ["n"] if width is None else ["n", width])

    def data(self) -> bytes:
        graph = helper.make_graph(self.nodes, "tiny", *self.values, self.weights)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        found: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
        return found


def tiny_bundle(folder: Path, family: str, styles: tuple[str, ...] = (), **more: Any) -> Path:
    """A model folder that passes every check."""
    folder.mkdir(parents=True)
    state = [("h0", UNITS), ("c0", UNITS)]
    kind = FAMILIES[family]
    graphs = {}
    for seed, (name, signature) in enumerate(signatures(kind, state, Z, len(styles)).items()):
        data = Graph(signature, seed).data()
        (folder / f"{name}.onnx").write_bytes(data)
        graphs[name] = {"file": f"{name}.onnx", "sha256": hashlib.sha256(data).hexdigest()}
    manifest: dict[str, Any] = {
        "format_version": 1,
        "name": folder.name,
        "family": family,
        "vocabulary": {"sha256": kind.vocabulary_sha256},
        "state": [{"name": name, "units": units} for name, units in state],
        "graphs": graphs,
        "training": {"notes": 1000, "licence": "CC0-1.0"},
        "held_out": {"nats_per_note": 1.5},
        "styles": list(styles),
    }
    if kind.has_z:
        manifest["z"] = Z
    if kind.grid is not None:
        manifest["grid"] = dict(kind.grid)
    (folder / "manifest.json").write_text(json.dumps(manifest | more))
    return folder

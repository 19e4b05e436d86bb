"""Weights of 8 bits: the same graphs to whoever plays them, nearly the same numbers, a quarter of the size."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import helper, numpy_helper

from livemuse.model.graphfile import OPERATIONS as ALLOWED
from livemuse.model.graphfile import look_inside
from training.quantise import DEFAULT_WAY, OPERATIONS, blocks_of, bytes_of, quantise

WIDTH, UNITS, ROWS = 48, 144, 40
Graph = dict[str, np.ndarray[Any, Any]]


def write_step(folder: Path, product: str) -> Graph:
    """A look-up, an LSTM's fused product written as MatMul and Add or as Gemm, and a matrix too small to bother."""
    rng = np.random.default_rng(3)
    weights = {
        "table": rng.normal(size=(ROWS, WIDTH)).astype(np.float32),
        "fused": rng.normal(0, 0.05, (WIDTH + UNITS, UNITS)).astype(np.float32),  # so small that it forgets
        "bias": rng.normal(size=UNITS).astype(np.float32),
        "small": rng.normal(size=(UNITS, 4)).astype(np.float32),
    }
    products: dict[str, list[tuple[str, list[str], str, dict[str, Any]]]] = {
        "MatMul": [("MatMul", ["both", "fused"], "raw", {}), ("Add", ["raw", "bias"], "gates", {})],
        "Gemm": [("Gemm", ["both", "fused", "bias"], "gates", {})],
        "turned": [("Gemm", ["both", "fused", "bias"], "gates", {"transB": 1})],
    }
    kept = weights | ({"fused": weights["fused"].T.copy()} if product == "turned" else {})
    nodes: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Gather", ["table", "note"], "seen", {}),
        ("Concat", ["seen", "h"], "both", {"axis": 1}),
        *products[product],
        ("Tanh", ["gates"], "h_out", {}),
        ("MatMul", ["h_out", "small"], "logits", {}),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [output], **more) for op, inputs, output, more in nodes],
        "step",
        [value("note", onnx.TensorProto.INT32, ["batch"]), value("h", onnx.TensorProto.FLOAT, ["batch", UNITS])],
        [
            value("logits", onnx.TensorProto.FLOAT, ["batch", 4]),
            value("h_out", onnx.TensorProto.FLOAT, ["batch", UNITS]),
        ],
        [numpy_helper.from_array(array, name) for name, array in kept.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    folder.mkdir(parents=True)
    (folder / "step.onnx").write_bytes(model.SerializeToString())
    return weights


def runner(folder: Path) -> Callable[[Any, Any], list[Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "step.onnx", options, providers=["CPUExecutionProvider"])
    return lambda note, h: list(session.run(["logits", "h_out"], {"note": note, "h": h}))


@pytest.mark.parametrize("way", OPERATIONS)
@pytest.mark.parametrize("product", ["MatMul", "Gemm", "turned"])
def test_over_500_steps_the_numbers_stay_close_and_are_the_same_again(tmp_path: Path, product: str, way: str) -> None:
    weights = write_step(tmp_path / "float", product)
    quantise(tmp_path / "float", tmp_path / "8bit", way)
    run = runner(tmp_path / "8bit")
    notes = np.random.default_rng(5).integers(0, ROWS, (500, 1)).astype(np.int32)
    h = again = truth = np.zeros((1, UNITS), np.float32)
    worst = 0.0
    for note in notes:
        truth = np.tanh(np.concatenate([weights["table"][note], truth], 1) @ weights["fused"] + weights["bias"])
        logits, h = run(note, h)
        worst = max(worst, float(np.sqrt(np.mean((h - truth) ** 2))))
        again = run(note, again)[1]
        assert (again == h).all()
        np.testing.assert_allclose(logits, h @ weights["small"], atol=1e-4)
    assert 0 < worst < 0.02


@pytest.mark.parametrize("way", ["blocks", "weights"])
def test_what_is_beside_a_note_in_the_batch_does_not_change_it(tmp_path: Path, way: str) -> None:
    write_step(tmp_path / "float", "MatMul")
    quantise(tmp_path / "float", tmp_path / "8bit", way)
    run = runner(tmp_path / "8bit")
    rng = np.random.default_rng(1)
    notes, h = rng.integers(0, ROWS, 8).astype(np.int32), rng.normal(size=(8, UNITS)).astype(np.float32)
    together = run(notes, h)[1]
    alone = np.concatenate([run(notes[k : k + 1], h[k : k + 1])[1] for k in range(8)])
    np.testing.assert_allclose(together, alone, atol=0 if way == "blocks" else 1e-6)


@pytest.mark.parametrize("way", OPERATIONS)
def test_the_file_is_small_and_says_what_it_holds(tmp_path: Path, way: str) -> None:
    write_step(tmp_path / "float", "Gemm")
    files = quantise(tmp_path / "float", tmp_path / "8bit", way)
    assert list(files) == ["step"]
    assert [p.name for p in (tmp_path / "8bit").iterdir()] == ["step.onnx"]
    assert bytes_of(tmp_path / "8bit") < 0.4 * bytes_of(tmp_path / "float")
    before, after = (onnx.load(tmp_path / name / "step.onnx") for name in ("float", "8bit"))
    assert [v.name for v in before.graph.input] == [v.name for v in after.graph.input]
    assert [v.name for v in before.graph.output] == [v.name for v in after.graph.output]
    held = look_inside(files["step"].read_bytes()).operations
    assert held - {"Gather", "Concat", "Add", "Tanh", "MatMul"} == OPERATIONS[way]


def test_the_way_that_ships_is_one_the_player_opens() -> None:
    assert OPERATIONS[DEFAULT_WAY] <= ALLOWED


@given(arrays(np.float32, st.tuples(st.integers(1, 70), st.integers(1, 5)), elements=st.floats(-8, 8, width=32)),
       st.sampled_from([16, 32, 128]))  # fmt: skip
def test_a_matrix_comes_back_to_half_a_step_of_its_block(matrix: np.ndarray[Any, Any], block: int) -> None:
    numbers, scales = blocks_of(matrix, block)
    assert numbers.dtype == np.uint8
    assert numbers.shape[2] == block
    back = ((numbers.astype(np.float32) - 128) * scales[..., None]).reshape(matrix.shape[1], -1)
    assert (np.abs(back[:, : len(matrix)].T - matrix) <= 0.501 * scales.max()).all()
    assert not back[:, len(matrix) :].any()


def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    write_step(tmp_path / "float", "Gemm")
    with pytest.raises(ValueError, match="no way '4bit'"):
        quantise(tmp_path / "float", tmp_path / "out", "4bit")
    with pytest.raises(ValueError, match="no graph"):
        quantise(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()

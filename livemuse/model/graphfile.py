"""A look inside an ONNX file before anything runs it: which operations it holds, and nothing from outside.

An ONNX file is a protocol buffer: numbered fields, each a number or some bytes. Only the few that matter are read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DIM = 65_536  # of a weight: keeps what a small file can make the machine allocate in bounds
MAX_RANK = 2
BLOCKS_RANK = 3  # of the weights of 8 bits, (columns, blocks, numbers of a block)
BLOCKS = "com.microsoft.MatMulNBits"  # multiplies by weights of 8 bits, each block of which has a scale
BLOCK_SIZES = (16, 32, 64, 128, 256)
OPERATIONS = frozenset({
    "Add", "Cast", "Concat", "DequantizeLinear", "Gather", "Gemm", "Identity", "MatMul", "Mul",
    "Relu", "Reshape", "Sigmoid", "Slice", "Softmax", "Split", "Sub", "Tanh", "Transpose", BLOCKS,
})  # fmt: skip
"""All that a step needs, the domain and a dot before what is not ONNX's own: none of them loops, and none makes much
out of little."""

# The numbers that onnx.proto gives to its fields.
MODEL_GRAPH, MODEL_FUNCTIONS = 7, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_INPUT, NODE_OP, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 4, 5, 7
ATTRIBUTE_NAME, ATTRIBUTE_INT = 1, 3
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
ATTRIBUTE_SPARSE = (22, 23)
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW, TENSOR_EXTERNAL, TENSOR_LOCATION = 1, 2, 8, 9, 13, 14
FLOAT32, UINT8 = 1, 2

Field = tuple[int, int | bytes]


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What a graph file holds."""

    operations: frozenset[str]
    outside: bool  # points to data in other files


@dataclass(frozen=True, slots=True)
class _Weight:
    name: bytes
    dims: tuple[int, ...]
    kind: int
    raw_bytes: int  # of the numbers that stand in the file as they are
    outside: bool


@dataclass(slots=True)
class _Found:
    operations: set[str]
    weights: dict[bytes, list[_Weight]]  # by name; a file may say one twice
    blocks: list[tuple[tuple[bytes, ...], dict[bytes, int]]]  # inputs and numbers of each BLOCKS
    outside: bool = False


def look_inside(data: bytes) -> GraphFacts:
    """The facts of an ONNX file; ValueError with a few words when it is no such file, oversized or inconsistent."""
    found = _Found(set(), {}, [])
    graphs = 0
    for number, value in _fields(memoryview(data)):
        if number == MODEL_FUNCTIONS:
            raise ValueError("it defines functions of its own")
        if number == MODEL_GRAPH and isinstance(value, bytes):
            graphs += 1
            _graph(value, found)
    if graphs != 1:
        raise ValueError("it holds no graph")
    for inputs, numbers in found.blocks:
        _check_blocks(found, inputs, numbers)
    return GraphFacts(frozenset(found.operations), found.outside)


def _graph(data: bytes, found: _Found) -> None:
    for number, value in _fields(memoryview(data)):
        if number == GRAPH_SPARSE:
            raise ValueError("it holds sparse weights")
        if not isinstance(value, bytes):
            continue
        if number == GRAPH_NODE:
            _node(value, found)
        elif number == GRAPH_INITIALIZER:
            weight = _tensor(value)
            found.outside |= weight.outside
            found.weights.setdefault(weight.name, []).append(weight)


def _node(data: bytes, found: _Found) -> None:
    operation, domain = "", ""
    inputs: list[bytes] = []
    numbers: dict[bytes, int] = {}
    for number, value in _fields(memoryview(data)):
        if not isinstance(value, bytes):
            continue
        if number == NODE_OP:
            operation = value.decode("utf-8", "replace")
        elif number == NODE_DOMAIN:
            domain = value.decode("utf-8", "replace")
        elif number == NODE_INPUT:
            inputs.append(value)
        elif number == NODE_ATTRIBUTE:
            found.outside |= _attribute(value, numbers)
    name = f"{domain}.{operation}" if domain not in ("", "ai.onnx") else operation
    found.operations.add(name)
    if name == BLOCKS:
        found.blocks.append((tuple(inputs), numbers))


def _attribute(data: bytes, numbers: dict[bytes, int]) -> bool:
    """Note a whole number in ``numbers``; true when the attribute points to data in another file."""
    outside = False
    name, whole = b"", None
    for number, value in _fields(memoryview(data)):
        if number in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS, *ATTRIBUTE_SPARSE):
            raise ValueError("it holds a graph within a graph")
        if number in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS) and isinstance(value, bytes):
            outside |= _tensor(value).outside
        elif number == ATTRIBUTE_NAME and isinstance(value, bytes):
            name = value
        elif number == ATTRIBUTE_INT and isinstance(value, int):
            whole = value
    if whole is not None:
        if name in numbers:
            raise ValueError("it says a thing twice")
        numbers[name] = whole
    return outside


def _tensor(data: bytes) -> _Weight:
    """What a weight is, its shape checked."""
    dims: list[int] = []
    outside, kind, raw_bytes, name = False, 0, 0, b""
    for number, value in _fields(memoryview(data)):
        if number == TENSOR_DIMS:
            dims += [value] if isinstance(value, int) else list(_packed(value))
        elif number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value != 0):
            outside = True
        elif number == TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif number == TENSOR_NAME and isinstance(value, bytes):
            name = value
        elif number == TENSOR_RAW and isinstance(value, bytes):
            raw_bytes = len(value)
    deepest = BLOCKS_RANK if kind == UINT8 and raw_bytes == math.prod(dims) else MAX_RANK
    if len(dims) > deepest or any(d > MAX_DIM for d in dims):
        raise ValueError(f"a weight has the shape {dims[:8]}")
    return _Weight(name, tuple(dims), kind, raw_bytes, outside)


def _check_blocks(found: _Found, inputs: tuple[bytes, ...], numbers: dict[bytes, int]) -> None:
    """ONNX Runtime reads weights of 8 bits by the numbers it is told, so they must be those of what is there."""
    rows, columns, size = (numbers.get(name, 0) for name in (b"K", b"N", b"block_size"))
    if numbers.get(b"bits") != 8 or size not in BLOCK_SIZES or not (0 < rows <= MAX_DIM and 0 < columns <= MAX_DIM):
        raise ValueError("its weights of 8 bits are not described as they should be")
    blocks = -(-rows // size)
    wanted = [(UINT8, (columns, blocks, size), 1), (FLOAT32, (columns, blocks), 4), (UINT8, (columns, blocks), 1)]
    if not 3 <= len(inputs) <= 4:
        raise ValueError("its weights of 8 bits have too much or too little beside them")
    for name, (kind, dims, width) in zip(inputs[1:], wanted, strict=False):
        weights = found.weights.get(name, [])
        fits = len(weights) == 1 and weights[0].kind == kind and weights[0].raw_bytes == math.prod(dims) * width
        if not fits or weights[0].dims not in (dims, (math.prod(dims),)):
            raise ValueError("its weights of 8 bits are not as many as it says")


def _fields(data: memoryview) -> Iterator[Field]:
    """The fields of one message in order."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            number, at = _varint(data, at)
            yield key >> 3, number
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("it is not an ONNX file")
        if at + size > len(data):
            raise ValueError("it is cut off")
        yield key >> 3, bytes(data[at : at + size])
        at += size


def _packed(data: bytes) -> Iterator[int]:
    at, view = 0, memoryview(data)
    while at < len(data):
        number, at = _varint(view, at)
        yield number


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("it is cut off")

"""A look inside an ONNX file before anything runs it: which operations it holds, and nothing from outside.

An ONNX file is a protocol buffer: numbered fields, each a number or some bytes. Only the few that matter are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_DIM = 65_536  # of a weight: keeps what a small file can make the machine allocate in bounds
MAX_RANK = 2

# The numbers that onnx.proto gives to its fields.
MODEL_GRAPH, MODEL_FUNCTIONS = 7, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_OP, NODE_ATTRIBUTE, NODE_DOMAIN = 4, 5, 7
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
ATTRIBUTE_SPARSE = (22, 23)
TENSOR_DIMS, TENSOR_EXTERNAL, TENSOR_LOCATION = 1, 13, 14

Field = tuple[int, int | bytes]


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What a graph file holds."""

    operations: frozenset[str]
    outside: bool  # points to data in other files


def look_inside(data: bytes) -> GraphFacts:
    """The facts of an ONNX file; ValueError with a few words when it is no such file or oversized."""
    operations: set[str] = set()
    outside = False
    graphs = 0
    for number, value in _fields(memoryview(data)):
        if number == MODEL_FUNCTIONS:
            raise ValueError("it defines functions of its own")
        if number == MODEL_GRAPH and isinstance(value, bytes):
            graphs += 1
            outside |= _graph(value, operations)
    if graphs != 1:
        raise ValueError("it holds no graph")
    return GraphFacts(frozenset(operations), outside)


def _graph(data: bytes, operations: set[str]) -> bool:
    outside = False
    for number, value in _fields(memoryview(data)):
        if number == GRAPH_SPARSE:
            raise ValueError("it holds sparse weights")
        if not isinstance(value, bytes):
            continue
        if number == GRAPH_NODE:
            outside |= _node(value, operations)
        elif number == GRAPH_INITIALIZER:
            outside |= _tensor(value)
    return outside


def _node(data: bytes, operations: set[str]) -> bool:
    operation, domain, outside = "", "", False
    for number, value in _fields(memoryview(data)):
        if not isinstance(value, bytes):
            continue
        if number == NODE_OP:
            operation = value.decode("utf-8", "replace")
        elif number == NODE_DOMAIN:
            domain = value.decode("utf-8", "replace")
        elif number == NODE_ATTRIBUTE:
            outside |= _attribute(value)
    operations.add(f"{domain}.{operation}" if domain not in ("", "ai.onnx") else operation)
    return outside


def _attribute(data: bytes) -> bool:
    outside = False
    for number, value in _fields(memoryview(data)):
        if number in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS, *ATTRIBUTE_SPARSE):
            raise ValueError("it holds a graph within a graph")
        if number in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS) and isinstance(value, bytes):
            outside |= _tensor(value)
    return outside


def _tensor(data: bytes) -> bool:
    """Check a weight's shape; true when its numbers lie in another file."""
    dims: list[int] = []
    outside = False
    for number, value in _fields(memoryview(data)):
        if number == TENSOR_DIMS:
            dims += [value] if isinstance(value, int) else list(_packed(value))
        elif number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value != 0):
            outside = True
    if len(dims) > MAX_RANK or any(d > MAX_DIM for d in dims):
        raise ValueError(f"a weight has the shape {dims[:8]}")
    return outside


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

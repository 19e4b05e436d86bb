"""A model folder, checked before it plays: it is data from a stranger, so every promise it makes is tested.

manifest.json says what the folder holds; step.onnx takes one note, head_*.onnx draw the rest of the next one.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from livemuse.errors import ModelError
from livemuse.model.graphfile import look_inside
from livemuse.music.vocabulary import HEADS, VOCABULARY

FORMAT_VERSION = 1
FAMILIES = ("performance",)
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1_000_000
MAX_GRAPH_BYTES = 200_000_000
MAX_UNITS = 4096
MAX_STATES = 16
MAX_TEXT = 200  # characters of any name or licence that a person is shown
WARM_UP_RUNS = 20
GRAPHS = ("step", "head_step", "head_duration", "head_velocity")
OPERATIONS = frozenset({
    "Add", "Cast", "Concat", "Gather", "Gemm", "Identity", "MatMul", "Mul",
    "Relu", "Sigmoid", "Slice", "Split", "Sub", "Tanh", "Transpose",
})  # fmt: skip
"""All that a step needs: none of them loops, and none makes much out of little."""
AGAIN = "Copy the model folder again from where it came."


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a person wants to know of a model before playing with it."""

    name: str
    family: str
    path: Path
    hash: str = ""
    notes: int = 0  # it was trained on
    licence: str = ""
    held_out_nats: float = math.nan  # a note, on pieces it never saw
    problem: str = ""  # why it cannot be used, if it cannot


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model that passed every check and is warm."""

    info: ModelInfo
    state: tuple[tuple[str, int], ...]  # (name, units) of each recurrent array, (batch, units) float32
    z_width: int
    sessions: dict[str, Any]  # graph name -> onnxruntime.InferenceSession


@dataclass(frozen=True, slots=True)
class _Manifest:
    info: ModelInfo
    state: tuple[tuple[str, int], ...]
    z_width: int
    sha256: dict[str, str]  # graph name -> hash of its file


def load_bundle(folder: Path) -> Bundle:
    """The model of a folder, ready to play; ModelError with one sentence when anything about it is wrong."""
    try:
        manifest = _read_manifest(folder)
        graphs = {name: _read_graph(folder, name, manifest.sha256[name]) for name in GRAPHS}
    except ModelError:
        raise
    except OSError as problem:
        raise ModelError(f"The model in {folder} cannot be read: {problem.strerror}.", AGAIN) from problem
    sessions = {name: _open(folder, name, data) for name, data in graphs.items()}
    bundle = Bundle(manifest.info, manifest.state, manifest.z_width, sessions)
    _check_signatures(bundle)
    _try_out(bundle)
    return bundle


def find_models(folders: Iterable[Path]) -> list[ModelInfo]:
    """The models in these folders by name, the damaged ones too, with what is wrong; the first of a name wins."""
    found: dict[str, ModelInfo] = {}
    for folder in folders:
        try:
            inside = sorted(p for p in folder.iterdir() if (p / MANIFEST).is_file())
        except OSError:
            continue
        for path in inside:
            try:
                info = _read_manifest(path).info
            except ModelError as problem:
                info = ModelInfo(path.name, "", path, problem=problem.what)
            except OSError as problem:
                info = ModelInfo(path.name, "", path, problem=f"It cannot be read: {problem.strerror}.")
            found.setdefault(info.name, info)
    return [found[name] for name in sorted(found)]


def _read_bounded(path: Path, limit: int) -> bytes:
    """A file's bytes if it is a regular one and not too large."""
    if not path.is_file():
        raise ModelError(f"The model in {path.parent} has no {path.name}.", AGAIN)
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size <= limit:
            data = stream.read(limit + 1)
            if len(data) <= limit:
                return data
    raise ModelError(f"{path} is larger than {limit // 1_000_000} MB.", AGAIN)


def _read_manifest(folder: Path) -> _Manifest:
    path = folder / MANIFEST

    def refuse(why: str, remedy: str = AGAIN) -> NoReturn:
        raise ModelError(f"The manifest of the model in {folder} {why}.", remedy)

    data = _read_bounded(path, MAX_MANIFEST_BYTES)
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        refuse("is not valid JSON")
    if not isinstance(found, dict):
        refuse("is not a table")
    version = found.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        newer = isinstance(version, int) and version > FORMAT_VERSION
        refuse(
            f"has format version {_short(version)}, and this livemuse reads version {FORMAT_VERSION}",
            "Update livemuse." if newer else AGAIN,
        )
    family = found.get("family")
    if family not in FAMILIES:
        refuse(f"names the family {_short(family)}, which does not play here", f"Choose a {FAMILIES[0]} model.")
    try:
        vocabulary = _table(found, "vocabulary")
        if vocabulary.get("sha256") != VOCABULARY.sha256():
            refuse("was made for another vocabulary", "Export the model again with this version of livemuse.")
        return _contents(found, folder)
    except _Unfit as problem:
        refuse(str(problem))


class _Unfit(Exception):
    """Something in a manifest that is missing or out of bounds."""


def _contents(found: dict[str, Any], folder: Path) -> _Manifest:
    graphs = _table(found, "graphs")
    sha256 = {}
    for name in GRAPHS:
        graph = _table(graphs, name)
        if _text(graph, "file") != f"{name}.onnx":
            raise _Unfit(f"keeps {name} in {_short(graph['file'])} instead of {name}.onnx")
        sha256[name] = _text(graph, "sha256")
    state = found.get("state")
    if not isinstance(state, list) or not 0 < len(state) <= MAX_STATES:
        raise _Unfit("does not say what state is carried")
    rows = tuple((_text(row, "name"), _count(row, "units", MAX_UNITS)) for row in state)
    if len({name for name, _ in rows}) != len(rows):
        raise _Unfit("names a state twice")
    training, held_out = _table(found, "training"), _table(found, "held_out")
    nats = held_out.get("nats_per_note")
    if isinstance(nats, bool) or not isinstance(nats, (int, float)) or not 0 <= nats <= 100:
        raise _Unfit("gives no held-out score")
    together = "".join([VOCABULARY.sha256(), *(sha256[name] for name in GRAPHS)])
    info = ModelInfo(
        name=_text(found, "name"),
        family=str(found["family"]),
        path=folder,
        hash=hashlib.sha256(together.encode()).hexdigest(),
        notes=_count(training, "notes", 10**12),
        licence=_text(training, "licence"),
        held_out_nats=float(nats),
    )
    return _Manifest(info, rows, _count(found, "z", MAX_UNITS), sha256)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _short(value: object) -> str:
    """A stranger's value, fit to be shown in a sentence."""
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:60]) if not isinstance(value, int) else ""
    return text or (str(value) if isinstance(value, int) and abs(value) < 10**9 else "out of range")


def _table(found: object, key: str) -> dict[str, Any]:
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, dict):
        raise _Unfit(f"has no table {key}")
    return value


def _text(found: object, key: str) -> str:
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise _Unfit(f"has no fit text for {key}")
    return value


def _count(found: object, key: str, most: int) -> int:
    value = found.get(key) if isinstance(found, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise _Unfit(f"has no number of {key} from 1 to {most}")
    return value


def _read_graph(folder: Path, name: str, sha256: str) -> bytes:
    path = folder / f"{name}.onnx"
    data = _read_bounded(path, MAX_GRAPH_BYTES)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{path} is not the file that its manifest describes.", AGAIN)
    try:
        facts = look_inside(data)
    except ValueError as problem:
        raise ModelError(f"{path} is refused: {problem}.", AGAIN) from problem
    if facts.outside:
        raise ModelError(f"{path} keeps weights in other files, which are never opened.", AGAIN)
    odd = facts.operations - OPERATIONS
    if odd:
        raise ModelError(f"{path} holds the operation {_short(min(odd))}, which a step does not need.", AGAIN)
    return data


def _open(folder: Path, name: str, data: bytes) -> Any:
    import onnxruntime  # late: it takes a fifth of a second, and most commands never play

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        raise ModelError(f"ONNX Runtime cannot open {name}.onnx of the model in {folder}.", AGAIN) from problem


def _check_signatures(bundle: Bundle) -> None:
    """Names, kinds and shapes of every input and output, against the manifest and the vocabulary."""
    note = [(head, "tensor(int32)", None) for head in HEADS]
    state = [(name, "tensor(float)", units) for name, units in bundle.state]
    after = [(f"{name}_out", "tensor(float)", units) for name, units in bundle.state]
    z = ("z", "tensor(float)", bundle.z_width)
    sizes = VOCABULARY.sizes
    expected = {"step": (note + state, [("pitch_logits", "tensor(float)", sizes["pitch"]), z, *after])}
    for k, head in enumerate(HEADS[1:], 1):
        expected[f"head_{head}"] = ([z, *note[:k]], [(f"{head}_logits", "tensor(float)", sizes[head])])
    for name, (inputs, outputs) in expected.items():
        session = bundle.sessions[name]
        for wanted, found in ((inputs, session.get_inputs), (outputs, session.get_outputs)):
            try:
                given = [(v.name, v.type, _width(v.shape)) for v in found()]
            except UnicodeDecodeError:  # ONNX Runtime lets any bytes be a name
                given = []
            if sorted(given, key=str) != sorted(wanted, key=str):
                raise ModelError(
                    f"{name}.onnx of the model in {bundle.info.path} does not take or give what its manifest says.",
                    "Export the model again with this version of livemuse.",
                )


def _width(shape: list[Any]) -> int | None:
    """The width of a (batch, width) array, None for (batch,); -1 for anything else, a fixed batch too."""
    if not 1 <= len(shape) <= 2 or isinstance(shape[0], int):
        return -1
    if len(shape) == 1:
        return None
    return shape[1] if isinstance(shape[1], int) else -1


def _try_out(bundle: Bundle) -> None:
    """Play a few notes into it, which also warms it up: what comes out must be finite numbers of the right shape."""
    import numpy as np

    from livemuse.model.stepper import OnnxStepper

    try:
        stepper = OnnxStepper(bundle)
        state, sizes = stepper.start(), VOCABULARY.sizes
        for run in range(WARM_UP_RUNS):
            note = tuple(run * 7 % sizes[head] for head in HEADS)
            for k, head in enumerate(HEADS):
                logits = stepper.logits(state, head, note[:k])
                if logits.shape != (sizes[head],) or not np.isfinite(logits).all():
                    raise ValueError(head)
            state = stepper.feed(state, (note[0], note[1], note[2], note[3]))
            if not all(np.isfinite(a).all() and a.shape == (1, u) for a, (_, u) in
                       zip(state.arrays, bundle.state, strict=True)):  # fmt: skip
                raise ValueError("state")
    except Exception as problem:
        raise ModelError(f"The model in {bundle.info.path} does not give sound numbers.", AGAIN) from problem

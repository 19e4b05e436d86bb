"""A model folder, checked before it plays: it is data from a stranger, so every promise it makes is tested.

manifest.json says what the folder holds; step.onnx takes one note (or sixteenth), head_*.onnx draw the rest of the
next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livemuse.errors import ModelError
from livemuse.model.families import FAMILIES, signatures, width_of
from livemuse.model.graphfile import OPERATIONS, look_inside
from livemuse.model.manifest import (
    AGAIN,
    FORMAT_VERSION,
    MANIFEST,
    MAX_UNITS,
    Manifest,
    ModelInfo,
    read_bounded,
    read_manifest,
    short,
)

if TYPE_CHECKING:
    from livemuse.model.grid_stepper import GridStepper
    from livemuse.model.stepper import OnnxStepper

__all__ = ["FAMILIES", "FORMAT_VERSION", "GRAPHS", "MANIFEST", "MAX_UNITS", "Bundle", "ModelInfo", "find_models",
           "load_bundle", "open_graph", "stepper_of"]  # fmt: skip

MAX_GRAPH_BYTES = 200_000_000
WARM_UP_RUNS = 20
GRAPHS = FAMILIES["performance"].graphs


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model that passed every check and is warm."""

    info: ModelInfo
    state: tuple[tuple[str, int], ...]  # (name, units) of each recurrent array, (batch, units) float32
    z_width: int  # 0 where there is none
    sessions: dict[str, Any]  # graph name -> onnxruntime.InferenceSession
    styles: tuple[str, ...] = ()  # the labels of the input `style`, in its order
    draw_order: str = ""  # of the keys of a frame: "up", "down", or of no meaning


def load_bundle(folder: Path) -> Bundle:
    """The model of a folder, ready to play; ModelError with one sentence when anything about it is wrong."""
    try:
        manifest = read_manifest(folder)
        graphs = {name: _read_graph(folder, name, manifest.sha256[name]) for name in manifest.family.graphs}
    except ModelError:
        raise
    except OSError as problem:
        raise ModelError(f"The model in {folder} cannot be read: {problem.strerror}.", AGAIN) from problem
    sessions = {name: open_graph(folder, name, data) for name, data in graphs.items()}
    bundle = Bundle(manifest.info, manifest.state, manifest.z_width, sessions, manifest.styles, manifest.draw_order)
    _check_signatures(bundle, manifest)
    _try_out(bundle)
    return bundle


def stepper_of(bundle: Bundle) -> OnnxStepper | GridStepper:
    """The model as the improviser uses it, of whatever family."""
    from livemuse.model.grid_stepper import MelodyStepper, RollStepper  # late, as all that needs numpy
    from livemuse.model.stepper import OnnxStepper

    kinds: dict[str, Callable[[Bundle], OnnxStepper | GridStepper]]
    kinds = {"performance": OnnxStepper, "melody": MelodyStepper, "pianoroll": RollStepper}
    return kinds[bundle.info.family](bundle)


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
                info = read_manifest(path).info
            except ModelError as problem:
                info = ModelInfo(short(path.name), "", path, problem=problem.what)
            except OSError as problem:
                info = ModelInfo(short(path.name), "", path, problem=f"It cannot be read: {problem.strerror}.")
            found.setdefault(info.name, info)
    return [found[name] for name in sorted(found)]


def _read_graph(folder: Path, name: str, sha256: str) -> bytes:
    path = folder / f"{name}.onnx"
    data = read_bounded(path, MAX_GRAPH_BYTES)
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
        raise ModelError(f"{path} holds the operation {short(min(odd))}, which a step does not need.", AGAIN)
    return data


def open_graph(folder: Path, name: str, data: bytes) -> Any:
    """A graph, opened to play on one thread: an onnxruntime.InferenceSession; ModelError where it is no graph."""
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


def _check_signatures(bundle: Bundle, manifest: Manifest) -> None:
    """Names, kinds and shapes of every input and output, against the manifest and the vocabulary."""
    expected = signatures(manifest.family, bundle.state, bundle.z_width, len(bundle.styles))
    for name, (inputs, outputs) in expected.items():
        session = bundle.sessions[name]
        for wanted, found in ((inputs, session.get_inputs), (outputs, session.get_outputs)):
            try:
                given = [(v.name, v.type, width_of(v.shape)) for v in found()]
            except UnicodeDecodeError:  # ONNX Runtime lets any bytes be a name
                given = []
            if sorted(given, key=str) != sorted(wanted, key=str):
                raise ModelError(
                    f"{name}.onnx of the model in {bundle.info.path} does not take or give what its manifest says.",
                    "Export the model again with this version of livemuse.",
                )


def _try_out(bundle: Bundle) -> None:
    """Play a little into it, which also warms it up: what comes out must be finite numbers of the right shape."""
    from livemuse.model.tryout import try_out

    try:
        try_out(bundle, WARM_UP_RUNS)
    except Exception as problem:
        raise ModelError(f"The model in {bundle.info.path} does not give sound numbers.", AGAIN) from problem

"""Bundles of the grid, of styles and of 8-bit weights: believed only where they were checked."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livemuse.errors import ModelError
from livemuse.model.bundle import find_models, load_bundle, stepper_of
from livemuse.model.grid_stepper import GridStepper, MelodyStepper, RollStepper, event_of, roll_of
from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.model.stepper import OnnxStepper
from livemuse.music.grid import HOLD, REST, frames_of, melody_of
from livemuse.music.notes import Note
from tests.model.conftest import edit_manifest, replace
from tests.model.tiny import INDEX_SIZES, UNITS, Graph, helper, numpy_helper, onnx, tiny_bundle

STYLES = ("genre:jazz", "composer:Chopin")
KINDS = {"performance": OnnxStepper, "melody": MelodyStepper, "pianoroll": RollStepper}


@pytest.mark.parametrize("family", KINDS)
@pytest.mark.parametrize("styles", [(), STYLES])
def test_each_family_loads_with_styles_and_without(tmp_path: Path, family: str, styles: tuple[str, ...]) -> None:
    bundle = load_bundle(tiny_bundle(tmp_path / "tiny", family, styles))
    assert (bundle.info.family, bundle.styles) == (family, styles)
    assert type(stepper_of(bundle)) is KINDS[family]
    assert [info.problem for info in find_models([tmp_path])] == [""]


@pytest.mark.parametrize("family", KINDS)
def test_a_style_is_told_with_each_note_and_leaves_no_trace(tmp_path: Path, family: str) -> None:
    stepper = stepper_of(load_bundle(tiny_bundle(tmp_path / "tiny", family, STYLES)))
    jazz, nothing = stepper.style({"genre:jazz": 1.0}), stepper.style({})
    fed = ((frozenset({60}), frozenset({60})), 1) if isinstance(stepper, GridStepper) else ((60, 1, 1, 1),)
    start = stepper.start()
    one, other, again = (stepper.feed(start, *fed, style) for style in (None, jazz, nothing))  # type: ignore[arg-type]
    assert not np.array_equal(one.arrays[0], other.arrays[0])
    assert all(np.array_equal(a, b) for a, b in zip(one.arrays, again.arrays, strict=True))
    assert not np.array_equal(stepper.start(jazz).arrays[0], start.arrays[0])
    assert stepper.style({"composer:Chopin": 0.5}).tolist() == [[0.0, 0.5]]
    with pytest.raises(ValueError, match="no style"):
        stepper.style({"genre:polka": 1.0})
    with pytest.raises(ValueError, match="no number"):
        stepper.style({"genre:jazz": float("nan")})


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_bundle(folder)
    assert caught.value.what.endswith(".")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def put(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest.update(values)


@pytest.mark.parametrize(
    ("family", "values", "says"),
    [
        ("melody", {"grid": None}, "no table grid"),
        ("melody", {"grid": {"per_beat": 3, "per_bar": 12}}, "another grid"),
        ("pianoroll", {"grid": {"per_beat": 4, "per_bar": 16, "swing": 1}}, "another grid"),
        ("melody", {"vocabulary": {"sha256": "0" * 64}}, "another vocabulary"),
        ("pianoroll", {"draw_order": "sideways"}, "draw_order"),
        ("pianoroll", {"draw_order": ["up"]}, "draw_order"),
        ("pianoroll", {"z": 0}, "number of z"),
        ("pianoroll", {"z": 7}, "does not take or give"),
        ("melody", {"family": "pianoroll"}, "another vocabulary"),
        ("melody", {"held_out": {"nats_per_event": 0.9}}, "score"),
        ("melody", {"styles": "jazz"}, "styles"),
        ("melody", {"styles": ["genre:jazz"]}, "does not take or give"),
        ("melody", {"styles": ["a", "a"]}, "twice"),
        ("melody", {"styles": ["\x1b[2J"]}, "styles"),
        ("melody", {"styles": [7]}, "styles"),
        ("melody", {"styles": [f"s{k}" for k in range(257)]}, "at most 256 styles"),
    ],
)
def test_a_promise_that_is_not_kept_is_refused(tmp_path: Path, family: str, values: dict[str, Any], says: str) -> None:
    folder = tiny_bundle(tmp_path / "tiny", family)
    edit_manifest(folder, put(**values))
    assert says in refused(folder)


def test_styles_that_the_manifest_does_not_name_are_refused(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "tiny", "performance", STYLES)
    edit_manifest(folder, put(styles=[]))
    assert "does not take or give" in refused(folder)


@pytest.mark.parametrize("family", ["melody", "pianoroll"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, family: str) -> None:
    folder = tiny_bundle(tmp_path / "tiny", family)
    model = onnx.load(folder / "step.onnx")
    weight = next(w for w in model.graph.initializer if w.name == "h0_out/w")
    weight.CopyFrom(numpy_helper.from_array(np.full((UNITS, UNITS), np.nan, np.float32), weight.name))
    with_step(folder, model.SerializeToString())
    assert "sound numbers" in refused(folder)


def with_step(folder: Path, data: bytes) -> None:
    replace(folder / "step.onnx", data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["graphs"]["step"]["sha256"] = hashlib.sha256(data).hexdigest()
    replace(folder / "manifest.json", json.dumps(manifest).encode())


def test_the_shelf_has_every_family(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "voice", "melody")
    shelf = Shelf(tmp_path)
    stepper, facts = shelf.load("voice")
    assert isinstance(stepper, MelodyStepper)
    assert facts["hash"] == stepper.hash
    units = {row["name"]: row["held_out_unit"] for row in shelf.models()}
    assert (units["voice"], units["concert"]) == ("event", "note")
    Improviser(stepper)


# --- one sixteenth ---------------------------------------------------------------------------------------------------


def test_a_voice_is_told_what_melody_of_says() -> None:
    notes = [Note(0.0, 48, 1.5, 80), Note(0.0, 72, 0.25, 80), Note(0.5, 76, 0.25, 80), Note(1.0, 76, 0.125, 80)]
    followed, events = None, []
    for frame in frames_of(notes, 0.125):
        event, followed = event_of(frame, followed)
        events.append(event)
    assert events == melody_of(notes, 0.125) == [72, HOLD, REST, REST, 76, HOLD, REST, REST, 76, *[REST] * 3]


def test_keys_that_are_struck_sound() -> None:
    keys = roll_of((frozenset({21, 108}), frozenset({108, 20, 109})))
    assert np.flatnonzero(keys[0]).tolist() == [0, 87, 88 + 87]


def test_what_is_outside_the_grid_is_refused(tmp_path: Path) -> None:
    voice = stepper_of(load_bundle(tiny_bundle(tmp_path / "voice", "melody")))
    roll = stepper_of(load_bundle(tiny_bundle(tmp_path / "roll", "pianoroll")))
    assert isinstance(voice, MelodyStepper)
    assert isinstance(roll, RollStepper)
    with pytest.raises(ValueError, match="sixteenth"):
        voice.feed(voice.start(), (frozenset(), frozenset()), 16)
    with pytest.raises(ValueError, match="token"):
        roll.keys_logits(roll.start(), np.zeros((1, 176), np.float32), -1)


# --- weights of 8 bits -----------------------------------------------------------------------------------------------


def with_blocks(folder: Path, *, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    """A melody model whose largest product has 8-bit weights; ``change`` lies about them."""
    inputs: list[Any] = [("event", "tensor(int32)", None), ("position", "tensor(int32)", None)]
    state: list[Any] = [(name, "tensor(float)", UNITS) for name in ("h0", "c0")]
    after = [(f"{name}_out", kind, units) for name, kind, units in state]
    graph = Graph(([*inputs, *state], [("event_logits", "tensor(float)", 130), *after]), 0)
    rng = np.random.default_rng(1)
    about: dict[str, Any] = {
        "K": UNITS, "N": 130, "bits": 8, "block_size": 32, "domain": "com.microsoft",
        "B": rng.integers(0, 256, (130, 1, 32)).astype(np.uint8), "S": np.full((130, 1), 0.01, np.float32),
    }  # fmt: skip
    change(about)
    weights = {name: about.pop(name) for name in ("B", "S")}
    graph.weights += [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph.nodes = [node for node in graph.nodes if "event_logits" not in node.output]
    graph.nodes.append(helper.make_node("MatMulNBits", ["hidden", "B", "S"], ["event_logits"], **about))
    with_step(folder, graph.data())
    return folder


def test_weights_of_8_bits_play(tmp_path: Path) -> None:
    load_bundle(with_blocks(tiny_bundle(tmp_path / "tiny", "melody")))


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({"K": 4096}, "as many"),
        ({"N": 60_000}, "as many"),
        ({"N": 10**9}, "described"),
        ({"K": -1}, "described"),
        ({"bits": 4}, "described"),
        ({"block_size": 17}, "described"),
        ({"block_size": 16}, "as many"),
        ({"S": np.ones((1, 1), np.float32)}, "as many"),
        ({"S": np.ones((130, 1), np.float16)}, "as many"),
        ({"B": np.ones((130, 1, 31), np.uint8)}, "as many"),
        ({"B": np.ones((2, 2, 2, 2), np.uint8)}, "shape"),
        ({"domain": "com.stranger"}, "com.stranger.MatMulNBits"),
    ],
)
def test_weights_of_8_bits_that_lie_are_refused(tmp_path: Path, lie: dict[str, Any], says: str) -> None:
    assert says in refused(with_blocks(tiny_bundle(tmp_path / "tiny", "melody"), change=lambda a: a.update(lie)))


def test_float_weights_keep_two_dimensions(tmp_path: Path) -> None:
    folder = with_blocks(
        tiny_bundle(tmp_path / "tiny", "melody"), change=lambda a: a.update(S=np.ones((130, 1, 1), np.float32))
    )
    assert "shape" in refused(folder)


def test_dequantize_linear_plays(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "tiny", "melody")
    model = onnx.load(folder / "step.onnx")
    table = next(w for w in model.graph.initializer if w.name == "event/w")
    assert list(table.dims) == [INDEX_SIZES["event"], UNITS]
    model.graph.initializer.remove(table)
    numbers = np.random.default_rng(2).integers(-100, 100, (INDEX_SIZES["event"], UNITS)).astype(np.int8)
    model.graph.initializer.extend(
        [numpy_helper.from_array(numbers, "q"), numpy_helper.from_array(np.float32(0.01), "s")]
    )
    model.graph.node.insert(0, helper.make_node("DequantizeLinear", ["q", "s"], ["event/w"]))
    with_step(folder, model.SerializeToString())
    load_bundle(folder)

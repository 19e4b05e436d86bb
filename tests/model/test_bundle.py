"""A model folder is data from a stranger: whatever is wrong with it, one sentence says so and nothing is run."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.errors import ModelError
from livemuse.model import bundle as bundle_module
from livemuse.model.bundle import GRAPHS, Bundle, find_models, load_bundle
from livemuse.model.graphfile import look_inside
from tests.model.conftest import SHIPPED, copy_model, edit_manifest, replace

Manifest = dict[str, Any]


def test_the_shipped_model_loads_and_says_what_it_is(shipped: Bundle) -> None:
    info = shipped.info
    assert (info.name, info.family, info.path) == ("concert", "performance", SHIPPED)
    assert info.notes >= 2_000_000
    assert "NC" in info.licence
    assert 0 < info.held_out_nats < 16.4  # 16.35 is knowing nothing at all
    assert len(info.hash) == 64


def refused(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load_bundle(folder)
    error = caught.value
    assert error.what.endswith(".")
    assert "\n" not in str(error)
    assert len(str(error)) < 600
    return error


def set_to(*keys: str | int, value: Any) -> Callable[[Manifest], None]:
    def change(manifest: Manifest) -> None:
        at: Any = manifest
        for key in keys[:-1]:
            at = at[key]
        at[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_to("format_version", value=2), "format version 2"),
        (set_to("format_version", value=0), "format version 0"),
        (set_to("format_version", value="1"), "format version"),
        (set_to("format_version", value=True), "format version"),
        (set_to("format_version", value=10**40), "format version"),
        (set_to("family", value="orchestra"), "orchestra"),
        (set_to("family", value=None), "family"),
        (set_to("family", value=["performance"]), "family"),
        (set_to("vocabulary", value=None), "vocabulary"),
        (set_to("vocabulary", "sha256", value="0" * 64), "another vocabulary"),
        (set_to("name", value=""), "name"),
        (set_to("name", value="x" * 5000), "name"),
        (set_to("name", value="\x1b[2J"), "name"),
        (set_to("graphs", value={}), "step"),
        (set_to("graphs", "step", "file", value="../../etc/passwd"), "passwd"),
        (set_to("graphs", "step", "file", value="/etc/passwd"), "passwd"),
        (set_to("graphs", "step", "file", value="head_step.onnx"), "head_step.onnx"),
        (set_to("graphs", "step", "sha256", value="0" * 64), "not the file"),
        (set_to("graphs", "step", "sha256", value=7), "sha256"),
        (set_to("state", value=[]), "state"),
        (set_to("state", value=[{"name": "h0", "units": 384}] * 40), "state"),
        (set_to("state", 0, "units", value=10**12), "units"),
        (set_to("state", 0, "units", value=-1), "units"),
        (set_to("state", 0, "units", value=385), "does not take or give"),
        (set_to("state", 0, "name", value="c0"), "twice"),
        (set_to("state", 0, "name", value="memory"), "does not take or give"),
        (set_to("z", value=385), "does not take or give"),
        (set_to("z", value=1.5), "number of z"),
        (set_to("training", value=None), "training"),
        (set_to("training", "notes", value=True), "notes"),
        (set_to("held_out", "nats_per_note", value="low"), "score"),
        (set_to("held_out", "nats_per_note", value=float("nan")), "JSON"),
        (set_to("held_out", "nats_per_note", value=float("inf")), "JSON"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(model_copy: Path, change: Callable[[Manifest], None], says: str) -> None:
    edit_manifest(model_copy, change)
    assert says in str(refused(model_copy))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"format_version": ' + b"9" * 5000 + b"}",
        b"1" * 2_000_000,
    ],
)
def test_a_manifest_that_is_no_manifest_is_refused(model_copy: Path, data: bytes) -> None:
    replace(model_copy / "manifest.json", data)
    refused(model_copy)


def test_a_newer_format_asks_for_a_newer_livemuse(model_copy: Path) -> None:
    edit_manifest(model_copy, set_to("format_version", value=2))
    assert refused(model_copy).remedy == "Update livemuse."


@pytest.mark.parametrize("name", ["manifest.json", *(f"{g}.onnx" for g in GRAPHS)])
def test_a_missing_file_is_named(model_copy: Path, name: str) -> None:
    (model_copy / name).unlink()
    assert name in str(refused(model_copy))


@pytest.mark.parametrize("kind", ["nowhere", "file", "folder in the file's place", "pipe"])
def test_what_is_no_model_folder_is_refused(tmp_path: Path, kind: str) -> None:
    if kind == "nowhere":
        refused(tmp_path / "no-such-model")
    elif kind == "file":
        (tmp_path / "model").write_text("hello")
        refused(tmp_path / "model")
    else:
        folder = copy_model(tmp_path / "model")
        (folder / "step.onnx").unlink()
        if kind == "pipe":
            if not hasattr(os, "mkfifo"):
                pytest.skip("no named pipes here")
            os.mkfifo(folder / "step.onnx")
        else:
            (folder / "step.onnx").mkdir()
        refused(folder)


def with_graph(folder: Path, name: str, data: bytes) -> None:
    """Put another graph in, and make the manifest vouch for it, as a stranger could."""
    replace(folder / f"{name}.onnx", data)
    edit_manifest(folder, set_to("graphs", name, "sha256", value=hashlib.sha256(data).hexdigest()))


@pytest.mark.parametrize("keep", [0, 1, 100, 5000, -1])
def test_a_graph_cut_off_is_refused(model_copy: Path, keep: int) -> None:
    data = (SHIPPED / "head_step.onnx").read_bytes()[:keep]
    replace(model_copy / "head_step.onnx", data)
    assert "not the file" in str(refused(model_copy))
    with_graph(model_copy, "head_step", data)
    refused(model_copy)


def test_graphs_in_each_others_place_are_refused(model_copy: Path) -> None:
    with_graph(model_copy, "head_step", (SHIPPED / "head_duration.onnx").read_bytes())
    assert "does not take or give" in str(refused(model_copy))


def test_a_graph_too_large_is_not_read(model_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "MAX_GRAPH_BYTES", 1_000_000)
    assert "larger than 1 MB" in str(refused(model_copy))


# A protocol buffer by hand: (field number << 3 | 2), length, bytes; or (number << 3), varint.
def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def node(operation: bytes, attribute: bytes = b"", domain: bytes = b"") -> bytes:
    return field(4, operation) + (field(7, domain) if domain else b"") + (field(5, attribute) if attribute else b"")


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        (field(1, node(b"Loop")), "operation Loop"),
        (field(1, node(b"ConstantOfShape")), "operation ConstantOfShape"),
        (field(1, node(b"Add", domain=b"com.stranger")), "com.stranger.Add"),
        (field(1, node(b"Add", attribute=field(6, b""))), "graph within a graph"),
        (field(5, field(13, b"location")), "other files"),
        (field(5, varint(14 << 3) + varint(1)), "other files"),
        (field(1, node(b"Add", attribute=field(5, field(13, b"x")))), "other files"),
        (field(5, varint(1 << 3) + varint(10**9)), "shape"),
        (field(5, field(1, varint(10**12) * 2)), "shape"),
        (field(5, field(1, varint(2) * 9)), "shape"),
        (field(15, b""), "sparse"),
        (field(1, node(b"\x1b[2J")), "operation ?[2J"),
    ],
)
def test_a_graph_that_does_more_than_a_step_is_refused(model_copy: Path, graph: bytes, says: str) -> None:
    with_graph(model_copy, "step", field(7, graph))
    assert says in str(refused(model_copy))


def test_functions_hidden_in_a_graph_are_refused(model_copy: Path) -> None:
    with_graph(model_copy, "step", (SHIPPED / "step.onnx").read_bytes() + field(25, b""))
    assert "functions" in str(refused(model_copy))


def test_a_name_that_is_no_text_is_refused(model_copy: Path) -> None:
    data = (SHIPPED / "head_velocity.onnx").read_bytes()
    with_graph(model_copy, "head_velocity", data.replace(b"velocity_logits", b"velocity_\x80\xff\xfe\x80\x80s"))
    refused(model_copy)


def test_weights_that_are_no_numbers_are_refused(model_copy: Path) -> None:
    data = (SHIPPED / "head_step.onnx").read_bytes()
    middle = len(data) // 2 & ~3
    with_graph(model_copy, "head_step", data[: middle - 20_000] + b"\xff" * 40_000 + data[middle + 20_000 :])
    refused(model_copy)


@given(st.binary(max_size=300))
def test_any_bytes_are_looked_into_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        look_inside(data)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=4))
def test_a_damaged_manifest_is_refused_or_still_true(
    tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes
) -> None:
    folder = copy_model(tmp_path_factory.mktemp("damaged") / "model")
    data = (SHIPPED / "manifest.json").read_bytes()
    at %= len(data)
    replace(folder / "manifest.json", data[:at] + put + data[at + len(put) :])
    for info in find_models([folder.parent]):
        assert info.problem == "" or info.problem.endswith(".")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=4))
def test_a_damaged_graph_is_refused_or_plays(tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes) -> None:
    folder = copy_model(tmp_path_factory.mktemp("damaged") / "model")
    data = (SHIPPED / "head_velocity.onnx").read_bytes()
    ends = (600, len(data))  # weights fill the middle; the structure lies at both ends
    at = at % ends[0] if at % 2 else ends[1] - 1 - at % ends[0]
    with_graph(folder, "head_velocity", data[:at] + put + data[at + len(put) :])
    with contextlib.suppress(ModelError):  # anything else would be a bug
        load_bundle(folder)


def test_models_are_found_by_name_and_damaged_ones_say_why(tmp_path: Path) -> None:
    copy_model(tmp_path / "own" / "concert")
    edit_manifest(copy_model(tmp_path / "own" / "alpha"), set_to("name", value="alpha"))
    edit_manifest(copy_model(tmp_path / "own" / "broken"), set_to("format_version", value=99))
    (tmp_path / "own" / "notes.txt").write_text("not a model")
    found = find_models([tmp_path / "nowhere", tmp_path / "own", SHIPPED.parent])
    by_name = {info.name: info for info in found}
    assert list(by_name) == sorted(by_name)
    assert by_name["concert"].path == tmp_path / "own" / "concert"  # the first folder wins
    assert by_name["alpha"].problem == ""
    assert "format version 99" in by_name["broken"].problem


def test_finding_models_needs_no_onnx_runtime() -> None:
    code = (
        "import sys; from pathlib import Path; from livemuse.model.bundle import find_models;"
        f"assert find_models([Path({str(SHIPPED.parent)!r})]);"
        "sys.exit(any(m in sys.modules for m in ('onnxruntime', 'numpy', 'tensorflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_the_manifest_names_everything_a_reader_may_ask() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    assert {row["source"] for row in manifest["training"]["data"]} >= {"MAESTRO v3.0.0", "PiJAMA", "POP909"}
    assert all(row["licence"] and row["notes"] > 0 for row in manifest["training"]["data"])
    assert sum(row["notes"] for row in manifest["training"]["data"]) == manifest["training"]["notes"]
    assert manifest["held_out"]["split"] == "validation"

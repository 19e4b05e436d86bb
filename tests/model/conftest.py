"""The shipped model, and copies of it to damage."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livemuse.model.bundle import Bundle, load_bundle

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "concert"


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    return load_bundle(SHIPPED)


def copy_model(to: Path) -> Path:
    """A copy whose files may be replaced, never written into: they are hard links or symbolic ones."""
    to.mkdir(parents=True)
    for path in SHIPPED.iterdir():
        try:
            os.link(path, to / path.name)
        except OSError:
            (to / path.name).symlink_to(path)
    return to


def replace(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    replace(folder / "manifest.json", json.dumps(manifest).encode())


@pytest.fixture
def model_copy(tmp_path: Path) -> Path:
    return copy_model(tmp_path / "concert")

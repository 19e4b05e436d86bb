"""A handful of made-up pieces, written as MIDI files with a manifest."""

import csv
from pathlib import Path

import numpy as np
import pytest

from livemuse.midi.smf import Track, write_song
from training.corpus import prepare

PIECES = {"train": 6, "validation": 2}


def quiet(_line: str) -> None:
    """Nobody listens."""


def write_piece(path: Path, seed: int, notes: int = 150) -> None:
    """Broken chords over a few harmonies, a little different each time."""
    rng = np.random.default_rng(seed)
    events: list[tuple[float, bytes]] = []
    at_s = 0.0
    for k in range(notes):
        pitch = 48 + (0, 5, 7, 0)[k // 8 % 4] + (0, 4, 7, 12)[k % 4] + seed % 3
        velocity = int(rng.integers(50, 90))
        events += [(at_s, bytes([0x90, pitch, velocity])), (at_s + 0.18, bytes([0x80, pitch, 0]))]
        at_s += float(rng.normal(0.2, 0.01))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write_song([Track("player", sorted(events))]))


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with manifest.csv and the MIDI files it names, one of them damaged."""
    root = tmp_path_factory.mktemp("corpus")
    rows = []
    for split, count in PIECES.items():
        for k in range(count):
            file = f"{split}/{k}.mid"
            write_piece(root / file, seed=len(rows))
            rows.append([file, "Invented", "CC0 1.0", split, f"{split}{k}"])
    (root / "train/damaged.mid").write_bytes(b"MThd nothing good")
    rows.append(["train/damaged.mid", "Invented", "CC0 1.0", "train", "x"])
    rows.append(["train/absent.mid", "Invented", "CC0 1.0", "train", "y"])
    with (root / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "source", "licence", "split", "composition_group"])
        writer.writerows(rows)
    return root


@pytest.fixture(scope="session")
def notes(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notes of that folder, as `prepare` leaves them; nobody writes there."""
    folder = tmp_path_factory.mktemp("notes")
    prepare(tiny_corpus / "manifest.csv", tiny_corpus, folder, say=quiet)
    return folder

"""The best of several against the first: what is compared, and the whole figure on invented music."""

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livemuse.model.bundle import load_bundle
from livemuse.music.notes import Note
from tests.training.conftest import quiet
from training.commands import best as command
from training.figures.best import COLUMNS, Asked, best, calls, compared, measured, table
from training.figures.judging import Judge

MODEL = Path(__file__).parents[2] / "models" / "concert"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pieces up and down a scale, in C and in F sharp."""
    folder = tmp_path_factory.mktemp("notes")
    scale = np.tile(np.array([60, 62, 64, 65, 67, 65, 64, 62]), 25)
    pitch = np.concatenate([scale, scale + 6])
    step_s = np.tile(np.concatenate([[0.0], np.full(199, 0.25)]), 2)
    np.savez(folder / "validation.npz", pitch=pitch.astype(np.uint8), step_s=step_s.astype(np.float32),
             duration_s=np.full(400, 0.2, np.float32), velocity=np.full(400, 70, np.uint8))  # fmt: skip
    pieces = [{"file": f"{k}.mid", "source": "Invented", "licence": "CC0 1.0", "notes": 200, "composition": f"{k}"}
              for k in range(2)]  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"key": "", "pieces": {"validation": pieces}, "skipped": []}))
    return folder


def line(*pitches: int) -> tuple[Note, ...]:
    return tuple(Note(0.25 * k, pitch, 0.2, 70) for k, pitch in enumerate(pitches))


def test_what_is_better_measures_better(data: Path) -> None:
    turns = calls(Asked(MODEL, data, calls=2), quiet)
    good = [replace(t, answer=t.call[:15]) for t in turns]
    good = [replace(t, answer=(*t.answer, Note(9.0, 60 if t.answer[0].pitch % 2 == 0 else 61, 0.5, 70))) for t in good]
    bad = [replace(t, answer=line(61, 63, 66, 68, *[61, 63, 66, 68] * 4, 70)) for t in turns]
    judge = Judge(load_bundle(MODEL))
    first, chosen = measured(bad, judge), measured(good, judge)
    found = compared(first, chosen)
    for name in ("fit", "classes", "inside"):
        assert found[name]["difference"] > 0.0
        assert found[name]["low"] <= found[name]["difference"] <= found[name]["high"]
    assert found["round"]["difference"] == -1.0
    assert found["again"]["first"] > 0.5


def test_the_whole_figure(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    command.options(parser)
    options = [str(MODEL), "--data", str(data), "--calls", "2", "--candidates", "2", "--temperature", "0.9"]
    command.run(parser.parse_args([*options, "--set", "answer_length=1 s", "--json"]))
    found = json.loads(capsys.readouterr().out)
    assert found["candidates"] == 2
    assert found["temperatures"]["0.9"]["answers"] == 2
    assert set(found["temperatures"]["0.9"]) == {"answers", *COLUMNS}
    assert found["note_ms"]["alone"] > 0.0
    assert "temperature 0.9, 2 answers" in table(found)


def test_pieces_that_are_too_short_are_told(data: Path) -> None:
    with pytest.raises(ValueError, match="too few"):
        best(Asked(MODEL, data, calls=1), quiet)

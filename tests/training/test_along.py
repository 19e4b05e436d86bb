"""How playing at the same time is judged: what counts as being in the way, and the whole figure."""

import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from livemuse.music.notes import Note, PlannedNote
from tests.training.conftest import quiet
from training.commands import duet as command
from training.figures.along import (
    OCTAVE,
    Asked,
    Together,
    along,
    keys_held,
    near_held,
    near_lately,
    onsets_of,
    risings,
    row,
    silent_after_s,
    table,
)

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One piece that goes up and down in the middle of the keyboard."""
    folder = tmp_path_factory.mktemp("notes")
    pitch = np.tile(np.array([60, 62, 64, 65, 67, 65, 64, 62]), 15)
    np.savez(folder / "validation.npz", pitch=pitch.astype(np.uint8), velocity=np.full(120, 70, np.uint8),
             step_s=np.concatenate([[0.0], np.full(119, 0.4)]).astype(np.float32),
             duration_s=np.full(120, 0.3, np.float32))  # fmt: skip
    pieces = [{"file": "0.mid", "source": "Invented", "licence": "CC0 1.0", "notes": 120, "composition": "0"}]
    (folder / "index.json").write_text(json.dumps({"key": "", "pieces": {"validation": pieces}, "skipped": []}))
    return folder


def together(player: list[tuple[float, int, float]], mine: list[tuple[float, int, float]]) -> Together:
    return Together(
        tuple(Note(onset_s, pitch, duration_s, 70) for onset_s, pitch, duration_s in player),
        tuple(PlannedNote(1, k, onset_s, pitch, duration_s, 70) for k, (onset_s, pitch, duration_s) in enumerate(mine)),
    )


def test_what_is_in_the_way() -> None:
    both = together([(0.0, 60, 1.0), (3.0, 60, 1.0)], [(0.5, 60, 0.2), (0.5, 72, 0.1), (0.9, 80, 1.0), (1.5, 65, 0.5)])
    assert near_held(both, 0) == 1
    assert near_held(both, OCTAVE) == 2
    assert near_lately(both) == 3
    assert near_held(together([(0.0, 60, 1.0)], [(1.0, 60, 1.0)]), 0) == 0  # let go at that moment


def test_a_key_struck_again_before_it_was_let_go_is_held_until_both_are() -> None:
    (key,) = keys_held([Note(0.0, 60, 2.0, 70), Note(1.0, 60, 0.5, 70)])
    assert (key.onset_s, key.end_s) == (0.0, 2.0)


def test_when_the_player_becomes_busy_and_how_long_livemuse_goes_on() -> None:
    player = [(0.1 * k, 60, 0.05) for k in range(8)] + [(0.1, 64, 0.05)] + [(5.0 + 0.1 * k, 60, 0.05) for k in range(8)]
    both = together(player, [(0.5, 80, 0.4), (1.0, 80, 0.5), (3.0, 80, 0.5)])
    assert len(onsets_of(both.player)) == 16  # the chord is one
    assert risings(both, 6.0) == pytest.approx([0.6, 5.6])
    assert silent_after_s(both, 0.6, 0.5) == pytest.approx(0.9)
    assert silent_after_s(both, 5.6, 0.5) == 0.0
    assert row([both], 6.0)["went on"] == 1


@pytest.mark.parametrize("model", ["concert", "lead"])
def test_the_whole_figure(data: Path, model: str) -> None:
    found = along(Asked(MODELS / model, data, seconds=24.0, speeds=(1.0, 4.0)), quiet)
    slow, fast = found["rows"]["x 1"], found["rows"]["x 4"]
    assert slow["notes"] > 10 > fast["notes"]
    assert slow["plays"] == 1.0
    for one in (slow, fast):
        assert (one["unisons"], one["octave"], one["lately"], one["went on"]) == (0, 0, 0, 0)
        assert one["silent"] <= 0.5
    assert "unisons" in table(found)


def test_the_command(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    command.options(parser)
    asked = [str(MODELS / "lead"), "--data", str(data), "--seconds", "8", "--speeds", "1", "--json"]
    command.run(parser.parse_args(asked))
    assert list(json.loads(capsys.readouterr().out)["rows"]) == ["x 1"]

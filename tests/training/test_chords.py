"""Whether answers follow chords: what counts on the beat of a change, and the whole figure."""

import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from livemuse.errors import ControlError
from livemuse.music.notes import Note
from livemuse.music.progressions import progression
from tests.training.conftest import quiet
from training.commands import chords as command
from training.figures.chords import Asked, Followed, changes_s, follow, following, resolves, struck_inside, table
from training.figures.playing import Turn

MODEL = Path(__file__).parents[2] / "models" / "concert"
CHORDS = progression("C F")  # changes each 2 s at 120 bpm
BEAT_S = 0.5


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pieces up and down the scale of C."""
    folder = tmp_path_factory.mktemp("notes")
    pitch = np.tile(np.array([60, 62, 64, 65, 67, 65, 64, 62]), 50)
    step_s = np.tile(np.concatenate([[0.0], np.full(199, 0.25)]), 2)
    np.savez(folder / "validation.npz", pitch=pitch.astype(np.uint8), step_s=step_s.astype(np.float32),
             duration_s=np.full(400, 0.3, np.float32), velocity=np.full(400, 70, np.uint8))  # fmt: skip
    pieces = [{"file": f"{k}.mid", "source": "Invented", "licence": "CC0 1.0", "notes": 200, "composition": f"{k}"}
              for k in range(2)]  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"key": "", "pieces": {"validation": pieces}, "skipped": []}))
    return folder


def followed(*notes: Note) -> Followed:
    found = Followed()
    follow(found, notes, CHORDS, BEAT_S)
    return found


def test_changes() -> None:
    assert changes_s(CHORDS, BEAT_S, 6.5) == [0.0, 2.0, 4.0, 6.0]
    assert changes_s(progression("C C F"), BEAT_S, 10.0) == [0.0, 4.0, 6.0]
    assert changes_s(progression("C"), BEAT_S, 10.0) == [0.0]


def test_what_sounds_on_the_beat_counts() -> None:
    last = Note(3.0, 69, 0.1, 80)
    ringing = followed(Note(1.0, 65, 2.0, 80), last)
    assert (ringing.changes, ringing.notes, ringing.chord_tones, ringing.ringing) == (1, 1, 1, 1)
    struck = followed(Note(2.03, 65, 0.3, 80), last)
    assert (struck.notes, struck.chord_tones, struck.ringing) == (1, 1, 0)
    over = followed(Note(1.0, 64, 1.0, 80), Note(2.2, 64, 0.3, 80), last)
    assert (over.changes, over.notes) == (0, 0)
    wrong = followed(Note(0.0, 61, 0.5, 80), Note(1.0, 64, 2.0, 80), last)
    assert (wrong.changes, wrong.notes, wrong.chord_tones, wrong.resolved) == (2, 2, 0, 0)


def test_a_suspension_resolves_by_a_step_within_a_beat() -> None:
    f = frozenset({5, 9, 0})
    suspended = Note(1.5, 67, 0.9, 80)
    assert resolves(suspended, 2.0, f, BEAT_S, [Note(2.4, 65, 0.5, 80)])
    assert resolves(suspended, 2.0, f, BEAT_S, [Note(2.4, 69, 0.5, 80)])
    assert not resolves(suspended, 2.0, f, BEAT_S, [Note(2.6, 65, 0.5, 80)])  # too late
    assert not resolves(suspended, 2.0, f, BEAT_S, [Note(2.4, 72, 0.5, 80)])  # by a leap
    assert not resolves(suspended, 2.0, f, BEAT_S, [Note(2.4, 68, 0.5, 80)])  # to no chord tone
    assert not resolves(Note(1.5, 67, 2.0, 80), 2.0, f, BEAT_S, [Note(2.4, 65, 0.5, 80)])  # it goes on


def test_the_share_of_what_is_struck_and_of_what_is_long() -> None:
    turns = [Turn("", (), (), (Note(0.0, 60, 3.0, 80), Note(2.1, 64, 1.0, 80)))]
    assert struck_inside(turns, CHORDS, BEAT_S, long=False) == 0.5
    assert struck_inside(turns, CHORDS, BEAT_S, long=True) == 0.75


def test_the_whole_figure(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = following(Asked(MODEL, data, calls=2, chords="Ab Db", tempo=120, seconds=6.0), quiet)
    assert set(found["rows"]) == {"off", "on", "pianists"}
    off, on = found["rows"]["off"], found["rows"]["on"]
    assert on["struck"] > off["struck"]
    assert on["right"] >= 0.8
    assert "chord_tones" in table(found)
    parser = ArgumentParser()
    command.options(parser)
    command.run(parser.parse_args([str(MODEL), "--data", str(data), "--calls", "1", "--seconds", "3", "--json"]))
    assert json.loads(capsys.readouterr().out)["chords"] == "Am F C G"
    with pytest.raises(ControlError, match="'Q' is no chord"):
        following(Asked(MODEL, data, chords="Am Q"), quiet)

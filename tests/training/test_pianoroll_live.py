"""The piano roll for live play: files to frames and back, one voice answered by all, graphs as Keras has them."""

import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TensorFlow's own
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

from livemuse.midi.smf import Track, write_song
from livemuse.model.bundle import load_bundle, stepper_of
from livemuse.model.grid_stepper import RollStepper
from livemuse.music.grid import PER_BAR, frames_of
from livemuse.music.notes import Note
from training.__main__ import main
from training.golden import FLOAT32, FROM_ITSELF, FROM_KERAS, GOLDEN, nearness, read_golden
from training.pianoroll.config import CONFIGS, load_settings, settings_from
from training.pianoroll.dataset import batches, plan
from training.pianoroll.plain import PLAIN, nats_of_plain
from training.pianoroll.scores import frames_of_roll, piece_of, roll_of_frames
from training.pianoroll.sequences import Piece

SHIPPED = Path(__file__).parents[2] / "models" / "chorale"
CHORDS = ((48, 55, 64, 72), (50, 57, 65, 74), (43, 59, 62, 74), (48, 55, 64, 72))


def chorale(bars: int, higher: int = 0) -> list[Note]:
    """Four voices, a chord a beat, times in sixteenths."""
    return [
        Note(4.0 * beat, pitch + higher, 4.0, 70) for beat in range(4 * bars) for pitch in CHORDS[beat % len(CHORDS)]
    ]


def a_piece(bars: int, higher: int = 0) -> Piece:
    return piece_of(chorale(bars, higher), np.arange(16 * bars) % PER_BAR)


voices = st.lists(st.tuples(st.integers(0, 40), st.integers(21, 108), st.integers(1, 12)), min_size=1, max_size=20)


@given(voices)
def test_notes_on_the_grid_come_back_from_the_roll(given_notes: list[tuple[int, int, int]]) -> None:
    frames = frames_of([Note(float(b), p, float(d), 70) for b, p, d in given_notes], 1.0)
    assert frames_of_roll(roll_of_frames(frames)) == frames
    piece = piece_of([Note(float(b), p, float(d), 70) for b, p, d in given_notes], np.arange(len(frames)) % PER_BAR)
    assert frames_of_roll(piece.frames)[1:] == frames
    assert not piece.frames[0].any()
    assert piece.position is not None
    assert piece.position[1:].tolist() == [t % 16 for t in range(len(frames))]
    assert piece.top is not None
    assert (piece.top[:, :88].sum(1) <= 1).all()
    assert (piece.top <= piece.frames).all()


def test_one_voice_is_heard_and_all_are_to_be_drawn() -> None:
    piece = a_piece(6)
    values = {"batch": 1, "window": 96, "alone_share": 1.0, "shape": {"kinds": 2, "positions": 16}}
    settings = settings_from(values)
    planned = plan([piece], settings, range(3))
    for windows, batch in zip(planned.windows, batches([piece], planned, settings.shape, 0), strict=True):
        _, _first, count, _, alone = windows[0].tolist()
        assert 16 <= alone <= 2 * count // 3
        heard, target = batch.features[:, 0, :88].numpy(), batch.target.numpy()
        assert heard[:alone].sum(1).max() == 1
        assert heard[alone:].sum(1).min() == 4
        assert len(target) == count - alone + 1  # nothing of what one voice does alone
        assert target[:, :88].sum(1).min() == 4
        struck = set(np.flatnonzero(target[0, 88:]))
        sounding, before = set(np.flatnonzero(target[0, :88])), set(np.flatnonzero(batch.before[0, :88]))
        assert struck >= sounding - before  # what was not heard cannot be held over


def test_plain_models_are_distributions_and_the_bar_helps() -> None:
    learned, tested = [a_piece(6, k) for k in range(6)], [a_piece(4)]
    nats = {kind: nats_of_plain(kind, learned, tested).sum() for kind in PLAIN}
    assert nats["repeat"] > nats["markov"] > nats["markov_in_bar"] > 0
    silent = Piece(np.zeros((3, 176), np.uint8), np.zeros(3, np.int64))
    one = silent.frames.copy()
    one[2, [40, 88 + 40]] = 1
    two = [nats_of_plain("markov", learned, [piece])[0] for piece in (silent, Piece(one, silent.position))]
    same = nats_of_plain("markov", learned, [Piece(silent.frames[:2], np.zeros(2, np.int64))])[0]
    other = 1 - math.exp(-(two[0] - same)) - math.exp(-(two[1] - same))
    assert 0 < other < 1  # what is left for all other frames
    with pytest.raises(ValueError, match="there is no plain model"):
        nats_of_plain("none", learned, tested)


def write_songs(folder: Path, count: int) -> None:
    """Chorales at 90 beats a minute."""
    for k in range(count):
        events = []
        for note in chorale(4, k):
            begin, end = (t / 4 * 60 / 90 for t in (note.onset_s, note.end_s))
            events += [(begin, bytes((0x90, note.pitch, 70))), (end - 0.02, bytes((0x80, note.pitch, 0)))]
        (folder / f"{k}.mid").write_bytes(write_song([Track("choir", events)], tempo_bpm=90.0))


@pytest.mark.pipeline
def test_one_command_makes_a_model_that_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    write_songs(songs, 5)
    (songs / "none.mid").write_bytes(b"MThd nothing")
    (tmp_path / "small.toml").write_text("""
        name = "small"
        epochs = 6
        batch = 1
        warmup_steps = 3
        learning_rate = 1e-2
        average = 0.5
        alone_share = 0.3
        [shape]
        kinds = 2
        positions = 16
        units = 12
        head_width = 16
        around = 3
        reach = 2
    """)
    command = ["training", "chorale", str(songs), "--config", str(tmp_path / "small.toml"), "--json"]
    monkeypatch.setattr(sys, "argv", [*command, "--run", str(tmp_path / "run"), "--out", str(tmp_path / "m" / "small")])
    assert main() == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert "left out: none.mid" in output.err
    assert found["held_out"]["nats_per_frame"] < 12
    assert found["weights"]["parity_float32"] < 1e-4
    bundle = load_bundle(tmp_path / "m" / "small")
    stepper = stepper_of(bundle)
    assert isinstance(stepper, RollStepper)
    frames = frames_of(chorale(1), 1.0)
    state = stepper.start()
    for t, frame in enumerate(frames):
        state = stepper.feed(state, frame, (t + 1) % PER_BAR)
    logits = stepper.keys_logits(state, np.zeros((1, 176), np.float32))
    assert logits.shape == (177,)
    assert np.isfinite(logits).all()
    assert "four beats" in (tmp_path / "m" / "small" / "MODEL.md").read_text()


def test_a_network_that_cannot_play_live_is_refused(tmp_path: Path) -> None:
    from training.pianoroll.graphs import check_shape

    check_shape(load_settings(CONFIGS / "chorale.toml").shape)
    with pytest.raises(ValueError, match="draws its keys jointly"):
        check_shape(load_settings(CONFIGS / "nottingham_joint.toml").shape)


@pytest.mark.skipif(not (SHIPPED / GOLDEN).exists(), reason="the model is not in this checkout")
@pytest.mark.parametrize("batch", [1, 8])
def test_the_shipped_model_says_what_it_said_when_it_was_made(batch: int) -> None:
    from training.pianoroll.export import Told, graph_words

    kept = read_golden(SHIPPED / GOLDEN, batch, ("keys", "position", "drawn", "last"))
    words = graph_words(SHIPPED, Told(**kept.inputs))
    assert nearness(words, kept.keras).within(FROM_KERAS if kept.eight_bit else FLOAT32)
    if kept.eight_bit:
        assert nearness(words, kept.eight_bit).within(FROM_ITSELF)

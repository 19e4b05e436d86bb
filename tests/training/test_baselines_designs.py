"""The ancestor networks: what they read, how their numbers are read, and that each one learns, is kept and answers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.errors import FileError
from livemuse.midi.messages import note_off, note_on
from livemuse.midi.smf import Track, notes_of, read_song, write_song
from livemuse.music.grid import frames_of
from livemuse.music.notes import Note
from livemuse.music.vocabulary import HEADS, STEP_EDGES_S, VOCABULARY
from training.baselines import pianoroll, reading, train
from training.baselines.answer import answer_file, number_of
from training.baselines.designs import DESIGNS, WINDOW
from training.baselines.table import NAMES, Split, Teaching, baselines, keep_markov, table
from training.baselines.windows import set_aside, windows_of
from training.corpus import Corpus, Piece

EDGES = np.array(STEP_EDGES_S)
SIZE = len(EDGES) - 1
LEVEL = np.full(SIZE, 1 / SIZE)


def corpus_of(pieces: int, notes: int = 90, seed: int = 0) -> Corpus:
    """Broken chords, a little uneven."""
    rng = np.random.default_rng(seed)
    pitch = np.concatenate([48 + k % 3 + np.array([0, 4, 7, 12])[np.arange(notes) % 4] for k in range(pieces)])
    made = tuple(Piece(f"{k}.mid", "x", "x", notes, str(k)) for k in range(pieces))
    count = pieces * notes
    step_s = rng.normal(0.2, 0.01, count).astype(np.float32)
    starts = np.arange(0, count + 1, notes)
    return Corpus(made, starts, pitch.astype(np.uint8), step_s, step_s * 2, np.full(count, 64, np.uint8))


def call_file(path: Path) -> Path:
    notes = [(k * 0.2, 60 + (0, 4, 7)[k % 3]) for k in range(12)]
    events = [(t, note_on(0, p, 70)) for t, p in notes] + [(t + 0.15, note_off(0, p)) for t, p in notes]
    path.write_bytes(write_song([Track("player", sorted(events))]))
    return path


def test_a_window_ends_before_its_note_and_never_reaches_into_another_piece() -> None:
    corpus = corpus_of(2, notes=40)
    windows = windows_of(corpus)
    before = windows.before(np.array([0, 1, 30, 40, 41]))
    pitches = np.rint(before[:, :, 0] * 127)
    assert not before[0].any()
    assert not before[3].any()
    assert pitches[1].tolist() == [0] * (WINDOW - 1) + [corpus.pitch[0]]
    assert pitches[4].tolist() == [0] * (WINDOW - 1) + [corpus.pitch[40]]
    assert pitches[2].tolist() == corpus.pitch[5:30].tolist()


def test_no_composition_is_both_trained_on_and_kept_aside() -> None:
    rest, aside = set_aside(corpus_of(20))
    assert len(aside.pieces) == 2
    assert not {p.composition for p in rest.pieces} & {p.composition for p in aside.pieces}
    with pytest.raises(ValueError, match="one composition"):
        set_aside(corpus_of(1))


@given(
    kind=st.sampled_from(reading.KINDS),
    width=st.floats(1e-3, 5.0),
    share=st.floats(1e-4, 1.0),
    expected=st.floats(-3.0, 20.0),
)
@settings(max_examples=60, deadline=None)
def test_a_reading_is_a_distribution_over_the_bins(kind: str, width: float, share: float, expected: float) -> None:
    nats = reading.nats(reading.Reading(kind, width, share), np.full(SIZE, expected), EDGES, np.arange(SIZE), LEVEL)
    assert np.exp(-nats).sum() == pytest.approx(1.0)


def test_a_reading_knows_a_sure_head_from_one_that_has_learned_nothing() -> None:
    rng = np.random.default_rng(0)
    true_s = rng.uniform(0.05, 3.0, 2000)
    bins = np.searchsorted(EDGES, true_s, "right") - 1
    floor = reading.histogram(bins, SIZE)
    sure = reading.fit(true_s + rng.laplace(0, 0.01, 2000), EDGES, bins, floor)
    unsure = reading.fit(rng.uniform(0.05, 3.0, 2000), EDGES, bins, floor)
    told = reading.nats(sure, true_s, EDGES, bins, floor).mean()
    entropy = -np.log(floor[bins]).mean()
    assert told < entropy - 1.0
    assert reading.nats(unsure, np.full(2000, 1.5), EDGES, bins, floor).mean() < entropy + 0.1
    assert unsure.share > 0.5 > sure.share


def test_frames_are_those_of_the_grid() -> None:
    rng = np.random.default_rng(3)
    onset_s, pitch = np.sort(rng.uniform(0, 10, 80)), rng.integers(15, 115, 80)
    duration_s = rng.uniform(0.01, 2, 80)
    notes = [Note(float(o), int(p), float(d), 64) for o, p, d in zip(onset_s, pitch, duration_s, strict=True)]
    found = pianoroll.frames_of_notes(onset_s, pitch, duration_s)
    # on the grid a key that is struck again ends its note before; what sounds is the same unless the first was longer
    expected = [sounding for sounding, _ in frames_of(notes, pianoroll.SIXTEENTH_S, count=len(found))]
    missing = [set(want) - set((np.flatnonzero(row) + 21).tolist()) for row, want in zip(found, expected, strict=True)]
    assert not any(missing)
    assert found.shape[1] == 88
    alone = pianoroll.frames_of_notes(np.array([0.25]), np.array([21]), np.array([0.25]))
    assert alone[:, 0].tolist() == [0, 0, 1, 1]


def test_frame_nats_are_binary_cross_entropy() -> None:
    true = np.array([[1, 0]])
    logits = np.array([[2.0, -1.0]])
    p = 1 / (1 + np.exp(-logits))
    assert pianoroll.nats_of(logits, true) == pytest.approx([-np.log(p[0, 0]) - np.log(1 - p[0, 1])])


def test_keys_that_are_held_are_known_by_the_key_by_key_model() -> None:
    roll = pianoroll.roll_of(corpus_of(4))
    nats = pianoroll.held_keys(roll, roll) / np.diff(roll.starts)
    share = roll.frames.mean(0).clip(1e-9, 1 - 1e-9)
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share)).sum()
    assert (nats < entropy).all()


def test_a_baseline_goes_by_its_name_or_number() -> None:
    assert [number_of(name) for name in NAMES.values()] == list(NAMES)
    assert number_of("6") == 6
    with pytest.raises(ValueError, match="there is no baseline 'bach'"):
        number_of("bach")


def test_markov_answers_from_what_was_kept(tmp_path: Path) -> None:
    keep_markov(corpus_of(6), tmp_path, lambda _: None)
    call, out = call_file(tmp_path / "call.mid"), tmp_path / "answer.mid"
    said = answer_file("markov-5", tmp_path, (call, out), 3.0, 1)
    notes = notes_of(read_song(out.read_bytes()))
    assert len(notes) == said["notes_answered"] > 3
    assert notes[0].onset_s == 0.0
    assert max(n.onset_s for n in notes) < 3.0
    again = answer_file("6", tmp_path, (call, tmp_path / "again.mid"), 3.0, 1)
    assert (tmp_path / "again.mid").read_bytes() == out.read_bytes()
    assert again["notes_heard"] == 12
    empty = tmp_path / "empty.mid"
    empty.write_bytes(write_song([Track("player", [])]))
    with pytest.raises(FileError, match="no notes"):
        answer_file("6", tmp_path, (empty, out), 3.0, 1)
    with pytest.raises(ValueError, match="no trained piano-roll"):
        answer_file("5", tmp_path, (call, out), 3.0, 1)


@pytest.mark.pipeline
def test_the_quick_layer_is_keras_own() -> None:
    keras = pytest.importorskip("keras")
    quick, own = pianoroll.quick_lstm(8), keras.layers.LSTM(8, return_sequences=True)
    heard = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    quick.build(heard.shape)
    own.build(heard.shape)
    own.set_weights(quick.get_weights())
    assert np.asarray(quick(heard)) == pytest.approx(np.asarray(own(heard)), abs=1e-6)


@pytest.mark.pipeline
def test_a_network_is_trained_kept_scored_and_answers(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    design, corpus = DESIGNS[0], corpus_of(6)
    train.train(design, corpus, tmp_path, 0.0005, lambda _: None)
    facts = tmp_path / f"{design.name}.json"
    begun = train.history_of(facts)
    assert begun is not None
    assert Teaching([1], 1.0, further=True).wants(1, tmp_path)
    assert not Teaching([1], 1.0).wants(1, tmp_path)
    train.train(design, corpus, tmp_path, 5.0, lambda _: None)  # further, until nothing more is gained
    gone_on = train.history_of(facts)
    assert gone_on is not None
    assert gone_on["kept_aside_loss"][: begun["checks"]] == begun["kept_aside_loss"]
    assert gone_on["best_check"] == 1 + int(np.argmin(gone_on["kept_aside_loss"]))
    assert not Teaching([1], 1.0, further=True).wants(1, tmp_path)
    held_out = corpus_of(2, seed=9)
    found = train.nats(design, tmp_path, held_out)
    assert found.shape == (2, 4)
    assert (found > 0).all()
    assert found.sum() / held_out.notes < np.log(list(VOCABULARY.sizes.values())).sum()
    out = tmp_path / "answer.mid"
    answer_file(design.name, tmp_path, (call_file(tmp_path / "call.mid"), out), 1.0, 0)
    assert notes_of(read_song(out.read_bytes()))
    (tmp_path / f"{design.name}.npz").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not this design's"):
        train.load(design, tmp_path)


def test_the_table_names_every_row_and_marks_what_is_read_into_a_number(tmp_path: Path) -> None:
    corpus, held_out = corpus_of(6), corpus_of(2, seed=9)
    data = tmp_path / "data"
    data.mkdir()
    (data / "index.json").write_text("{}")
    run = tmp_path / "run"
    split = Split(data, corpus, held_out, "validation")
    found = baselines(split, run, Teaching([6], 1.0), [], lambda _: None)
    (row,) = found["rows"]
    assert row["total"] == pytest.approx(sum(row["by_head"][head] for head in HEADS))
    assert "6 markov-5" in table(found)
    numbers = dict(row, name="1 muselstm", numbers={"step": {}})
    text = table(found | {"rows": [row, numbers]})
    assert f"{row['by_head']['step']:.3f}*" in text
    (data / "index.json").write_text('{"other": 1}')
    with pytest.raises(ValueError, match="other notes"):
        baselines(split, run, Teaching([6], 1.0), [], lambda _: None)
    with pytest.raises(ValueError, match="there is no baseline 9"):
        baselines(split, run, Teaching([9], 1.0), [], lambda _: None)

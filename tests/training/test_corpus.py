"""MIDI files to notes: what is kept, what is named and skipped, what is read once only."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from livemuse.midi.smf import Track, write_song
from livemuse.music.vocabulary import VOCABULARY
from tests.training.conftest import write_piece
from training.config import Config, config_from
from training.corpus import Corpus, Piece, load_corpus, prepare, read_notes, write_corpora
from training.lanes import HIGHEST, LOWEST, corpus_bins, plan_lanes, vary


@pytest.fixture(scope="module")
def notes(tiny_corpus: Path) -> Path:
    prepare(tiny_corpus / "manifest.csv", tiny_corpus, tiny_corpus / "notes", say=lambda _: None)
    return tiny_corpus / "notes"


def test_every_piece_is_kept_and_damaged_files_are_named(tiny_corpus: Path, tmp_path: Path) -> None:
    said: list[str] = []
    counts = prepare(tiny_corpus / "manifest.csv", tiny_corpus, tmp_path / "out", ["Inv"], said.append)
    assert counts == {"train": 900, "validation": 300}
    skipped = [line for line in said if line.startswith("skipped")]
    assert [line.split(":")[0] for line in skipped] == ["skipped train/damaged.mid", "skipped train/absent.mid"]


def test_a_second_time_nothing_is_read(tiny_corpus: Path, notes: Path) -> None:
    said: list[str] = []
    prepare(tiny_corpus / "manifest.csv", tiny_corpus, notes, say=said.append)
    assert said == ["the notes are up to date"]


def test_an_unknown_source_is_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no source Nobody"):
        prepare(tiny_corpus / "manifest.csv", tiny_corpus, tmp_path, ["Nobody"])


def test_nothing_to_test_on_is_refused(tmp_path: Path) -> None:
    write_piece(tmp_path / "long.mid", seed=0)
    write_piece(tmp_path / "short.mid", seed=0, notes=3)
    (tmp_path / "manifest.csv").write_text("file,source,licence,split\nlong.mid,x,x,train\nshort.mid,x,x,validation\n")
    with pytest.raises(ValueError, match="split validation"):
        prepare(tmp_path / "manifest.csv", tmp_path, tmp_path, say=lambda _: None)


def test_a_note_lasts_until_the_pedal_comes_up(tmp_path: Path) -> None:
    track = [
        (0.0, bytes([0xB0, 64, 127])), (0.0, bytes([0x90, 60, 80])), (0.1, bytes([0x80, 60, 0])),
        (0.5, bytes([0x90, 64, 80])), (0.6, bytes([0x80, 64, 0])), (2.0, bytes([0xB0, 64, 0])),
        (3.0, bytes([0x99, 36, 80])), (3.1, bytes([0x89, 36, 0])),
    ]  # fmt: skip
    (tmp_path / "a.mid").write_bytes(write_song([Track("piano", track)]))
    pitch, step_s, duration_s, velocity = read_notes(tmp_path / "a.mid")
    assert pitch.tolist() == [60, 64]  # and no drum
    assert step_s.tolist() == pytest.approx([0.0, 0.5], abs=0.001)
    assert duration_s.tolist() == pytest.approx([2.0, 1.5], abs=0.001)
    assert velocity.tolist() == [80, 80]


def test_all_bins_at_once_are_the_vocabularys(notes: Path) -> None:
    corpus = load_corpus(notes, "train")
    rows = zip(corpus.pitch, corpus.step_s, corpus.duration_s, corpus.velocity, strict=True)
    v = VOCABULARY
    expected = [(int(p), v.step_bin(s), v.duration_bin(d), v.velocity_bin(int(w))) for p, s, d, w in rows]
    assert np.mean(corpus_bins(corpus) == np.array(expected)) > 0.999  # an edge may round the other way in float32


def test_each_epoch_varies_each_piece_anew_within_the_piano(notes: Path) -> None:
    corpus = load_corpus(notes, "train")
    first, second = vary(corpus, Config(), 0), vary(corpus, Config(), 1)
    again = vary(corpus, Config(), 0)
    assert np.array_equal(first[1].stretch, again[1].stretch)
    assert not np.array_equal(first[1].stretch, second[1].stretch)
    shifted = corpus.pitch + np.repeat(first[1].transpose, np.diff(corpus.starts))
    assert LOWEST <= shifted.min() <= shifted.max() <= HIGHEST


@pytest.mark.parametrize("full", [True, False])
def test_lanes_read_pieces_whole_and_in_order(notes: Path, full: bool) -> None:
    corpus = load_corpus(notes, "train")
    plan = plan_lanes(corpus, 4, 32, np.arange(len(corpus.pieces)), full=full)
    for lane in range(4):
        rows = [
            r for r in zip(plan.piece[:, lane], plan.offset[:, lane], plan.length[:, lane], strict=True) if r[0] >= 0
        ]
        for (piece, at, length), (next_piece, next_at, _) in pairwise(rows):
            expected = at + length if next_piece == piece else corpus.starts[next_piece]
            assert next_at == expected
    if full:
        assert plan.length.sum() == corpus.notes


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown setting: lerning_rate"):
        config_from({"lerning_rate": 1.0})
    assert config_from({"shape": {"units": 8}}).shape.units == 8


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "index.json").write_text("[" * 100_000),
        lambda folder: (folder / "index.json").write_text('{"pieces": {"train": null}}'),
        lambda folder: (folder / "index.json").write_text("[]"),
        lambda folder: (folder / "train.npz").write_bytes(b"PK\3\4 nothing"),
        lambda folder: np.savez(folder / "train.npz", pitch=np.zeros(3, np.uint8)),
        lambda folder: swapped(folder, step_s=np.full(40, np.nan, np.float32)),
        lambda folder: swapped(folder, step_s=np.zeros(3, np.float32)),
        lambda folder: swapped(folder, pitch=np.full(40, 200, np.uint8)),
        lambda folder: swapped(folder, pitch=np.array(["x"] * 40)),
        lambda folder: swapped(folder, pitch=np.zeros((40, 1), np.uint8)),
    ],
)
def test_damaged_notes_are_named_in_a_sentence(damage: Callable[[Path], object], tmp_path: Path) -> None:
    write_corpora(tmp_path, {"train": forty_notes()})
    assert load_corpus(tmp_path, "train").notes == 40
    damage(tmp_path)
    with pytest.raises(ValueError, match=f"{tmp_path.name} holds damaged notes, prepare them again"):
        load_corpus(tmp_path, "train")


def test_where_there_are_no_notes_it_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no notes; `python -m training prepare"):
        load_corpus(tmp_path / "nowhere", "train")


def test_a_disk_that_is_full_leaves_the_notes_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_corpora(tmp_path, {"train": forty_notes(), "validation": forty_notes()})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        write_corpora(tmp_path, {"train": forty_notes()})
    assert load_corpus(tmp_path, "train").notes == 40
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.json", "train.npz", "validation.npz"]


def forty_notes() -> Corpus:
    steps = np.full(40, 0.25, np.float32)
    piece = Piece("a.mid", "Some", "MIT", 40, "a")
    ones = np.full(40, 60, np.uint8)
    return Corpus((piece,), np.array([0, 40]), ones, steps, steps, ones)


def swapped(folder: Path, **arrays: np.ndarray) -> None:
    """The training notes with other arrays in them."""
    with np.load(folder / "train.npz") as kept:
        np.savez(folder / "train.npz", **(dict(kept) | arrays))

"""`prepare`: what goes in, what comes out, and that nothing a file holds can stop it."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.midi.smf import Track, write_song
from tests.training.conftest import quiet, write_piece
from training.__main__ import _parser
from training.corpus import load_corpus
from training.prepare import archives, engines
from training.prepare.archives import Found, found_in
from training.prepare.build import Prepared, Request, prepare_notes
from training.prepare.engines import KILLED, results_of
from training.prepare.listing import Input, held_out
from training.prepare.named import COLLECTIONS, Collection, collection_of, downloaded
from training.prepare.reading import Reading, arrays_of, open_store, read_midi


def prepared(out: Path, *inputs: Path | Input, reading: Reading | None = None, cache: Path | None = None) -> Prepared:
    """Everything prepared by one process."""
    given = tuple(each if isinstance(each, Input) else Input(each, each.name, "my own") for each in inputs)
    return prepare_notes(Request(given, out, reading=reading or Reading(), cache=cache, jobs=1), quiet)


def skipped(out: Path) -> list[str]:
    return [str(line) for line in json.loads((out / "index.json").read_text())["skipped"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve little pieces."""
    root = tmp_path_factory.mktemp("mine")
    for k in range(12):
        write_piece(root / f"{k}.MID", seed=k, notes=40)
    return root


def test_a_folder_of_ones_own_needs_no_manifest(folder: Path, tmp_path: Path) -> None:
    assert prepared(tmp_path, folder).notes == {"train": 440, "validation": 40}
    assert {(p.source, p.licence) for p in load_corpus(tmp_path, "train").pieces} == {(folder.name, "my own")}


def test_one_piece_is_too_few(tmp_path: Path) -> None:
    write_piece(tmp_path / "only.mid", seed=0)
    with pytest.raises(ValueError, match="at least two"):
        prepared(tmp_path / "out", tmp_path)


def test_a_renamed_file_is_not_read_again(folder: Path, tmp_path: Path) -> None:
    assert prepared(tmp_path / "out", folder).files_read == 12
    for path in folder.iterdir():
        (tmp_path / "moved").mkdir(exist_ok=True)
        (tmp_path / "moved" / f"x{path.name}").write_bytes(path.read_bytes())
    again = prepared(tmp_path / "other", tmp_path / "moved", cache=tmp_path / "out")
    assert (again.files_read, sum(again.notes.values())) == (0, 480)


def test_a_copy_under_another_name_cannot_stand_in_both_splits(folder: Path, tmp_path: Path) -> None:
    write_piece(tmp_path / "in" / "a.mid", seed=0)
    write_piece(tmp_path / "in" / "b.mid", seed=1)
    (tmp_path / "in" / "c.mid").write_bytes((tmp_path / "in" / "a.mid").read_bytes())
    assert sum(prepared(tmp_path / "out", tmp_path / "in").pieces.values()) == 2
    assert skipped(tmp_path / "out") == ["c.mid: the same bytes as a.mid"]


def test_a_tenth_of_the_pieces_is_held_out_whatever_their_order() -> None:
    names = [f"piece {k}" for k in range(50)]
    assert held_out(names) == held_out(names[::-1] * 2)
    assert len(held_out(names)) == 5


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tar.xz"])
def test_an_archive_gives_what_its_folder_gives(folder: Path, tmp_path: Path, ending: str) -> None:
    packed = tmp_path / f"mine{ending}"
    names = sorted(p.name for p in folder.iterdir())
    if ending == ".zip":
        with zipfile.ZipFile(packed, "w") as archive:
            for name in names:
                archive.write(folder / name, name)
    else:
        with tarfile.open(packed, f"w:{ending[5:]}") as archive:
            for name in names:
                archive.add(folder / name, f"./{name}")
    prepared(tmp_path / "a", Input(folder, "x", "y"))
    prepared(tmp_path / "b", Input(packed, "x", "y"))
    for name in ("train.npz", "validation.npz", "index.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_archives_names_are_no_paths(folder: Path, tmp_path: Path) -> None:
    piece = (folder / "0.MID").read_bytes()
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name in ("../../escaped.mid", "/escaped.mid", "\x1b[2Jred.mid"):
            archive.writestr(name, piece)
    before = sorted(tmp_path.rglob("*"))
    names = [found.name for found in found_in(tmp_path / "bad.zip", lambda _: True)]
    assert names[:2] == ["../../escaped.mid", "/escaped.mid"]
    assert names[2] == "?[2Jred.mid"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_cut_archive_keeps_what_was_read_before_the_cut(folder: Path, tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    (tmp_path / "cut.tar.gz").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    found = list(found_in(tmp_path / "cut.tar.gz", lambda _: True))
    assert len(found) > 1
    assert all(f.data and not f.reason for f in found[:-1])
    assert found[-1].reason.startswith("the archive is damaged")


def test_an_archive_that_swells_beyond_belief_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LEAST_UNPACKED", 1 << 20)
    bomb = io.BytesIO()
    with tarfile.open(fileobj=bomb, mode="w") as archive:
        info = tarfile.TarInfo("nothing.bin")
        info.size = 60 << 20
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(bomb.getvalue(), 9))
    reasons = [found.reason for found in found_in(tmp_path / "bomb.tar.gz", lambda _: True)]
    assert len(reasons) == 1
    assert "more than is believable" in reasons[0]


def test_a_forged_name_length_allocates_nothing(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    (tmp_path / "forged.tar.gz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    assert [f.reason for f in found_in(tmp_path / "forged.tar.gz", lambda _: True)] == [
        "the archive is damaged or cannot be read from here on: a header is forged"
    ]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), ending=st.sampled_from([".zip", ".tar.gz", ".tar.xz", ".mid"]))
def test_any_bytes_are_read_or_named(tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str) -> None:
    path = tmp_path_factory.mktemp("any") / f"any{ending}"
    path.write_bytes(data)
    for found in found_in(path, lambda _: True):
        assert isinstance(found, Found)
        assert found.reason or read_midi(found.data, Reading())


def two_instruments(drums: bool = True) -> bytes:
    """Twenty notes of a piano, twenty of a bass and twenty of a drum."""
    tracks = []
    for channel, pitch in ((0, 60), (1, 40), (9, 36))[: 3 if drums else 2]:
        events = []
        for k in range(20):
            events += [(k * 0.5, bytes([0x90 | channel, pitch + k % 3, 80]))]
            events += [(k * 0.5 + 0.3, bytes([0x80 | channel, pitch + k % 3, 0]))]
        tracks.append(Track(f"track {channel}", events))
    return write_song(tracks)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading(), {"": 40}),
        (Reading(drums=True), {"": 60}),
        (Reading(apart=True), {"1": 20, "2": 20}),
        (Reading(drums=True, apart=True), {"1": 20, "2": 20, "10": 20}),
    ],
)
def test_instruments_and_drums_by_choice(reading: Reading, expected: dict[str, int]) -> None:
    read = read_midi(two_instruments(), reading)
    assert not isinstance(read, str)
    assert {player.name.partition(".")[2]: player.notes for player in read} == expected  # by channel


def test_instruments_apart_are_pieces_of_one_composition(tmp_path: Path) -> None:
    for k in range(2):
        write_piece(tmp_path / "in" / f"{k}.mid", seed=k)
    (tmp_path / "in" / "band.mid").write_bytes(two_instruments())
    prepared(tmp_path / "out", tmp_path / "in", reading=Reading(apart=True))
    both = [p for split in ("train", "validation") for p in load_corpus(tmp_path / "out", split).pieces]
    band = [p for p in both if p.file.startswith("band.mid#")]
    assert [p.notes for p in band] == [20, 20]
    assert {p.composition for p in band} == {"band"}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 127), st.integers(1, 127)), min_size=16, max_size=40))
def test_the_store_gives_back_what_was_read(
    tmp_path_factory: pytest.TempPathFactory, notes: list[tuple[int, int]]
) -> None:
    events = [
        each
        for k, (pitch, velocity) in enumerate(notes)
        for each in ((k * 0.25, bytes([0x90, pitch, velocity])), (k * 0.25 + 0.2, bytes([0x80, pitch, 0])))
    ]
    read = read_midi(write_song([Track("piano", events)]), Reading())
    with open_store(tmp_path_factory.mktemp("store") / "s.sqlite") as store:
        store.add([("a", read), ("b", "damaged")])
        assert store.get("a") == read
        assert store.get("b") == "damaged"
        assert ("a" in store, "c" in store) == (True, False)
    assert not isinstance(read, str)
    pitch, step_s, duration_s, velocity = arrays_of(read[0])
    assert list(zip(pitch.tolist(), velocity.tolist(), strict=True)) == notes
    assert step_s.tolist() == pytest.approx([0.0] + [0.25] * (len(notes) - 1), abs=0.002)
    assert duration_s.tolist() == pytest.approx([0.2] * len(notes), abs=0.002)


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"no data base" * 100)
    with pytest.raises(ValueError, match="Delete the file"), open_store(tmp_path / "store.sqlite"):
        pass


def test_a_file_that_ends_its_process_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "read_batch", deadly)
    batches = [[(f"{k}", b"die" if k == 1 else b"%d" % k)] for k in range(14)]  # some are asked for after the death
    results = [r for batch in results_of(iter(batches), Reading(), 2) for r in batch]
    assert results == [(f"{k}", KILLED if k == 1 else f"{k}") for k in range(14)]


def deadly(batch: list[tuple[str, bytes]], _: Reading) -> list[tuple[str, str]]:
    """What reading would be if a file could end the process that reads it."""
    if any(data == b"die" for _, data in batch):
        os._exit(3)
    return [(key, data.decode()) for key, data in batch]


def test_maestros_own_table_gives_the_splits(folder: Path, tmp_path: Path) -> None:
    table = (
        "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration\n"
        "Frédéric Chopin,Op. 1,train,2004,2004/0.midi,x,1\n"
        "Frédéric Chopin,Op. 2,validation,2004,2004/1.midi,x,1\n"
        "Alban Berg,Op. 3,test,2004,2004/2.midi,x,1\n"
    )
    collection = COLLECTIONS["maestro"]
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("maestro-v3.0.0/maestro-v3.0.0.csv", table)
        for k in range(3):
            archive.writestr(f"maestro-v3.0.0/2004/{k}.midi", (folder / f"{k}.MID").read_bytes())
    given = Input(tmp_path / "m.zip", collection.source, collection.licence, collection)
    assert prepared(tmp_path / "out", given).pieces == {"train": 1, "validation": 1}
    (piece,) = load_corpus(tmp_path / "out", "train").pieces
    assert (piece.file, piece.composer, piece.genre) == ("2004/0.midi", "Chopin", "classical")
    assert (piece.composition, piece.licence) == ("Frédéric Chopin: Op. 1", "CC BY-NC-SA 4.0")


def test_versions_of_a_song_go_to_one_split(tmp_path: Path) -> None:
    for k in range(6):
        write_piece(tmp_path / "in" / f"Toto/Africa{'' if k == 0 else f'.{k}'}.mid", seed=k)
    write_piece(tmp_path / "in" / "Abba/Waterloo.mid", seed=9)
    given = Input(tmp_path / "in", "Lakh", "CC BY 4.0", COLLECTIONS["lakh-clean"])
    assert sorted(prepared(tmp_path / "out", given).pieces.values()) == [1, 6]


@pytest.fixture
def served(folder: Path, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """(address, bytes) of an archive on a web server of this machine."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(folder / "0.MID", "0.mid")

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(packed.getvalue())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/songs.zip", packed.getvalue()
    server.shutdown()
    server.server_close()


def test_a_download_is_checked_or_trusted(served: tuple[str, bytes], tmp_path: Path) -> None:
    url, data = served
    collection = collection_of(url)
    assert collection is not None
    right = hashlib.sha256(data).hexdigest()
    with pytest.raises(ValueError, match=f"--sha256 {right}"):
        downloaded(collection, tmp_path, "", False, quiet)
    with pytest.raises(ValueError, match=f"has the SHA-256 {right}, not {'0' * 64}"):
        downloaded(collection, tmp_path, "0" * 64, False, quiet)
    assert downloaded(collection, tmp_path, right.upper(), False, quiet).read_bytes() == data
    assert downloaded(collection, tmp_path, "", True, quiet).suffix == ".zip"
    assert [p.suffix for p in tmp_path.iterdir()] == [".zip"]


def test_without_a_network_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    nowhere = Collection("Nowhere", "none", "http://127.0.0.1:9/a.zip", "", 1)
    with pytest.raises(ValueError, match=r"cannot be reached .* give its path in place of the name"):
        downloaded(nowhere, tmp_path, "", True, quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_collection_that_only_a_person_can_fetch_says_so() -> None:
    with pytest.raises(ValueError, match="GiantMIDI-Piano is handed out"):
        collection_of("giantmidi")


def test_the_command_compares_itself_with_pretty_midi(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = _parser().parse_args(["prepare", str(folder), "--compare", "4", "--json"])
    args.run_command(args)
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["notes"], told["plain_notes"]) == (4, 160, 160)
    assert told["ratio"] > 0


def test_hostile_files_are_named_and_the_others_kept(tmp_path: Path, folder: Path) -> None:
    piece = (folder / "0.MID").read_bytes()
    damaged = [b"", b"MThd", piece[:50], piece[:-20], b"<html>404</html>", gzip.compress(piece), b"\xff" * 5000]
    for k, data in enumerate(damaged):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"bad{k}.mid").write_bytes(data)
    for k in range(3):
        write_piece(tmp_path / "in" / f"good{k}.mid", seed=k)
    assert sum(prepared(tmp_path / "out", tmp_path / "in").pieces.values()) == 3
    assert [line.partition(":")[0] for line in skipped(tmp_path / "out")] == [f"bad{k}.mid" for k in range(7)]
    assert np.all(load_corpus(tmp_path / "out", "train").duration_s > 0)

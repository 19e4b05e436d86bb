"""The blind listening test: the sheets give nothing away, and the marks are counted rightly."""

from __future__ import annotations

import csv
import json
import re
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livemuse.music.notes import Note
from tests.model.tiny import tiny_bundle
from tests.training.conftest import quiet, write_piece
from training.__main__ import main
from training.corpus import load_corpus, prepare
from training.listening.items import LEAD_S, Asked, check, one_of_each, players, trimmed
from training.listening.loudness import loudness_lufs, one_loudness, peak_db
from training.listening.scoring import read_form, read_key, score, table
from training.listening.sheets import COLUMNS, FOR_LISTENERS, KEY, make

RATE = 48_000


@pytest.fixture(scope="module")
def notes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five validation pieces of half a minute, two of them the same composition."""
    root = tmp_path_factory.mktemp("pieces")
    rows = []
    for k in range(6):
        write_piece(root / f"{k}.mid", seed=k)
        rows.append([f"{k}.mid", "Invented", "CC0 1.0", "validation", f"piece {k % 5}"])
    write_piece(root / "t.mid", seed=9)
    rows.append(["t.mid", "Invented", "CC0 1.0", "train", "t"])
    with (root / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["file", "source", "licence", "split", "composition_group"], *rows])
    prepare(root / "manifest.csv", root, root / "notes", say=quiet)
    return root / "notes"


@pytest.fixture(scope="module")
def sheets(notes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A small set: four items of four bars of one second."""
    pytest.importorskip("tinysoundfont", reason="the built-in synth is not installed")
    root = tmp_path_factory.mktemp("listening")
    model = tiny_bundle(root / "tiny", "performance")
    asked = Asked(model, notes_folder, root / "test", items=4, bars=4, bar_s=1.0, seed=3)
    return root / "test", make(asked, quiet)


def wav(path: Path) -> np.ndarray[Any, Any]:
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return samples / 32768.0


def test_a_full_scale_sine_has_the_loudness_that_the_standard_says() -> None:
    sine = np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE)
    assert loudness_lufs(sine[:, None], RATE) == pytest.approx(-3.01, abs=0.02)
    assert loudness_lufs(np.zeros((RATE, 2)), RATE) == float("-inf")
    with_rest = np.concatenate([sine, np.zeros(5 * RATE)])[:, None]
    assert loudness_lufs(with_rest, RATE) == pytest.approx(-3.01, abs=0.2), "silence is gated out"


def test_recordings_become_equally_loud_and_none_clips() -> None:
    rng = np.random.default_rng(1)
    soft, spiky = rng.normal(0, 0.01, (RATE, 2)), rng.normal(0, 0.02, (RATE, 2))
    spiky[1000] = 1.0
    target, (a, b) = one_loudness([soft, spiky], RATE)
    assert loudness_lufs(soft * a, RATE) == pytest.approx(target, abs=1e-6)
    assert loudness_lufs(spiky * b, RATE) == pytest.approx(target, abs=1e-6)
    assert max(peak_db(soft * a), peak_db(spiky * b)) <= -1.0 + 1e-9
    with pytest.raises(ValueError, match="silent"):
        one_loudness([soft, np.zeros((RATE, 2))], RATE)


def test_items_are_cut_alike_wherever_they_began() -> None:
    notes = [Note(3.0, 60, 9.0, 64), Note(3.5, 64, 0.5, 64), Note(6.99, 67, 1.0, 64), Note(8.0, 70, 1.0, 64)]
    cut = trimmed(notes, 4.0)
    assert [n.pitch for n in cut] == [60, 64], "what would sound for a hundredth at the cut is left out"
    assert cut[0] == Note(LEAD_S, 60, 4.0, 64)
    assert max(n.end_s for n in cut) <= LEAD_S + 4.0
    assert trimmed([], 4.0) == ()


def test_the_kinds_are_spread_and_counted() -> None:
    dealt = players(20, "mine", ["one", "two", "three", "four"])
    counts = [sum(kind == k for kind, _ in dealt) for k in ("ours", "real", "baseline")]
    assert counts == [8, 6, 6]
    assert sorted(name for kind, name in dealt if kind == "baseline") == ["four", "one", "one", "three", "two", "two"]
    assert len({kind for kind, _ in dealt[:5]}) == 3, "no kind is kept for the end of the genres"
    assert [kind for kind, _ in players(20, "mine", [])].count("real") == 8


def test_no_composition_is_heard_twice(notes_folder: Path) -> None:
    corpus = load_corpus(notes_folder, "validation")
    assert len(corpus.pieces) == 6
    chosen = one_of_each(corpus, seed=0)
    assert len(chosen.pieces) == len({piece.composition for piece in chosen.pieces}) == 5


def test_the_sheets_give_nothing_away(sheets: tuple[Path, dict[str, Any]]) -> None:
    folder, key = sheets
    for_listeners = folder / FOR_LISTENERS
    names = sorted(path.name for path in for_listeners.iterdir())
    assert names == ["01.wav", "02.wav", "03.wav", "04.wav", "form.csv", "form.html"]
    sounds = [wav(path) for path in sorted(for_listeners.glob("*.wav"))]
    assert {len(sound) for sound in sounds} == {round((4 + LEAD_S) * RATE)}
    loud = [loudness_lufs(sound, RATE) for sound in sounds]
    assert max(loud) - min(loud) < 0.1
    lead = [int(np.argmax(np.abs(sound).max(1) > 1e-3)) / RATE for sound in sounds]
    assert all(LEAD_S - 0.01 < at_s < LEAD_S + 0.1 for at_s in lead)
    told = b"".join(path.read_bytes() for path in for_listeners.glob("form.*")).decode()
    told += " ".join(names)
    for item in key["items"].values():
        assert item["piece"] not in told
    assert re.search(r"tiny|pianist|\bours\b|\breal\b|baseline", told) is None
    assert json.loads((folder / KEY / "key.json").read_text()) == key
    assert sorted(item["kind"] for item in key["items"].values()) == ["ours", "ours", "real", "real"]


def test_the_same_seed_gives_the_same_sheets(
    sheets: tuple[Path, dict[str, Any]], notes_folder: Path, tmp_path: Path
) -> None:
    folder, key = sheets
    model = tiny_bundle(tmp_path / "tiny", "performance")
    again = Asked(model, notes_folder, tmp_path / "again", items=4, bars=4, bar_s=1.0, seed=3)
    assert make(again, quiet) == key
    for path in (folder / FOR_LISTENERS).iterdir():
        assert path.read_bytes() == (tmp_path / "again" / FOR_LISTENERS / path.name).read_bytes()
    with pytest.raises(ValueError, match="name another --out"):
        make(again, quiet)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"items": 3}, "--items is from 4"),
        ({"bars": 100}, "an item is from one bar"),
        ({"seed": -1}, "--seed is 0 or more"),
        ({"baselines": ("muselstm",)}, "--baseline needs --run"),
    ],
)
def test_what_cannot_be_made_is_told(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check(Asked(Path("m"), Path("d"), Path("o"), **wrong))


def test_too_few_pieces_are_told(notes_folder: Path, tmp_path: Path) -> None:
    model = tiny_bundle(tmp_path / "tiny", "performance")
    with pytest.raises(ValueError, match="has 5 validation pieces that are long enough, and 20 items"):
        make(Asked(model, notes_folder, tmp_path / "out", bars=4, bar_s=1.0), quiet)
    assert not (tmp_path / "out").exists()


# --- scoring -----------------------------------------------------------------------------------------------------

KINDS = {"01": "ours", "02": "real", "03": "baseline", "04": "ours", "05": "real", "06": "baseline"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    items = {name: {"kind": kind, "name": kind, "piece": "p", "notes": 9} for name, kind in KINDS.items()}
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"format": "livemuse listening key 1", "set": "abcd", "items": items}))
    return path


def form(path: Path, marks: dict[str, tuple[int, int, int]], known: str = "", between: str = ",") -> Path:
    rows = [COLUMNS, *(("abcd", item, *marks[item], "x" if item == known else "") for item in marks)]
    path.write_text("\r\n".join(between.join(map(str, row)) for row in rows) + "\r\n")
    return path


def marked(of_kind: dict[str, int]) -> dict[str, tuple[int, int, int]]:
    return {item: (of_kind[kind],) * 3 for item, kind in KINDS.items()}


def test_four_people_are_not_enough(key_file: Path, tmp_path: Path) -> None:
    marks = marked({"ours": 4, "real": 5, "baseline": 1})
    forms = [form(tmp_path / f"{name}.csv", marks) for name in ("a", "b", "c", "d")]
    assert table(score([], key_file)) == "not yet run: 0 of 5 people have answered"
    found = score(forms, key_file)
    assert table(found) == "not yet run: 4 of 5 people have answered"
    assert "groups" not in found


def test_five_people_are_counted(key_file: Path, tmp_path: Path) -> None:
    forms = []
    for k, name in enumerate(("a", "b", "c", "d", "e")):
        marks = marked({"ours": 4, "real": 5 if k else 3, "baseline": 1 + k % 2})
        forms.append(form(tmp_path / f"{name}.csv", marks, between=";" if k == 2 else ","))
    found = score(forms, key_file)
    ours, real, baseline = (found["groups"][kind]["together"] for kind in ("ours", "real", "baseline"))
    assert (ours["mean"], ours["low"], ours["high"]) == (4.0, 4.0, 4.0)
    assert real["mean"] == pytest.approx(4.6)
    assert 3.0 <= real["low"] < 4.6 < real["high"] <= 5.0
    assert baseline["mean"] == pytest.approx(1.4)
    assert found["by_listener"]["a"] == pytest.approx((4 + 3 + 1) / 3)
    assert found["target"] == {"above_3_5": True, "within_the_real": bool(real["low"] <= 4.0)}
    assert "ours above 3.5: yes" in table(found)


def test_items_that_differ_widen_the_interval_over_items(key_file: Path, tmp_path: Path) -> None:
    marks = marked({"ours": 3, "real": 3, "baseline": 3}) | {"01": (1, 1, 1), "04": (5, 5, 5)}
    found = score([form(tmp_path / f"{k}.csv", marks) for k in range(6)], key_file)
    ours = found["groups"]["ours"]["musicality"]
    assert (ours["low"], ours["high"]) == (3.0, 3.0), "all listeners agree"
    assert (ours["low_items"], ours["high_items"]) == (1.0, 5.0)


def test_one_item_says_nothing_of_other_items(key_file: Path, tmp_path: Path) -> None:
    key = json.loads(key_file.read_text())
    key["items"]["03"]["name"], key["items"]["06"]["name"] = "one", "another"
    key_file.write_text(json.dumps(key))
    marks = marked({"ours": 3, "real": 3, "baseline": 2}) | {"06": (1, 1, 1)}
    found = score([form(tmp_path / f"{k}.csv", marks, known="03") for k in range(5)], key_file)
    assert found["groups"]["baseline"]["items"] == 2
    another = found["groups"]["another"]["together"]
    assert (another["mean"], another["low"], another["low_items"]) == (1.0, 1.0, None)
    assert re.search(r"another \(1\).*one item\n", table(found))
    assert found["groups"]["baseline"]["together"]["mean"] == 1.0, "the other one was known to all"
    assert found["groups"]["one"]["together"] is None
    assert "known to all" in table(found).partition("one (1)")[2]


def test_a_known_piece_does_not_count(key_file: Path, tmp_path: Path) -> None:
    marks = marked({"ours": 3, "real": 3, "baseline": 3}) | {"02": (1, 1, 1)}
    forms = [form(tmp_path / f"{k}.csv", marks, known="02") for k in range(5)]
    found = score(forms, key_file)
    assert found["known"] == 5
    assert found["groups"]["real"]["together"]["mean"] == 3.0
    assert found["by_item"]["02"] is None


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("abcd,03,2,2,2,", "abcd,03,7,2,2,", "line 4: musicality of item 03 is '7', not a mark from 1 to 5"),
        ("abcd,03,2,2,2,", "abcd,03,2,,2,", "line 4: coherence of item 03 has no mark"),
        ("abcd,03,2,2,2,", "abcd,03,2,2.5,2,", "line 4: coherence of item 03 is '2.5'"),
        ("abcd,03,2,2,2,", "abcd,33,2,2,2,", "line 4: there is no item '33'"),
        ("abcd,03,2,2,2,", "abcd,02,2,2,2,", "line 4: item 02 stands there twice"),
        ("abcd,03,2,2,2,", "other,03,2,2,2,", "line 4: it belongs to the set 'other', the key to abcd"),
        ("abcd,03,2,2,2,", "abcd,03,2,2", "line 4: it has 4 columns, not 6"),
        ("abcd,06,2,2,2,\r\n", "", "line 6: it ends without item 06"),
        ("set,item", "sat,item", "line 1: the columns are not set, item"),
    ],
)
def test_a_bad_form_is_told_by_file_and_line(key_file: Path, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    path = form(tmp_path / "ann.csv", marked({"ours": 2, "real": 2, "baseline": 2}))
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())
    with pytest.raises(ValueError, match=re.escape(f"ann.csv, {sentence}")) as refusal:
        score([path], key_file)
    assert "\n" not in str(refusal.value)


def test_spreadsheets_may_drop_a_zero_and_add_a_mark_of_order(key_file: Path, tmp_path: Path) -> None:
    path = form(tmp_path / "ann.csv", marked({"ours": 2, "real": 4, "baseline": 1}))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"abcd,0", b"abcd,"))
    assert read_form(path, read_key(key_file))[:3, 0].tolist() == [2, 4, 1]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff\xfe", b"[" * 90_000])
def test_what_is_no_key_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"key\.json is no key of a listening test"):
        read_key(path)


def test_the_command_prints_figures_on_stdout_and_refusals_on_stderr(
    key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = form(tmp_path / "ann.csv", marked({"ours": 2, "real": 2, "baseline": 2}))
    command = ["training", "listening", "score", "--key", str(key_file), str(good)]
    monkeypatch.setattr("sys.argv", [*command, "--json"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out) == {"set": "abcd", "listeners": 1, "run": False}
    monkeypatch.setattr("sys.argv", [*command, str(tmp_path / "absent.csv")])
    assert main() == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "absent.csv cannot be read" in told.err


def test_two_forms_of_one_name_are_refused(key_file: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    marks = marked({"ours": 2, "real": 2, "baseline": 2})
    forms = [form(folder / "ann.csv", marks) for folder in (tmp_path, tmp_path / "more")]
    with pytest.raises(ValueError, match="two forms are called ann"):
        score(forms, key_file)

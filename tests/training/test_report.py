"""The report page: it stands alone, shows what was measured, says what was not, and trusts no file."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livemuse.music.notes import Note
from livemuse.music.vocabulary import HEADS
from tests.model.tiny import tiny_bundle
from tests.training.conftest import quiet, write_piece
from training.corpus import prepare
from training.figures.histograms import KINDS, histograms
from training.figures.playing import Turn
from training.history import COLUMNS

pytest.importorskip("matplotlib", reason="pictures need it")

from training.report import pictures
from training.report.drawing import VARIABLES, label
from training.report.page import Asked, check, report
from training.report.playing import cosines, mean_similarity
from training.report.rolls import NOTE_HEIGHT, roll
from training.report.tables import cell, read_tables

EVIL = '<script>alert("x")</script>'


def kept(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def score(name: str, total: float) -> dict[str, Any]:
    by_head = dict.fromkeys(HEADS, total / 4)
    return {"name": name, "total": total, "low": total - 0.1, "high": total + 0.1, "by_head": by_head}


def evaluated(name: str = "tiny") -> dict[str, Any]:
    return {
        "model": name, "hash": "0", "split": "validation", "pieces": 2, "notes": 300, "seed": None,
        "scores": [score(name, 8.1234), score("markov-5", 9.5)],
        "accuracy": dict.fromkeys(HEADS, 0.25),
        "difference": {"mean": -1.4, "low": -1.5, "high": -1.3},
        "sources": {EVIL: {"pieces": 2, "notes": 300, "model": 8.1234, "markov": 9.5}},
    }  # fmt: skip


class Page(HTMLParser):
    """What a browser would find on a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = ("src", "href", "xlink:href", "action", "data")
        self.addresses += [value or "" for name, value in attrs if name in names]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def notes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pieces of a minute, two of them held out."""
    root = tmp_path_factory.mktemp("report")
    rows = [f"{k}.mid,Invented,CC0 1.0,{'validation' if k else 'train'},{k}" for k in range(3)]
    for k in range(3):
        write_piece(root / f"{k}.mid", seed=k, notes=300)
    (root / "manifest.csv").write_text("\n".join(["file,source,licence,split,composition_group", *rows]))
    prepare(root / "manifest.csv", root, root / "notes", say=quiet)
    return root / "notes"


@pytest.fixture(scope="module")
def page(notes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page on two models, one table, and one run; two calls and the shortest form there is."""
    root = tmp_path_factory.mktemp("page")
    about = {"notes": 1000, "licence": f"CC BY-NC 4.0; {EVIL}",
             "data": [{"source": EVIL, "licence": "CC BY-NC 4.0", "pieces": 2, "notes": 1000}]}  # fmt: skip
    models = (tiny_bundle(root / "tiny", "performance", training=about), tiny_bundle(root / "rolls", "pianoroll"))
    run = root / "a $run$ <b>"
    run.mkdir()
    rows = [[k, 0, 100 * k, k / 10, 0.001, 9 - k, 8 - k / 2, 2, 2, 2, 2] for k in range(1, 4)]
    (run / "history.csv").write_text("\n".join(",".join(map(str, row)) for row in [COLUMNS, *rows]))
    table = kept(root / "evaluate.json", evaluated())
    asked = Asked(models, notes_folder, root / "out", (run,), (table,), calls=2, rolls=1, pieces=1, bars=(4,))
    return report(asked, quiet).read_text(encoding="utf-8")


def test_the_page_stands_alone_and_nothing_of_a_file_becomes_markup(page: str) -> None:
    found = Page(page)
    assert "script" not in found.tags
    assert all(address.startswith(("#", "data:image/png")) for address in found.addresses)
    assert EVIL in "".join(found.words), "the name is shown as it is"
    assert "@import" not in page
    assert re.search(r"url\((?!#)", page) is None


def test_the_page_says_what_was_measured_and_what_was_not(page: str) -> None:
    words = " ".join(" ".join(Page(page).words).split())
    assert "8.123" in words
    assert "8.023 to 8.223" in words
    assert "non-commercial" in words
    for command in ("baselines", "answers", "long-form", "sampling", "ablations"):
        assert re.search(rf"Not measured: [^.]*\b{command}\b", words)
    assert re.search(r"Not measured: [^.]*\bevaluate\b", words) is None
    assert "not yet run" in words
    assert "a pianoroll model" in words


def test_every_picture_is_there_in_the_colours_of_the_page(page: str) -> None:
    # nats, one roll, histograms, two of copying, one of form, the history
    assert page.count("<svg") == 7
    used = set(re.findall(r"var\(--([\w-]+)\)", page))
    light, dark = (set(re.findall(r"--([\w-]+): #", part)) for part in re.findall(r":root \{(.*?)\}", page, re.DOTALL))
    assert light >= used
    assert light - dark == set()
    assert set(VARIABLES.values()) <= light
    assert not any(stand_in in page for stand_in in VARIABLES)


def test_a_roll_draws_every_note_that_sounds() -> None:
    call = tuple(Note(100 + k, 60, 3.0, 64) for k in range(20))
    turn = Turn("f", call, (Note(0, 72, 1, 64),), (Note(0, 70, 1, 64), Note(7, 71, 9, 64)))
    svg = str(roll(turn, "x").svg)
    shown = 14  # of the call: those that still sound in its last 12 s
    bars = {colour: svg.count(f"fill: var(--{colour})") for colour in ("call", "answer", "real")}
    titles = 1
    assert bars["call"] == 2 * (shown + titles)
    assert bars["answer"] == 2 + titles
    assert bars["real"] == 1 + titles


def corners(svg: str, colour: str) -> list[tuple[float, float, float, float]]:
    """(left, right, top, bottom) of each bar of a colour, in points; downwards counts up."""
    found = []
    for path in re.findall(rf'<path d="([^"]*)" clip-path[^>]*fill: var\(--{colour}\)', svg):
        across, down = np.array(re.findall(r"[ML] ([\d.]+) ([\d.]+)", path), np.float64).T
        found.append((across.min(), across.max(), down.min(), down.max()))
    return found


def test_time_runs_to_the_right_and_pitch_upwards() -> None:
    call = tuple(Note(100 + k, 60, 3.0, 64) for k in range(20))
    turn = Turn("f", call, (Note(0, 60, 1, 64),), (Note(0, 60, 1, 64), Note(1, 72, 2, 64)))
    svg = str(roll(turn, "x").svg)
    low, high = corners(svg, "answer")
    second = low[1] - low[0]
    assert high[0] == pytest.approx(low[0] + second, abs=0.01), "it begins a second later"
    assert high[1] - high[0] == pytest.approx(2 * second, abs=0.01), "and lasts two seconds"
    semitone = (low[3] - low[2]) / NOTE_HEIGHT
    assert low[2] - high[2] == pytest.approx(12 * semitone, abs=0.01), "an octave higher"
    heard = corners(svg, "call")[:14]
    assert all(bar[2:] == pytest.approx(low[2:], abs=0.01) for bar in heard), "the same pitch lies on the same height"
    assert max(bar[1] for bar in heard) == pytest.approx(low[0], abs=0.01), "the call ends where the answer begins"
    assert heard[0][1] == pytest.approx(low[0] - 11 * second, abs=0.01), "its first bar ends at 109 of 120 s"


def test_the_histograms_tell_their_overlap() -> None:
    made = histograms([Note(0, 60, 1, 64), Note(1, 61, 1, 64)], 8)
    real = histograms([Note(0, 60, 1, 64), Note(1, 62, 1, 64)], 8)
    found = pictures.histograms(made, real, "x")
    assert "pitch class 0.500" in found.says
    assert "velocity 1.000" in found.says
    assert len(re.findall(r"\d\.\d{3}", found.says)) == len(KINDS)


def test_self_similarity_is_one_where_bars_are_the_same() -> None:
    assert cosines(np.array([[1.0, 0], [0, 2], [3, 0], [0, 0]])).tolist() == [
        [1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0],
    ]  # fmt: skip
    notes = [Note(2.0 * bar, 60 + bar % 2, 0.5, 64) for bar in range(4)]
    found = mean_similarity([notes, notes], 4, 2.0)
    assert found["pitch_classes"][0].tolist() == [1, 0, 1, 0]
    assert found["rhythm"].tolist() == np.ones((4, 4)).tolist()
    assert "4 bars" in pictures.similarity({"pianists": found}, 4).says


def test_names_from_files_become_harmless_labels() -> None:
    assert label("a\n<b>\x1b[0m é" + "x" * 50) == "a?<b>?[0m e" + "x" * 14 + "..."
    assert label("音") == "?"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (float("nan"), "–"), (1.23456, "1.235"), (1234567, "1,234,567"), (True, "yes"), ([1, 2], "1, 2")],
)
def test_values_are_written_as_people_read_them(value: Any, text: str) -> None:
    assert cell(value).text == text


def test_the_json_of_each_command_finds_its_section(tmp_path: Path) -> None:
    gain = {"own": 1, "others": 2, "gain": 1, "low": 0.5, "high": 1.5, "share_better": 0.9}
    spread = {"median": 4.0, "p90": 5.0, "longest": 6.0}
    side = {"notes_per_s": 8.0, "beat_s": None}
    answers: dict[str, Any] = {
        "model": "m", "pieces": 3, "whole": {"answers": 3},
        "likeness": {"overlap": {"mean": 0.8}, "answer": side, "pianist": side},
        "fit": {"answer": {"nats": gain, "continuation": gain}, "pianist": {"nats": gain}},
        "runs": {who: {"training": spread, "call": spread} for who in ("answer", "pianist")},
    }  # fmt: skip
    row = {"label": "genre:jazz", "pieces": 2, "own": 8.0, "none": 8.1, "best": "genre:jazz"}
    whole = {"gain": 0.1, "low": 0.05, "high": 0.2, "best_under_own": 1, "labels": 1}
    files = {
        "e": evaluated() | {"answers": answers},
        "a": answers | {"baselines": {"muselstm": {"unanswered": 3}, "three-heads": answers}},
        "labels": {"model": "m", "split": "validation", "without_pieces": [], "rows": [row], "all": whole},
        "evening": {"split": "validation", "notes": 9, "evenings": 1, "carried": 1.0, "begun_anew": 1.1},
        "b": {"rows": [score("1 muselstm", 14.0) | {"numbers": {}, "history": {"out_of_time": True}}], "frames": [],
              "training_notes": 9, "split": "validation", "pieces": 1, "notes": 9},
        "l": {"bar_s": 2.0, "pieces": 3, "lengths": {"16": {"pianists": {"silence_share": 0.01}}}},
        "s": {"model": "m", "calls": 3, "columns": {"overlap": "area"}, "rows": [{"settings": "a", "overlap": None}]},
        "ablations": {"rows": [{"change": "depth", "figures": {"pitch": 2.5}}], "notes": 400_156},
        "heard": {"set": "abcd", "listeners": 2, "run": False},
        "step_time": {"median_us": 108},
    }  # fmt: skip
    found = read_tables([kept(tmp_path / f"{name}.json", value) for name, value in files.items()]).of
    counts = {section: len(tables) for section, tables in found.items()}
    assert counts == {"nats": 3, "labels": 1, "baselines": 1, "answers": 9, "long_form": 1, "sampling": 1,
                      "ablations": 1, "listening": 1, "other": 1}  # fmt: skip
    contest = next(table for table in found["answers"] if "same calls" in table.title)
    assert [[cell.text for cell in row][:3] for row in contest.rows] == [
        ["m", "3", "0.800"], ["muselstm", "–", "–"], ["three-heads", "3", "0.800"], ["pianists", "3", "–"],
    ]  # fmt: skip
    assert found["ablations"][0].columns == ("change", "figures pitch")
    assert "400,156" in found["ablations"][0].note
    assert "not yet run: 2 of 5" in found["listening"][0].note
    assert found["baselines"][0].rows[0][-1].text == "yes"


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", b"3", b"[]", b'{"scores": [], "difference": 1, "split": 2}', b"[" * 90_000, b"\xff",
     b'{"rows": [], "frames": 1, "training_notes": "many"}', b'{"lengths": {"x": {}}, "bar_s": 2, "pieces": 1}'],
)  # fmt: skip
def test_a_file_that_is_no_table_is_told_in_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"odd\.json is no (JSON|table)") as refusal:
        read_tables([path])
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"calls": 0}, "--calls is from 1 to"),
        ({"rolls": 31}, "--rolls no more than that"),
        ({"bars": (2,)}, "--bars are from 4 to 60"),
        ({"seed": -1}, "--seed is 0 or more"),
        ({"models": (Path("a/m"), Path("b/m"))}, "two of the models have the same name"),
    ],
)
def test_what_cannot_be_asked_for_is_told(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check(Asked(**({"models": (Path("m"),), "data": Path("d"), "out": Path("o")} | wrong)))

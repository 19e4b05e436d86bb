"""Which model plays, what is told of it, and on what terms."""

import shutil
from pathlib import Path

import pytest

from livemuse.errors import ModelError
from livemuse.model.shelf import SHIPPED, STAND_INS, Shelf
from livemuse.model.terms import FREE, NONCOMMERCIAL, UNCLEAR, first_told, is_noncommercial, use_of
from livemuse.music.controls import CONTROLS, DEFAULT_MODEL
from tests.model.tiny import tiny_bundle

STAND_IN = STAND_INS[0]
STYLES = ("genre:jazz", "composer:Chopin")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    tiny_bundle(tmp_path / "own" / STAND_IN, "performance")
    tiny_bundle(tmp_path / "own/voice", "melody", STYLES, training={"notes": 5, "licence": "CC BY-NC 3.0; CC0 1.0"})
    return Shelf(tmp_path / "own", shipped=())


def test_a_stand_in_plays_where_the_default_model_is_not_there(shelf: Shelf, tmp_path: Path) -> None:
    assert CONTROLS["model"].default == DEFAULT_MODEL
    assert shelf.available(DEFAULT_MODEL) == STAND_IN
    assert shelf.load(DEFAULT_MODEL)[1]["name"] == STAND_IN
    tiny_bundle(tmp_path / "own" / DEFAULT_MODEL, "performance")
    assert shelf.available(DEFAULT_MODEL) == DEFAULT_MODEL
    assert shelf.load(DEFAULT_MODEL)[1]["name"] == DEFAULT_MODEL


def test_nothing_stands_in_for_another_model(shelf: Shelf, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "own" / STAND_IN)
    for name in (DEFAULT_MODEL, STAND_IN, "nocturne"):
        with pytest.raises(ModelError, match=f"There is no model called '{name}'. There is: voice."):
            shelf.load(name)


def test_the_shipped_default_plays() -> None:
    shelf = Shelf()
    assert shelf.find(DEFAULT_MODEL).parent in SHIPPED
    assert shelf.available(DEFAULT_MODEL) in {model["name"] for model in shelf.models()}


def test_what_is_told_of_a_model(shelf: Shelf) -> None:
    stepper, facts = shelf.load("voice")
    assert (facts["family"], facts["styles"], facts["use"]) == ("melody", list(STYLES), NONCOMMERCIAL)
    assert facts["terms"] == "CC BY-NC 3.0; CC0 1.0"
    assert facts["hash"] == stepper.hash
    listed = {model["name"]: model for model in shelf.models()}
    assert listed["voice"]["styles"] == list(STYLES)
    assert [listed[name]["use"] for name in (STAND_IN, "voice")] == [FREE, NONCOMMERCIAL]


@pytest.mark.parametrize(
    ("licence", "use"),
    [
        ("CC BY-NC-SA 4.0", NONCOMMERCIAL), ("CC BY 4.0; CC BY-NC 3.0; MIT", NONCOMMERCIAL),
        ("Creative Commons Attribution-NonCommercial 4.0", NONCOMMERCIAL), ("for non-commercial use", NONCOMMERCIAL),
        ("CC BY 4.0; CC0 1.0; MIT; Public Domain", FREE), ("CC BY-SA 4.0", FREE), ("CC0-1.0", FREE),
        ("Creative Commons Attribution 3.0 - typeset by Nancy Vincent", FREE),
        ("MIT, not for commercial use", NONCOMMERCIAL), ("CC BY non\u2013commercial", NONCOMMERCIAL),
        ("CC BY 4.0 (research only)", UNCLEAR), ("MIT for private use only", UNCLEAR), ("CC BY-SA 3.0 DE", FREE),
        ("CC BY-ND 4.0", UNCLEAR), ("all rights reserved", UNCLEAR), ("", UNCLEAR), ("my own sessions; MIT", UNCLEAR),
    ],
)  # fmt: skip
def test_terms_in_a_word(licence: str, use: str) -> None:
    assert use_of(licence) == use
    assert is_noncommercial(licence) == (use == NONCOMMERCIAL)


def test_a_non_commercial_model_says_so_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    terms = "CC BY 4.0; CC BY-NC 3.0; CC BY-NC-SA 4.0; MIT"
    sentence = first_told(folder, "concert", terms)
    assert sentence == (
        "The model concert is for non-commercial use only: "
        "it was trained on music under CC BY-NC 3.0 and CC BY-NC-SA 4.0."
    )
    assert first_told(folder, "concert", terms) == ""
    assert first_told(folder, "open", "CC0 1.0") == ""
    assert first_told(folder, "mine", "CC BY-NC 4.0").endswith("under CC BY-NC 4.0.")
    assert first_told(folder, "concert", terms) == ""
    assert first_told(folder, "concert", "CC BY-NC 4.0") != ""  # other terms than those that were told


def test_what_cannot_be_remembered_is_said_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for _ in range(2):
        assert first_told(tmp_path / "file/data", "concert", "CC BY-NC 4.0") != ""


def test_a_model_is_called_by_its_folder_whatever_it_calls_itself(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "own" / "evil", "performance")
    manifest = tmp_path / "own" / "evil" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"name": "evil"', '"name": "concert"'))
    shelf = Shelf(tmp_path / "own", shipped=SHIPPED)
    listed = {model["name"]: model["use"] for model in shelf.models()}
    assert listed["concert"] == NONCOMMERCIAL
    assert shelf.load("evil")[1]["name"] == "evil"

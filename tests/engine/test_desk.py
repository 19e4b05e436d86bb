"""What may be asked of the engine about models and styles, with real models on a shelf of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from livemuse.engine.desk import EngineDesk
from livemuse.engine.engine import Engine
from livemuse.errors import ControlError, ModelError
from livemuse.model.shelf import Shelf
from livemuse.music.controls import DEFAULT_MODEL, Controls
from livemuse.recording.archive import Archive
from livemuse.testing.virtual import VirtualClock
from tests.model.tiny import tiny_bundle


class Told:
    """A stage, a worker and a journal that write down what they are told."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict[str, Any]]] = []

    def send(self, *frames: Any) -> None: ...

    def put(self, task: Any) -> None: ...

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        self.records.append((kind, fields))


class Scene:
    """An engine with one model loaded, and the desk before it."""

    def __init__(self, shelf: Shelf, model: str, folder: Path = Path("nowhere")) -> None:
        self.told = Told()
        self.engine = Engine(Controls().replaced("model", model), VirtualClock(1.0), self.told)
        self.engine.stage = self.engine.worker = self.told
        self.engine.facts.model = shelf.load(model)[1]
        self.loaded: list[str] = []
        self.desk = EngineDesk(self.engine, shelf, Archive(folder), self.take_up)

    async def take_up(self, stepper: Any, facts: Mapping[str, Any]) -> str:
        self.engine.facts.model = facts
        self.loaded.append(stepper.name)
        return f"{facts['name']} plays."


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    tiny_bundle(tmp_path / "concert", "performance")
    tiny_bundle(tmp_path / "styled", "performance", ("genre:jazz", "composer:Chopin"))
    tiny_bundle(tmp_path / "other", "melody", ("composer:Chopin", "mood:calm"))
    return Shelf(tmp_path, shipped=())


async def test_a_style_is_kept_in_the_models_own_words_and_recorded(shelf: Shelf) -> None:
    scene = Scene(shelf, "styled")
    assert await scene.desk.set("style", "Jazz .7, chopin 30%") == {"style": "genre:jazz 0.7, composer:Chopin 0.3"}
    assert scene.told.records == [
        ("control", {"name": "style", "value": "genre:jazz 0.7, composer:Chopin 0.3"}),
    ]
    assert await scene.desk.set("style", "") == {"style": "none"}


async def test_a_style_the_model_lacks_changes_nothing(shelf: Shelf) -> None:
    scene = Scene(shelf, "styled")
    await scene.desk.set("style", "jazz")
    with pytest.raises(ControlError, match="Near: genre:jazz"):
        await scene.desk.set("style", "jaz, chopin")
    assert scene.engine.duet.controls["style"] == "genre:jazz 1"
    with pytest.raises(ControlError, match="The model concert has no styles"):
        await Scene(shelf, "concert").desk.set("style", "jazz")


async def test_the_mix_is_kept_through_a_change_of_model(shelf: Shelf) -> None:
    scene = Scene(shelf, "styled")
    await scene.desk.set("style", "jazz 0.7, chopin 0.3")
    assert await scene.desk.set("model", "other") == {"model": "other", "notice": "other plays."}
    assert scene.engine.duet.controls["style"] == "composer:Chopin 0.3, genre:jazz 0.7"
    await scene.desk.set("style", "genre:jazz 0.7, calm 0.5")  # what this model does not know may stay
    assert scene.engine.duet.controls["style"] == "genre:jazz 0.7, mood:calm 0.5"
    await scene.desk.set("model", "styled")
    assert scene.engine.duet.controls["style"] == "genre:jazz 0.7, mood:calm 0.5"


async def test_the_control_names_the_model_that_plays(shelf: Shelf, tmp_path: Path) -> None:
    scene = Scene(shelf, "styled")
    assert (await scene.desk.set("model", DEFAULT_MODEL))["model"] == "concert"  # it stands in
    assert (await scene.desk.set("model", DEFAULT_MODEL))["model"] == "concert"
    assert scene.loaded == ["concert"]
    with pytest.raises(ModelError):
        await scene.desk.set("model", "nocturne")
    assert scene.engine.duet.controls["model"] == "concert"
    models = {model["name"]: model for model in await scene.desk.models()}
    assert models["other"]["styles"] == ["composer:Chopin", "mood:calm"]
    assert (await scene.desk.status())["model"]["use"] == "free to use"

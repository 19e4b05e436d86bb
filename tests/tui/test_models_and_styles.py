"""What the console shows of the model that plays: its terms, its styles, and the controls that have no effect."""

from typing import Any

import pytest

from livemuse.control.server import ControlServer
from livemuse.music.controls import CONTROLS
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until
from livemuse.tui.screens.mix import MixStyles
from livemuse.tui.widgets.style_row import StyleRow
from tests.tui.conftest import Open, Scene

pytestmark = pytest.mark.usefixtures("server")
OPEN = {"name": "open", "family": "performance", "terms": "CC0 1.0; MIT", "use": "free to use",
        "styles": ["genre:jazz", "genre:pop", "composer:Chopin", "composer:Clementi", "mood:calm"]}  # fmt: skip
CONCERT = {"name": "concert", "family": "performance", "terms": "CC BY-NC 3.0", "use": "non-commercial", "styles": []}
LEAD = {"name": "lead", "family": "melody", "terms": "CC0 1.0", "use": "free to use", "styles": []}


@pytest.fixture
def desk(desk: ScriptedDesk) -> ScriptedDesk:
    desk.state = {**desk.state, "model": OPEN}
    desk.controls = desk.controls.replaced("style", "genre:jazz 0.7, composer:Chopin 0.3")
    return desk


def focus(scene: Scene, name: str) -> Any:
    panel = scene.console.playing.controls
    panel.reach(panel.rows[name])
    return panel.rows[name]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
@pytest.mark.parametrize(("model", "shown"), [(OPEN, "open · free to use"), (CONCERT, "concert · non-commercial")])
async def test_the_terms_stand_beside_the_models_name(
    opened: Open, server: ControlServer, desk: ScriptedDesk, size: tuple[int, int], model: dict[str, Any], shown: str
) -> None:
    async with opened(size) as scene:
        desk.tell_state(model=model)
        await scene.shows(f"REC 2026-06-01 20.00.00   {shown}")
        await scene.press("f10")
        await scene.shows(str(model["terms"]))


async def test_the_mix_is_shown_and_each_style_has_a_slider(
    opened: Open, server: ControlServer, desk: ScriptedDesk
) -> None:
    async with opened() as scene:
        await scene.shows("jazz .7, Chopin .3")
        focus(scene, "style")
        await scene.press("enter")
        await until(lambda: isinstance(scene.console.screen, MixStyles))
        await scene.press("right")  # it starts at the first style of the mix
        await scene.asked("set", "style", "genre:jazz 0.8, composer:Chopin 0.3")
        await scene.press("c", "c", "shift+right")  # Chopin, Clementi
        await scene.asked("set", "style", "genre:jazz 0.8, composer:Chopin 0.3, composer:Clementi 0.5")
        await scene.press("up", "delete")
        await scene.asked("set", "style", "genre:jazz 0.8, composer:Clementi 0.5")
        await scene.press("shift+delete")
        await scene.asked("set", "style", "none")
        await scene.press("escape")
        await until(lambda: not isinstance(scene.console.screen, MixStyles))
        assert desk.controls["style"] == "none"


async def test_what_the_model_does_not_know_stays_in_the_mix_and_is_said(
    opened: Open, server: ControlServer, desk: ScriptedDesk
) -> None:
    desk.controls = desk.controls.replaced("style", "genre:jazz 0.7, genre:polka 0.5")
    async with opened() as scene:
        focus(scene, "style")
        await scene.press("enter")
        await scene.shows("unknown to this model: genre:polka 0.5")
        await scene.press("left")
        await scene.asked("set", "style", "genre:jazz 0.6, genre:polka 0.5")


async def test_a_model_without_styles_says_so_and_nothing_opens(
    opened: Open, server: ControlServer, desk: ScriptedDesk
) -> None:
    async with opened() as scene:
        desk.tell_state(model=CONCERT)
        await scene.shows("– has none")
        focus(scene, "style")
        await scene.press("enter", "right", "delete")
        await scene.shows("No effect with concert: has none.")
        assert not isinstance(scene.console.screen, MixStyles)
        assert [call for call in desk.calls if call[0] == "set"] == []
        desk.tell_state(model=OPEN)
        await scene.shows("jazz .7, Chopin .3")


async def test_controls_that_change_nothing_with_a_family_say_why(
    opened: Open, server: ControlServer, desk: ScriptedDesk
) -> None:
    async with opened((120, 50)) as scene:
        desk.tell_state(model=LEAD)
        await scene.shows("– as loud as you")
        focus(scene, "max_voices")
        await scene.shows("– one voice only")
        focus(scene, "temperature_velocity")
        await scene.press("right")
        await scene.shows("No effect with lead: as loud as you.")
        focus(scene, "density")
        await scene.shows(CONTROLS["density"].on_grid)
        await scene.press("right")
        await scene.asked("set", "density", 1.05)
        assert [call for call in desk.calls if call[1:2] == ("temperature_velocity",)] == []
        desk.tell_state(model=OPEN)
        await scene.shows(CONTROLS["density"].help)
        assert "as loud as you" not in scene.text()


def test_a_mix_in_little_room() -> None:
    row = StyleRow(CONTROLS["style"])
    row._value = "genre:pop 0.3, genre:jazz 0.7, composer:Chopin 0.3"
    assert (row.written(30), row.written(8)) == ("pop .3, jazz .7, Chopin .3", "jazz +2")
    row._value = "none"
    assert row.written(8) == "none"

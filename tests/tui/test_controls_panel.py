"""The controls on the console: every one has its row; ways to it; arrows, mouse, lists and written values move it."""

import pytest

from livemuse.music.controls import CONTROLS
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until
from livemuse.tui.computer_keys import HOLD_S
from livemuse.tui.screens.choose import Choose
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.widgets.controls_panel import AT_HAND, groups
from tests.tui.conftest import Open

pytestmark = pytest.mark.usefixtures("server")


async def test_every_control_of_the_table_has_its_row_and_opens(opened: Open) -> None:
    async with opened((120, 36)) as scene:
        rows = scene.console.playing.controls.rows
        assert set(rows) == set(CONTROLS)
        focusable = {row.control for row in scene.console.screen.query(ControlRow) if row.focusable}
        assert focusable == set(CONTROLS) | {"midi_in", "midi_out"}
        for name in ("temperature", "key", "register", "seed", "max_note_s"):  # one of each kind
            rows[name].focus()
            await scene.pilot.pause()
            await scene.press("enter")
            await until(lambda: isinstance(scene.console.screen, Choose))
            await scene.shows(CONTROLS[name].help)
            await scene.press("escape")
            await until(lambda: scene.console.screen is scene.console.playing)


def test_every_control_is_listed_once_and_those_at_hand_exist() -> None:
    listed = [control.name for _, controls in groups() for control in controls]
    assert sorted(listed) == sorted(CONTROLS)
    assert set(AT_HAND) <= set(CONTROLS)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)])
async def test_arrows_reach_every_control(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size) as scene:
        seen = set()
        for _ in range(len(CONTROLS) + 2):
            focused = scene.console.screen.focused
            assert isinstance(focused, ControlRow)
            assert focused.region.y >= scene.console.playing.controls.region.y
            assert focused.region.bottom <= scene.console.playing.controls.region.bottom
            seen.add(focused.control)
            await scene.press("tab")
        assert seen == set(CONTROLS) | {"midi_in", "midi_out"}
        first = scene.console.screen.focused
        await scene.press("down")
        assert scene.console.screen.focused is not first
        await scene.press("up")
        assert scene.console.screen.focused is first


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)])
async def test_a_key_leads_from_group_to_group(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size) as scene:
        panel, wanted = scene.console.playing.controls, [controls[0].name for _, controls in groups()]
        if size[0] >= 100:
            wanted.insert(1, "midi_in")
        for name, heading in zip(
            wanted[1:], [None, *(title for title, _ in groups()[1:])][-len(wanted) + 1 :], strict=True
        ):
            await scene.press("pagedown")
            focused = scene.console.screen.focused
            assert isinstance(focused, ControlRow)
            assert focused.control == name
            assert panel.region.y <= focused.region.y < panel.region.bottom
            if heading is not None:
                await scene.shows(heading)
        await scene.press("end")
        assert scene.console.screen.focused is panel.rows[list(panel.rows)[-1]]
        await scene.press("pageup", "pageup")
        assert scene.console.screen.focused is panel.rows[wanted[-2]]
        await scene.press("home")
        assert scene.console.screen.focused is panel.rows["temperature"]


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_up_and_down_keep_to_the_column(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size) as scene:
        await scene.press("tab")
        x = scene.console.screen.focused.region.x  # type: ignore[union-attr]
        for _ in range(len(CONTROLS)):
            await scene.press("down")
            assert scene.console.screen.focused.region.x in (0, x)  # type: ignore[union-attr]
        assert scene.console.playing.controls.rows["max_note_s"].region.y == scene.console.screen.focused.region.y  # type: ignore[union-attr]


def typed(text: str) -> list[str]:
    """The keys that write a text."""
    return [{" ": "space", ".": "full_stop"}.get(c, c) for c in text]


async def test_a_control_is_found_by_its_name(opened: Open) -> None:
    async with opened((80, 24)) as scene:
        await scene.press("ctrl+g", *typed("max v"))
        await scene.shows("max voices")
        assert "repetition" not in scene.text().split("find a control")[1].split("Enter go there")[0]
        await scene.press("down", "enter")
        await until(lambda: scene.console.on_top)
        assert scene.console.screen.focused is scene.console.playing.controls.rows["max_velocity"]
        await scene.shows(CONTROLS["max_velocity"].help)
        assert not [call for call in scene.desk.calls if call[0] in ("set", "press")]


async def test_a_value_is_written_after_the_name(opened: Open) -> None:
    async with opened((80, 24)) as scene:
        await scene.press("ctrl+g", *typed("temp 0.65"), "enter")
        await scene.asked("set", "temperature", 0.65)
        await scene.press("ctrl+g", *typed("key eb doric"), "enter")
        await scene.shows("There is no scale called")
        await scene.press(*["backspace"] * 2, *"ian", "enter")
        await scene.asked("set", "key", "Eb dorian")
        await until(lambda: scene.console.on_top)
        assert scene.console.screen.focused is scene.console.playing.controls.rows["key"]


async def test_an_action_is_found_too_and_escape_leaves_everything(opened: Open) -> None:
    async with opened((80, 24)) as scene:
        await scene.press("ctrl+g", *typed("fini"), "enter")
        await scene.asked("action", "finish")
        await scene.press("ctrl+g", *typed("temp 2"), "escape")
        await until(lambda: scene.console.on_top)
        assert not [call for call in scene.desk.calls if call[0] == "set"]


async def test_the_motifs_of_an_earlier_session_are_chosen(opened: Open) -> None:
    async with opened((80, 24)) as scene:
        await scene.press("ctrl+r")
        await scene.shows("2026-05-31_193000")
        await scene.press("down", "enter")
        await scene.asked("remember", "2026-05-30_201500")


async def test_arrows_move_a_slider_at_once(opened: Open) -> None:
    async with opened() as scene:
        await scene.press("right")
        await scene.asked("set", "temperature", 0.95)
        await scene.press("shift+left")
        await scene.asked("set", "temperature", 0.7)
        await scene.press("delete")
        await scene.asked("set", "temperature", 0.9)


async def test_a_number_that_may_be_a_word_is_moved_too(opened: Open, desk: ScriptedDesk) -> None:
    async with opened() as scene:
        panel = scene.console.playing.controls
        panel.reach(panel.rows["loops"])
        await scene.press("left")
        await scene.asked("set", "loops", 3)
        await scene.press("shift+left")  # below the lowest number is the word
        await scene.asked("set", "loops", "off")
        await scene.press("left", "right")
        await scene.asked("set", "loops", 2)
        panel.reach(panel.rows["tempo"])
        await scene.press("right")
        await scene.asked("set", "tempo", 120.0)
        await scene.press("delete")
        await scene.asked("set", "tempo", "auto")
        desk.tell_state(heard={"tempo_bpm": 97.6})
        await scene.shows("auto 98")
        await scene.press("right", "right")  # from the tempo that is heard
        await scene.asked("set", "tempo", 98.0)
        await scene.asked("set", "tempo", 99.0)


async def test_what_auto_comes_to_is_said_beside_it(opened: Open, desk: ScriptedDesk) -> None:
    async with opened((120, 50)) as scene:
        desk.tell_state(heard={"key": "Eb dorian", "tempo_bpm": 97.6}, wait={"s": 0.63})
        for words in ("auto Eb dorian", "auto 98"):
            await scene.shows(words)
        scene.console.playing.controls.reach(scene.console.playing.controls.rows["wait"])
        await scene.shows("auto 0.63 s")
        await desk.set("key", "A minor")
        await scene.shows("‹ A minor")
        assert "auto Eb dorian" not in scene.text()


async def test_the_mouse_drags_a_slider_and_the_wheel_moves_it(opened: Open) -> None:
    async with opened() as scene:
        slider = scene.console.playing.controls.rows["temperature"]
        start, cells = slider._track  # type: ignore[union-attr]
        await scene.pilot.mouse_down(slider, offset=(start, 0))
        await scene.asked("set", "temperature", 0.0)
        await scene.pilot.hover(slider, offset=(start + cells - 1, 0))
        await scene.asked("set", "temperature", 2.0)
        await scene.pilot.mouse_up(slider, offset=(start + cells - 1, 0))


async def test_a_picker_goes_round_and_a_list_chooses(opened: Open) -> None:
    async with opened() as scene:
        await scene.press("down", "right")
        await scene.asked("set", "mode", "continue")
        await scene.press("left", "left")
        await scene.asked("set", "mode", "duet")
        await scene.press("f6", "down", "down", "enter")
        await scene.asked("set", "key", "C major")


async def test_a_value_is_written_and_nonsense_is_refused_in_place(opened: Open) -> None:
    async with opened() as scene:
        await scene.press("f6")
        await until(lambda: isinstance(scene.console.screen, Choose))
        await scene.press(*"C hopeful".replace(" ", "_"), "enter")
        await scene.shows("There is no scale called")
        assert not [call for call in scene.desk.calls if call[0] in ("set", "press")]
        await scene.press(*["backspace"] * 9, *"eb_dorian", "enter")
        await scene.asked("set", "key", "Eb dorian")


async def test_typed_letters_do_not_play_while_a_list_is_open(opened: Open) -> None:
    async with opened() as scene:
        await scene.press("f5")
        await until(lambda: isinstance(scene.console.screen, Choose))
        await scene.press("z", "x", "escape")
        await scene.press("c")
        await scene.asked("press", 64, 80, HOLD_S)
        assert [call[1] for call in scene.desk.calls if call[0] == "press"] == [64]


async def test_model_and_ports_are_chosen_from_what_the_engine_has(opened: Open) -> None:
    async with opened() as scene:
        await scene.press("f7")
        await scene.shows("[nocturne]   CC0")
        await scene.press("down", "enter")
        await scene.asked("set", "model", "[nocturne]")
        await scene.press("f8")
        await scene.shows("Stage piano")
        await scene.press("down", "enter")
        await scene.asked("choose", "in", "Stage piano")
        await scene.press("f12")
        await scene.shows("FluidSynth")
        await scene.press("down", "down", "enter")
        await scene.asked("choose", "out", "DAW")


async def test_a_knob_turned_elsewhere_moves_the_slider_here(opened: Open, desk: ScriptedDesk) -> None:
    async with opened() as scene:
        await desk.set("temperature", 1.65)
        await scene.shows("1.65")


async def test_what_the_engine_refuses_is_told(opened: Open, desk: ScriptedDesk) -> None:
    async with opened() as scene:
        scene.console.asking.set("nose", 1)
        await scene.shows("There is no control called 'nose'.")


async def test_of_a_dragged_control_only_the_newest_value_is_sent(opened: Open, desk: ScriptedDesk) -> None:
    async with opened() as scene:
        for value in range(1, 100):
            scene.console.asking.set("max_velocity", value)
        await scene.asked("set", "max_velocity", 99)
        assert len([call for call in desk.calls if call[0] == "set"]) <= 3

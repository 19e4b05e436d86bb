"""Keys pressed on the console, messages seen by the desk; words and notes on the screen."""

import os
import signal

import pytest

from livemuse.control.server import ControlServer
from livemuse.music.controls import CONTROLS
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until
from livemuse.tui.computer_keys import HOLD_S
from livemuse.tui.keys import KEYS
from livemuse.tui.screens.choose import Choose
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.widgets.controls_panel import AT_HAND, groups
from tests.tui.conftest import Clock, Open

pytestmark = pytest.mark.usefixtures("server")


# --- playing ---------------------------------------------------------------------------------------------------


async def test_letters_play_notes_and_they_are_shown_sounding(opened: Open) -> None:
    async with opened() as scene:
        for letter, pitch in (("z", 60), ("s", 61), ("q", 72)):
            await scene.press(letter)
            await scene.asked("press", pitch, 80, HOLD_S)
            await until(lambda pitch=pitch: pitch in scene.console.score.sounding)  # type: ignore[misc]
        await until(lambda: not scene.console.score.sounding)  # the desk ends what nobody releases


async def test_octave_and_velocity_keys_change_what_letters_play(opened: Open) -> None:
    async with opened() as scene:
        await scene.press("right_square_bracket", "equals_sign", "z")
        await scene.asked("press", 72, 96, HOLD_S)
        await scene.press("left_square_bracket", "left_square_bracket", "minus", "minus", "Z")
        await scene.asked("press", 48, 64, HOLD_S)
        await scene.shows("z = C3, velocity 64")


async def test_a_clicked_piano_key_sounds(opened: Open) -> None:
    async with opened((110, 36)) as scene:
        keys = scene.console._playing.keys
        x = next(x for x in range(110) if keys.pitch_at(x, 3) == 60)
        await scene.pilot.click(keys, offset=(x, 3))
        await scene.asked("press", 60, 80, HOLD_S)
        black = next(x for x in range(110) if keys.pitch_at(x, 0) == 61)
        await scene.pilot.click(keys, offset=(black, 0))
        await scene.asked("press", 61, 80, HOLD_S)


@pytest.mark.parametrize(
    ("key", "action"),
    [("space", "answer"), ("f2", "answer"), ("backspace", "stop"), ("f3", "stop"), ("f4", "tacet"), ("ctrl+s", "save"),
     ("ctrl+l", "later"), ("ctrl+f", "finish"), ("ctrl+n", "another"),
     ("ctrl+k", "keep"),
     ("escape", "panic"), ("f9", "panic"), ("ctrl+p", "panic")],
)  # fmt: skip
async def test_one_key_does_it(opened: Open, key: str, action: str) -> None:
    async with opened((80, 24)) as scene:
        await scene.press(key)
        await scene.asked("action", action)


@pytest.mark.parametrize("opener", ["f1", "f5", "f6", "f7", "f8", "f10", "f12"])
async def test_panic_works_whatever_is_open(opened: Open, opener: str) -> None:
    async with opened((80, 24)) as scene:
        await scene.press(opener)
        await until(lambda: scene.console.screen is not scene.console._playing)
        await scene.press("f9")
        await scene.asked("action", "panic")
        await scene.press("escape")
        await until(lambda: scene.console.screen is scene.console._playing)


async def test_the_bottom_line_is_made_of_buttons(opened: Open) -> None:
    async with opened() as scene:
        line = scene.lines()[-1]
        await scene.pilot.click("#line", offset=(line.index("PANIC"), 0))
        await scene.asked("action", "panic")
        await scene.pilot.click("#line", offset=(line.index("answer"), 0))
        await scene.asked("action", "answer")


# --- controls --------------------------------------------------------------------------------------------------


async def test_every_control_of_the_table_has_its_row_and_opens(opened: Open) -> None:
    async with opened((120, 36)) as scene:
        rows = scene.console._playing.controls.rows
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
            await until(lambda: scene.console.screen is scene.console._playing)


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
            assert focused.region.y >= scene.console._playing.controls.region.y
            assert focused.region.bottom <= scene.console._playing.controls.region.bottom
            seen.add(focused.control)
            await scene.press("tab")
        assert seen == set(CONTROLS) | {"midi_in", "midi_out"}
        first = scene.console.screen.focused
        await scene.press("down")
        assert scene.console.screen.focused is not first
        await scene.press("up")
        assert scene.console.screen.focused is first


async def test_arrows_move_a_slider_at_once(opened: Open) -> None:
    async with opened() as scene:
        await scene.press("right")
        await scene.asked("set", "temperature", 0.95)
        await scene.press("shift+left")
        await scene.asked("set", "temperature", 0.7)
        await scene.press("delete")
        await scene.asked("set", "temperature", 0.9)


async def test_the_mouse_drags_a_slider_and_the_wheel_moves_it(opened: Open) -> None:
    async with opened() as scene:
        slider = scene.console._playing.controls.rows["temperature"]
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
        await scene.asked("set", "mode", "solo")
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


# --- what is shown ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(140, 40), (120, 36), (80, 24), (60, 20), (40, 12), (20, 5), (200, 60)])
async def test_it_draws_in_every_size(opened: Open, desk: ScriptedDesk, clock: Clock, size: tuple[int, int]) -> None:
    async with opened(size) as scene:
        desk.note_on("player", 60, 90)
        desk.note_on("livemuse", 67, 90)
        desk.tell("planned", take=1, notes=[[clock.at_s + 0.5, clock.at_s + 1, 72, 90]])
        await until(lambda: scene.console.score.planned)
        clock.at_s += 1
        await scene.press("f1")
        await scene.pilot.resize_terminal(size[0] + 7, size[1] + 3)
        await scene.press("escape")
        await scene.pilot.pause(0.1)
        assert all(len(line) <= size[0] + 7 for line in scene.lines())
        if size[0] >= 60:
            assert "livemuse" in scene.text()
            assert "temperature" in scene.text()


async def test_the_whole_screen_at_80x24(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((80, 24)) as scene:
        await scene.shows("Play your MIDI keyboard, or type")
        await scene.shows("▏z▏x▏c▏v")
        lines = scene.lines()
        assert lines[0].startswith(" livemuse   ● REC 2026-06-01 20.00.00   concert")
        assert lines[0].endswith("1.4 / 3.9 ms ")
        assert lines[1].startswith("▌ YOUR TURN ")
        assert [line.split()[0] for line in lines[15:16]] == ["▸temperature"]
        assert "MIDI in" in scene.text()
        assert "F1 help  Space answer  Bksp stop  Esc PANIC" in lines[23]
        assert all(letter in "".join(lines[20:23]) for letter in "zxcvbnmqwertyu2356")


async def test_notes_of_both_in_two_colours_and_what_is_to_come(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((120, 36)) as scene:
        desk.note_on("player", 60, 127)
        await until(lambda: scene.console.score.sounding)
        clock.at_s += 1.0
        desk.note_off("player", 60)
        desk.note_on("livemuse", 67, 127)
        desk.tell("planned", take=1, notes=[[clock.at_s + 0.5, clock.at_s + 1.5, 72, 90]])
        await until(lambda: len(scene.console.score.planned) == 1)
        clock.at_s += 0.5
        await scene.pilot.pause(0.15)
        roll = scene.console._playing.roll
        colours = {
            segment.style.color.name
            for y in range(roll.size.height)
            for segment in roll.render_line(y)
            if segment.text.strip() and segment.style and segment.style.color and segment.text[0] in "▀▄█"
        }
        assert {"#f6ad51", "#56bbf6"} & colours or len(colours) >= 3
        rows = [y for y in range(roll.size.height) if any(c in roll.render_line(y).text for c in "▀▄█")]
        assert len(rows) == 3
        now = roll._frame.now_column + 4
        assert any(c in "▀▄█" for c in roll.render_line(rows[0]).text[now + 1 :])  # the highest is to come
        assert not any(c in "▀▄█" for c in roll.render_line(rows[2]).text[now + 1 :])


async def test_the_countdown_and_whose_turn_it_is(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((80, 24)) as scene:
        desk.tell_state(state="waiting", since_s=clock.at_s, deadline_s=clock.at_s + 1.0)
        await scene.shows("answer in 1.0 s")
        full = scene.lines()[2].count("━")
        clock.at_s += 0.5
        await scene.shows("answer in 0.5 s")
        assert abs(scene.lines()[2].count("━") - full / 2) <= 2
        desk.tell_state(state="answering", since_s=clock.at_s, deadline_s=None)
        await scene.shows("LIVEMUSE ANSWERS")
        desk.tell_state(state="tacet")
        await scene.shows("TACET")
        desk.tell_state(state="playing", mode="solo")
        await scene.shows("LIVEMUSE PLAYS")


async def test_frames_stop_when_nothing_moves_and_begin_with_the_next_note(
    opened: Open, desk: ScriptedDesk, clock: Clock
) -> None:
    async with opened() as scene:
        frames = scene.console._playing._frames
        assert frames is not None
        await until(lambda: not frames._active.is_set())
        desk.note_on("player", 60, 80)
        await until(frames._active.is_set)
        desk.note_off("player", 60)
        await until(lambda: not scene.console.score.sounding)
        assert frames._active.is_set()  # the note still moves through the picture
        clock.at_s += 60
        await until(lambda: not frames._active.is_set())
        assert not scene.console.score.notes


async def test_the_lights_of_the_ports_flash(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened() as scene:
        ports = scene.console._playing.controls.ports
        desk.note_on("livemuse", 60, 80)
        await until(lambda: ports["out"]._lit)
        assert not ports["in"]._lit
        clock.at_s += 1
        await until(lambda: not ports["out"]._lit)


async def test_names_from_outside_are_shown_as_they_are(opened: Open, desk: ScriptedDesk) -> None:
    async with opened() as scene:
        evil = "[bold]\x1b[2J\x07\u202e\ud800 [/] né 琴"
        desk.tell_state(model={"name": evil, "terms": evil}, session=evil, ports={"in": evil, "out": evil},
                        notices=[evil], api=evil, sound=evil)  # fmt: skip
        await scene.shows("[bold]·[2J··· [/]")
        await scene.press("f10")
        await scene.shows("how things are")
        assert not any(ord(c) < 32 and c != "\n" for c in scene.text())


async def test_how_things_are(opened: Open, desk: ScriptedDesk) -> None:
    async with opened() as scene:
        desk.tell_state(notices=["No audio device was found."])
        await scene.shows("No audio device was found.")
        await scene.press("f10")
        await scene.shows("1.4 / 3.9   of 12")
        await scene.shows("CC BY 4.0")


async def test_the_help_lists_every_key(opened: Open) -> None:
    async with opened((140, 60)) as scene:
        await scene.press("question_mark")
        for key in KEYS:
            await scene.shows(key.help)


async def test_a_flood_of_notes_does_not_lock_the_player_out(opened: Open, desk: ScriptedDesk) -> None:
    async with opened() as scene:
        for _ in range(15):
            for number in range(200):
                desk.note_on("livemuse", number % 128, 90)
            await scene.pilot.pause()
        await scene.press("z")
        await scene.asked("press", 60, 80, HOLD_S)


# --- beginning and end -----------------------------------------------------------------------------------------


async def test_detach_leaves_the_engine_and_quit_ends_the_one_it_owns(
    opened: Open, server: ControlServer, desk: ScriptedDesk
) -> None:
    for key, owns, ends in (("ctrl+d", True, False), ("ctrl+q", False, False), ("ctrl+q", True, True)):
        desk.calls.clear()
        async with opened(owns_engine=owns) as scene:
            await scene.press(key)
            await until(lambda scene=scene: scene.console.return_value == 0)  # type: ignore[misc]
        assert (("action", "shutdown") in desk.calls) is ends


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_closed_terminal_ends_the_engine_it_owns(
    opened: Open, desk: ScriptedDesk, number: signal.Signals
) -> None:
    async with opened(owns_engine=True) as scene:
        os.kill(os.getpid(), number)
        await until(lambda: scene.console.return_value == 0)
        assert ("action", "shutdown") in desk.calls

"""Keys pressed on the console, messages seen by the desk; words and notes on the screen."""

import os
import signal

import pytest

from livemuse.control.server import ControlServer
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.waiting import until
from livemuse.tui.computer_keys import HOLD_S
from livemuse.tui.keys import KEYS
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
        keys = scene.console.playing.keys
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
     ("ctrl+y", "keep"), ("ctrl+k", "lock"), ("1", "tap"), ("ctrl+e", "forget"),
     ("escape", "panic"), ("f9", "panic"), ("ctrl+p", "panic")],
)  # fmt: skip
async def test_one_key_does_it(opened: Open, key: str, action: str) -> None:
    async with opened((80, 24)) as scene:
        await scene.press(key)
        await scene.asked("action", action)


@pytest.mark.parametrize("opener", ["f1", "f5", "f6", "f7", "f8", "f10", "f12", "ctrl+g", "ctrl+o", "ctrl+r"])
async def test_panic_works_whatever_is_open(opened: Open, opener: str) -> None:
    async with opened((80, 24)) as scene:
        await scene.press(opener)
        await until(lambda: scene.console.screen is not scene.console.playing)
        await scene.press("f9")
        await scene.asked("action", "panic")
        await scene.press("escape")
        await until(lambda: scene.console.screen is scene.console.playing)


async def test_the_bottom_line_is_made_of_buttons(opened: Open) -> None:
    async with opened() as scene:
        line = scene.lines()[-1]
        await scene.pilot.click("#line", offset=(line.index("PANIC"), 0))
        await scene.asked("action", "panic")
        await scene.pilot.click("#line", offset=(line.index("answer"), 0))
        await scene.asked("action", "answer")


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
        roll = scene.console.playing.roll
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
        frames = scene.console.playing._frames
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
        ports = scene.console.playing.controls.ports
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

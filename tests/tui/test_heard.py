"""What is heard of the player, on the screen: key, chord, tempo and beat, touch, and how long livemuse waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Size

from livemuse.control.heard import HEARD, HeardNow, heard_words
from livemuse.control.server import ControlServer
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.duet import heard
from livemuse.testing.waiting import until
from livemuse.tui.widgets.heard import heard_strip
from tests.tui.conftest import Clock, Open, Scene

pytestmark = pytest.mark.usefixtures("server")


def line_of(scene: Scene) -> str:
    """The line, or the two, of what is heard."""
    region = scene.console.playing.heard.region
    return "\n".join(scene.lines()[region.y : region.bottom])


async def test_all_of_it_on_two_lines_where_there_is_room(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((120, 36)) as scene:
        desk.tell_state(heard=heard(clock.at_s))
        await scene.shows("key C minor ━━━━━   chord Cm Eb Gm Cm Bb7")
        await scene.shows("tempo 100 ━━━━━  ●○○○   3.1 notes/s   mf   legato   Bb2-Bb3 + G4-Eb5")


async def test_the_chords_before_give_way_to_the_tempo(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((80, 24)) as scene:
        desk.tell_state(heard=heard(clock.at_s))
        await scene.shows("key C minor ━━━━━   chord Eb Gm Cm Bb7   tempo 100 ━━━━━  ●○○○   3.1 notes/s")
        await scene.pilot.resize_terminal(60, 20)
        await scene.shows("key C minor ━━━━━   chord Cm Bb7   tempo 100 ━━━━━  ●○○○")
        await scene.pilot.resize_terminal(40, 12)
        await scene.shows("key C minor ━━━━━   chord Bb7")


async def test_an_engine_that_tells_nothing_of_it(opened: Open, desk: ScriptedDesk) -> None:
    async with opened((80, 24)) as scene:
        del desk.state["heard"], desk.state["wait"]
        desk.tell_state()
        await scene.shows("key –   chord –   tempo –")
        desk.tell_state(heard={"key": None, "chord": None, "tempo_bpm": None, "register": None, "loudness": None})
        await scene.shows("key –   chord –   tempo –")


async def test_a_lock_is_a_sign_in_the_place_of_the_meter(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((80, 24)) as scene:
        desk.tell_state(heard=heard(clock.at_s) | {"locked": True})
        await scene.shows("key C minor locked   chord")


async def test_the_meters_say_how_sure_it_is(opened: Open, desk: ScriptedDesk) -> None:
    async with opened((80, 24)) as scene:
        for confidence, cells in ((0.0, 0), (0.42, 2), (1.0, 5)):
            desk.tell_state(heard={"key": "A minor", "key_confidence": confidence})
            meter = scene.console.playing.heard
            await until(lambda meter=meter, c=confidence: meter._heard.key_confidence == c)  # type: ignore[misc]
            lit = [s for s in meter.render_line(0) if s.text == "━" * cells and s.style and s.style.color]
            assert any(s.style is not None and "ffb454" in str(s.style.color) for s in lit) or not cells


async def test_the_beat_is_counted_where_it_is_clear_and_stands_still_without_news(
    opened: Open, desk: ScriptedDesk, clock: Clock
) -> None:
    async with opened((80, 24)) as scene:
        desk.tell_state(heard=heard(clock.at_s))
        for lights in ("●○○○", "○●○○", "○○●○", "○○○●", "●○○○"):
            await scene.shows(lights)
            clock.at_s += 0.6
        clock.at_s += 60.0
        await scene.shows("○○○○")
        frames = scene.console.playing._frames
        assert frames is not None
        await until(lambda: not frames._active.is_set())
        desk.tell_state(heard=heard(clock.at_s) | {"beat_confidence": 0.5})
        await scene.shows("tempo 100")
        clock.at_s += 0.6
        await scene.pilot.pause(0.1)
        assert "●" not in line_of(scene)


async def test_where_no_bar_is_known_one_light_blinks(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((80, 24)) as scene:
        desk.tell_state(heard=heard(clock.at_s) | {"beats_a_bar": None, "bar_s": None})
        await until(lambda: "●" in line_of(scene))
        clock.at_s += 0.4
        await until(lambda: "●" not in line_of(scene) and "○" in line_of(scene))


async def test_a_page_says_it_in_words(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((100, 40)) as scene:
        desk.tell_state(heard=heard(clock.at_s))
        await scene.shows("key C minor")
        await scene.press("ctrl+o")
        for words in ("C minor   86% sure", "100 bpm, 4 beats a bar   81% sure", "Bb2-Bb3 and G4-Eb5",
                      "0.63 s (+0.15 learned)", "mf (velocity 72)", "3.1 onsets a second",
                      "legato (0.94)"):  # fmt: skip
            await scene.shows(words)
        desk.tell_state(heard={"key": "G major", "key_confidence": 0.5})  # while it is read
        await scene.shows("G major   50% sure")
        await scene.shows("not heard yet")


async def test_the_wait_and_what_was_learned_of_it(opened: Open, desk: ScriptedDesk, clock: Clock) -> None:
    async with opened((80, 24)) as scene:
        await scene.shows("waits 0.63 s (+0.15 learned)")
        desk.tell_state(wait={"s": 0.5, "learned_s": -0.2})
        await scene.shows("waits 0.5 s (−0.20 learned)")
        desk.tell_state(wait={"s": 1.0, "learned_s": 0.0})
        await scene.shows("waits 1 s ")
        desk.tell_state(state="waiting", deadline_s=clock.at_s + 1.0)
        await scene.shows("answer in 1.0 s")
        assert "waits" not in scene.text()


async def test_names_from_outside_are_shown_as_they_are(
    opened: Open, server: ControlServer, desk: ScriptedDesk
) -> None:
    async with opened((80, 24)) as scene:
        desk.tell_state(heard={"key": "[b]\x1b[2J", "chord": "\u202eX", "chords": ["\x07", "琴"]})
        await scene.shows("[b]·[2J")
        assert not any(ord(c) < 32 and c != "\n" for c in scene.text())


confidences = st.none() | st.floats(0, 1)
spans = st.tuples(st.integers(0, 127), st.integers(0, 127))


@given(
    st.builds(
        HeardNow, st.none() | st.text(max_size=60), confidences, st.booleans(), st.none() | st.text(max_size=30),
        st.lists(st.text(max_size=30), max_size=12).map(tuple), st.none() | st.floats(1, 1000), confidences,
        st.none() | st.integers(1, 64), st.none() | st.floats(-1e12, 1e12), st.none() | st.floats(-1e12, 1e12),
        st.none() | st.floats(0, 1e4), st.none() | spans, st.lists(spans, max_size=3).map(tuple),
        st.none() | st.integers(0, 127), st.none() | st.floats(0, 100),
    ),
    st.floats(-1e9, 1e9),
)  # fmt: skip
def test_whatever_the_engine_tells_is_drawn(told: HeardNow, now_s: float) -> None:
    beat = told.beat_at(now_s)
    assert beat is None or 0.0 <= beat[1] <= 1.0
    for size in (Size(0, 1), Size(23, 1), Size(80, 1), Size(120, 2)):
        for y in range(size.height):
            shown = heard_strip(told, None if beat is None else (beat[0], True), size, y)
            assert sum(segment.cell_length for segment in shown) == size.width
    assert len(heard_words(told)) == 9


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_what_is_no_such_thing_is_refused(value: object) -> None:
    for name in ("key", "chords", "hands", "register", "tempo_bpm", "locked"):
        try:
            read = HEARD.read({name: value, "from a newer engine": 1})
        except (ValueError, TypeError):
            continue
        assert isinstance(read, HeardNow)
    with pytest.raises(ValueError, match="list"):
        HEARD.read([value])

"""Draws docs/console.svg: the console in the middle of a scripted duet, in virtual time.

python scripts/console_picture.py [OUT.svg] [COLUMNSxROWS]
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from livemuse import __version__
from livemuse.control.client import LiveLink
from livemuse.control.server import ControlServer
from livemuse.testing.desk import ScriptedDesk
from livemuse.testing.duet import ANSWER, CALL, WAIT_S, Line, heard, moments, planned
from livemuse.testing.waiting import until
from livemuse.tui.app import make_console

BEGIN_S = 1000.0
INTO_THE_ANSWER_S = 1.55


class Clock:
    """Time that the script moves."""

    def __init__(self) -> None:
        self.at_s = BEGIN_S

    def now_s(self) -> float:
        """Seconds since some moment."""
        return self.at_s


def play(desk: ScriptedDesk, clock: Clock, who: str, notes: Line, until_s: float) -> None:
    """Tell what happens until that many seconds into a line."""
    begin_s = clock.at_s
    for at_s, begins, pitch, velocity in moments(notes):
        if at_s > until_s:
            break
        clock.at_s = begin_s + at_s
        if begins:
            desk.note_on(who, pitch, velocity)
        else:
            desk.note_off(who, pitch)
    clock.at_s = begin_s + min(until_s, max(at_s for at_s, *_ in moments(notes)))


async def draw(size: tuple[int, int]) -> str:
    """Let the console watch a duet; what it shows then, as SVG."""
    clock = Clock()
    desk = ScriptedDesk(clock.now_s)
    with tempfile.TemporaryDirectory() as folder:
        server = ControlServer(desk, Path(folder) / "a.sock", __version__)
        await server.start()
        console = make_console(lambda: LiveLink.open(Path(folder) / "a.sock"), now_s=clock.now_s)
        async with console.run_test(size=size) as pilot:
            await until(lambda: console.ports is not None)
            await desk.set("key", "C minor")
            await desk.set("temperature", 1.1)
            await desk.set("density", 1.5)
            play(desk, clock, "player", CALL, 60.0)
            clock.at_s += WAIT_S
            begin_s = clock.at_s
            desk.tell("planned", take=1, notes=planned(ANSWER, begin_s))
            desk.tell_state(state="answering", since_s=begin_s, heard=heard(BEGIN_S))
            play(desk, clock, "livemuse", ANSWER, INTO_THE_ANSWER_S)
            await until(lambda: console.state is not None and console.state.state == "answering")
            await until(lambda: len(console.score.notes) > len(CALL))
            for _ in range(40):  # let the window glide to where it would be
                clock.at_s += 0.001
                console.screen_stack[-1].wake()  # type: ignore[attr-defined]
                await pilot.pause(0.01)
            picture = console.export_screenshot(title="livemuse")
        await server.stop()
    return picture


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs/console.svg"
    columns, rows = (int(number) for number in (sys.argv[2] if len(sys.argv) > 2 else "120x36").split("x"))
    target.write_text(asyncio.run(draw((columns, rows))), encoding="utf-8")

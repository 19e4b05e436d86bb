"""A duet without an engine: a scripted desk plays a phrase, is answered, and begins again, for a console to show.

`python -m livemuse.testing.duet SOCKET` serves it at that path until it is interrupted.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from livemuse import __version__
from livemuse.control.server import ControlServer
from livemuse.testing.desk import ScriptedDesk

# (onset_s, duration_s, pitch, velocity)
Line = tuple[tuple[float, float, int, int], ...]
CALL: Final[Line] = (
    (0.0, 1.3, 48, 58), (0.0, 0.55, 67, 84), (0.3, 0.6, 55, 50), (0.6, 0.35, 70, 76), (0.9, 0.3, 72, 92),
    (1.2, 1.2, 51, 60), (1.2, 0.65, 75, 98), (1.5, 0.5, 58, 48), (1.8, 0.28, 74, 72), (2.1, 0.28, 72, 70),
    (2.4, 1.4, 46, 62), (2.4, 0.5, 70, 84), (2.7, 0.6, 53, 46), (3.0, 0.3, 67, 66), (3.3, 0.9, 69, 88),
)  # fmt: skip
ANSWER: Final[Line] = (
    (0.0, 1.2, 51, 56), (0.0, 0.3, 79, 80), (0.3, 0.3, 77, 74), (0.6, 0.6, 75, 90), (0.6, 0.5, 58, 44),
    (1.2, 1.1, 50, 56), (1.2, 0.28, 74, 82), (1.5, 0.28, 75, 76), (1.8, 0.28, 77, 86), (1.8, 0.5, 57, 44),
    (2.1, 0.9, 70, 98), (2.4, 1.2, 48, 60), (3.0, 0.28, 72, 72), (3.0, 0.5, 55, 42), (3.3, 0.28, 74, 78),
    (3.6, 1.3, 43, 64), (3.6, 0.3, 75, 96), (3.9, 0.3, 70, 70), (4.2, 1.6, 67, 88), (4.2, 1.5, 60, 52),
)  # fmt: skip
WAIT_S: Final = 0.9
BEAT_S: Final = 0.6
HEARD: Final = {
    "key": "C minor", "key_confidence": 0.86, "locked": False, "chord": "Bb7",
    "chords": ["Cm", "Eb", "Gm", "Cm", "Bb7"], "tempo_bpm": 60 / BEAT_S, "beat_confidence": 0.81, "beats_a_bar": 4,
    "density": 3.1, "register": [46, 75], "hands": [[46, 58], [67, 75]], "loudness": 72, "articulation": 0.94,
}  # fmt: skip
"""What is heard in the call, but for when its beats are."""


async def play_duet(desk: ScriptedDesk, now_s: Callable[[], float], rounds: int | None = None) -> None:
    """Call and answer over and over; ``rounds`` times where it is given."""
    turn = 0
    while rounds is None or turn < rounds:
        turn += 1
        desk.tell_state(state="listening", turn=turn, since_s=now_s(), deadline_s=None)
        await _play(desk, "player", CALL, now_s)
        begin_s = now_s() + WAIT_S
        desk.tell_state(heard=heard(now_s() - 4.2))
        desk.tell_state(state="waiting", since_s=now_s(), deadline_s=begin_s)
        await asyncio.sleep(WAIT_S)
        begin_s = now_s()
        desk.tell("planned", take=turn, notes=planned(ANSWER, begin_s))
        desk.tell_state(state="answering", since_s=begin_s, deadline_s=None)
        await _play(desk, "livemuse", ANSWER, now_s)
        desk.tell("planned", take=turn, notes=[])
        desk.tell_state(state="listening", since_s=now_s())
        await asyncio.sleep(0.5)


def heard(began_s: float) -> dict[str, object]:
    """What is heard in the call that began then."""
    return {**HEARD, "beat_s": began_s, "bar_s": began_s}


def planned(notes: Line, begin_s: float) -> list[list[float]]:
    """A line as the ``planned`` event has it, from ``begin_s`` on."""
    return [[begin_s + onset, begin_s + onset + length, pitch, velocity] for onset, length, pitch, velocity in notes]


def moments(notes: Line) -> Sequence[tuple[float, bool, int, int]]:
    """(when, begins or ends, pitch, velocity) in the order in which it happens; an end before a beginning."""
    begins = [(onset, True, pitch, velocity) for onset, _, pitch, velocity in notes]
    return sorted([*begins, *((onset + length, False, pitch, 0) for onset, length, pitch, _ in notes)])


async def _play(desk: ScriptedDesk, who: str, notes: Line, now_s: Callable[[], float]) -> None:
    begin_s = now_s()
    for at_s, begins, pitch, velocity in moments(notes):
        await asyncio.sleep(max(begin_s + at_s - now_s(), 0))
        if begins:
            desk.note_on(who, pitch, velocity)
        else:
            desk.note_off(who, pitch)


async def serve(path: Path) -> None:
    """Play at ``path`` until interrupted."""
    desk = ScriptedDesk(time.monotonic)
    server = ControlServer(desk, path, __version__)
    await server.start()
    try:
        await play_duet(desk, time.monotonic)
    finally:
        await server.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Path(sys.argv[1])))

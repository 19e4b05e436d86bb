"""``livemuse demo``: a built-in phrase through the real engine, answered; no keyboard needed."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from livemuse.daemon import Daemon, end_on_signals
from livemuse.errors import LinkError
from livemuse.midi.link import Inject
from livemuse.midi.messages import note_off, note_on
from livemuse.music.notes import Note
from livemuse.settings import Settings

# (beat, pitch, beats, velocity) at 110 beats a minute: a question in D minor over two chords.
_PHRASE: Final = (
    (0.0, 50, 1.9, 58), (0.0, 57, 1.9, 52), (0.0, 65, 0.9, 74),
    (1.0, 69, 0.45, 70), (1.5, 67, 0.45, 66), (2.0, 48, 1.9, 56), (2.0, 55, 1.9, 50), (2.0, 64, 0.9, 76),
    (3.0, 67, 0.45, 70), (3.5, 65, 0.45, 64), (4.0, 46, 1.9, 58), (4.0, 53, 1.9, 52), (4.0, 62, 0.7, 72),
    (4.75, 64, 0.6, 68), (5.5, 65, 0.4, 74),
)  # fmt: skip
_BEAT_S: Final = 60 / 110
ANSWER_LENGTH: Final = "5 s"
_ANSWER_WITHIN_S: Final = 11.0


def phrase() -> list[Note]:
    """The built-in call, from second 0."""
    return [Note(beat * _BEAT_S, pitch, beats * _BEAT_S, velocity) for beat, pitch, beats, velocity in _PHRASE]


async def run_demo(settings: Settings) -> dict[str, Any]:
    """Play the phrase, wait for the answer to end; heard, answered, decide_to_first_ms, session.

    LinkError when no answer came.
    """
    controls = settings.controls.replaced("mode", "answer").replaced("wait", 0.6)
    if controls["answer_length"] == "auto":
        controls = controls.replaced("answer_length", ANSWER_LENGTH)
    daemon = Daemon(replace(settings, name=f"demo-{os.getpid()}", controls=controls))
    end_on_signals(daemon)
    started = asyncio.Event()
    engine_task = asyncio.create_task(daemon.run(lambda _: started.set()))
    try:
        await asyncio.wait({engine_task, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if engine_task.done():
            await engine_task  # it ended instead of starting: its error says why
        done = await _play(daemon)
    finally:
        daemon.end()
        await engine_task
    return {**done, "session": os.fspath(daemon.session_file)}


async def _play(daemon: Daemon) -> dict[str, Any]:
    engine = daemon.engine
    counts = {"player": 0, "livemuse": 0}
    over = asyncio.Event()

    def hear(event: Mapping[str, Any]) -> None:
        if event["event"] == "note_on":
            counts[event["who"]] += 1
        elif event["event"] == "state" and event["state"] == "listening" and event["turn"] >= 1:
            over.set()

    unsubscribe = engine.board.subscribe(hear)
    began_s = daemon.clock.now_s()
    for at_s, data in sorted(
        [(n.onset_s, note_on(0, n.pitch, n.velocity)) for n in phrase()]
        + [(n.end_s, note_off(0, n.pitch)) for n in phrase()]
    ):
        await asyncio.sleep(began_s + at_s - daemon.clock.now_s())
        if engine.stage is not None:
            engine.stage.send(Inject(data))
    try:
        await asyncio.wait_for(over.wait(), _ANSWER_WITHIN_S)
    except TimeoutError:
        raise LinkError("No answer came to the demo's phrase.", "`livemuse doctor` says what is missing.") from None
    finally:
        unsubscribe()
    first = engine.meters.figures()["decide_to_first"]
    return {"heard": counts["player"], "answered": counts["livemuse"], "decide_to_first_ms": first["p50"]}

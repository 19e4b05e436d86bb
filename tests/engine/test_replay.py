"""A real evening (real stage process, real engine, the shipped model), recorded and lived through again."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from livemuse.daemon import Daemon
from livemuse.engine.replay import Replay
from livemuse.midi.link import Inject
from livemuse.midi.messages import note_off, note_on
from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.music.controls import Controls
from livemuse.recording.midifile import records_of
from livemuse.settings import Settings


async def an_evening(folder: Path) -> Path:
    """Two phrases, one answer broken into, a control turned in the middle of the other; the session's file."""
    controls = Controls()
    for name, value in {"wait": 0.3, "answer_length": "2 s", "seed": 11, "density": 1.5}.items():
        controls = controls.replaced(name, value)
    daemon = Daemon(Settings(name=f"test-{os.getpid()}", sound="off", record=folder, controls=controls))
    started = asyncio.Event()
    task = asyncio.create_task(daemon.run(lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 10)
    engine = daemon.engine

    async def until(what: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not what():  # noqa: ASYNC110 - the engine has no event for every little thing
                await asyncio.sleep(0.005)

    async def play(*pitches: int) -> None:
        assert engine.stage is not None
        for pitch in pitches:
            engine.stage.send(Inject(note_on(0, pitch, 80)))
            await asyncio.sleep(0.08)
            engine.stage.send(Inject(note_off(0, pitch)))

    await play(60, 64, 67)
    await until(lambda: engine.duet.turn == 1 and len(engine.board.sounding("livemuse")) > 0)
    await play(62, 65)  # in the middle of the answer, which yields
    await until(lambda: engine.duet.turn == 2 and len(engine.board.sounding("livemuse")) > 0)
    engine.set(engine.duet.controls.replaced("register", "72-96"), "register")
    await until(lambda: engine.duet.state == "listening")
    daemon.end()
    await task
    return daemon.session_file


def test_a_recorded_evening_gives_the_same_notes_again(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        path = asyncio.run(an_evening(tmp_path))
    records = records_of(path)
    first = records[0]
    assert first.kind == "session"
    stepper, facts = Shelf().load(first.fields["model"]["name"])
    assert facts["hash"] == first.fields["model"]["hash"]
    replay = Replay(Controls(first.fields["controls"]), Improviser(stepper))
    again = [(n.take, n.index, n.onset_s, n.pitch, n.velocity) for n in replay.live_through(records)]
    at_the_time = [
        tuple(r.fields[name] for name in ("take", "index", "due", "pitch", "velocity"))
        for r in records
        if r.kind == "sent"
    ]
    assert len(at_the_time) >= 6
    assert again == at_the_time
    assert replay.missing == []
    turned = [r.kind for r in records].index("control")
    late = [r.fields["pitch"] for r in records[turned:] if r.kind == "sent" and r.fields["due"] > records[turned].at_s]
    assert late
    assert all(72 <= pitch <= 96 for pitch in late)

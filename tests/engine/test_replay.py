"""A real evening (real stage process, real engine, the shipped model), recorded and lived through again."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from livemuse.daemon import Daemon
from livemuse.engine.replay import Replay
from livemuse.midi.link import Inject
from livemuse.midi.messages import note_off, note_on
from livemuse.midi.smf import Track, write_song
from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.music.controls import Controls
from livemuse.recording.archive import memory_of
from livemuse.recording.midifile import records_of
from livemuse.recording.records import Record
from livemuse.settings import Settings
from livemuse.testing.waiting import until


async def begun(folder: Path, controls: Controls) -> tuple[Daemon, asyncio.Task[None]]:
    """A daemon that listens, and what runs it."""
    daemon = Daemon(Settings(name=f"test-{os.getpid()}", sound="off", record=folder, controls=controls))
    started = asyncio.Event()
    task = asyncio.create_task(daemon.run(lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 10)
    return daemon, task


async def an_evening(folder: Path, turned: tuple[str, str], *, actions: tuple[str, ...] = (), **given: object) -> Path:
    """Two phrases, one answer broken into, actions and a control turned in the middle of the other; the file of it."""
    controls = Controls()
    for name, value in {"wait": 0.3, "answer_length": "2 s", "seed": 11, "density": 1.5, **given}.items():
        controls = controls.replaced(name, value)
    daemon, task = await begun(folder, controls)
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
    for action in actions:
        answers, sent = engine.meters.figures()["decide_to_first"]["n"], action == "another"
        engine.do(action)
        await until(lambda n=answers + sent: engine.meters.figures()["decide_to_first"]["n"] >= n)  # type: ignore[misc]
    engine.set(engine.duet.controls.replaced(*turned), turned[0])
    await until(lambda: engine.duet.state == "listening")
    daemon.end()
    await task
    return daemon.session_file


async def an_evening_of_memories(folder: Path) -> Path:
    """A tune of an earlier session is remembered from the start, another one later on, and all of it forgotten."""
    earlier = folder / "earlier.mid"
    pitches = (67, 69, 64, 71, 72, 67)
    strikes = [(0.3 * k, note_on(0, pitch, 80)) for k, pitch in enumerate(pitches)]
    ends = [(0.3 * k + 0.2, note_off(0, pitch)) for k, pitch in enumerate(pitches)]
    earlier.write_bytes(write_song([Track("piano", sorted([*strikes, *ends]))]))
    controls = Controls({"wait": 0.3, "answer_length": "2 s", "seed": 11, "imitate": 1.0, "start_on": "any"})
    settings = Settings(f"test-{os.getpid()}", sound="off", record=folder, controls=controls, remember=str(earlier))
    daemon = Daemon(settings)
    started = asyncio.Event()
    task = asyncio.create_task(daemon.run(lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 10)
    engine = daemon.engine
    assert engine.stage is not None
    for turn, what in ((1, "remember"), (2, "forget")):
        for pitch in (60, 62, 64):
            engine.stage.send(Inject(note_on(0, pitch, 80)))
            await asyncio.sleep(0.08)
            engine.stage.send(Inject(note_off(0, pitch)))
        await until(lambda turn=turn: engine.duet.turn == turn and len(engine.board.sounding("livemuse")) > 0)  # type: ignore[misc]
        if what == "remember":
            engine.remember(daemon.archive.remembered(str(earlier))[1], "earlier.mid")
        else:
            engine.do("forget")
        await until(lambda: engine.duet.state == "listening")
    daemon.end()
    await task
    return daemon.session_file


def lived_again(path: Path, model: str) -> list[Record]:
    """The session's records, of which a replay gives the very notes."""
    records = list(records_of(path))
    first = records[0]
    assert first.kind == "session"
    stepper, facts = Shelf().load(model)
    assert facts["hash"] == first.fields["model"]["hash"]
    assert facts["terms"] == first.fields["model"]["terms"]
    replay = Replay(Controls(first.fields["controls"]), Improviser(stepper))
    again = [(n.take, n.index, n.onset_s, n.pitch, n.velocity, n.channel) for n in replay.live_through(records)]
    at_the_time = [
        tuple(r.fields[name] for name in ("take", "index", "due", "pitch", "velocity", "channel"))
        for r in records
        if r.kind == "sent"
    ]
    assert len(at_the_time) >= 6
    assert again == at_the_time
    assert replay.missing == []
    return records


def test_a_recorded_evening_gives_the_same_notes_again(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        path = asyncio.run(an_evening(tmp_path, ("register", "72-96")))
    records = lived_again(path, records_of(path)[0].fields["model"]["name"])
    turned = [r.kind for r in records].index("control")
    late = [r.fields["pitch"] for r in records[turned:] if r.kind == "sent" and r.fields["due"] > records[turned].at_s]
    assert late
    assert all(72 <= pitch <= 96 for pitch in late)


def test_so_does_one_in_which_the_style_was_turned(tmp_path: Path) -> None:
    from tests.model.tiny import tiny_bundle

    model = str(tiny_bundle(tmp_path / "styled", "performance", ("genre:jazz", "composer:Chopin")))
    with contextlib.chdir(tmp_path):
        turned = ("style", "genre:jazz 0.7, composer:Chopin 0.3")
        path = asyncio.run(an_evening(tmp_path, turned, model=model, style="Chopin, polka 0.1"))
    records = lived_again(path, model)
    assert records[0].fields["controls"]["style"] == "composer:Chopin 1, polka 0.1"
    assert [r.fields for r in records if r.kind == "control"] == [{"name": turned[0], "value": turned[1]}]
    assert "The model styled does not know polka, which is left out." in [
        r.fields["text"] for r in records if r.kind == "notice"
    ]


def test_so_does_one_in_which_sessions_are_remembered_and_forgotten(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        path = asyncio.run(an_evening_of_memories(tmp_path))
    records = lived_again(path, records_of(path)[0].fields["model"]["name"])
    remembered = [r for r in records if r.kind == "remembered"]
    assert [[row[1] for row in r.fields["notes"]] for r in remembered] == [[67, 69, 64, 71, 72, 67]] * 2
    assert [r.kind for r in records][1] == "remembered"  # before a note is heard
    assert len(memory_of(path)) == 0  # all of it was forgotten


def test_so_does_one_in_which_both_played_at_the_same_time(tmp_path: Path) -> None:
    async def together() -> Path:
        controls = Controls()
        for name, value in {"mode": "duet", "busy": 9, "seed": 3, "channel_lower": 2, "tempo": 120}.items():
            controls = controls.replaced(name, value)
        daemon, task = await begun(tmp_path, controls)
        stage = daemon.engine.stage
        assert stage is not None
        for k in range(28):
            hasty = 12 <= k < 20  # twelve a second: livemuse is silent, and comes back by itself
            stage.send(Inject(note_on(0, 60 + k * 5 % 7, 80)))
            await asyncio.sleep(0.04 if hasty else 0.1)
            stage.send(Inject(note_off(0, 60 + k * 5 % 7)))
            await asyncio.sleep(0.04 if hasty else 1.6 if k == 20 else 0.15)
        daemon.end()
        await task
        return daemon.session_file

    with contextlib.chdir(tmp_path):
        path = asyncio.run(together())
    records = lived_again(path, records_of(path)[0].fields["model"]["name"])
    assert {r.fields["channel"] for r in records if r.kind == "sent"} == {0, 1}
    assert any(r.kind == "taken" and r.fields["by_player"] for r in records)


def test_so_does_one_in_which_the_hands_went_far_and_the_tempo_was_heard(tmp_path: Path) -> None:
    async def far() -> Path:
        controls = Controls({"mode": "duet", "busy": 4, "seed": 5, "channel_upper": 2, "channel_lower": 3})
        daemon, task = await begun(tmp_path, controls)
        stage = daemon.engine.stage
        assert stage is not None
        low, wide, high = (40, 43, 36, 45, 41, 38, 43), (84, 30, 62, 90, 46, 74), (79, 84, 77, 86, 81, 79, 88, 76)
        for k, pitch in enumerate((*low, *wide, *high)):
            hasty = len(low) <= k < len(low) + len(wide)  # nor is there room: some wakes find nothing to do
            stage.send(Inject(note_on(0, pitch, 80)))
            await asyncio.sleep(0.06 if hasty else 0.12)
            stage.send(Inject(note_off(0, pitch)))
            await asyncio.sleep(4.1 if pitch == wide[-1] else 0.05 if hasty else 0.25)
        daemon.end()
        await task
        return daemon.session_file

    with contextlib.chdir(tmp_path):
        path = asyncio.run(far())
    records = lived_again(path, records_of(path)[0].fields["model"]["name"])
    assert records[0].fields["controls"]["tempo"] == "auto"
    assert len({r.fields["channel"] for r in records if r.kind == "sent"}) > 1
    assert [r for r in records if r.kind == "woke"]


def test_so_does_one_in_which_the_model_said_how_long_to_wait(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        path = asyncio.run(an_evening(tmp_path, ("register", "72-96"), wait="auto", patience=0.4))
    records = lived_again(path, records_of(path)[0].fields["model"]["name"])
    assert [r for r in records if r.kind == "expected"]


@pytest.mark.parametrize("temperature", [0.9, 0.0])
def test_so_does_one_in_which_another_of_several_answers_was_asked_for(tmp_path: Path, temperature: float) -> None:
    actions = ("another", "keep", "another")
    with contextlib.chdir(tmp_path):
        path = asyncio.run(an_evening(tmp_path, ("key", "C major"), actions=actions, temperature=temperature))
    records = lived_again(path, records_of(path)[0].fields["model"]["name"])
    chosen = [r.fields for r in records if r.kind == "chosen"]
    assert len(chosen) == 2
    assert all(len(fields["ranking"]) > 1 for fields in chosen)
    assert len({r.fields["take"] for r in records if r.kind == "sent"}) >= 4
    assert [r.fields["turn"] for r in records if r.kind == "kept"] == [2]
    assert b"keep: turn 2" in path.read_bytes()

"""The engine between a stage and a worker that only take notes of what they are told."""

import asyncio
from typing import Any

from livemuse.engine.engine import Engine
from livemuse.midi.link import NO_NOTE, Frame, HeardMessage, Inject, Mapped, NoteSent, PlayNote, Rules, Taken
from livemuse.midi.mapping import parse_map
from livemuse.midi.messages import note_off, note_on
from livemuse.music.controls import Controls
from livemuse.music.notes import PlannedNote
from livemuse.music.schedule import Begin, Extension, Listen
from livemuse.testing.virtual import VirtualClock


class Told:
    """A stage, a worker and a journal that write down what they are told."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.tasks: list[Any] = []
        self.records: list[tuple[str, dict[str, Any]]] = []

    def send(self, *frames: Frame) -> None:
        self.frames += frames

    def put(self, task: Any) -> None:
        self.tasks.append(task)

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        self.records.append((kind, fields))


def engine(**controls: object) -> tuple[Engine, Told, VirtualClock]:
    chosen = Controls().replaced("wait", 0.5)
    for name, value in controls.items():
        chosen = chosen.replaced(name, value)
    told, clock = Told(), VirtualClock(100.0)
    made = Engine(chosen, clock, told, (parse_map("cc:67=answer"),))
    made.stage = made.worker = told
    return made, told, clock


def heard(made: Engine, at_s: float, data: bytes) -> None:
    made.on_frame(HeardMessage(at_s, -1.0, data))


async def test_a_phrase_becomes_a_take_and_its_notes_go_to_the_stage() -> None:
    made, told, clock = engine()
    heard(made, 100.0, note_on(0, 60, 80))
    heard(made, 100.2, note_off(0, 60))
    assert [type(task) for task in told.tasks] == [Listen]  # most silences are over before it is worth making an answer
    clock.now = 100.5
    await asyncio.sleep(0.5)  # the engine's own timer
    begin = next(task for task in told.tasks if isinstance(task, Begin))
    assert begin.plan.start_s == 100.7
    assert made.state()["deadline_s"] == 100.7
    made.on_made(Extension(1, (PlannedNote(1, 0, 100.7, 64, 0.3, 70),), (), False))
    assert PlayNote(1, 0, 100.7, 101.0, 0, 64, 70) in told.frames
    made.on_frame(NoteSent(1, 0, 100.7, 100.7004))
    assert made.state()["state"] == "answering"
    assert made.state()["latency_ms"]["decide_to_first"]["n"] == 1
    assert [kind for kind, _ in told.records] == ["heard", "turn", "heard", "take", "woke", "sent", "turn"]


async def test_a_new_key_withdraws_the_answer() -> None:
    made, told, _ = engine()
    heard(made, 100.0, note_on(0, 60, 80))
    heard(made, 100.2, note_off(0, 60))
    made.on_frame(Taken(1, NO_NOTE, 100.4, True))
    heard(made, 100.4, note_on(0, 62, 80))
    assert made.state()["state"] == "listening"
    made.on_made(Extension(1, (PlannedNote(1, 0, 100.7, 64, 0.3, 70),), (), False))  # too late
    assert not [frame for frame in told.frames if isinstance(frame, PlayNote)]


async def test_other_channels_are_recorded_and_not_answered() -> None:
    made, told, _ = engine(channel_in=2)
    heard(made, 100.0, note_on(0, 60, 80))
    heard(made, 100.2, note_off(0, 60))
    assert told.tasks == []
    assert [kind for kind, _ in told.records] == ["heard", "heard"]


async def test_a_mapped_pedal_answers_at_once() -> None:
    made, told, _ = engine()
    heard(made, 100.0, note_on(0, 60, 80))
    made.on_frame(Mapped(100.3, 0))
    assert [t.plan.start_s for t in told.tasks if isinstance(t, Begin)] == [100.3]


async def test_a_typed_key_ends_on_the_channel_it_began_on() -> None:
    made, told, _ = engine()
    made.press(60, 80, 0.02)
    made.set(made.duet.controls.replaced("channel_in", 5), "channel_in")
    await asyncio.sleep(0.04)
    assert [f.data for f in told.frames if isinstance(f, Inject)] == [note_on(0, 60, 80), note_off(0, 60)]


async def test_a_typed_key_pressed_again_is_lengthened_not_struck_again() -> None:
    made, told, _ = engine()
    made.press(60, 80, 0.03)
    made.press(60, 80, 0.03)
    await asyncio.sleep(0.05)
    assert [f.data[0] for f in told.frames if isinstance(f, Inject)] == [0x90, 0x80]


async def test_after_a_panic_a_typed_key_strikes_again() -> None:
    made, told, _ = engine()
    made.press(60, 80, 5.0)
    made.do("panic")
    made.press(60, 80, 0.01)
    await asyncio.sleep(0.03)
    assert [f.data[0] for f in told.frames if isinstance(f, Inject)] == [0x90, 0x80, 0x90, 0x80]


async def test_the_stage_is_told_the_rules_when_they_change() -> None:
    made, told, _ = engine()
    made.set(made.duet.controls.replaced("thru", "on"), "thru")
    rules = [f for f in told.frames if isinstance(f, Rules)]
    assert len(rules) == 1
    assert b'"thru": "on"' in rules[0].json


async def test_what_a_dead_stage_left_sounding_is_known() -> None:
    made, _, _ = engine()
    heard(made, 100.0, note_on(0, 60, 80))
    heard(made, 100.2, note_off(0, 60))
    made.on_made(Extension(1, (PlannedNote(1, 0, 100.7, 64, 3.0, 70),), (), False))
    made.on_frame(NoteSent(1, 0, 100.7, 100.7))
    assert made.stage_lost() == [64]
    assert made.state()["sounding"] == 0
    assert made.state()["state"] == "listening"

"""The thread that steps the model: its queue goes first, and what is rolled ahead never keeps a task waiting."""

import asyncio
from collections.abc import Sequence

from livemuse.engine.worker import PartnerThread
from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.schedule import Begin, Chosen, Discard, Extend, Extension, Listen, Made, Plan, Roll, Settle
from livemuse.testing.waiting import until

PLAN = Plan(1, 1, 0, (), 1.0, 1.0, 3.0, None, 0, Controls())


class Rolls:
    """A partner that can be rolled for ever, and in whose slices the loop finds something for it to do."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.worker: PartnerThread | None = None
        self.rolling = False

    def listen(self, notes: Sequence[Note]) -> None:
        self.did.append("listen")

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        return ()

    def roll(self, plan: Plan) -> None:
        self.did.append("roll")
        self.rolling = True

    def roll_on(self) -> bool:
        if self.rolling and self.worker is not None:
            self.did.append("slice")
            if self.did.count("slice") == 3:  # all that a call and its answer are about, while it is busy rolling
                for task in (Listen(()), Begin(PLAN, choose=True), Extend(1, 2.0), Settle(1, 0), Discard(1, 2.0)):
                    self.worker.put(task)
        return self.rolling

    def choose(self, plan: Plan) -> Chosen | None:
        self.did.append("choose")
        return Chosen(plan.take, (4, 2))

    def begin(self, plan: Plan) -> None:
        self.did.append(f"begin {plan.candidate}")
        self.rolling = False

    def extend(self, take_id: int, until_s: float, most: int = 64) -> Extension:
        self.did.append("extend")
        return Extension(take_id, (), (), True)

    def settle(self, take_id: int, last_index: int | None) -> None:
        self.did.append("settle")

    def discard(self, turn: int, at_s: float) -> None:
        self.did.append("discard")


async def test_a_task_waits_for_one_slice_at_most() -> None:
    partner, made, failed = Rolls(), list[Made](), list[BaseException]()
    partner.worker = PartnerThread(partner, asyncio.get_running_loop(), made.append, failed.append)
    try:
        partner.worker.put(Roll(PLAN))
        await until(lambda: "discard" in partner.did)
        await until(lambda: len(made) >= 1)
    finally:
        partner.worker.close()
    assert failed == []
    assert partner.did[:6] == ["roll", "slice", "slice", "slice", "listen", "choose"]
    assert partner.did[6:] == ["begin 4", "settle", "discard"]  # a take that is over is not extended
    assert made[0] == Chosen(1, (4, 2)), "who is told of notes has been told which answer they are of"


async def test_a_slice_that_stumbles_is_told_and_ends_the_rolling() -> None:
    class Stumbles(Rolls):
        def roll_on(self) -> bool:
            if not self.rolling:
                return False
            self.did.append("slice")
            raise RuntimeError("a note")

    partner, failed = Stumbles(), list[BaseException]()
    worker = PartnerThread(partner, asyncio.get_running_loop(), lambda _: None, failed.append)
    try:
        worker.put(Roll(PLAN))
        await until(lambda: failed)
        partner.rolling = False
        worker.put(Listen(()))
        await until(lambda: "listen" in partner.did)
    finally:
        worker.close()
    assert partner.did == ["roll", "slice", "listen"]

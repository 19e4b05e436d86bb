"""The one thread that steps the model: told what to do in order, it answers with notes, a few at a time.

While there is nothing to do it rolls candidates ahead, a slice at a time: a task waits for one slice at most.
The loop never waits for it, and it never touches anything of the loop's: results go back through
``call_soon_threadsafe``. A take that was called off in the meantime costs at most the notes of one handful.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Final

from livemuse.music.protocols import Partner
from livemuse.music.schedule import (
    Begin,
    Discard,
    Expect,
    Expected,
    Extend,
    Listen,
    Made,
    Plan,
    Remember,
    Roll,
    Settle,
    Task,
)

HANDFUL: Final = 4  # notes made before they are handed over: the first sounds while the next are made


class PartnerThread:
    """Runs a ``Partner`` (the improviser) beside the loop."""

    def __init__(
        self,
        partner: Partner,
        loop: asyncio.AbstractEventLoop,
        made: Callable[[Made], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._partner = partner
        self._loop = loop
        self._made = made
        self._failed = failed
        self._tasks: queue.SimpleQueue[Task | Callable[[], None] | None] = queue.SimpleQueue()
        self._called_off: set[int] = set()  # takes that are over
        self._begun: int | None = None  # the take whose first note is to be made next
        self._thread = threading.Thread(target=self._run, name="improviser", daemon=True)
        self._thread.start()

    def put(self, task: Task | Callable[[], None]) -> None:
        """Do this next; a plain call is for what must happen between two takes (a change of model)."""
        if isinstance(task, Settle):
            self._called_off.add(task.take)
        self._tasks.put(task)

    def close(self) -> None:
        """Finish what is under way and end."""
        self._tasks.put(None)
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        rolling = False  # something can be rolled ahead while nothing is to be done
        while True:
            try:
                task = self._tasks.get(block=not rolling)
            except queue.Empty:
                rolling = self._safely(self._partner.roll_on) is True
                continue
            if task is None:
                return
            self._safely(lambda task=task: self._perform(task))  # type: ignore[misc]
            rolling = True

    def _safely(self, do: Callable[[], object]) -> object:
        try:
            return do()
        except Exception as error:  # noqa: BLE001 - told to the loop, which decides; the thread lives on
            self._tell(self._failed, error)
            return None

    def _perform(self, task: Task | Callable[[], None]) -> None:
        match task:
            case Listen(notes):
                self._partner.listen(notes)
            case Roll(plan):
                if plan.take not in self._called_off:
                    self._partner.roll(plan)
            case Begin(plan, choose):
                self._begin(plan, choose)
            case Extend(take, until_s):
                self._extend(take, until_s)
            case Expect(take, tail):
                if take not in self._called_off:
                    self._tell(self._made, Expected(take, self._partner.expect(tail)))
            case Remember(earlier, at_s):
                self._partner.remember(earlier, at_s)
            case Settle(take, last_index):
                self._partner.settle(take, last_index)
                self._called_off.discard(take)
            case Discard(turn, at_s):
                self._partner.discard(turn, at_s)
            case _:
                task()

    def _begin(self, plan: Plan, choose: bool) -> None:
        chosen = self._partner.choose(plan) if choose else None
        if chosen is not None:
            self._tell(self._made, chosen)
        self._partner.begin(plan if chosen is None else chosen.plan(plan))
        self._begun = plan.take

    def _extend(self, take: int, until_s: float) -> None:
        while take not in self._called_off:
            most = HANDFUL if self._begun != take else 1  # nobody waits for the second note as for the first
            self._begun = None
            extension = self._partner.extend(take, until_s, most)
            self._tell(self._made, extension)
            if extension.done or len(extension.notes) < most:
                break

    def _tell(self, callback: Callable[..., None], value: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, value)
        except RuntimeError:  # the loop has closed: nobody is left to be told
            return

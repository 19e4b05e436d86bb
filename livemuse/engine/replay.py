"""A recorded evening, lived through again: the same records into the same duet and improviser give the same notes.

What really happened between threads is on record (the last note sent before a take was closed; what silence the model
expected, and when it had said so; which candidate was chosen; what a deadline came before), so nothing here depends on
how fast anything was.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from livemuse.errors import ModelError
from livemuse.midi import messages
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import PlannedNote
from livemuse.music.protocols import Partner
from livemuse.music.schedule import Action, Begin, Chosen, Discard, Extend, Listen, Play, Remember, Settle, WakeAt


class Recorded(Protocol):
    """One record of a journal."""

    @property
    def kind(self) -> str:
        """What happened."""
        ...

    @property
    def at_s(self) -> float:
        """When."""
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """The rest."""
        ...


class Replay:
    """Takes records in their order; ``sounded`` are the notes made again, of those that were sent at the time."""

    def __init__(
        self, controls: Controls, partner: Partner, change_model: Callable[[Mapping[str, Any]], None] | None = None
    ) -> None:
        self._duet = Duet(controls)
        self._partner = partner
        self._change_model = change_model  # told of the model that was taken up: name, hash
        self._chosen: dict[int, Chosen] = {}  # by the take that was chosen for
        self._planned: dict[tuple[int, int], PlannedNote] = {}
        self._wakes_s: list[float] = []
        self.sounded: list[PlannedNote] = []
        self.missing: list[tuple[int, int]] = []  # sent at the time, and not made again

    def live_through(self, records: Iterable[Recorded]) -> list[PlannedNote]:
        """livemuse's notes, in the order in which they were sent."""
        records = list(records)
        self._chosen = {r.fields["take"]: chosen_of(r.fields) for r in records if r.kind == "chosen"}
        told = any(record.kind == "woke" for record in records)  # sessions used not to hold it
        for record in records:
            while not told and self._wakes_s and self._wakes_s[0] <= record.at_s:
                self._perform(self._duet.wake(heapq.heappop(self._wakes_s)))
            self._perform(self._happened(record.kind, record.at_s, record.fields))
        return self.sounded

    def _happened(self, kind: str, at_s: float, fields: Mapping[str, Any]) -> list[Action]:
        duet = self._duet
        match kind:
            case "heard":
                return self._heard(at_s, bytes.fromhex(fields["b"]))
            case "control":
                return duet.control(duet.controls.replaced(fields["name"], fields["value"]), fields["name"], at_s)
            case "action":
                return duet.do(fields["name"], at_s)
            case "sent":
                self._sent((fields["take"], fields["index"]))
                return duet.sent(fields["take"], fields["index"], fields["due"])
            case "remembered":
                return duet.remember(MotifMemory.from_rows(fields["notes"]), at_s)
            case "taken":
                return duet.taken(fields["take"], fields["last"], at_s)
            case "expected":
                return duet.expected(fields["take"], tuple(fields["silence"]), at_s)
            case "chosen":
                duet.choosing.offered = self._chosen[fields["take"]]
            case "woke":
                return duet.wake(at_s)
            case "model":
                self._take_up_model(fields)
            case "stage":
                return duet.stage_lost(at_s) if fields["event"] == "lost" else duet.stage_back(at_s)
        return []

    def _take_up_model(self, fields: Mapping[str, Any]) -> None:
        if self._change_model is None:
            raise ModelError("This session changed its model on the way.", "Give a way to change it again.")
        self._change_model(fields)

    def _heard(self, at_s: float, message: bytes) -> list[Action]:
        event, listens_to = messages.heard(at_s, message), self._duet.controls["channel_in"]
        if event is None or not (isinstance(listens_to, str) or event.channel == int(listens_to) - 1):
            return []
        return self._duet.hear(event)

    def _sent(self, key: tuple[int, int]) -> None:
        note = self._planned.get(key)
        if note is None:
            self.missing.append(key)
        else:
            self.sounded.append(note)

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Listen(notes):
                    self._partner.listen(notes)
                case Begin(plan):
                    chosen = self._chosen.get(plan.take)
                    self._partner.begin(plan if chosen is None else chosen.plan(plan))
                case Extend(take, until_s):
                    made = self._partner.extend(take, until_s, 1_000_000)
                    self._perform(self._duet.planned(made.take, made.notes, made.shortened, made.done))
                case Remember(earlier, at_s):
                    self._partner.remember(earlier, at_s)
                case Settle(take, last_index):
                    self._partner.settle(take, last_index)
                case Discard(turn, at_s):
                    self._partner.discard(turn, at_s)
                case Play(notes, _):
                    self._planned.update(((note.take, note.index), note) for note in notes)
                case WakeAt(at_s):
                    heapq.heappush(self._wakes_s, at_s)


def chosen_of(fields: Mapping[str, Any]) -> Chosen:
    """What a record ``chosen`` says."""
    return Chosen(fields["take"], tuple(fields["ranking"]), tuple(tuple(path) for path in fields["paths"]))

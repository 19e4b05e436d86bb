"""An evening in virtual time: the same duet and the same improviser, a stage without ports, and no waiting.

``livemuse answer`` is this; so is the virtual half of the tests. Time goes from event to event.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from livemuse.midi.link import ALWAYS, NEVER
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Heard, KeyDown, KeyUp, Note, PlannedNote
from livemuse.music.protocols import Journal, Partner
from livemuse.music.schedule import (
    Action,
    Begin,
    Discard,
    Expect,
    Extend,
    Listen,
    OpenTake,
    Play,
    Remember,
    Roll,
    Settle,
    Silence,
    TakeBack,
    Task,
    TurnBegins,
    WakeAt,
)


@dataclass(slots=True)
class _OpenTake:
    yields: int
    release_s: float
    unsent: deque[PlannedNote]
    last_index: int | None = None
    over: bool = False


class VirtualStage:
    """A stage that plays into a list: ``played`` holds every note that was struck, with its end as it came."""

    def __init__(self) -> None:
        self._takes: dict[int, _OpenTake] = {}
        self.played: dict[tuple[int, int], PlannedNote] = {}  # (take, index) -> the note, in the order of sending

    def begin_take(self, take: int, yields: int, release_s: float) -> None:
        """Open a take."""
        self._takes[take] = _OpenTake(yields, release_s, deque())

    def play(self, notes: Iterable[PlannedNote]) -> None:
        """Take notes to send; one already there only gets a new end."""
        for note in notes:
            take, key = self._takes[note.take], (note.take, note.index)
            if key in self.played:
                self.played[key] = replace(self.played[key], duration_s=note.duration_s)
            elif any(n.index == note.index for n in take.unsent):
                moved = replace(note, channel=next(n.channel for n in take.unsent if n.index == note.index))
                take.unsent = deque(moved if n.index == note.index else n for n in take.unsent)
            elif not take.over:
                take.unsent.append(note)

    def next_due_s(self) -> float | None:
        """When the next note is to be sent."""
        return min((t.unsent[0].onset_s for t in self._takes.values() if t.unsent), default=None)

    def send_due(self, now_s: float) -> list[PlannedNote]:
        """Send what is due; the notes that were sent, in order."""
        sent = []
        for take in self._takes.values():
            while take.unsent and take.unsent[0].onset_s <= now_s:
                note = take.unsent.popleft()
                self.played[note.take, note.index] = note
                take.last_index = note.index
                sent.append(note)
        return sorted(sent, key=lambda note: note.onset_s)

    def struck(self, at_s: float) -> list[int]:
        """The player struck a key: the takes that give way to it."""
        return [
            number
            for number, take in self._takes.items()
            if not take.over and (take.yields == ALWAYS or (take.yields != NEVER and take.last_index is None))
        ]

    def release_s(self, number: int) -> float:
        """How soon what sounds of a take ends when it gives way."""
        return self._takes[number].release_s

    def take_back(self, number: int, release_s: float, at_s: float) -> int | None:
        """Close a take and say what was sent last; what sounds ends within ``release_s`` unless that is negative."""
        take = self._takes[number]
        take.over = True
        take.unsent.clear()
        if release_s >= 0:
            for key, note in self.played.items():
                if key[0] == number and note.end_s > at_s + release_s:
                    self.played[key] = replace(note, duration_s=max(at_s + release_s - note.onset_s, 0.0))
        return take.last_index

    def silence(self, at_s: float) -> None:
        """End everything that sounds."""
        for key, note in self.played.items():
            if note.end_s > at_s:
                self.played[key] = replace(note, duration_s=max(at_s - note.onset_s, 0.0))

    @property
    def open_takes(self) -> list[int]:
        """Takes not closed yet."""
        return [number for number, take in self._takes.items() if not take.over]


class _NoJournal:
    def write(self, kind: str, at_s: float, **fields: object) -> None:
        """Nothing is kept."""


_LIMIT: Final = 5_000_000  # events of one evening; more is a loop


class Evening:
    """Plays a script of what the player did to the duet, and collects what livemuse played."""

    def __init__(self, duet: Duet, partner: Partner, journal: Journal | None = None) -> None:
        self.duet = duet
        self.stage = VirtualStage()
        self._partner = partner
        self._journal: Journal = journal or _NoJournal()
        self._script: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0
        self._inputs: deque[Callable[[], list[Action]]] = deque()
        self.now_s = float("-inf")
        self.decided_s = 0.0  # when the last answer was decided

    # --- the script ----------------------------------------------------------------------------------------------

    def at(self, at_s: float, what: Callable[[float], None]) -> None:
        """Let something happen at a time."""
        self._count += 1
        heapq.heappush(self._script, (at_s, self._count, what))

    def hear(self, event: Heard) -> None:
        """The player does something at the event's stamp."""
        self.at(event.at_s, lambda _: self._heard(event))

    def play_notes(self, notes: Iterable[Note], channel: int = 0) -> None:
        """The player plays these notes."""
        for note in notes:
            self.hear(KeyDown(note.onset_s, channel, note.pitch, note.velocity))
            self.hear(KeyUp(note.end_s, channel, note.pitch))

    def set(self, at_s: float, name: str, value: object) -> None:
        """A control is changed."""
        self.at(at_s, lambda now_s: self._set(name, value, now_s))

    def do(self, at_s: float, action: str) -> None:
        """An action is asked for."""
        self.at(at_s, lambda now_s: self._input(lambda: self.duet.do(action, now_s)))

    def run(self, until_s: float) -> list[PlannedNote]:
        """Live through everything up to ``until_s``; what livemuse had played by then, in order."""
        for _ in range(_LIMIT):
            due_s = self.stage.next_due_s()
            script_s = self._script[0][0] if self._script else None
            times = [t for t in (due_s, script_s) if t is not None]
            if not times or min(times) > until_s:
                break
            self.now_s = max(self.now_s, min(times))
            if script_s is not None and (due_s is None or script_s <= due_s):
                heapq.heappop(self._script)[2](self.now_s)
            else:
                for note in self.stage.send_due(self.now_s):
                    self._journal.write(
                        "sent", note.onset_s, take=note.take, index=note.index, due=note.onset_s, pitch=note.pitch,
                        velocity=note.velocity, channel=note.channel,
                    )  # fmt: skip
                    self._input(lambda note=note: self.duet.sent(note.take, note.index, note.onset_s))  # type: ignore[misc]
            self._settle_inputs()
        self.now_s = max(self.now_s, until_s) if until_s != float("inf") else self.now_s
        return sorted(self.stage.played.values(), key=lambda n: (n.onset_s, n.take, n.index))

    # --- what happens --------------------------------------------------------------------------------------------

    def _input(self, what: Callable[[], list[Action]]) -> None:
        self._inputs.append(what)

    def _settle_inputs(self) -> None:
        while self._inputs:
            for action in self._inputs.popleft()():
                self._perform(action)

    def _heard(self, event: Heard) -> None:
        if isinstance(event, KeyDown):
            for take in self.stage.struck(event.at_s):
                self._take_back(take, self.stage.release_s(take))
        self._input(lambda: self.duet.hear(event))

    def _set(self, name: str, value: object, at_s: float) -> None:
        controls: Controls = self.duet.controls.replaced(name, value)
        self._journal.write("control", at_s, name=name, value=controls[name])
        self._input(lambda: self.duet.control(controls, name, at_s))

    def _take_back(self, take: int, release_s: float) -> None:
        last, at_s = self.stage.take_back(take, release_s, self.now_s), self.now_s
        self._input(lambda: self.duet.taken(take, last, at_s))

    def _perform(self, action: Action) -> None:
        match action:
            case Listen() | Roll() | Begin() | Extend() | Expect() | Settle() | Discard() | Remember():
                self._work(action)
            case OpenTake(take, yields, release_s, _, _):
                self.stage.begin_take(take, yields, release_s)
            case Play(notes, shortened):
                self.stage.play((*notes, *shortened))
            case TakeBack(take, release_s):
                self._take_back(take, release_s)
            case Silence():
                self.stage.silence(self.now_s)
                for number in self.stage.open_takes:
                    self._take_back(number, 0.0)
            case WakeAt(at_s):
                self.at(at_s, lambda now_s: self._input(lambda: self.duet.wake(now_s)))
            case TurnBegins(number, who, at_s):
                self._journal.write("turn", at_s, number=number, who=who)

    def _work(self, task: Task) -> None:
        match task:
            case Listen(notes):
                self._partner.listen(notes)
            case Roll(plan):
                self._partner.roll(plan)
                while self._partner.roll_on():
                    pass
            case Begin(plan, choose):
                self.decided_s = plan.start_s if plan.start_s is not None else self.decided_s
                chosen = self._partner.choose(plan) if choose else None
                if chosen is not None:
                    self._journal.write("chosen", self.now_s, **chosen.fields)
                    self.duet.choosing.offered = chosen
                self._partner.begin(plan if chosen is None else chosen.plan(plan))
            case Extend(take, until_s):
                made = self._partner.extend(take, until_s, 1_000_000)
                self._input(lambda: self.duet.planned(made.take, made.notes, made.shortened, made.done))
            case Expect(take, tail):
                silence, at_s = self._partner.expect(tail), self.now_s
                if silence:
                    self._journal.write("expected", at_s, take=take, silence=list(silence))
                    self._input(lambda: self.duet.expected(take, silence, at_s))
            case Remember(earlier, at_s):
                self._partner.remember(earlier, at_s)
            case Settle(take, last_index):
                self._partner.settle(take, last_index)
            case Discard(turn, at_s):
                self._partner.discard(turn, at_s)

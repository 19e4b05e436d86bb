"""The player: keeps what livemuse means to play, sends it when it is due, takes back by tag what it has not sent.

Rules for whoever edits this file. Two threads call in: the stage's loop (``send_due``, what the engine asks) and the
input callback (``yield_to_player``). Every public method takes ``lock``, the one lock of the stage, and holds it for
one message at most, so that the callback never waits for a chord. Nothing here waits, and nothing here knows music.
"""

import heapq
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from livemuse.midi.link import (
    ALWAYS,
    NEVER,
    NO_NOTE,
    BeginTake,
    Frame,
    NoteEnded,
    NoteSent,
    PlayNote,
    TakeBack,
    Taken,
)
from livemuse.midi.messages import note_off, note_on

END, STRIKE = 0, 1  # what ends comes before what starts at the same moment
SHORTEST_S: Final = 0.010  # a note that is late is heard all the same
TAKES_KEPT: Final = 512  # the engine asks about the last few takes, never about older ones


class _Note:
    """One note of a take; ``ends_s`` changes when the take is dropped."""

    __slots__ = ("channel", "due_s", "ends_s", "index", "pitch", "sounding", "take", "velocity")

    def __init__(self, asked: PlayNote) -> None:
        self.take, self.index = asked.take, asked.index
        self.due_s, self.ends_s = asked.on_s, asked.off_s
        self.channel, self.pitch, self.velocity = asked.channel & 0x0F, asked.pitch & 0x7F, asked.velocity
        self.sounding = False


class _Take:
    """One take: how it yields to the player, which of its notes were sent, whether it is over before its end."""

    __slots__ = ("by_player", "last_index", "over", "release_s", "sent", "yields")

    def __init__(self, yields: int, release_s: float) -> None:
        self.yields, self.release_s = yields, release_s
        self.last_index = NO_NOTE
        self.sent: set[int] = set()
        self.over = self.by_player = False


class Player:
    """Plays takes on absolute deadlines. ``send`` puts bytes on livemuse's wires, ``report`` tells the engine."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        report: Callable[[Frame], None],
        lock: threading.RLock,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send, self._report, self._lock, self._clock = send, report, lock, clock
        self._due: list[tuple[float, int, int, _Note]] = []
        self._order = 0  # breaks ties: what was asked first goes first
        self._takes: OrderedDict[int, _Take] = OrderedDict()
        self._notes: dict[tuple[int, int], _Note] = {}  # (take, index) -> what is not over yet
        self._yielding: set[int] = set()  # open takes that the player's next key ends
        self._sounding: dict[tuple[int, int], _Note] = {}  # (channel, pitch) -> the note that sounds there

    @property
    def next_due_s(self) -> float | None:
        """When the next message is due; None when nothing is planned."""
        due = self._due
        return due[0][0] if due else None

    @property
    def sounding(self) -> int:
        """How many of livemuse's notes sound now."""
        return len(self._sounding)

    def begin(self, asked: BeginTake) -> None:
        """Open a take."""
        with self._lock:
            if asked.take in self._takes:
                return
            self._takes[asked.take] = _Take(asked.yields, asked.release_s)
            if asked.yields != NEVER:
                self._yielding.add(asked.take)
            while len(self._takes) > TAKES_KEPT:
                old, _ = self._takes.popitem(last=False)
                self._yielding.discard(old)

    def play(self, asked: PlayNote) -> None:
        """Plan a note, or move the end of one that is planned or sounds; nothing if its take is over or unknown."""
        with self._lock:
            note, take = self._notes.get((asked.take, asked.index)), self._takes.get(asked.take)
            if note is not None:
                over = take is None or take.over  # it may have been let go meanwhile: never later than that
                note.ends_s = min(note.ends_s, asked.off_s) if over else asked.off_s
                if note.sounding:
                    self._plan(note.ends_s, END, note)
                return
            if take is None or take.over or asked.index in take.sent:
                return
            if 0 < asked.velocity < 128 and asked.on_s < asked.off_s:
                note = self._notes[asked.take, asked.index] = _Note(asked)
                self._plan(asked.on_s, STRIKE, note)

    def take_back(self, asked: TakeBack) -> None:
        """Drop what was not sent of a take; always answered by ``Taken``."""
        with self._lock:
            now_s = self._clock()
            take = self._takes.get(asked.take)
            if take is None:
                self._report(Taken(asked.take, NO_NOTE, now_s, False))
            elif take.over:  # asked again: only to let go sooner
                self._report(Taken(asked.take, take.last_index, now_s, take.by_player))
                self._end_by(asked.take, asked.release_s, now_s)
            else:
                self._drop(asked.take, take, asked.release_s, now_s, by_player=False)

    def yield_to_player(self, at_s: float) -> None:
        """The player has struck a key: every take that yields to it is over, at once."""
        with self._lock:
            for number in sorted(self._yielding):
                take = self._takes[number]
                self._drop(number, take, take.release_s, at_s, by_player=True)

    def send_due(self) -> None:
        """Send every message whose time has come."""
        due = self._due
        while due and due[0][0] <= self._clock():
            with self._lock:
                if not due:
                    return
                due_s, kind, _, note = heapq.heappop(due)
                take = self._takes.get(note.take)
                if kind == END:
                    if note.sounding and note.ends_s == due_s:
                        self._end(note)
                elif take is not None and not take.over:
                    self._strike(take, note)
                else:
                    self._notes.pop((note.take, note.index), None)

    def end_all(self) -> None:
        """Drop every take without a word, and end every note of livemuse's."""
        with self._lock:
            for take in self._takes.values():
                take.over = True
            self._yielding.clear()
            self._due.clear()
            self._notes.clear()
            for note in list(self._sounding.values()):
                self._end(note)

    def forget(self) -> None:
        """End all, and forget all takes: the next engine counts its own from the start."""
        with self._lock:
            self.end_all()
            self._takes.clear()

    def drop_all(self) -> None:
        """Panic: every take is over and says so, every note of livemuse's ends."""
        with self._lock:
            now_s = self._clock()
            for number, take in self._takes.items():
                if not take.over:
                    self._drop(number, take, -1.0, now_s, by_player=False)
            self.end_all()

    def _plan(self, at_s: float, kind: int, note: _Note) -> None:
        self._order += 1
        heapq.heappush(self._due, (at_s, kind, self._order, note))

    def _strike(self, take: _Take, note: _Note) -> None:
        place = (note.channel, note.pitch)
        before = self._sounding.get(place)
        if before is not None:
            self._end(before)
        self._send(note_on(note.channel, note.pitch, note.velocity))
        sent_s = self._clock()
        note.sounding = True
        self._sounding[place] = note
        take.sent.add(note.index)
        take.last_index = note.index if take.last_index == NO_NOTE else max(take.last_index, note.index)
        if take.yields != ALWAYS:
            self._yielding.discard(note.take)
        note.ends_s = max(note.ends_s, sent_s + min(SHORTEST_S, note.ends_s - note.due_s))
        self._plan(note.ends_s, END, note)
        self._report(NoteSent(note.take, note.index, note.due_s, sent_s))

    def _end(self, note: _Note) -> None:
        self._send(note_off(note.channel, note.pitch))
        note.sounding = False
        self._sounding.pop((note.channel, note.pitch), None)
        self._notes.pop((note.take, note.index), None)
        self._report(NoteEnded(note.take, note.index, self._clock()))

    def _drop(self, number: int, take: _Take, release_s: float, at_s: float, *, by_player: bool) -> None:
        take.over, take.by_player = True, by_player
        self._yielding.discard(number)
        self._report(Taken(number, take.last_index, at_s, by_player))
        self._end_by(number, release_s, at_s)

    def _end_by(self, number: int, release_s: float, at_s: float) -> None:
        """What sounds of a take ends within ``release_s``; as planned where that is negative."""
        if release_s < 0:
            return
        for note in self._sounding.values():
            if note.take == number and note.ends_s > at_s + release_s:
                note.ends_s = at_s + release_s
                self._plan(note.ends_s, END, note)

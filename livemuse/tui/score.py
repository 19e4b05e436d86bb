"""What the console has heard and been told: the notes to draw, with the moments they began and ended."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from livemuse.control.messages import NoteOff, NoteOn, Planned

MOST_NOTES: Final = 4000  # in a picture of some ten seconds; more is damage
MOST_SOUNDING: Final = 512


@dataclass(slots=True)
class DrawnNote:
    """One note; ``end_s`` is None while it sounds."""

    who: str
    pitch: int
    velocity: int
    onset_s: float
    end_s: float | None = None


class Score:
    """Notes past, sounding and planned; ``version`` grows with every change."""

    def __init__(self) -> None:
        self.notes: deque[DrawnNote] = deque(maxlen=MOST_NOTES)
        self.planned: tuple[tuple[float, float, int, int], ...] = ()
        self.version = 0
        self._sounding: dict[tuple[str, int, int], list[DrawnNote]] = {}

    def note_on(self, event: NoteOn) -> None:
        """A note began."""
        self.version += 1
        held = self._sounding.setdefault((event.who, event.channel, event.pitch), [])
        if len(self._sounding) > MOST_SOUNDING or len(held) > 8:
            self.all_off(event.at_s)
            held = self._sounding.setdefault((event.who, event.channel, event.pitch), [])
        note = DrawnNote(event.who, event.pitch, event.velocity, event.at_s)
        held.append(note)
        self.notes.append(note)

    def note_off(self, event: NoteOff) -> None:
        """The oldest note of that who, channel and pitch ended."""
        held = self._sounding.get((event.who, event.channel, event.pitch))
        if not held:
            return
        self.version += 1
        held.pop(0).end_s = event.at_s
        if not held:
            del self._sounding[event.who, event.channel, event.pitch]

    def plan(self, event: Planned) -> None:
        """What is to come is this now."""
        self.version += 1
        self.planned = event.notes

    def all_off(self, at_s: float) -> None:
        """Nothing sounds any more, and nothing is planned."""
        self.version += 1
        self.planned = ()
        for held in self._sounding.values():
            for note in held:
                note.end_s = at_s
        self._sounding.clear()

    def forget_before(self, before_s: float) -> None:
        """Let go of notes that ended before ``before_s``."""
        while self.notes and self.notes[0].end_s is not None and self.notes[0].end_s < before_s:
            self.notes.popleft()

    @property
    def sounding(self) -> dict[int, frozenset[str]]:
        """pitch -> who sounds it now."""
        now: dict[int, frozenset[str]] = {}
        for who, _, pitch in self._sounding:
            now[pitch] = now.get(pitch, frozenset()) | {who}
        return now

    @property
    def planned_until_s(self) -> float | None:
        """When the last planned note is to end; None with nothing planned."""
        return max((end_s for _, end_s, _, _ in self.planned), default=None)

    def between(self, from_s: float, until_s: float) -> Iterator[DrawnNote]:
        """The notes that sounded at some time in that stretch."""
        for note in self.notes:
            if note.onset_s <= until_s and (note.end_s is None or note.end_s >= from_s):
                yield note

    def moves(self, now_s: float, from_s: float) -> bool:
        """Whether a picture that starts at ``from_s`` changes with time alone."""
        if self._sounding or any(end_s > now_s for _, end_s, _, _ in self.planned):
            return True
        return any(note.end_s is None or note.end_s >= from_s for note in reversed(self.notes))

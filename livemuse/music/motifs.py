"""A memory of what this player played in this session, in which a phrase is known again in another key and tempo.

What is compared are intervals (so the key does not matter) and the proportions of times between onsets (so the tempo
does not), of three lines through the same notes (``livemuse.music.voices``). What comes next is what came next before,
after as much of the last notes as stands in the memory: the longest match speaks loudest, and where there is none the
memory says so. ``livemuse.music.salience`` finds in it the motifs worth taking up.

Sources: prefix trees and their reductions, Pachet, "The Continuator" 2003; the factor oracle, Assayag and Dubnov 2004;
multiple viewpoints and back-off, Conklin and Witten 1995, Pearce 2005 (IDyOM). Looking back from the last interval
finds what a tree of all of them would, and a note costs microseconds.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Final

from livemuse.music.notes import Note
from livemuse.music.returns import CHORD_S
from livemuse.music.voices import KINDS, Kind, Voice

MOST_NOTES: Final = 2048  # that are remembered; beyond them the oldest phrases go
_ROOM: Final = 512  # notes over it before room is made, so that it is made rarely
_SEARCHED: Final = 128  # of the notes kept then, that are searched anew for what came back in them
PAUSE_S: Final = 0.6  # of silence, after which a phrase begins
REST_S: Final = 2.5  # between two onsets, whatever still sounds
RECENT: Final = 16  # notes of the music now that can be known again
_BASE: Final = 3.0  # each note more that agrees makes a place so many times likelier
_AGO: Final = 0.9  # and each phrase that has passed since, so much less
_STALE: Final = 0.2  # a place that was just taken up already weighs so much
_APART: Final = 0.25  # octaves of tempo by which proportions may differ and still half agree
_TEXTURE: Final = 1.5  # phrases whose times differ more are differently written, not slower
SLOWEST, FASTEST = 2.0, 0.5  # how far a tempo is followed: factors on the times that are remembered


@dataclass(frozen=True, slots=True)
class Struck:
    """A note of the music now, as far as it is compared: when it was struck, and its pitch."""

    onset_s: float
    pitch: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """How a remembered note would sound now: so long after the last onset, for so long; ``number`` names it."""

    pitch: int
    step_s: float
    duration_s: float
    number: int
    order: int = 0  # so many intervals before it agreed


@dataclass(frozen=True, slots=True)
class Continuations:
    """What may come next: weights that add up to 1 by pitch, the best suggestion for each, and how sure (0-1) it is."""

    weights: dict[int, float] = field(default_factory=dict)
    suggestions: dict[int, Suggestion] = field(default_factory=dict)
    order: int = 0  # of the longest match
    sure: float = 0.0


class MotifMemory:
    """What the player played, phrase after phrase, oldest first; bounded, and plain enough to be written to a file."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.phrases: list[int] = []  # the number of the phrase of each note
        self.voices: dict[Kind, Voice] = {}
        self.first = 0  # the number of the oldest note still here: numbers are never given twice
        self._ends_s = float("-inf")  # of this phrase, when all that sounded has ended
        self._from_s = float("-inf")  # what was struck before is not remembered any more
        self._beats_s: dict[int, float] = {}  # of phrases, where one was heard
        self._restart(0)

    def __len__(self) -> int:
        return len(self.notes)

    def copy(self) -> MotifMemory:
        """A memory that can go its own way."""
        other = MotifMemory()
        other.notes, other.phrases = self.notes.copy(), self.phrases.copy()
        other.voices = {kind: voice.copy() for kind, voice in self.voices.items()}
        other.first, other._ends_s, other._from_s = self.first, self._ends_s, self._from_s
        other._beats_s = self._beats_s.copy()
        return other

    def hear(self, note: Note) -> None:
        """The player played this, struck no sooner than the note before it (if it was, another session begins)."""
        if note.onset_s < self._from_s:
            return
        self._add(note, self._begins(note))
        if len(self.notes) >= MOST_NOTES + _ROOM:
            self._make_room()

    def beat(self, beat_s: float | None) -> None:
        """The player's beat is heard to be so long, in the phrase under way; None: it is not clear."""
        if self.phrases and beat_s is not None:
            self._beats_s[self.phrases[-1]] = beat_s

    def clear(self, before_s: float = float("-inf")) -> None:
        """Forget everything, and what comes but was struck ``before_s``; numbers of notes go on."""
        self._restart(self.first + len(self.notes))
        self._from_s = before_s

    def after(self, earlier: MotifMemory) -> MotifMemory:
        """This memory with what another one holds before it, as far as there is room; numbers of notes go on."""
        made = earlier.copy()
        made.first = self.first + len(self.notes)
        for note, begins in zip(self.notes, _beginnings(self.phrases), strict=True):
            made._add(note, begins)
        shift = made.phrases[-1] - self.phrases[-1] if self.notes else 0
        made._beats_s = {phrase + shift: beat_s for phrase, beat_s in self._beats_s.items()}
        if len(made.notes) >= MOST_NOTES + _ROOM:
            made._make_room()
        made._ends_s, made._from_s = self._ends_s, self._from_s
        return made

    # --- as it is kept -------------------------------------------------------------------------------------------

    def to_rows(self) -> list[list[float]]:
        """[onset_s, pitch, duration_s, velocity, 1 where a phrase begins] of each note, for JSON; 2,560 at most."""
        return [
            [n.onset_s, n.pitch, n.duration_s, n.velocity, int(begins)]
            for n, begins in zip(self.notes, _beginnings(self.phrases), strict=True)
        ]

    @classmethod
    def from_rows(cls, rows: Any) -> MotifMemory:
        """The memory that gave these rows; ValueError for what none gives."""
        if not isinstance(rows, list) or len(rows) > MOST_NOTES + _ROOM:
            raise ValueError("a memory of motifs is a list of notes, and not so many")
        memory = cls()
        for row in rows:
            note, begins = _note_of(row)
            memory._add(note, begins or not memory.notes)
        return memory

    # --- how fast it was -----------------------------------------------------------------------------------------

    def slower(self, phrase: int) -> float:
        """By what factor the music is slower now than in a phrase: by the beat where both are known, an octave apart
        at most; else by the usual time between onsets, as far as that says something about the tempo.
        """
        now = self.phrases[-1]
        if phrase in self._beats_s and now in self._beats_s:
            octaves = math.log2(self._beats_s[now] / self._beats_s[phrase])
            return float(2.0 ** (octaves - round(octaves)))
        factor = self._usual_s(now) / self._usual_s(phrase)
        return factor if 1.0 / _TEXTURE < factor < _TEXTURE else 1.0

    def _usual_s(self, phrase: int) -> float:
        line = self.voices["tops"].at
        first = bisect_left(line, bisect_left(self.phrases, phrase))
        onsets = [self.notes[i].onset_s for i in line[first:] if self.phrases[i] == phrase]
        return median([b - a for a, b in pairwise(onsets)] or [0.25]) or 0.25

    # --- what comes next -----------------------------------------------------------------------------------------

    def continuations(self, recent: Sequence[Struck], taken: Collection[int] = ()) -> Continuations:
        """What came next before, where the music was as it is after ``recent`` (oldest first, 16 are looked at).

        ``taken`` are the numbers of notes that were taken up already: they weigh less, so that nothing goes round.
        """
        weights: dict[int, float] = {}
        best: dict[int, tuple[float, Suggestion]] = {}
        order, surest = 0, 0.0
        for kind, voice in self.voices.items():
            for suggestion, agreed, weight in self._of_voice(kind, voice, recent[-RECENT:]):
                weight *= _STALE if suggestion.number in taken else 1.0
                weights[suggestion.pitch] = weights.get(suggestion.pitch, 0.0) + weight
                if weight > best.get(suggestion.pitch, (0.0,))[0]:
                    best[suggestion.pitch] = weight, suggestion
                order = max(order, suggestion.order)
                surest = max(surest, agreed * (_STALE if suggestion.number in taken else 1.0))
        total = sum(weights.values())
        if total <= 0.0:
            return Continuations()
        return Continuations(
            {pitch: weight / total for pitch, weight in weights.items()},
            {pitch: suggestion for pitch, (_, suggestion) in best.items()},
            order,
            surest / (surest + 1.0),
        )

    def _of_voice(self, kind: Kind, voice: Voice, recent: Sequence[Struck]) -> list[tuple[Suggestion, float, float]]:
        """(suggestion, how many notes agreed, weight) of each place of a line to which the last notes lead."""
        now = [Note(s.onset_s, s.pitch, 0.0, 64) for s in recent]
        line = Voice(kind, searched=False)
        for count in range(1, len(now) + 1):
            line.hear(now[:count], count == 1)
        if not line.at:
            return []
        last = now[line.at[-1]]
        since_s = now[-1].onset_s - last.onset_s
        found = []
        for place, length in voice.matches(line.intervals):
            stretch, spread = self._tempo(voice, place, line, now, length)
            agreed = length / (1.0 + (spread / _APART) ** 2)
            suggestion = self._after(voice.at[place], last.pitch, since_s, stretch, length)
            if suggestion is not None:
                ago = self.phrases[-1] - self.phrases[voice.at[place]]
                found.append((suggestion, agreed, _BASE**agreed * _AGO**ago))
        return found

    def _tempo(self, voice: Voice, place: int, line: Voice, now: Sequence[Note], length: int) -> tuple[float, float]:
        """(the factor on remembered times, by how many octaves its parts differ) of the notes that agree."""
        there = [self.notes[voice.at[place - back]].onset_s for back in range(length + 1)]
        here = [now[line.at[-1 - back]].onset_s for back in range(length + 1)]
        octaves = [
            math.log2(max(a - b, 1e-3) / max(c - d, 1e-3))
            for a, b, c, d in zip(here, here[1:], there, there[1:], strict=False)
            if a - b > CHORD_S or c - d > CHORD_S
        ]
        if not octaves:
            return 1.0, 0.0
        middle = median(octaves)
        spread = sum(abs(octave - middle) for octave in octaves) / len(octaves)
        return min(max(2.0**middle, FASTEST), SLOWEST), spread

    def _after(self, index: int, pitch: int, since_s: float, stretch: float, order: int) -> Suggestion | None:
        """The note after remembered note ``index``, which sounds as ``pitch`` now and was struck ``since_s`` ago."""
        old, phrase = self.notes[index], self.phrases[index]
        for later in range(index + 1, len(self.notes)):
            note = self.notes[later]
            if self.phrases[later] != phrase:
                return None
            step_s = (note.onset_s - old.onset_s) * stretch - since_s
            if step_s < -CHORD_S / 2 or (step_s < CHORD_S / 2 and since_s > 0.0):
                continue  # its time has passed
            sounds_as = note.pitch - old.pitch + pitch
            if not 0 <= sounds_as < 128:
                return None
            return Suggestion(sounds_as, max(step_s, 0.0), note.duration_s * stretch, self.first + later, order)
        return None

    def _begins(self, note: Note) -> bool:
        if not self.notes:
            return True
        last_s = self.notes[-1].onset_s
        return not 0.0 <= note.onset_s - last_s < REST_S or note.onset_s - self._ends_s > PAUSE_S

    def _add(self, note: Note, begins: bool, *, searching: bool = True) -> None:
        self.notes.append(note)
        self.phrases.append((self.phrases[-1] if self.phrases else 0) + begins)
        self._ends_s = note.end_s if begins else max(self._ends_s, note.end_s)
        for voice in self.voices.values():
            voice.hear(self.notes, begins, searching=searching)

    def _restart(self, first: int) -> None:
        self.notes, self.phrases, self.first = [], [], first
        self.voices = {kind: Voice(kind) for kind in KINDS}
        self._ends_s = float("-inf")
        self._beats_s = {}

    def _make_room(self) -> None:
        """Forget the oldest phrases, whole ones unless they are very long."""
        cut = len(self.notes) - MOST_NOTES
        while cut < len(self.notes) - MOST_NOTES // 2 and self.phrases[cut] == self.phrases[cut - 1]:
            cut += 1
        kept, phrases, beats_s = self.notes[cut:], self.phrases[cut:], self._beats_s
        self._restart(self.first + cut)
        for left, note, phrase in zip(range(len(kept), 0, -1), kept, phrases, strict=True):
            self._add(note, not self.notes or phrase != self.phrases[-1], searching=left <= _SEARCHED)
            self.phrases[-1] = phrase
        self._beats_s = {phrase: beat_s for phrase, beat_s in beats_s.items() if phrase >= phrases[0]}


def _beginnings(phrases: Sequence[int]) -> list[bool]:
    """For each note whether a phrase begins with it."""
    return [k == 0 or phrase != phrases[k - 1] for k, phrase in enumerate(phrases)]


def _note_of(row: Any) -> tuple[Note, bool]:
    if not isinstance(row, list | tuple) or len(row) != 5 or any(isinstance(v, bool) for v in row):
        raise ValueError("a note of a memory of motifs is five numbers")
    onset_s, pitch, duration_s, velocity, begins = row
    times = all(isinstance(t, int | float) and math.isfinite(t) for t in (onset_s, duration_s))
    if not times or not all(isinstance(n, int) for n in (pitch, velocity, begins)):
        raise ValueError("a note of a memory of motifs has a time or a number that is none")
    if not (abs(onset_s) < 1e12 and 0 <= pitch < 128 and 0 <= duration_s < 1e6 and 1 <= velocity < 128):
        raise ValueError("a note of a memory of motifs is out of range")
    return Note(float(onset_s), pitch, float(duration_s), velocity), begins != 0

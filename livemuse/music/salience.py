"""Which motifs of the player's are worth taking up.

A motif is five to ten notes or so that came more than once: in another key or tempo it was surely meant, and the rarer
its intervals and the truer its proportions, the more it is one. Where nothing came back, it is how the last phrase
began. What sounded with a motif (an accompaniment) is taken up with it.

Sources: motifs as what repeats, Lartillot 2005 and Meredith et al. 2002; the surprise of an interval as its weight,
Conklin 2010 ("distinctive patterns").
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note
from livemuse.music.returns import CHORD_S, FEWEST, Run
from livemuse.music.voices import Kind, Voice

MOST: Final = 10  # notes of a motif's line, and FEWEST
HEAD: Final = 7  # notes of the beginning of a phrase, where no motif is known
LONGEST_S: Final = 10.0  # of a motif
_MOST_TEXTURE: Final = 96  # notes, with all that accompanies it
_LONGEST_STEP_S: Final = 2.5  # between two notes of it
_TRUE: Final = 0.12  # octaves by which the proportions of two that are the same differ, so far
_PASSED_OVER: Final = 0.85  # for every note between that is not of it
_OTHER_KEY, _OTHER_TEMPO = 1.6, 1.3  # how much more a motif is meant that came back in another key, another tempo
_OF_VOICE: Final[dict[Kind, float]] = {"upper": 1.0, "tops": 1.0, "all": 0.7}
_WEIGHED: Final = 48  # runs of each line: the longest and truest
_FAR_BELOW: Final = 12  # semitones under a tune, where an accompaniment does not cloud it
_LEAP: Final = 12  # semitones: more is no melody's
_AGO: Final = 0.85  # how much less it weighs with every phrase since
_HEAD_WEIGHS: Final = 0.25  # the beginning of a phrase against a motif


@dataclass(frozen=True, slots=True)
class Tone:
    """One note of a motif: when it is struck after the first, and whether it is of the motif's line."""

    at_s: float
    pitch: int
    duration_s: float
    leads: bool
    number: int  # in the memory


@dataclass(frozen=True, slots=True)
class Motif:
    """A motif as it was played last, with what sounded with it; its first note and its last are of its line."""

    tones: tuple[Tone, ...]
    intervals: tuple[int, ...]  # of its line: what it is known by
    weight: float
    phrase: int  # that it is from

    @property
    def length_s(self) -> float:
        """From its first onset to its last."""
        return self.tones[-1].at_s

    def bare(self) -> Motif:
        """Its line alone."""
        return Motif(tuple(t for t in self.tones if t.leads), self.intervals, self.weight, self.phrase)

    def head(self, notes: int) -> Motif:
        """Its first notes alone."""
        leads = [k for k, tone in enumerate(self.tones) if tone.leads]
        tones = self.tones[: leads[min(notes, len(leads)) - 1] + 1]
        return Motif(tones, self.intervals[: notes - 1], self.weight, self.phrase)


def salient_motifs(memory: MotifMemory, most: int = 4) -> list[Motif]:
    """The motifs most worth taking up, best first; those that share most of their notes with a better one are left."""
    found: dict[tuple[int, ...], tuple[float, Kind, list[int]]] = {}  # intervals -> (weight, line, its last places)
    for kind, voice in memory.voices.items():
        times = Counter[tuple[int, ...]]()
        for run in sorted(voice.returns.runs, key=lambda run: run.worth)[-_WEIGHED:]:
            places = _without_leaps(memory, voice, run.places)[:MOST]
            pitches = [memory.notes[voice.at[place]].pitch for place in places]
            intervals = tuple(b - a for a, b in pairwise(pitches))
            times[intervals] += 1
            weight = _bits(voice, intervals) * _meant(memory, voice, run) * _OF_VOICE[kind]
            weight *= math.log2(1 + min(times[intervals] + 1, 5)) * _plain(intervals) * _since(memory, voice, run.here)
            found[intervals] = max(found.get(intervals, (0.0, kind, [])), (weight, kind, places))
    chosen: list[Motif] = []
    for weight, kind, places in sorted(found.values(), reverse=True):
        motif = _motif(memory, [memory.voices[kind].at[place] for place in places], weight)
        if motif is not None and not any(_share(motif, other) > 0.5 for other in chosen):
            chosen.append(motif)
        if len(chosen) == most:
            return chosen
    return chosen + [head for head in _heads(memory) if not any(_share(head, m) > 0.5 for m in chosen)][:1]


def _bits(voice: Voice, intervals: Sequence[int]) -> float:
    """How surprising intervals are in a line, together."""
    return sum(math.log2((len(voice.at) + 12.0) / (voice.times(interval) + 0.5)) for interval in intervals)


def _meant(memory: MotifMemory, voice: Voice, run: Run) -> float:
    """How much a run is more than chance: its proportions are the same, its key or its tempo is another."""
    spread = run.spread / max(run.length - 2, 1)
    meant = 1.0 / (1.0 + (spread / _TRUE) ** 2) * _PASSED_OVER**run.passed_over
    notes = memory.notes
    meant *= _OTHER_KEY if notes[voice.at[run.here]].pitch != notes[voice.at[run.there]].pitch else 1.0
    return meant * (_OTHER_TEMPO if abs(run.octaves) > 0.15 else 1.0)


def _plain(intervals: tuple[int, ...]) -> float:
    """Less for what is no melody: a trill, one note again and again, one figure going round, leaps over octaves."""
    pitches = [sum(intervals[:k]) for k in range(len(intervals) + 1)]
    if len(set(pitches)) < 3:
        return 0.1
    for period in (2, 3, 4):
        if len(intervals) >= period + 2 and all(a == b for a, b in zip(pitches, pitches[period:], strict=False)):
            return 0.3
    leaps = sum(abs(interval) > _LEAP for interval in intervals)
    return (0.6 if len(set(intervals)) == 1 else 1.0) * 0.5**leaps


def _since(memory: MotifMemory, voice: Voice, place: int) -> float:
    return float(_AGO ** (memory.phrases[-1] - memory.phrases[voice.at[place]]))


def _heads(memory: MotifMemory) -> list[Motif]:
    """How the last phrase began, or the one before it, where it was too short."""
    voice = memory.voices["upper"]
    begins = [place for place, interval in enumerate(voice.intervals) if interval is None]
    for begin, over in reversed(list(zip(begins, [*begins[1:], len(voice.at)], strict=False))[-3:]):
        line = voice.at[begin : min(begin + HEAD, over)]
        intervals = [i for i in voice.intervals[begin + 1 : begin + len(line)] if i is not None]
        motif = _motif(memory, line, _bits(voice, intervals) * _HEAD_WEIGHS)
        if motif is not None:
            return [motif]
    return []


def _without_leaps(memory: MotifMemory, voice: Voice, places: list[int]) -> list[int]:
    """The places of a line, less those at either end to which or from which it leaps over an octave."""
    pitches = [memory.notes[voice.at[place]].pitch for place in places]
    first, last = 0, len(places) - 1
    while first < last and abs(pitches[first + 1] - pitches[first]) > _LEAP:
        first += 1
    while first < last and abs(pitches[last] - pitches[last - 1]) > _LEAP:
        last -= 1
    return places[first : last + 1]


def _motif(memory: MotifMemory, line: Sequence[int], weight: float) -> Motif | None:
    """These notes, and what sounded with them; cut off where they rest. None where too little is left."""
    notes = memory.notes
    for k, (a, b) in enumerate(pairwise(line)):
        too_late = notes[b].onset_s - notes[line[0]].onset_s > LONGEST_S or b - line[0] >= _MOST_TEXTURE
        if too_late or notes[b].onset_s - notes[a].onset_s > _LONGEST_STEP_S:
            line = line[: k + 1]
            break
    if len(line) < FEWEST:
        return None
    first, leads = notes[line[0]], set(line)
    tones = tuple(
        Tone(notes[i].onset_s - first.onset_s, notes[i].pitch, notes[i].duration_s, i in leads, memory.first + i)
        for a, b in [*pairwise(line), (line[-1], line[-1] + 1)]
        for i in range(a, b)
        if i in leads or _leaves_room(notes[i], notes[a], notes[min(b, line[-1])])
    )
    intervals = tuple(notes[b].pitch - notes[a].pitch for a, b in pairwise(line))
    return Motif(tones, intervals, weight, memory.phrases[line[0]])


def _leaves_room(note: Note, last: Note, following: Note) -> bool:
    """Whether what sounds with a tune leaves it alone: it sounds together with one of its notes, or is far below."""
    together = min(abs(note.onset_s - last.onset_s), abs(note.onset_s - following.onset_s)) < CHORD_S
    return (
        note.pitch < max(last.pitch, following.pitch)
        if together
        else note.pitch <= min(last.pitch, following.pitch) - _FAR_BELOW
    )


def _share(one: Motif, other: Motif) -> float:
    """The share of the shorter one's line that is the other's too, or 1 where one is a part of the other's pattern."""
    a, b = ({t.number for t in motif.tones if t.leads} for motif in (one, other))
    short, long = sorted((one.intervals, other.intervals), key=len)
    if any(long[k : k + len(short)] == short for k in range(len(long) - len(short) + 1)):
        return 1.0
    return len(a & b) / min(len(a), len(b))

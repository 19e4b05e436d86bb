"""Where a motif of the player's fits in now: in which key, in which tempo, and how much of it.

A motif goes where its notes are at home: where the rules allow them (key, register, reach) and where the pitch classes
are those that were heard of late; near the last pitch; and not just where it was before.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from livemuse.music.motifs import MotifMemory
from livemuse.music.returns import CHORD_S, FEWEST
from livemuse.music.salience import Motif, salient_motifs

WELCOME: Final = 2.0  # nats that the rules may take off a pitch before it is moved to one nearby
_SHIFTS: Final = 24  # semitones up and down that are tried
_MOVED_COSTS: Final = 8.0  # nats, of a note of the tune that would be moved
_FAR_COSTS: Final = 0.1  # nats a semitone beyond an octave from where it was
_NEVER_HEARD: Final = 0.03  # share of a pitch class that was not heard of late
_LEAP_COSTS: Final = 0.06  # nats a semitone from where the music is
_SAME_COSTS: Final = 0.5  # nats, where every pitch is the very one that was played
_LAST_FEW: Final = 3  # keys in which motifs were taken up last: it is not where it has just been
_KEYS: Final = 3  # of each motif that stay in the choice
_SHARPNESS: Final = 1.5  # of the choice between motifs
_STATED_ALREADY: Final = 0.6  # how much less a motif weighs with each time it was taken up of late
_WORTH: Final = 0.3  # of the best motif's weight, that another must have
_SAME_TEMPO: Final = 0.2  # octaves: a tempo so near is the same
_HURRIED: Final = 0.7  # how much faster than now it may be played where the time is short


@dataclass(frozen=True, slots=True)
class Opening:
    """A motif, how many semitones higher it is taken up, and the factor on its times."""

    motif: Motif
    shift: int
    stretch: float
    weight: float = 0.0
    again: bool = False  # it was in this answer before

    @property
    def pitch(self) -> int:
        """What it begins with."""
        return self.motif.tones[0].pitch + self.shift


Stated = tuple[tuple[int, ...], int]
"""A motif that was taken up, by its intervals, and its shift."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the music is: nats that the rules take off each pitch, the last pitch, and how long a motif may take."""

    nats: Sequence[float]  # (128,)
    pitch: int | None
    room_s: float
    stated: tuple[Stated, ...] = ()  # oldest first
    here: int = 0  # of them, in this answer


class Openings:
    """The motifs of one memory, ready to be taken up in one answer."""

    def __init__(self, memory: MotifMemory) -> None:
        self._memory = memory
        self._known: tuple[list[tuple[Motif, float]], list[float]] | None = None  # looked for when first asked
        self._nats: list[float] = []
        self._costs: list[list[tuple[int, float]]] = []  # of each motif, (shift, nats)

    def at(self, where: Where) -> list[Opening]:
        """What may be taken up now, each with a weight; they add up to 1, or there is none."""
        motifs, profile = self._found()
        if self._nats != list(where.nats):
            self._nats = list(where.nats)
            self._costs = [_costs(motif, profile, self._nats) for motif, _ in motifs]
        found: list[Opening] = []
        for (motif, slower), costs in zip(motifs, self._costs, strict=True):
            fitting = _in_time(motif, slower, where.room_s)
            if fitting is None or not costs:
                continue
            keys = _keys(*fitting, costs, where)
            times = sum(_related(stated[0], motif.intervals) for stated in where.stated)
            if not keys:
                continue
            share = motif.weight**_SHARPNESS * _STATED_ALREADY**times / sum(o.weight for o in keys)
            found += [replace(o, weight=o.weight * share) for o in keys]
        total = sum(o.weight for o in found)
        return [replace(o, weight=o.weight / total) for o in found] if total > 0 else []

    def _found(self) -> tuple[list[tuple[Motif, float]], list[float]]:
        """The motifs, each with the factor on its times; and the pitch classes that were heard of late."""
        if self._known is None:
            motifs = salient_motifs(self._memory)
            best = max((motif.weight for motif in motifs), default=0.0)
            worth = [(m, self._memory.slower(m.phrase)) for m in motifs if m.weight >= _WORTH * best]
            self._known = worth, profile_of(self._memory)
        return self._known


def profile_of(memory: MotifMemory, notes: int = 60) -> list[float]:
    """(12,) how much each pitch class was heard in the last notes, the commonest 1."""
    counts = Counter(note.pitch % 12 for note in memory.notes[-notes:])
    most = max(counts.values(), default=1)
    return [counts[pitch_class] / most for pitch_class in range(12)]


def _in_time(motif: Motif, stretch: float, room_s: float) -> tuple[Motif, float] | None:
    """The motif and its stretch, faster or without its end where the time is short; None where none is left."""
    if abs(math.log2(stretch)) < _SAME_TEMPO:
        stretch = 1.0
    if motif.length_s * stretch > room_s:
        stretch = max(room_s / max(motif.length_s, CHORD_S), _HURRIED * stretch)
    leads = sum(tone.leads for tone in motif.tones)
    while motif.length_s * stretch > room_s:
        leads -= 1
        if leads < FEWEST:
            return None
        motif = motif.head(leads)
    return motif, stretch


def _costs(motif: Motif, profile: Sequence[float], nats: Sequence[float]) -> list[tuple[int, float]]:
    """(shift, nats) of each key in which it can be played: what the rules take off its line, and how strange it is."""
    pitches = [tone.pitch for tone in motif.tones]
    tune = [tone.pitch for tone in motif.tones if tone.leads]
    classes = Counter(pitch % 12 for pitch in pitches)
    strange = [
        sum(-math.log(profile[(p + shift) % 12] + _NEVER_HEARD) * n for p, n in classes.items()) / len(pitches)
        for shift in range(12)
    ]
    lowest, highest = min(pitches), max(pitches)
    found = []
    for shift in range(-_SHIFTS, _SHIFTS + 1):
        if lowest + shift < 0 or highest + shift >= len(nats):
            continue
        there = [nats[pitch + shift] for pitch in tune]
        ruled = sum(_MOVED_COSTS if cost > WELCOME else cost for cost in there)
        far = _SAME_COSTS if shift == 0 else _FAR_COSTS * max(abs(shift) - 12, 0)
        found.append((shift, ruled + far + strange[shift % 12] * len(tune)))
    return found


def _keys(motif: Motif, stretch: float, costs: Sequence[tuple[int, float]], where: Where) -> list[Opening]:
    """The few best keys for it now."""
    first = motif.tones[0].pitch
    near = first if where.pitch is None else where.pitch
    before = [(shift, k) for k, (intervals, shift) in enumerate(where.stated) if _related(intervals, motif.intervals)]
    just = {shift for shift, k in before if k >= len(where.stated) - _LAST_FEW}
    again = any(k >= len(where.stated) - where.here for _, k in before)
    nats = [(cost + _LEAP_COSTS * abs(first + shift - near), shift) for shift, cost in costs if shift not in just]
    best = sorted(nats)[:_KEYS]
    motif = motif.bare() if again else motif
    return [Opening(motif, shift, stretch, math.exp(best[0][0] - cost), again) for cost, shift in best]


def _related(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[: FEWEST - 1] == other[: FEWEST - 1]

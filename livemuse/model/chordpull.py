"""What the chord of the moment takes off each pitch, and where it ends what still sounds.

Beats are counted from the first note of a turn at the control ``tempo``. A chord tone costs nothing. Any other costs
most on the beat of a change, less on other beats, and least between them, where it passes; one far from all chords of
the progression costs more. In the half beat before a change a note may anticipate the next chord. A note that does not
belong to the next chord ends where that begins, as a pianist changes the pedal. With ``chords_strength`` 1 nothing but
chord tones is struck. A chord tone outside the key is as good as one inside, unless ``key_strength`` is 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from livemuse.model.pitches import UNSET, Nats, key_nats, register_of
from livemuse.music.chords import Chord
from livemuse.music.controls import TEMPO_BPM, Controls
from livemuse.music.progressions import C_MAJOR, Progression, Span, progression
from livemuse.music.theory import parse_key

EARLY_BEATS: Final = 0.125  # a note struck so little before a beat is on it, as people play
AHEAD_BEATS: Final = 0.5  # so long before a change the next chord may be anticipated
PASSING_BEATS: Final = 1.0  # a note outside the chord is no longer than this for nothing
PEDAL_S: Final = 0.02  # what ends at a change ends so much before it
_NATS: Final = 3.0  # as for a key: strength 0.7 costs 3.6 nats
_ON_CHANGE, _ON_BEAT, _PASSING = 1.0, 0.5, 0.3  # factors on them, by where the note stands
_FAR: Final = 1.5  # and for a pitch that belongs to no chord of the progression
_WHOLE_SCALE: Final = 6  # pitch classes of a progression that tell what is far from it
_MOST_CHANGES: Final = 64  # that one note is followed through


@dataclass(frozen=True, slots=True)
class ChordPull:
    """The chords of one turn in time."""

    progression: Progression
    from_s: float  # beat 0
    beat_s: float
    strength: float  # above 0
    key: str  # of the control, or off
    key_strength: float
    bounds: tuple[int, int]  # the lowest and highest pitch of the register

    @classmethod
    def of(cls, controls: Controls, from_s: float) -> ChordPull | None:
        """The chords that the controls ask for, from ``from_s`` on; None where they ask for none.

        Numerals and names are in the key of the control, else in C.
        """
        text, strength = controls.text("chords"), controls.number("chords_strength")
        if text in UNSET or strength <= 0.0:
            return None
        written, tempo = controls.text("key"), controls["tempo"]
        key = C_MAJOR if written in UNSET else parse_key(written)
        return cls(
            progression(text, key), from_s, 60.0 / (TEMPO_BPM if isinstance(tempo, str) else tempo), strength,
            written, controls.number("key_strength"), register_of(controls.text("register")),
        )  # fmt: skip

    def nats(self, at_s: float) -> Nats:
        """(128,) nats to take off each pitch struck at a time, those of the key among them; some are finite."""
        beats, here = self._at(at_s)
        if beats - here.from_beats <= EARLY_BEATS:
            return self._costs(here, _ON_CHANGE)
        if abs(beats - round(beats)) <= EARLY_BEATS:
            return self._costs(here, _ON_BEAT)
        found = self._costs(here, _PASSING)
        if here.until_beats - beats <= AHEAD_BEATS:
            found = np.minimum(found, self._costs(self._next(here), _PASSING))
        return found

    def chord_at(self, at_s: float) -> Chord | None:
        """The chord that holds at a time; None for a stretch without one."""
        return self._at(at_s)[1].chord

    def until_s(self, pitch: int, at_s: float) -> float:
        """When a pitch struck at a time is to end: at the first change to a chord that it does not belong to."""
        _, here = self._at(at_s)
        for _ in range(_MOST_CHANGES):
            if math.isinf(here.until_beats):
                return math.inf
            change_beats, here = here.until_beats, self._next(here)
            if here.chord is not None and pitch % 12 not in here.chord.pitch_classes:
                return max(self.from_s + change_beats * self.beat_s - PEDAL_S, at_s)
        return math.inf

    def length_nats(self, pitch: int, at_s: float, lengths_s: Nats) -> Nats:
        """(n,) nats to take off lengths (n,) in seconds: none of a chord tone's, some of what stays too long."""
        _, here = self._at(at_s)
        if here.chord is None or pitch % 12 in here.chord.pitch_classes:
            return np.zeros(len(lengths_s))
        beyond_beats = np.clip(lengths_s / self.beat_s - PASSING_BEATS, 0.0, 1.0)
        return np.asarray(_nats_of(min(self.strength, 0.99)) * beyond_beats, np.float64)

    def _at(self, at_s: float) -> tuple[float, Span]:
        """(beats, the chord that holds there); just before a change it is the next one, and the beat its first."""
        beats = (at_s - self.from_s) / self.beat_s
        here = self.progression.at(beats)
        if here.until_beats - beats <= EARLY_BEATS:
            return here.until_beats, self._next(here)
        return beats, here

    def _next(self, here: Span) -> Span:
        return self.progression.at(here.until_beats + 1e-6)

    def _costs(self, here: Span, factor: float) -> Nats:
        chord = None if here.chord is None else here.chord.pitch_classes
        near = self.progression.pitch_classes
        return _chord_nats(
            chord, near if len(near) >= _WHOLE_SCALE else frozenset(range(12)), self.strength, factor,
            (self.key, self.key_strength), self.bounds,
        )  # fmt: skip


def _nats_of(strength: float) -> float:
    return -_NATS * math.log(1.0 - strength)


@lru_cache(maxsize=512)
def _chord_nats(
    chord: frozenset[int] | None,
    near: frozenset[int],
    strength: float,
    factor: float,
    key: tuple[str, float],
    bounds: tuple[int, int],
) -> Nats:
    """(128,) nats, never to be written to; strength 1 is a mask, the key's before the chord's."""
    of_key = key_nats(*key, *bounds)
    found = np.array(of_key)
    inside = np.array([chord is None or pitch % 12 in chord for pitch in range(128)])
    if chord is not None:
        nats = _nats_of(min(strength, 0.99)) * factor
        far = np.array([pitch % 12 not in near for pitch in range(128)])
        found[~inside] += nats
        found[~inside & far & np.isfinite(found)] += nats * (_FAR - 1.0) if key[0] in UNSET else 0.0
        found[inside & np.isfinite(of_key)] = 0.0
        if strength >= 1.0:
            low, high = bounds
            left = inside & np.isfinite(found)
            if left[low : high + 1].any():
                found[~left] = np.inf
    return found

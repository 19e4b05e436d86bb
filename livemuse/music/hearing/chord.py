"""The chord heard in playing, and the progression so far: key by key, from block chords and from broken ones.

A filter over all chords (the forward algorithm of a hidden Markov model, as Sheh and Ellis 2003 and Raphael and
Stoddard 2004 hear harmony): with each key struck the chord may have changed, the more likely the longer the last one
is ago and the more so with a new bass; then the key speaks for the chords it belongs to, a bass above all for its
root. So a passing note is no chord, an arpeggio is one, and what was struck long ago is forgotten. Keys that are
down, and notes under the pedal, go on speaking while others are struck. Templates matched to what sounds (Pardo and
Birmingham 2002) were tried first, and were right much less often where the pedal blurs and runs pass.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from livemuse.music.hearing.chord_tables import ABOVE, BASS, CHORDS, COMMON, QUALITIES, SOUNDING
from livemuse.music.hearing.struck import TOGETHER_S
from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Pedal
from livemuse.music.theory import PITCH_CLASS_NAMES

CONFIDENT: Final = 0.3  # from this confidence on a chord enters the progression
SETTLE_S: Final = 0.3  # a chord that gave way sooner was on its way to another
LONGEST_PROGRESSION: Final = 1024  # chords; older ones are forgotten

_LASTS_S: Final = 1.5  # how long a chord lasts, so far as nothing else tells
_NEW_BASS: Final = 0.8  # a new bass makes a change as likely as so many times that does
_BASS_S: Final = 0.35  # the lowest of the keys that are down, or were struck so long ago, is the bass
_BEGAN_S: Final = 1.0  # a chord began with its lowest bass, if that was struck so long ago at most
_BASS_HOLDS_S: Final = 2.0  # a lower note that sounds for longer leaves the bass to another
_NAMED_S: Final = 1.5  # and so long it stays the bass of a broken chord
_STILL_SOUNDING: Final = 4  # so many of the lowest notes that sound go on speaking
_STILL_S: Final = 3.0  # for so long


@dataclass(frozen=True, slots=True)
class HeardChord:
    """A root (0 = C to 11 = B), a quality of ``QUALITIES``, and the pitch class in the bass, mostly the root."""

    root: int
    quality: str
    bass: int

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes (0-11) of the chord."""
        return frozenset((self.root + step) % 12 for step in QUALITIES[self.quality])

    def __str__(self) -> str:
        """As in a lead sheet: ``Am7``, ``C/E``."""
        slash = "" if self.bass == self.root else f"/{PITCH_CLASS_NAMES[self.bass]}"
        return f"{PITCH_CLASS_NAMES[self.root]}{self.quality}{slash}"


class Change(NamedTuple):
    """A chord of the progression, and when it began."""

    onset_s: float
    chord: HeardChord


class ChordHearing:
    """Hears the chord that sounds now, how sure that is, and which chords came one after the other."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Hear as if nothing had been played."""
        self._odds: list[float] = list(COMMON)  # how likely each of CHORDS is; they sum to 1
        self._sounding: dict[int, float] = {}  # pitch -> when it was struck
        self._under_pedal: set[int] = set()  # of them, those whose key is up
        self._pedals: set[int] = set()  # channels whose pedal is down
        self._struck: deque[tuple[float, int]] = deque(maxlen=8)  # (seconds, pitch) of the last keys
        self._onset_s: float | None = None
        self._bass = (0.0, 0)  # when the bass was struck, and its pitch
        self._led: deque[tuple[float, int, bool]] = deque(maxlen=16)  # (seconds, pitch, as bass) of more of them
        self._named = (0.0, 128)  # and the one that is named as the bass
        self._heard: HeardChord | None = None
        self._confidence = 0.0
        self._changes: deque[Change] = deque(maxlen=LONGEST_PROGRESSION)

    def hear(self, event: Heard) -> None:
        """A key, the pedal, or the end of everything, in the order of time."""
        match event:
            case KeyDown():
                self._strike(event.at_s, event.pitch)
            case KeyUp():
                if self._pedals:
                    self._under_pedal.add(event.pitch)
                else:
                    self._sounding.pop(event.pitch, None)
            case Pedal(down=True):
                self._pedals.add(event.channel)
            case AllNotesOff():
                self._pedals.discard(event.channel)
                self._sounding.clear()
                self._under_pedal.clear()
            case Pedal():
                self._pedals.discard(event.channel)
                if not self._pedals:
                    for pitch in self._under_pedal:
                        self._sounding.pop(pitch, None)
                    self._under_pedal.clear()

    @property
    def heard(self) -> HeardChord | None:
        """The likeliest chord at the last key that was struck, however unsure; None before the first."""
        return self._heard

    @property
    def confidence(self) -> float:
        """How likely that chord is, 0 to 1, its root and quality both; 0 before the first key."""
        return self._confidence

    @property
    def progression(self) -> list[Change]:
        """The chords so far and when each began, oldest first; no chord follows itself."""
        return list(self._changes)

    # --- how it decides ------------------------------------------------------------------------------------------

    def _strike(self, at_s: float, pitch: int) -> None:
        self._under_pedal.discard(pitch)
        self._sounding[pitch] = at_s
        is_bass = self._is_bass(at_s, pitch)
        since_s = 0.0 if self._onset_s is None else max(at_s - self._onset_s, 0.0)
        is_new = self._onset_s is None or since_s > TOGETHER_S
        due = since_s / _LASTS_S if is_new else 0.0
        if is_bass:
            self._bass = at_s, pitch
            due += _NEW_BASS if is_new else _NEW_BASS / 2.0
        self._led.append((at_s, pitch, is_bass))
        stays = math.exp(-due)
        says = (BASS if is_bass else ABOVE)[pitch % 12]
        odds = [(old * stays + new * (1.0 - stays)) * s for old, new, s in zip(self._odds, COMMON, says, strict=True)]
        if is_new:
            self._onset_s = at_s
            odds = self._with_what_sounds(odds, at_s, pitch)
        total = sum(odds)
        self._odds = [value / total for value in odds]
        self._confidence = max(self._odds)
        root, quality = CHORDS[self._odds.index(self._confidence)]
        self._heard = HeardChord(root, quality, self._bass_of(at_s, root, quality))
        if self._confidence >= CONFIDENT:
            self._note_change(at_s, self._heard)

    def _bass_of(self, at_s: float, root: int, quality: str) -> int:
        """The lowest note since the chord began or for _NAMED_S, where it belongs to the chord; else the root."""
        same = self._heard is not None and (self._heard.root, self._heard.quality) == (root, quality)
        since_s, lowest = self._named
        fades = at_s - since_s > _NAMED_S and lowest not in self._sounding
        if not same or fades or self._struck[-1][1] <= lowest:
            self._named = min(((struck_s, pitch) for struck_s, pitch in self._struck), key=lambda found: found[1])
        bass = self._named[1] % 12
        return bass if (bass - root) % 12 in QUALITIES[quality] else root

    def _is_bass(self, at_s: float, pitch: int) -> bool:
        while self._struck and at_s - self._struck[0][0] > _BASS_S:
            self._struck.popleft()
        sounding = (other for other, since_s in self._sounding.items() if at_s - since_s < _BASS_HOLDS_S)
        lowest = all(pitch <= other for other in sounding) and all(pitch <= other for _, other in self._struck)
        self._struck.append((at_s, pitch))
        return lowest

    def _with_what_sounds(self, odds: list[float], at_s: float, struck: int) -> list[float]:
        """What was struck before and still sounds says again what it said, more softly."""
        others = [p for p, since_s in self._sounding.items() if p != struck and at_s - since_s < _STILL_S]
        for pitch in sorted(others)[:_STILL_SOUNDING]:
            odds = [value * s for value, s in zip(odds, SOUNDING[pitch % 12], strict=True)]
        return odds

    def _note_change(self, at_s: float, chord: HeardChord) -> None:
        changes = self._changes
        if changes and _same(changes[-1].chord, chord):
            if chord.bass == chord.root:  # a broken chord has come to its bass
                changes[-1] = changes[-1]._replace(chord=chord)
            return
        settled_s = at_s
        if changes and at_s - changes[-1].onset_s < SETTLE_S:
            settled_s = changes.pop().onset_s
            if changes and _same(changes[-1].chord, chord):
                return
        began_s = min(settled_s, self._began_s(at_s, chord))
        changes.append(Change(max(began_s, changes[-1].onset_s) if changes else began_s, chord))

    def _began_s(self, at_s: float, chord: HeardChord) -> float:
        """When a chord that is heard now began: with its lowest bass, since when nothing else was struck."""
        bass_s, bass = self._bass
        began_s, lowest = (bass_s, bass) if at_s - bass_s <= _BASS_S else (at_s, 128)
        not_before_s = self._changes[-1].onset_s + SETTLE_S if self._changes else -math.inf
        for struck_s, pitch, is_bass in reversed(self._led):
            belongs = (pitch - chord.root) % 12 in QUALITIES[chord.quality]
            if not belongs or struck_s < at_s - _BEGAN_S or struck_s <= not_before_s:
                break
            if is_bass and pitch < lowest:
                began_s, lowest = struck_s, pitch
        return began_s


def _same(a: HeardChord, b: HeardChord) -> bool:
    return (a.root, a.quality) == (b.root, b.quality)

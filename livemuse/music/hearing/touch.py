"""How it is played: in which register and with which hands, how loud, how dense, how legato.

Register and loudness are medians and quartiles of what was struck last, for a far note or an accent says little.
Density and articulation are averages in which what lies back counts half after a while.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from livemuse.music.hearing.struck import TOGETHER_S
from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Pedal

REMEMBERED: Final = 32  # keys that say in which register, and how loud
DENSITY_HALF_S: Final = 2.0  # an onset so long ago counts half
ARTICULATION_ONSETS: Final = 8  # so many onsets ago one counts half
LONGEST_GAP_S: Final = 2.0  # a longer one is a rest, and says nothing of the touch
HANDS_APART: Final = 7  # semitones between the inner quartiles of two hands
FEWEST_A_HAND: Final = 5  # keys of the remembered ones
CROSSINGS: Final = 5  # so often must it go from one hand to the other: a run over the keyboard has one hand

_KEEP: Final = 0.5 ** (1.0 / ARTICULATION_ONSETS)


class Spread(NamedTuple):
    """The middle of some values, and the quartiles around it."""

    lower: float
    median: float
    upper: float


def spread_of(values: Sequence[float]) -> Spread:
    """Quartiles and median of at least one value, as `statistics.quantiles` has them with method ``inclusive``."""
    ordered = sorted(values)
    found = []
    for share in (0.25, 0.5, 0.75):
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        found.append(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
    return Spread(*found)


class TouchHearing:
    """Hears register and hands, loudness, density and articulation; an event costs a microsecond or two."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Hear as if nothing had been played."""
        self._pitches: deque[int] = deque(maxlen=REMEMBERED)
        self._velocities: deque[int] = deque(maxlen=REMEMBERED)
        self._first_s: float | None = None  # the first onset of all
        self._onset_s: float | None = None  # the last one
        self._onsets = 0.0  # up to then, faded
        self._down: set[int] = set()  # pitches whose keys are down
        self._pedals: set[int] = set()  # channels whose pedal is down
        self._silent_since_s: float | None = None  # nothing sounds
        self._sounded = self._counted = 0.0  # shares of the gaps between onsets, and how many, faded

    def hear(self, event: Heard) -> None:
        """A key, the pedal, or the end of everything, in the order of time."""
        match event:
            case KeyDown():
                self._strike(event)
                return
            case KeyUp():
                self._down.discard(event.pitch)
            case Pedal(down=True):
                self._pedals.add(event.channel)
            case Pedal():
                self._pedals.discard(event.channel)
            case AllNotesOff():
                self._down.clear()
                self._pedals.discard(event.channel)
        if not self._down and not self._pedals and self._silent_since_s is None:
            self._silent_since_s = event.at_s

    @property
    def register(self) -> Spread | None:
        """Where on the keyboard it is played, in MIDI pitches; None before the first key."""
        return spread_of(self._pitches) if self._pitches else None

    @property
    def hands(self) -> tuple[Spread, ...]:
        """The registers of two hands, the lower first, where two play apart; else of all as one; () before any key."""
        if not self._pitches:
            return ()
        apart = _two_hands(list(self._pitches))
        return (spread_of(self._pitches),) if apart is None else (spread_of(apart[0]), spread_of(apart[1]))

    @property
    def loudness(self) -> Spread | None:
        """How loud it is played, in MIDI velocities (1-127); None before the first key."""
        return spread_of(self._velocities) if self._velocities else None

    def density(self, now_s: float) -> float:
        """Onsets a second, a chord counted as one; it falls while nothing is struck."""
        if self._onset_s is None or self._first_s is None:
            return 0.0
        heard_s = max(now_s - self._first_s, DENSITY_HALF_S / 2.0)  # a single onset is no density yet
        onsets = self._onsets * 0.5 ** (max(now_s - self._onset_s, 0.0) / DENSITY_HALF_S)
        seen_s = DENSITY_HALF_S / math.log(2.0) * (1.0 - 0.5 ** (heard_s / DENSITY_HALF_S))
        return float(onsets / seen_s)

    @property
    def articulation(self) -> float | None:
        """How much of the time from one onset to the next sounds: 1 is legato (or pedalled); None before two onsets."""
        return self._sounded / self._counted if self._counted > 0.0 else None

    def _strike(self, event: KeyDown) -> None:
        at_s = event.at_s
        self._pitches.append(event.pitch)
        self._velocities.append(event.velocity)
        if self._onset_s is None:
            self._first_s, self._onset_s, self._onsets = at_s, at_s, 1.0
        elif at_s - self._onset_s > TOGETHER_S:
            gap_s = at_s - self._onset_s
            if gap_s <= LONGEST_GAP_S:
                until_s = at_s if self._silent_since_s is None else self._silent_since_s
                share = min(max((until_s - self._onset_s) / gap_s, 0.0), 1.0)
                self._sounded = self._sounded * _KEEP + share
                self._counted = self._counted * _KEEP + 1.0
            self._onsets = self._onsets * 0.5 ** (gap_s / DENSITY_HALF_S) + 1.0
            self._onset_s = at_s
        self._down.add(event.pitch)
        self._silent_since_s = None


def _two_hands(pitches: list[int]) -> tuple[list[int], list[int]] | None:
    """What each hand struck, where there are two: the widest gap in the keyboard parts them."""
    ordered = sorted(pitches)
    inner = range(FEWEST_A_HAND, len(ordered) - FEWEST_A_HAND + 1)
    if not inner:
        return None
    place = max(inner, key=lambda i: ordered[i] - ordered[i - 1])
    lower, upper = ordered[:place], ordered[place:]
    if upper[0] == lower[-1] or spread_of(upper).lower - spread_of(lower).upper < HANDS_APART:
        return None
    sides = [pitch >= upper[0] for pitch in pitches]
    crossings = sum(a != b for a, b in pairwise(sides))
    return (lower, upper) if crossings >= CROSSINGS else None

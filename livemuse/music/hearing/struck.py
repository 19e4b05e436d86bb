"""Notes that are struck together are one event of the rhythm; how much weight such an event has.

The accents are those of Dixon and Cambouropoulos 2000 ("Beat tracking with musical knowledge"), as far as they are
known when a key goes down: loudness, how many notes, how low; and what is new since a while: a bass note, a harmony.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

TOGETHER_S: Final = 0.04  # keys that go down within this are struck together
ACCENTS: Final = 8  # numbers that say how much weight an event has
_LONG_AGO_S: Final = 4.0
_LATELY_S: Final = 1.5
_SLOWLY: Final = 0.08  # what is usual follows what is heard by this share


@dataclass(slots=True)
class Struck:
    """Keys struck together: when (the mean, in seconds), and its accents, ACCENTS numbers around 0 to 2."""

    at_s: float
    accents: tuple[float, ...]


@dataclass(slots=True)
class Gathering:
    """Gathers single keys into events; each comes out once no more keys can belong to it."""

    _first_s: float = 0.0
    _sum_s: float = 0.0
    _keys: list[tuple[int, int]] = field(default_factory=list)  # (pitch, velocity) of the event that is open
    _usual_velocity: float = 0.0  # 0: nothing was heard yet
    _usual_low: float = 60.0
    _lows: list[tuple[int, float]] = field(default_factory=list)  # lowest pitches that nothing lower came after
    _highs: list[tuple[int, float]] = field(default_factory=list)
    _sizes: list[tuple[int, float]] = field(default_factory=list)
    _classes_s: list[float] = field(default_factory=lambda: [-math.inf] * 12)

    def copy(self) -> Gathering:
        """The same again; what is struck changes only one of them."""
        return replace(
            self, _keys=list(self._keys), _lows=list(self._lows), _highs=list(self._highs), _sizes=list(self._sizes),
            _classes_s=list(self._classes_s),
        )  # fmt: skip

    def strike(self, at_s: float, pitch: int, velocity: int) -> Struck | None:
        """A key goes down, no earlier than the last; the event before it, if this one belongs to another."""
        done = self.due(at_s)
        if not self._keys:
            self._first_s, self._sum_s = at_s, 0.0
        self._keys.append((pitch, velocity))
        self._sum_s += at_s - self._first_s
        return done

    def due(self, now_s: float) -> Struck | None:
        """The event that is open, if no more keys can belong to it now."""
        if not self._keys or now_s - self._first_s <= TOGETHER_S:
            return None
        return self._close()

    @property
    def open_since_s(self) -> float | None:
        """When the event that is open began."""
        return self._first_s if self._keys else None

    def _close(self) -> Struck:
        keys = self._keys
        at_s = self._first_s + self._sum_s / len(keys)
        loud = max(velocity for _, velocity in keys)
        low, high, size = min(keys)[0], max(keys)[0], len(keys)
        if not self._usual_velocity:
            self._usual_velocity, self._usual_low = float(loud), float(low)
        novelty = sum(at_s - self._classes_s[p] > _LATELY_S for p in {pitch % 12 for pitch, _ in keys}) / size
        accents = (
            min(max((loud - self._usual_velocity) / 16.0, -2.0), 2.0),
            min(max((self._usual_low - low) / 12.0, -2.0), 2.0),
            _since(self._lows, -low, at_s),
            _since(self._highs, high, at_s),
            _since(self._sizes, size, at_s),
            min(novelty, 1.0),
            min(size, 4) / 2.0 - 0.5,
            1.0 if size > 1 else 0.0,
        )
        self._usual_velocity += _SLOWLY * (loud - self._usual_velocity)
        self._usual_low += _SLOWLY * (low - self._usual_low)
        for pitch, _ in keys:
            self._classes_s[pitch % 12] = at_s
        self._keys = []
        return Struck(at_s, accents)


def _since(heights: list[tuple[int, float]], height: int, at_s: float) -> float:
    """How long nothing as high was heard (a number from 0 to 2), and note this one; ``heights`` falls all along."""
    while heights and heights[-1][0] < height:
        heights.pop()
    since_s = at_s - heights[-1][1] if heights else _LONG_AGO_S
    if heights and heights[-1][0] == height:
        heights[-1] = (height, at_s)
    else:
        heights.append((height, at_s))
    if len(heights) > 24:
        del heights[0]
    return min(math.log2(1.0 + 4.0 * min(max(since_s, 0.0), _LONG_AGO_S)) / 2.0, 2.0)

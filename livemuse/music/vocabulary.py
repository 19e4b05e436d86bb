"""How a note is written for a model: four small numbers (pitch, step, duration, velocity), and back again.

Time is cut into logarithmic bins, as the ear hears it: 5 ms more matter in a grace note, not in a rest.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from dataclasses import dataclass

HEADS = ("pitch", "step", "duration", "velocity")
"""The four parts of a note, in the order in which a model draws them."""

PITCHES = 128
BOS = 128
"""Stands in the pitch's place before the first note of a piece; it is fed, never drawn."""


def _log_edges(low: float, high: float, bins: int) -> tuple[float, ...]:
    """Edges of `bins` bins, each the same ratio wide; rounded, so that every platform has the same ones."""
    ratio = math.log(high / low)
    return tuple(round(low * math.exp(ratio * k / bins), 7) for k in range(bins + 1))


STEP_EDGES_S = (0.0, *_log_edges(0.005, 6.0, 63))
"""65 edges: one bin for the notes of a chord (under 5 ms), then 63 from 5 ms to 6 s."""
DURATION_EDGES_S = _log_edges(0.020, 10.0, 48)
"""49 edges from 20 ms to 10 s."""
VELOCITY_EDGES = tuple(1 + -(-k * 127 // 32) for k in range(33))
"""33 edges from 1 to 128 (exclusive), about four velocities to a bin."""


def _bin(value: float, edges: tuple[float, ...] | tuple[int, ...]) -> int:
    return min(max(bisect_right(edges, value) - 1, 0), len(edges) - 2)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The bins of one model family; two models may share a stage only if they share these."""

    step_edges_s: tuple[float, ...] = STEP_EDGES_S
    duration_edges_s: tuple[float, ...] = DURATION_EDGES_S
    velocity_edges: tuple[int, ...] = VELOCITY_EDGES

    @property
    def sizes(self) -> dict[str, int]:
        """How many values each head chooses from."""
        return {
            "pitch": PITCHES,
            "step": len(self.step_edges_s) - 1,
            "duration": len(self.duration_edges_s) - 1,
            "velocity": len(self.velocity_edges) - 1,
        }

    def step_bin(self, step_s: float) -> int:
        """The bin of a time since the previous onset; a longer rest than 6 s counts as one of 6 s."""
        return _bin(step_s, self.step_edges_s)

    def duration_bin(self, duration_s: float) -> int:
        """The bin of a note's length."""
        return _bin(duration_s, self.duration_edges_s)

    def velocity_bin(self, velocity: int) -> int:
        """The bin of a MIDI velocity 1-127."""
        return _bin(velocity, self.velocity_edges)

    def edges(self, head: str, index: int) -> tuple[float, float]:
        """(low, high) of a bin: low belongs to it, high to the next one."""
        if head not in HEADS or not 0 <= index < self.sizes[head]:
            raise ValueError(f"no bin {index} of {head!r}")
        if head == "pitch":
            return float(index), float(index + 1)
        edges = {"step": self.step_edges_s, "duration": self.duration_edges_s, "velocity": self.velocity_edges}[head]
        return float(edges[index]), float(edges[index + 1])

    def centre(self, head: str, index: int) -> float:
        """The value a bin stands for when nothing is left to chance; 0 s for the notes of a chord."""
        if head == "step" and index == 0:
            return 0.0
        return self.value(head, index, 0.5)

    def value(self, head: str, index: int, u: float) -> float:
        """The value at fraction `u` (0 up to, not including, 1) of a bin; `bin(value(bin, u)) == bin` always."""
        if not 0.0 <= u < 1.0:
            raise ValueError(f"a fraction of a bin is at least 0 and less than 1, not {u}")
        low, high = self.edges(head, index)
        if head in ("pitch", "velocity"):
            return low + math.floor(u * (high - low))
        inside = low * (high / low) ** u if low > 0 else high * u
        return min(max(inside, low), math.nextafter(high, 0.0))

    def sha256(self) -> str:
        """A name for exactly these bins: a model made for others is refused."""
        text = f"{HEADS}|{PITCHES}|{BOS}|{self.step_edges_s}|{self.duration_edges_s}|{self.velocity_edges}"
        return hashlib.sha256(text.encode()).hexdigest()


VOCABULARY = Vocabulary()

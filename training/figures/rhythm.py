"""How regular a rhythm is: the autocorrelation of its onsets, at the beat and at four beats.

In free playing nobody says where the beat is. It is taken as the strongest lag of the autocorrelation of the onsets
between 0.3 and 1 s (60 to 200 beats a minute): the time after which the rhythm is most like itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FRAME_S: Final = 0.02
SHORTEST_BEAT_S: Final = 0.3
LONGEST_BEAT_S: Final = 1.0
FEWEST_ONSETS: Final = 8
_CHORD_S: Final = 0.03
_SMOOTH: Final = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)  # an onset is felt as one within about 30 ms
_SLACK: Final = 0.05  # four beats are looked for within 5 % of four times the beat


@dataclass(frozen=True, slots=True)
class Beat:
    """The beat of some playing, and how like itself the rhythm is one beat and four beats later (-1 to 1)."""

    beat_s: float
    at_beat: float
    at_four_beats: float


def autocorrelation(onsets_s: Sequence[float], longest_s: float) -> Array:
    """(lags,) correlation of the onsets with themselves a lag later, a lag of 20 ms each from 0; chords count once."""
    times_s = np.sort(np.asarray(onsets_s, np.float64))
    times_s = times_s[np.diff(times_s, prepend=-np.inf) > _CHORD_S]
    frames = np.round((times_s - times_s[0]) / FRAME_S).astype(np.int64)
    signal = np.zeros(int(frames[-1]) + 11)
    signal[frames + 5] = 1.0
    signal = np.convolve(signal, _SMOOTH, "same")
    signal -= signal.mean()
    found = []
    for lag in range(min(round(longest_s / FRAME_S), len(signal) // 2) + 1):
        early, late = signal[: len(signal) - lag], signal[lag:]
        scale = float(np.sqrt((early**2).sum() * (late**2).sum()))
        found.append(float((early * late).sum()) / scale if scale > 0 else 0.0)
    return np.array(found)


def beat(onsets_s: Sequence[float]) -> Beat | None:
    """The beat of some onsets; None where they are too few, or too short for four beats to be compared twice over."""
    if len(onsets_s) < FEWEST_ONSETS:
        return None
    found = autocorrelation(onsets_s, 4 * LONGEST_BEAT_S * (1 + _SLACK) + FRAME_S)
    low, high = round(SHORTEST_BEAT_S / FRAME_S), round(LONGEST_BEAT_S / FRAME_S)
    if len(found) <= high:
        return None
    lag = low + int(np.argmax(found[low : high + 1]))
    four = found[round(4 * lag * (1 - _SLACK)) : round(4 * lag * (1 + _SLACK)) + 1]
    if len(four) == 0:
        return None
    return Beat(lag * FRAME_S, float(found[lag]), float(four.max()))

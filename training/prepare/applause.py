"""Applause, which a machine that writes down recordings takes for a cloud of the highest keys, is no music.

486 of PiJAMA's 2,228 training pieces end (some begin) with 10 to 240 such notes: a model that learns them goes up to
the top of the keyboard to say goodbye.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
TRANSCRIBED: Final = ("PiJAMA", "GiantMIDI-Piano")  # sources written down by machine; elsewhere nothing is cut
LOWEST: Final = 93  # A6: hardly a note of applause is heard lower
MUSIC_WEIGHS: Final = 3  # a lower note speaks so many times louder against applause than a high one for it
LEAST: Final = 12  # so much more applause than music, or it is left alone
RULE: Final = [LOWEST, MUSIC_WEIGHS, LEAST, *TRANSCRIBED]
"""What the notes depend on: another rule gives other notes."""


def music_between(pitch: Array) -> tuple[int, int]:
    """Where the music begins and ends, `pitch[first:last]`, when the applause at both ends (notes,) is cut off.

    An end is cut where the sum of a point for each note from A6 up and minus three for each other note is largest,
    if it is 12 or more (the largest sum of a stretch, as in Bentley, Programming Pearls, 1984).
    """
    points = np.where(np.asarray(pitch, np.int64) >= LOWEST, 1, -MUSIC_WEIGHS)
    first, last = _longest(points), len(points) - _longest(points[::-1])
    return (first, last) if first < last else (0, 0)


def _longest(points: Array) -> int:
    """How many notes from the front are applause."""
    sums = np.cumsum(points)
    best = int(np.argmax(sums)) if len(sums) else 0
    return best + 1 if len(sums) and sums[best] >= LEAST else 0

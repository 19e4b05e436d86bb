"""What hearing costs: microseconds of the processor for a key that is struck and let go, by what is heard."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from livemuse.music.hearing.beat import BeatHearing
from livemuse.music.hearing.chord import ChordHearing
from livemuse.music.hearing.key import KeyHearing
from livemuse.music.hearing.touch import TouchHearing
from livemuse.music.notes import Heard, KeyDown
from training.hearing.chords import events

PARTS: Final = ("key", "chord", "beat", "touch")
TOGETHER: Final = "together"


def costs_us(files: Sequence[Path], notes: int) -> dict[str, list[float]]:
    """Microseconds for each key struck, over the first ``notes`` of each file; releases count to the key before."""
    found: dict[str, list[float]] = defaultdict(list)
    for path in files:
        for name, took_us in _one(events(path), notes).items():
            found[name] += took_us
    found[TOGETHER] = [sum(parts) for parts in zip(*(found[name] for name in PARTS), strict=True)]
    return found


def _one(played: Sequence[Heard], notes: int) -> dict[str, list[float]]:
    key, chord, beat, touch = KeyHearing(), ChordHearing(), BeatHearing(), TouchHearing()
    found: dict[str, list[float]] = {name: [] for name in PARTS}
    for event in played:
        if isinstance(event, KeyDown):
            if len(found["key"]) == notes:
                break
            for took_us in found.values():
                took_us.append(0.0)
            at = [time.thread_time()]
            key.hear(event.at_s, event.pitch)
            at.append(time.thread_time())
            chord.hear(event)
            at.append(time.thread_time())
            beat.hear(event.at_s, event.pitch, event.velocity)
        else:
            at = [time.thread_time()] * 2
            chord.hear(event)
            at.append(time.thread_time())
        at.append(time.thread_time())
        touch.hear(event)
        at.append(time.thread_time())
        for took_us, began_s, ended_s in zip(found.values(), at, at[1:], strict=False):
            took_us[-1] += (ended_s - began_s) * 1e6
    return found


def table(found: dict[str, list[float]]) -> str:
    """Lines for a person."""
    lines = [f"{len(found[TOGETHER]):9} keys      mean    median   99 in 100 less than   (microseconds)"]
    for name in (*PARTS, TOGETHER):
        ordered = sorted(found[name])
        p99 = ordered[int(0.99 * len(ordered))]
        lines.append(f"{name:15}{statistics.fmean(ordered):9.1f}{statistics.median(ordered):10.1f}{p99:12.1f}")
    return "\n".join(lines)

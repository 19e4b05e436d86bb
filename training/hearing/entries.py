"""Where answers begin: pieces with true beats broken off where a phrase may end, and an answer that comes in there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from livemuse.music.hearing.beat import NEAR_S
from livemuse.music.hearing.ear import Ear
from training.hearing.beats import Piece
from training.hearing.true_beats import TrueBeats

NOTES: Final = 40  # of each so many, the longest gap is where it breaks off
MOST_NOTES: Final = 600  # of a piece
HELD_S, WAIT_S = 0.35, 0.6  # the last key is held, and then waited, so long
_PARTS: Final = (2, 3)  # of a beat: a beat heard at another level begins on one


@dataclass(frozen=True)
class Entry:
    """One answer: whether the beat was clear, and whether it began on a true beat, or on half or a third of one."""

    clear: bool
    on_beat: bool
    on_part: bool


def entries(piece: TrueBeats) -> list[Entry]:
    """The answers to a piece broken off again and again; the true beats go on."""
    notes = piece.notes[:MOST_NOTES]
    breaks = _breaks([note[0] for note in notes])
    ear, found = Ear(), []
    for number, (at_s, pitch, velocity) in enumerate(notes):
        ear.beat.hear(at_s, pitch, velocity)
        if number in breaks:
            over_s = at_s + HELD_S + WAIT_S
            beats = ear.beats(over_s)
            starts_s = ear.entry_s(over_s, "beat")
            near = [_beside_s(piece, starts_s, parts) < NEAR_S for parts in (1, *_PARTS)]
            found.append(Entry(beats is not None and beats.clear, near[0], any(near)))
    return found


def entries_on_beat(pieces: Sequence[Piece]) -> dict[str, float]:
    """How many answers there were, the share before which the beat was clear, and of these those on a beat."""
    made = [entry for piece in pieces for entry in entries(piece.true)]
    clear = [entry for entry in made if entry.clear]
    return {
        "answers": float(len(made)),
        "clear": len(clear) / max(len(made), 1),
        "on_beat": float(np.mean([e.on_beat for e in clear])) if clear else float("nan"),
        "on_part": float(np.mean([e.on_part for e in clear])) if clear else float("nan"),
    }


def _breaks(onsets_s: Sequence[float]) -> set[int]:
    """The numbers of the last notes before the longest gap of each NOTES."""
    found: set[int] = set()
    for last in range(NOTES, len(onsets_s) - 1, NOTES):
        gaps_s = np.diff(onsets_s[last - NOTES : last + 1])
        found.add(last - NOTES + int(np.argmax(gaps_s)))
    return found


def _beside_s(piece: TrueBeats, at_s: float, parts: int) -> float:
    """How far a moment lies from the nearest of so many equal parts of the beats."""
    beats_s = np.asarray(piece.beats_s)
    marks_s = np.interp(np.arange(0.0, len(beats_s) - 1, 1.0 / parts), np.arange(len(beats_s)), beats_s)
    return float(np.min(np.abs(marks_s - at_s)))

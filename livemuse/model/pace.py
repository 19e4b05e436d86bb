"""Beside a player who plays at the same time: how often livemuse strikes, and where in the beat.

It steps back: about half as many onsets as the player's, a little softer, seldom more than two notes together. A model
that hears both would take their notes for its own, and play the more the more is played.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from livemuse.model.manners import TOGETHER_S, struck_together
from livemuse.model.pitches import Nats
from livemuse.music.context import BeatGrid, Context
from livemuse.music.notes import PlannedNote
from livemuse.music.schedule import Plan
from livemuse.music.vocabulary import Vocabulary

ALONG_LOUDNESS: Final = 0.85  # of what it would be alone
ALONG_VOICES: Final = 2  # struck together, where `polyphony` leaves it to the model
SHARE: Final = 0.5  # onsets of livemuse's for each of the player's
SLOWEST, FASTEST = 0.8, 4.0  # onsets a second
ABOUT_S: Final = 0.08  # what is due so soon after the player's key is struck with it, on whatever pitch suits now
_GAP: Final = 0.8  # of the mean time between onsets: none come closer
_PARTS: Final = 4  # of a beat that is clear: onsets lie on them


@dataclass(frozen=True, slots=True)
class Pace:
    """How far apart onsets are at least, and the beat on which they lie where it is clear."""

    gap_s: float
    beats: BeatGrid | None
    together: int  # notes struck at once

    @classmethod
    def beside(cls, context: Context, density: float, together: int | None) -> Pace:
        """As suits what is heard; ``density`` and ``together`` are the controls `density` and `polyphony`."""
        onsets = min(max(SHARE * context.density, SLOWEST), FASTEST) * density
        beats = context.beats if context.beats is not None and context.beats.clear else None
        return cls(_GAP / onsets, beats, ALONG_VOICES if together is None else together)

    def joins(self, notes: Sequence[PlannedNote], previous_s: float) -> bool:
        """Whether one more may be struck together with the last of these, if nothing was struck since."""
        onsets_s = [n.onset_s for n in notes[-16:]]
        return bool(onsets_s) and onsets_s[-1] >= previous_s and struck_together(onsets_s) < self.together

    def on_beat_s(self, onset_s: float, earliest_s: float, previous_s: float) -> float:
        """The onset, moved to the part of the beat that is nearest, but not before ``earliest_s``; what is struck
        together with the note at ``previous_s`` stays with it.
        """
        if self.beats is None or onset_s - previous_s < TOGETHER_S:
            return onset_s
        part_s = self.beats.period_s / _PARTS
        nearest_s = self.beats.nearest_s(onset_s, _PARTS)
        late = math.ceil((earliest_s - nearest_s) / part_s - 1e-6)
        return max(nearest_s + max(late, 0) * part_s, earliest_s)


def about_to(plan: Plan, due_s: float | None) -> float | None:
    """When the first note of a take is struck, if one was about to be as the player's key made it anew."""
    if plan.context.room is None or due_s is None or not 0.0 <= due_s - plan.not_before_s <= ABOUT_S:
        return None
    return due_s


def too_soon_nats(words: Vocabulary, until_s: float, low: int) -> Nats | float:
    """(step bins,) nats that leave what is struck together with the last note, and what is no sooner than ``until_s``
    after it; no bin below ``low`` is asked for.
    """
    edges_s = np.asarray(words.step_edges_s)
    if edges_s[low] >= TOGETHER_S:
        return 0.0
    return np.where((edges_s[:-1] >= TOGETHER_S) & (edges_s[1:] <= until_s), math.inf, 0.0)

"""Manners of playing with somebody: as loud as they play, out of their hands' way, and not too many notes at once.

Pulls in nats, like those on pitches; each costs nothing where its control is off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from livemuse.music.vocabulary import Vocabulary

Nats = np.typing.NDArray[np.float64]
Hands = tuple[tuple[int, int], ...]
"""The lowest and highest pitch under each hand, the lower hand first."""

LAST_PITCHES: Final = 24  # of the player, that say where the hands are
LAST_VELOCITIES: Final = 24  # of the player, that say how loud they play
HAND_GAP: Final = 12  # semitones between neighbours that are under two hands
TOGETHER_S: Final = 0.035  # notes struck within this are struck together
_FEW: Final = 0.125  # a hand that struck a smaller share of the notes only passed there
_MARGIN: Final = 2  # semitones on both sides of a hand that are its own too
_NATS: Final = 3.0  # stay_out 0.5 costs 2 nats, 0.9 costs 7
_LOUDNESS: Final = 16.0  # velocities from the player's that cost half a nat at dynamics 0.5
_MOST_WEIGHT: Final = 20.0  # of loudness, at dynamics 1
_CROWD_NATS: Final = 4.0  # for each note too many


def hands_of(heard: Sequence[int]) -> Hands:
    """Where the player's hands are, from the pitches struck last (oldest first); nothing where nothing was heard."""
    pitches = sorted(heard[-LAST_PITCHES:])
    hands: list[list[int]] = []
    for pitch in pitches:
        if hands and pitch - hands[-1][-1] <= HAND_GAP:
            hands[-1].append(pitch)
        else:
            hands.append([pitch])
    return tuple((hand[0], hand[-1]) for hand in hands if len(hand) >= _FEW * len(pitches))


@lru_cache(maxsize=64)
def stay_out_nats(strength: float, hands: Hands) -> Nats:
    """(128,) nats for what lies under a hand, infinite at strength 1; never to be written to."""
    found = np.zeros(128)
    nats = math.inf if strength >= 1.0 else -_NATS * math.log(1.0 - strength)
    for low, high in hands if strength > 0.0 else ():
        found[max(low - _MARGIN, 0) : high + _MARGIN + 1] = nats
    return found


def loudness_nats(strength: float, velocities: Sequence[int], words: Vocabulary) -> Nats | None:
    """(velocity bins,) nats for how far each is from the median of what the player struck last; None for no pull."""
    if strength <= 0.0 or not velocities:
        return None
    weight = _MOST_WEIGHT if strength >= 1.0 else min(strength / (1.0 - strength), _MOST_WEIGHT)
    return _far_from(float(np.median(velocities[-LAST_VELOCITIES:])), words) * weight


@lru_cache(maxsize=128)
def _far_from(velocity: float, words: Vocabulary) -> Nats:
    centres = np.array(
        [(low + high - 1) / 2 for low, high in zip(words.velocity_edges, words.velocity_edges[1:], strict=False)]
    )
    return np.asarray(((centres - velocity) / _LOUDNESS) ** 2 / 2, np.float64)


def struck_together(onsets_s: Sequence[float]) -> int:
    """How many of these notes (in the order of their onsets) were struck together with the last one."""
    count = 0
    while count < len(onsets_s) and onsets_s[-1] - onsets_s[-1 - count] < TOGETHER_S:
        count += 1
    return count


def crowd_nats(polyphony: int, together: int, words: Vocabulary, density: float) -> Nats | None:
    """(step bins,) nats for striking one more with so many that were struck together; None where there is room.

    ``density`` is the control: a step of the model is played in its time divided by it.
    """
    if together < polyphony:
        return None
    close = np.array([low / density < TOGETHER_S for low in words.step_edges_s[:-1]])
    return np.where(close, _CROWD_NATS * (together - polyphony + 1), 0.0)

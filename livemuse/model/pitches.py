"""What the rules of the moment take off each pitch: register, key, repetition, and how far the player reaches.

``register=auto`` follows the player. The hard bounds are the keys of a piano. Inside them a pitch costs nothing within
an octave of the middle half of what the player struck last (the notes between the quartiles of the last 60), and
PULL_NATS more for each semitone beyond. The middle half, because a few far notes (a last high chime, the applause that
a transcription took for notes) say little about where someone plays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from livemuse.model.manners import Hands, stay_out_nats
from livemuse.music.context import Room
from livemuse.music.controls import Controls
from livemuse.music.notes import PIANO_HIGH, PIANO_LOW
from livemuse.music.theory import parse_key

HEARD_PITCHES: Final = 60  # of the player, that say where the music is
PULL_FROM: Final = 12  # semitones beyond the middle half of them: so far costs nothing
PULL_NATS: Final = 0.5  # a semitone beyond that
REMEMBERED: Final = 12  # notes that weigh on whether a pitch comes again
_WEIGHTS: Final = tuple(0.8**age for age in range(REMEMBERED))  # of each of them, the latest first
_REPEAT_NATS: Final = 4.0  # how much less likely each return makes a pitch, at repetition 0
_KEY_NATS: Final = 3.0  # how fast key_strength weighs: 0.5 costs a note outside the key 2 nats, 0.9 costs it 7

_AWAY_NATS: Final = 3.0  # for playing on the other side of the player's hands

UNSET: Final = ("off", "auto")  # a key that is to be heard is one only when it was

Nats = NDArray[np.float64]
Reach = tuple[int, int]
"""The pitches between which ``register=auto`` costs nothing."""


def reach_of(heard: Sequence[int]) -> Reach | None:
    """Where the player is at home, from the pitches struck last; None where nothing was heard."""
    if not heard:
        return None
    pitches = sorted(heard[-HEARD_PITCHES:])
    low, high = pitches[len(pitches) // 4], pitches[-1 - len(pitches) // 4]
    return low - PULL_FROM, high + PULL_FROM


def register_of(register: str) -> Reach:
    """The lowest and highest pitch of the control: those of a piano where it is auto."""
    if register == "auto":
        return PIANO_LOW, PIANO_HIGH
    low, _, high = register.partition("-")
    return int(low), int(high)


def pitch_nats(
    controls: Controls, recent: Sequence[int], reach: Reach | None, *, hands: Hands = (), chord: Nats | None = None,
    room: Room | None = None,
) -> Nats:  # fmt: skip
    """(128,) nats to take off the logits of each pitch; infinity where it is forbidden, never for all of them.

    ``recent`` are the pitches that sounded last, oldest first; ``hands`` is where the player's are. ``chord`` (128,) is
    what the chord of the moment takes off and stands in place of the key, which it has taken into account. Outside the
    ``room`` that the player leaves no pitch is allowed, whatever else forbids those inside.
    """
    register = controls.text("register")
    key = controls.text("key") if chord is None else "off"
    found = _out_of_bounds(register, key, controls.number("key_strength")).copy()
    if chord is not None:
        found += chord
    _add_repetition(found, controls.number("repetition"), recent)
    if register == "auto" and reach is not None:
        found += _beyond(*reach)
    stay_out = controls.number("stay_out")
    if stay_out > 0.0 and hands:
        there = found + stay_out_nats(stay_out, hands)
        if np.isfinite(there).any():
            found = there
    return found if room is None else _inside(room, found)


def _inside(room: Room, nats: Nats) -> Nats:
    """These nats where there is room; where they forbid all of it, the room alone counts."""
    there = room_nats(room) + nats
    return there if np.isfinite(there).any() else room_nats(room)


@lru_cache(maxsize=16)
def room_nats(room: Room) -> Nats:
    """(128,) nats for leaving the stretch where livemuse is at home, infinite where there is no room."""
    found = np.full(128, math.inf)
    found[list(room.free)] = _AWAY_NATS
    found[room.home[0] : room.home[1] + 1] = 0.0
    return found


def _add_repetition(found: Nats, repetition: float, recent: Sequence[int]) -> None:
    recent = recent[-REMEMBERED:]
    if len(set(recent)) == len(recent):  # once is no repetition
        return
    nats = _REPEAT_NATS * (1.0 - repetition)
    weights: dict[int, float] = {}
    for pitch, weight in zip(reversed(recent), _WEIGHTS, strict=False):
        weights[pitch] = weights.get(pitch, -nats) + nats * weight
    for pitch, weight in weights.items():
        if weight > 0.0:
            found[pitch] += weight


@lru_cache(maxsize=64)
def _beyond(low: int, high: int) -> Nats:
    pitches: NDArray[Any] = np.arange(128)
    return np.asarray(PULL_NATS * (np.maximum(low - pitches, 0) + np.maximum(pitches - high, 0)), np.float64)


@lru_cache(maxsize=64)
def _out_of_bounds(register: str, key: str, strength: float) -> Nats:
    """Nats for the pitches outside the key, and infinity outside the register; never to be written to."""
    low, high = register_of(register)
    found = key_nats(key, strength, low, high)
    found[:low] = found[high + 1 :] = math.inf
    return found


def key_nats(key: str, strength: float, low: int, high: int) -> Nats:
    """Nats for the pitches outside the key: forbidden at strength 1, unless the register has no note of it."""
    found = np.zeros(128)
    if key in UNSET or strength <= 0.0:
        return found
    classes = parse_key(key).pitch_classes
    outside = [p for p in range(128) if p % 12 not in classes]
    if strength < 1.0:
        found[outside] = -_KEY_NATS * math.log(1.0 - strength)
    elif any(p % 12 in classes for p in range(low, high + 1)):
        found[outside] = math.inf
    return found

"""Drawing one sixteenth: what begins, what is held over, what falls silent.

First whether a note begins, under the temperature of time; then which, under that of pitches, ``top_k``, ``top_p`` and
the rules of the moment. So a key or a register changes which notes are played, not how many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livemuse.model.grid_stepper import GridState, GridStepper, MelodyStepper, RollStepper
from livemuse.model.pitches import Nats
from livemuse.music.grid import HOLD, KEYS, KEYS_DONE, NO_KEY_YET, REST
from livemuse.music.notes import PIANO_HIGH, PIANO_LOW
from livemuse.music.sampling import Draw, Floats, draw

Bools = NDArray[np.bool_]
_BEGIN, _HOLD, _DONE = 0, 1, 2  # what may come next; for one voice the last of them is a rest


@dataclass(frozen=True, slots=True)
class FrameRules:
    """What may sound in the sixteenth to be drawn."""

    nats: Nats  # (128,) taken off each pitch that would begin; infinity forbids it
    holdable: frozenset[int]  # pitches that may be held over
    most_struck: int
    most_voices: int
    must_strike: bool  # something begins if anything may
    eagerness: float  # nats added to beginning
    time: Draw
    pitch: Draw


Chance = Callable[[int], float]
"""A number in [0, 1) for the draw so numbered of this sixteenth."""

Drawn = tuple[tuple[int, ...], frozenset[int]]
"""(pitches struck, in the order in which they were drawn; pitches held over)."""


def draw_frame(stepper: GridStepper, state: GridState, rules: FrameRules, chance: Chance) -> Drawn:
    """The next sixteenth, under the rules."""
    if isinstance(stepper, RollStepper):
        return _draw_keys(stepper, state, rules, chance)
    assert isinstance(stepper, MelodyStepper)
    return _draw_event(state, rules, chance)


def _draw_event(state: GridState, rules: FrameRules, chance: Chance) -> Drawn:
    logits = np.asarray(state.expects, np.float64)  # (130,)
    may_begin = rules.most_struck > 0 and rules.most_voices > 0 and bool(np.isfinite(rules.nats[:HOLD]).any())
    forced = rules.must_strike and may_begin
    masses = np.array([
        _mass(logits[:HOLD]) + rules.eagerness if may_begin else -np.inf,
        logits[HOLD] if state.followed in rules.holdable and not forced else -np.inf,
        logits[REST] if not forced else -np.inf,
    ])  # fmt: skip
    kind = draw(masses, rules.time, chance(0))
    if kind == _BEGIN:
        return (draw(logits[:HOLD] - rules.nats, rules.pitch, chance(1)),), frozenset()
    held = state.followed if kind == _HOLD else None
    return (), frozenset() if held is None else frozenset({held})


def _draw_keys(stepper: RollStepper, state: GridState, rules: FrameRules, chance: Chance) -> Drawn:
    """Key after key in the model's order, until it says that the frame is complete or no key is left."""
    drawn, last = np.zeros((1, 2 * KEYS), np.float32), NO_KEY_YET
    struck: list[int] = []
    held: set[int] = set()
    nats = rules.nats[PIANO_LOW : PIANO_HIGH + 1]  # (88,)
    over = np.array([p in rules.holdable for p in range(PIANO_LOW, PIANO_HIGH + 1)])
    ahead = np.ones(KEYS, bool)  # keys whose turn is still to come
    while len(struck) + len(held) < rules.most_voices:
        may_strike = ahead & (nats < math.inf) & (len(struck) < rules.most_struck)
        forced = rules.must_strike and not struck and bool(may_strike.any())
        may_hold = ahead & over
        if forced:  # a held key may not pass over the last one that could still begin
            may_hold = may_hold & _before_last(may_strike, upward=stepper.upward)
        if not may_strike.any() and not may_hold.any():
            break
        logits = np.asarray(stepper.keys_logits(state, drawn, last), np.float64)  # (177,)
        strikes, holds = logits[:KEYS], logits[KEYS:KEYS_DONE]
        done = -np.inf if forced else logits[KEYS_DONE]
        begin = _mass(strikes[ahead]) + rules.eagerness if may_strike.any() else -np.inf
        masses = np.array([begin, _mass(holds[may_hold]), done])
        number = 2 * (len(struck) + len(held))
        kind = draw(masses, rules.time, chance(number))
        if kind == _DONE:
            break
        scores = _only(strikes - nats, may_strike) if kind == _BEGIN else _only(holds, may_hold)
        key = draw(scores, rules.pitch, chance(number + 1))
        drawn[0, key] = 1.0
        if kind == _BEGIN:
            drawn[0, KEYS + key] = 1.0
            struck.append(key + PIANO_LOW)
        else:
            held.add(key + PIANO_LOW)
        last = key if kind == _BEGIN else KEYS + key
        ahead[: key + 1] = ahead[: key + 1] & (not stepper.upward)
        ahead[key:] = ahead[key:] & stepper.upward
        ahead[key] = False
    return tuple(struck), frozenset(held)


def _before_last(may: Bools, *, upward: bool) -> Bools:
    """(88,) bool: the keys that come before the last one that may be struck, in the order of drawing."""
    keys, there = np.arange(KEYS), np.flatnonzero(may)
    return np.asarray(keys < there[-1] if upward else keys > there[0])


def _only(scores: Floats, may: Bools) -> Floats:
    return np.where(may, scores, -np.inf)


def _mass(scores: Floats) -> float:
    """The logarithm of the summed weight of some scores."""
    if not len(scores):
        return -math.inf
    top = float(scores.max())
    return top + math.log(float(np.exp(scores - top).sum()))

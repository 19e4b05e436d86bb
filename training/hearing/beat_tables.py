"""What the hearing of beats knows beforehand, counted on pieces whose beats are known: rhythms, accents, bars.

Where in a beat the next event comes, given where the last one did; how heavy events are on a beat, between beats, on
the first beat of a bar. `relearn` writes livemuse/music/hearing/beat_tables.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.hearing.lattice import FIRST_TRIPLE, LOADS, PER_BEAT, REACH, ROW_PLACE, next_row
from livemuse.music.hearing.struck import ACCENTS, Gathering, Struck
from training.hearing.true_beats import TrueBeats

Array = npt.NDArray[Any]
MOST_EVENTS: Final = 600  # of each piece
_BESIDE: Final = 1.0  # 24ths: what lies farther from every place is a grace note
_SMOOTH: Final = 0.3
_PLACES: Final = np.array([*sorted(LOADS), PER_BEAT])
_ROUNDS: Final = 150
_SWING: Final = 0.3  # of beats in three, so many swing; the pieces counted hardly do


@dataclass
class Tables:
    """What was counted: log shares of steps (rows, REACH); weights (kinds, 1 + ACCENTS), and how common each kind is;
    the log share of beats (3 kinds) on which nothing is struck, and on which something is.
    """

    steps: Array
    weights: Array
    load_shares: Array
    bars: Array
    bar_shares: Array
    rests: Array


@dataclass
class _Counts:
    steps: Array = field(default_factory=lambda: np.zeros((len(ROW_PLACE), REACH)))
    loads: list[int] = field(default_factory=list)
    accents: list[tuple[float, ...]] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)
    bar_accents: list[tuple[float, ...]] = field(default_factory=list)
    struck: Array = field(default_factory=lambda: np.zeros((3, 2)))  # beats of each kind: nothing struck, something


def events_of(piece: TrueBeats) -> list[Struck]:
    """The events of a piece, as the hearing gathers them."""
    gathering, found = Gathering(), []
    for at_s, pitch, velocity in piece.notes:
        done = gathering.strike(at_s, pitch, velocity)
        if done:
            found.append(done)
    last = gathering.due(np.inf)
    return [*found, last] if last else found


def places_of(piece: TrueBeats, events: Sequence[Struck]) -> Array:
    """(events,) int64: where each event lies, in 24ths of a beat from the first beat on; -1 beside the lattice."""
    at = piece.beat_at(np.array([event.at_s for event in events]))
    whole = np.floor(at)
    beside = np.abs((at - whole)[:, None] * PER_BEAT - _PLACES[None, :])
    nearest = beside.argmin(1)
    found: Array = (whole * PER_BEAT + _PLACES[nearest]).astype(np.int64)
    found[beside[np.arange(len(at)), nearest] > _BESIDE] = -1
    return found


def learn(pieces: Sequence[TrueBeats]) -> Tables:
    """Count pieces; each by the square root of how long it is."""
    counts = _Counts()
    for piece in pieces:
        _count(piece, counts)
    counts.steps[FIRST_TRIPLE, 2 * PER_BEAT // 3] += _SWING * counts.steps[FIRST_TRIPLE].sum()
    nothing = np.log(counts.struck / counts.struck.sum(1, keepdims=True))
    weights, load_shares = _ratios(np.array(counts.loads), counts.accents, 5)
    bars, bar_shares = _ratios(np.array(counts.bars), counts.bar_accents, 3)
    return Tables(_log_shares(counts.steps), weights, load_shares, bars, bar_shares, nothing)


def _count(piece: TrueBeats, counts: _Counts) -> None:
    events = events_of(piece)[:MOST_EVENTS]
    places = places_of(piece, events).tolist()
    share = 1.0 / np.sqrt(len(events))
    row, last = 0, -1
    for event, place in zip(events, places, strict=True):
        if place < 0:
            continue
        counts.loads.append(LOADS[place % PER_BEAT])
        counts.accents.append(event.accents)
        if last >= 0 and 0 < place - last < REACH:
            counts.steps[row, place - last] += share
        if place > last:
            row = next_row(row, place)
        last = place
        kind = _kind(piece, place // PER_BEAT) if place % PER_BEAT == 0 else -1
        if kind >= 0:
            counts.bars.append(kind)
            counts.bar_accents.append(event.accents)
    on_beats = {place // PER_BEAT for place in places if place >= 0 and place % PER_BEAT == 0}
    for beat in range(min(on_beats, default=0), max(on_beats, default=0)):
        kind = _kind(piece, beat)
        if kind >= 0:
            counts.struck[kind, int(beat in on_beats)] += 1


def _kind(piece: TrueBeats, beat: int) -> int:
    """0 the first beat of a bar, 1 the middle of a bar of four, 2 any other; -1 where no bars are stated."""
    if not 0 <= beat < len(piece.beats_s) or not piece.bar_beats[beat]:
        return -1
    if piece.downbeats[beat]:
        return 0
    return 1 if piece.bar_beats[beat] == 4 and beat >= 2 and piece.downbeats[beat - 2] else 2


def _log_shares(steps: Array) -> Array:
    few = np.zeros_like(steps)
    for row, place in enumerate(ROW_PLACE):
        for step in range(1, REACH):
            if (place + step) % PER_BEAT in LOADS:
                few[row, step] = _SMOOTH / max(step, 12) / 4
    shares = steps + few
    with np.errstate(divide="ignore"):
        found: Array = np.log(shares / shares.sum(1, keepdims=True))
    return found


def _ratios(kinds: Array, accents: Sequence[tuple[float, ...]], count: int) -> tuple[Array, Array]:
    """(weights (count, 1 + ACCENTS) of log P(kind | accents) / P(kind), by a softmax; the shares P(kind))."""
    x = np.column_stack([np.ones(len(kinds)), np.array(accents).reshape(-1, ACCENTS)])
    shares = np.bincount(kinds, minlength=count) / len(kinds)
    weights = np.zeros((count, x.shape[1]))
    weights[:, 0] = np.log(shares)
    target = np.eye(count)[kinds]
    step = 2.0 * np.linalg.inv(x.T @ x / len(x) + 1e-3 * np.eye(x.shape[1]))
    for _ in range(_ROUNDS):
        told = np.exp(x @ weights.T)
        told /= told.sum(1, keepdims=True)
        weights += ((target - told).T @ x / len(x)) @ step
    weights[:, 0] -= np.log(shares)
    return weights, shares

"""Batches of windows of tunes, cut and transposed anew in each epoch, made by tf.data while the network learns.

Everything is drawn from (seed, epoch), so a run that is taken up again goes on as it would have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from livemuse.music.grid import HOLD, PER_BAR
from training.melody.config import Settings
from training.melody.hearing import Heard, Hearing
from training.melody.tunes import Tunes

Array = npt.NDArray[Any]
ALIKE = 16  # sixteenths: windows whose lengths differ by less stand in one batch


@dataclass(frozen=True)
class Plan:
    """The windows of one epoch, batch by batch; an empty place has the length 0."""

    begin: Array  # (batches, B) int64: in the array of all events
    length: Array  # (batches, B) int64
    shift: Array  # (batches, B) int32: semitones
    place: Array  # (batches, B) int32: the sixteenth of the bar of the first event

    @property
    def batches(self) -> int:
        """How many updates an epoch has."""
        return len(self.begin)


def plan_epoch(tunes: Tunes, settings: Settings, epoch: int) -> Plan:
    """Each tune cut into windows of like length at other notes, each window transposed and counted anew."""
    rng = np.random.default_rng((settings.seed, epoch))
    rows = []
    for number in range(len(tunes.about)):
        events = tunes.tune(number)
        for a, b in _windows(events, settings.window, rng):
            shift = _shift(events[a:b], settings, rng)
            place = 0 if rng.random() < settings.restart else a % PER_BAR
            rows.append((int(tunes.starts[number]) + a, b - a, shift, place))
    table = np.array(rows, np.int64)[rng.permutation(len(rows))]
    return _grouped(table[np.argsort(table[:, 1] // ALIKE, kind="stable")], settings.batch, rng)


def plan_whole(tunes: Tunes, batch: int) -> Plan:
    """Every tune whole, as it is, its bar counted from its first note; those of like length together."""
    lengths = np.diff(tunes.starts)
    order = np.argsort(lengths, kind="stable")
    nought = np.zeros(len(order), np.int64)
    return _grouped(np.stack([tunes.starts[:-1][order], lengths[order], nought, nought], 1), batch)


def _grouped(table: Array, batch: int, rng: np.random.Generator | None = None) -> Plan:
    count = -(-len(table) // batch)
    filled = np.zeros((count * batch, 4), np.int64)
    filled[: len(table)] = table
    groups = filled.reshape(count, batch, 4)[rng.permutation(count) if rng else np.arange(count)]
    begin, length, shift, place = (groups[..., k] for k in range(4))
    return Plan(begin, length, shift.astype(np.int32), place.astype(np.int32))


def _windows(events: Array, longest: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """(first, end) of the windows of a tune; each begins with a note."""
    count = -(-len(events) // longest)
    if count == 1:
        return [(0, len(events))]
    size = len(events) / count
    onsets = np.flatnonzero(events < HOLD)
    wanted = size * np.arange(1, count) + rng.uniform(-size / 3, size / 3, count - 1)
    edges = onsets[np.minimum(np.searchsorted(onsets, wanted), len(onsets) - 1)].tolist()
    edges = sorted({0, *edges, len(events)})
    return list(itertools.pairwise(edges))


def _shift(events: Array, settings: Settings, rng: np.random.Generator) -> int:
    """By how many semitones, as far as the voice stays in its range."""
    pitches = events[events < HOLD]
    down = min(settings.transpose, max(int(pitches.min()) - settings.lowest, 0))
    up = min(settings.transpose, max(settings.highest - int(pitches.max()), 0))
    return int(rng.integers(-down, up + 1))


def batches(tunes: Tunes, plan: Plan) -> Iterator[tuple[Heard, Any, Any]]:
    """(what is told, events to come (T, B), weight (T, B)): what one update reads; the weight is 0 after the end."""
    hearing = Hearing(tunes)
    columns = [tf.constant(c) for c in (plan.begin, plan.length, plan.shift, plan.place)]

    def batch(number: Any) -> Any:
        begin, length, shift, place = (tf.gather(c, number) for c in columns)
        return hearing.window(begin, length, shift, place)

    return iter(tf.data.Dataset.range(plan.batches).map(batch).prefetch(2))

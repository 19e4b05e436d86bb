"""The weights of ``livemuse.music.turntaking``, fitted on performances of the training split.

For the same waiting where the turn is due, as few answers too early as can be: the mean logarithm of their number, over
four waits and both ways of cutting, is made small by gradient descent. Counting is smooth (a logistic step over the
logarithm of the silence), and each threshold is the one that gives its wait, so the gradient moves it along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.model.free_improviser import FreeImproviser
from livemuse.music.turntaking import HASTIEST_WAIT_S, PATIENTEST_WAIT_S, bounds_at, surprise
from training.figures.playing import load_stepper
from training.figures.turns import CUTS, FIXED_S, Listened, listened
from training.figures.turns_data import Asked, performances

Array = npt.NDArray[np.float64]
MEAN_WAITS_S: Final = (0.16, 0.4, 0.6, 1.0, 2.4)  # where the turn is due, at patience 0, 0.25, 0.5, 0.75 and 1
NAMES: Final = ("longest_s", "held_s", "length", "chord", "pedal", "onsets_per_s", "slower")
_GRID: Final = np.linspace(np.log(0.08), np.log(8.0), 40)  # log s after the last release
_SOFT: Final = 0.1  # of the step that counts, in log s
_SPARE: Final = 0.05  # a minute: fewer answers too early than this are worth little
_RIDGE: Final = 0.003
_ROUNDS: Final = 150


@dataclass(frozen=True)
class Table:
    """All silences of some performances."""

    surprise: Array  # (n, 40) nats, by the silence after the last release
    values: Array  # (n, 7) of the endings
    gap: Array  # (n,) log s until the player goes on; -inf where only the cut performance is silent
    due: dict[str, npt.NDArray[np.bool_]]  # (n,) by cut
    minutes: float


def table_of(heard: Sequence[Listened]) -> Table:
    """The silences as arrays; those too short for any answer are left out."""
    rows = [s for one in heard for s in one.silences if s.due or (s.gap_s or 0.0) > HASTIEST_WAIT_S]
    grid = np.exp(_GRID).tolist()
    return Table(
        np.array([[surprise(s.word, s.ending.held_s + wait_s) for wait_s in grid] for s in rows]),
        np.array([s.ending.values for s in rows]),
        np.array([-np.inf if s.gap_s is None else np.log(max(s.gap_s, 1e-3)) for s in rows]),
        {cut: np.array([cut in s.due for s in rows]) for cut in CUTS},
        sum(one.performance.seconds for one in heard) / 60,
    )


def waits(surprise_: Array, slope: float, missing: Array, bounds_s: tuple[float, float]) -> tuple[Array, Array, Array]:
    """(n,) each: log s of the wait, how fast the sum grows there, and whether no bound holds it."""
    sums = surprise_ + slope * _GRID  # (n, 40)
    k = np.clip((sums < missing[:, None]).sum(1), 1, len(_GRID) - 1)
    row, apart = np.arange(len(k)), _GRID[1] - _GRID[0]
    steep = np.maximum((sums[row, k] - sums[row, k - 1]) / apart, slope)
    found = _GRID[k - 1] + (missing - sums[row, k - 1]) / steep
    low, high = np.log(bounds_s)
    return np.clip(found, low, high), steep, ((found > low) & (found < high)).astype(float)


def threshold_for(
    table: Table, due: npt.NDArray[Any], slope: float, sums: Array, wait_s: float, bounds_s: tuple[float, float]
) -> float:
    """The threshold with which the mean wait where the turn is due is ``wait_s``."""
    low, high = -60.0, 60.0
    for _ in range(30):
        middle = (low + high) / 2
        mean_s = np.exp(waits(table.surprise[due], slope, middle - sums[due], bounds_s)[0]).mean()
        low, high = (middle, high) if mean_s < wait_s else (low, middle)
    return (low + high) / 2


def loss(table: Table, scaled: Array, parameters: Array) -> tuple[float, Array]:
    """(what is to be small, its gradient); ``parameters`` are the log of the slope and a weight for each column."""
    slope, weights = float(np.exp(parameters[0])), parameters[1:]
    sums, bounds_s = scaled @ weights, (HASTIEST_WAIT_S, PATIENTEST_WAIT_S)
    real = np.isfinite(table.gap)
    total, gradient, share = _RIDGE * float(weights @ weights), np.append(0.0, 2 * _RIDGE * weights), 1 / 8
    for due in table.due.values():
        for wait_s in FIXED_S:
            threshold = threshold_for(table, due, slope, sums, wait_s, bounds_s)
            at, steep, free = waits(table.surprise[due], slope, threshold - sums[due], bounds_s)
            pull = free * np.exp(at) / steep
            by_slope = (pull * at).sum() * slope / pull.sum()
            by_weights = (pull[:, None] * scaled[due]).sum(0) / pull.sum()
            at, steep, free = waits(table.surprise[real], slope, threshold - sums[real], bounds_s)
            early = 1 / (1 + np.exp(np.clip((at - table.gap[real]) / _SOFT, -40, 40)))
            count, fixed = early.sum() / table.minutes, (table.gap[real] > np.log(wait_s)).sum() / table.minutes
            total += share * float(np.log((count + _SPARE) / (fixed + _SPARE)))
            push = -early * (1 - early) / _SOFT * free / steep / table.minutes * share / (count + _SPARE)
            gradient[0] += (push * (by_slope - at * slope)).sum()
            gradient[1:] += push.sum() * by_weights - push @ scaled[real]
    return total, gradient


def descend(table: Table, rounds: int = _ROUNDS) -> tuple[float, Array, float]:
    """(slope, weights of the values, what is left); Adam, Kingma and Ba 2015."""
    spread = table.values.std(0)
    spread[spread < 1e-6] = 1.0  # the same for all: it decides nothing
    scaled = table.values / spread
    parameters, first, second = np.zeros((3, scaled.shape[1] + 1))
    best: tuple[float, Array] = (np.inf, parameters)
    for k in range(1, rounds + 1):
        value, gradient = loss(table, scaled, parameters)
        if value < best[0]:
            best = (value, parameters.copy())
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        rate = 0.1 * (1 - k / rounds) + 0.002
        parameters = parameters - rate * (first / (1 - 0.9**k)) / (np.sqrt(second / (1 - 0.99**k)) + 1e-8)
    return float(np.exp(best[1][0])), best[1][1:] / spread, best[0]


def fitted(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """Hear so many performances of the training split, and fit the weights and thresholds."""
    stepper, heard = load_stepper(asked.model), list[Listened]()
    for performance in performances(asked, say):
        heard.append(listened(performance, FreeImproviser(stepper)))
        say(f"{performance.source}: {performance.name}, {len(heard[-1].silences)} silences")
    table = table_of(heard)
    slope, weights, left = descend(table)
    sums, either = table.values @ weights, table.due["onset"] | table.due["rest"]
    thresholds = [
        threshold_for(table, either, slope, sums, wait_s, bounds_at(k / (len(MEAN_WAITS_S) - 1)))
        for k, wait_s in enumerate(MEAN_WAITS_S)
    ]
    return {
        "model": stepper.name, "performances": len(heard), "minutes": table.minutes, "silences": len(table.gap),
        "LOG_SILENCE": slope, "WEIGHTS": dict(zip(NAMES, weights.tolist(), strict=True)), "THRESHOLDS": thresholds,
        "left": float(np.exp(left)),
    }  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """The constants as they stand in ``livemuse.music.turntaking``."""
    weights = ", ".join(f"{weight:.2f}" for weight in found["WEIGHTS"].values())
    thresholds = ", ".join(f"{threshold:.2f}" for threshold in found["THRESHOLDS"])
    return (
        f"{found['performances']} performances, {found['minutes']:.0f} minutes, {found['silences']} silences; "
        f"{found['left']:.2f} of the answers too early of fixed pauses are left\n"
        f"LOG_SILENCE: Final = {found['LOG_SILENCE']:.2f}\n"
        f"WEIGHTS: Final = ({weights})\nTHRESHOLDS: Final = ({thresholds})"
    )

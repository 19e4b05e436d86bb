"""Whose turn it is: how often livemuse would break into a performance, and how long it lets a player wait.

    python -m training turns models/concert --data MIDI_FOLDER --manifest manifest.csv
    python -m training turns models/concert --data NOTES_DIR --json

A performance played through is one long phrase: whoever takes the turn in it takes it wrongly. The same performance is
cut at the longest gap of each 40 notes, once the longest from onset to onset and once the longest without a key down;
there the player falls silent for good, and what counts is the silence from the last release to the first answer. All
rules hear the same keys and pedals through the listener of the stage, and the network hears what it would there, except
for the answers that should not have been.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

from livemuse.model.free_improviser import FreeImproviser
from livemuse.music.notes import Heard, KeyDown, KeyUp
from livemuse.music.phrases import Listener
from livemuse.music.turntaking import ASK_AFTER_S, Ending, TurnTaking, bounds_at, ending_of, over_after_s, threshold_at
from training.figures.playing import load_stepper
from training.figures.turns_data import Asked, Performance, performances

EACH: Final = 40  # notes, of which one is the last before a cut
FIXED_S: Final = (0.3, 0.6, 1.0, 2.0)
TOO_EARLY_S: Final = 1.0  # as on stage: who goes on so soon after livemuse came in had not finished
CUTS: Final = ("onset", "rest")
_NAMES: Final = {"onset": "cut at the longest gap between onsets", "rest": "cut at the longest rest"}
_PATIENCE: Final = tuple(k / 10 for k in range(11))
_SCALES: Final = tuple(2.0 ** (k / 2) for k in range(-4, 7))


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of a player, and what is known of it when it begins."""

    ending: Ending
    word: tuple[float, ...]  # the network's
    pauses_s: float  # what this player's pauses say alone
    gap_s: float | None  # until the player goes on; None where only the cut performance is silent here
    due: frozenset[str]  # the cuts that are here


@dataclass(frozen=True, slots=True)
class Listened:
    """A performance, heard to its end."""

    performance: Performance
    silences: tuple[Silence, ...]


class _Ear:
    """The listener of the stage and the improviser behind it, going through one performance."""

    def __init__(self, improviser: FreeImproviser) -> None:
        self.listener = Listener()
        self._improviser = improviser

    def hear(self, event: Heard) -> None:
        self.listener.hear(event)
        settled = self.listener.settled()
        if settled:
            self._improviser.listen(settled)

    def silence(self, gap_s: float | None, due: frozenset[str], listener: Listener | None = None) -> Silence | None:
        """What is known of the silence that has begun; None while a key is down."""
        listener = listener or self.listener
        ending = ending_of(listener)
        if ending is None:
            return None
        word = self._improviser.expect(tuple(listener.tail(ending.since_s + ASK_AFTER_S)))
        return Silence(ending, word, listener.pauses.wait_s, gap_s, due)


def cuts_of(events: Sequence[Heard]) -> dict[int, frozenset[str]]:
    """The number of the first note after each cut, and which cuts are there."""
    onsets_s = [event.at_s for event in events if isinstance(event, KeyDown)]
    released_s, latest_s, held = [0.0] * len(onsets_s), 0.0, dict[int, list[int]]()
    number = -1
    for event in events:
        if isinstance(event, KeyDown):
            number += 1
            held.setdefault(event.pitch, []).append(number)
        elif isinstance(event, KeyUp) and held.get(event.pitch):
            released_s[held[event.pitch].pop(0)] = event.at_s
    rests_s = []
    for before, after_s in zip(released_s, onsets_s[1:], strict=False):
        latest_s = max(latest_s, before)
        rests_s.append(after_s - latest_s)
    found: dict[int, frozenset[str]] = {}
    for first in range(0, len(rests_s), EACH):
        where = range(first, min(first + EACH, len(rests_s)))
        if len(where) == EACH:
            by_cut = {"onset": max(where, key=lambda k: onsets_s[k + 1] - onsets_s[k]),
                      "rest": max(where, key=lambda k: rests_s[k])}  # fmt: skip
            for cut, k in by_cut.items():
                found[k + 1] = found.get(k + 1, frozenset()) | {cut}
    return found


def listened(performance: Performance, improviser: FreeImproviser) -> Listened:
    """Hear a performance: all silences long enough for a decision, and those that a cut makes."""
    ear, found, number = _Ear(improviser), list[Silence](), 0
    cuts, events = cuts_of(performance.events), performance.events
    for k, event in enumerate(events):
        if isinstance(event, KeyDown):
            since_s, due = ear.listener.silent_since_s, cuts.get(number, frozenset[str]())
            number += 1
            if since_s is not None and (due or event.at_s - since_s > ASK_AFTER_S):
                silence = ear.silence(event.at_s - since_s, due)
            else:
                silence = _cut_short(ear, events, k, due) if due else None
            found += [silence] if silence is not None else []
        ear.hear(event)
    return Listened(performance, tuple(found))


def _cut_short(ear: _Ear, events: Sequence[Heard], at: int, due: frozenset[str]) -> Silence | None:
    """The silence of a player who struck nothing more from event ``at`` on, and let go what was held then."""
    listener = copy.deepcopy(ear.listener)
    held = {key.pitch for key in listener.struck if key.up_s is None}
    for event in events[at:]:
        if not listener.holding:
            break
        if isinstance(event, KeyUp) and event.pitch in held:
            held.discard(event.pitch)
            listener.hear(event)
        elif not isinstance(event, KeyDown | KeyUp):
            listener.hear(event)
    return ear.silence(None, due, listener)


# --- rules -------------------------------------------------------------------------------------------------------

Rule = Callable[[Silence, TurnTaking], float]
"""The wait after the last release, s."""


def fixed(wait_s: float) -> Rule:
    """Always the same."""
    return lambda silence, turns: wait_s


def pauses_alone(scale: float) -> Rule:
    """This player's pauses, and nothing else; ``scale`` times what they say."""
    return lambda silence, turns: silence.pauses_s * scale


def livemuse_waits(patience: float) -> Rule:
    """As on stage."""
    bounds_s, threshold = bounds_at(patience), threshold_at(patience)

    def rule(silence: Silence, turns: TurnTaking) -> float:
        if not silence.word:
            raise ValueError("the model says nothing of silences: it counts sixteenths")
        return over_after_s(silence.word, silence.ending, threshold + turns.learned, bounds_s)

    return rule


def judged(heard: Sequence[Listened], rule: Rule, *, learns: bool) -> dict[str, Any]:
    """False take-overs a minute played through, and the waits where the turn is due."""
    false, waits_s = 0, {cut: list[float]() for cut in CUTS}
    for one in heard:
        turns = TurnTaking(Listener())
        for silence in one.silences:
            wait_s = rule(silence, turns)
            for cut in silence.due:
                waits_s[cut].append(wait_s)
            if silence.gap_s is not None and silence.gap_s > wait_s:
                false += 1
                if learns and silence.gap_s - wait_s < TOO_EARLY_S:
                    turns.too_early()
    minutes = sum(one.performance.seconds for one in heard) / 60
    return {
        "false_a_minute": false / minutes,
        "wait_s": {cut: {"mean": fmean(found), "median": median(found)} for cut, found in waits_s.items()},
    }


Points = list[dict[str, Any]]


def false_at(points: Points, cut: str, wait_s: float) -> float | None:
    """False take-overs a minute where the mean wait is this, on the line through the points; None outside of them."""
    line = sorted((math.log(p["wait_s"][cut]["mean"]), float(p["false_a_minute"])) for p in points)
    for (low, one), (high, other) in pairwise(line):
        if low <= math.log(wait_s) <= high:
            return one + (other - one) * (math.log(wait_s) - low) / max(high - low, 1e-9)
    return None


def turns(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """Hear so many performances and judge every rule by them."""
    stepper = load_stepper(asked.model)
    heard: list[Listened] = []
    for performance in performances(asked, say):
        heard.append(listened(performance, FreeImproviser(stepper)))
        say(f"{performance.source}: {performance.name}, {len(heard[-1].silences)} silences")
    return {"model": stepper.name, "split": asked.split} | compared(heard)


def compared(heard: Sequence[Listened]) -> dict[str, Any]:
    """Every rule on the same performances, and all of them where they wait as long as a fixed pause."""
    rules: dict[str, Points] = {
        "fixed": [{"setting": s} | judged(heard, fixed(s), learns=False) for s in FIXED_S],
        "pauses alone": [{"setting": s} | judged(heard, pauses_alone(s), learns=False) for s in _SCALES],
        "livemuse": [{"setting": s} | judged(heard, livemuse_waits(s), learns=True) for s in _PATIENCE],
        "livemuse, not learning": [
            {"setting": s} | judged(heard, livemuse_waits(s), learns=False) for s in _PATIENCE
        ],
    }  # fmt: skip
    equal = {
        cut: [
            {"wait_s": s, "fixed": rules["fixed"][k]["false_a_minute"]}
            | {name: false_at(points, cut, s) for name, points in rules.items() if name != "fixed"}
            for k, s in enumerate(FIXED_S)
        ]
        for cut in CUTS
    }
    return {
        "performances": len(heard),
        "minutes": sum(one.performance.seconds for one in heard) / 60,
        "due": {cut: sum(cut in s.due for one in heard for s in one.silences) for cut in CUTS},
        "rules": rules,
        "equal_waiting": equal,
    }


def table(found: dict[str, Any]) -> str:
    """The figures as a page of text."""
    lines = [
        f"{found['model']}: {found['performances']} performances ({found['split']}), {found['minutes']:.0f} minutes; "
        f"due {found['due']['onset']} times",
        "",
        "answers too early a minute, played through, by the mean wait where the turn is due",
    ]
    for cut, rows in found["equal_waiting"].items():
        lines += ["", f"{_NAMES[cut]:40} fixed  pauses alone  livemuse  livemuse, not learning"]
        for row in rows:
            told = (f"{'-' if row[k] is None else format(row[k], '.2f'):>{w}}" for k, w in
                    (("fixed", 6), ("pauses alone", 14), ("livemuse", 10), ("livemuse, not learning", 24)))  # fmt: skip
            lines.append(f"{row['wait_s']:>36.1f} s  " + "".join(told))
    lines += ["", "patience   wait at a gap (median)   wait at a rest (median)   too early a minute"]
    for point in found["rules"]["livemuse"]:
        waits = (f"{w['mean']:.2f} s ({w['median']:.2f})" for w in point["wait_s"].values())
        lines.append(f"{point['setting']:8.1f}" + "".join(f"{wait:>24}" for wait in waits)
                     + f"{point['false_a_minute']:>18.2f}")  # fmt: skip
    return "\n".join(lines)


def as_json(found: dict[str, Any]) -> str:
    """The figures as one JSON value."""
    return json.dumps(found)


def picture(found: dict[str, Any], path: Path) -> None:
    """The curves, one pane a way of cutting; ValueError where there is no matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError("a picture needs matplotlib: pip install matplotlib") from None
    from matplotlib.ticker import NullLocator

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    marks = {"fixed": "s--", "pauses alone": "^-.", "livemuse": "o-", "livemuse, not learning": ".:"}
    for pane, cut in enumerate(CUTS, 1):
        axes = figure.add_subplot(1, 2, pane)
        for name, points in found["rules"].items():
            line = sorted((p["wait_s"][cut]["mean"], p["false_a_minute"]) for p in points)
            axes.plot(*zip(*line, strict=True), marks[name], label=name)
        axes.set(xscale="log", xlim=(0.15, 4), title=_NAMES[cut], ylim=(0, None),
                 xlabel="mean wait where the turn is due, s", ylabel="answers too early a minute")  # fmt: skip
        axes.set_yscale("symlog", linthresh=0.1)
        axes.set_xticks([0.2, 0.3, 0.6, 1, 2, 4], ["0.2", "0.3", "0.6", "1", "2", "4"])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)

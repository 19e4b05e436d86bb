"""Generated against real: what livemuse plays, as a whole, beside what pianists play at the same places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.notes import Note
from training.figures.copying import longest_runs, pitches_of
from training.figures.harmony import TOP_OCTAVE, in_key_share, key_of, median_pitch, register_distance, repetition
from training.figures.histograms import KINDS, histograms, overlaps, pooled
from training.figures.playing import ANSWER_S, Turn
from training.figures.rhythm import beat

Array = npt.NDArray[Any]
RESAMPLES: Final = 1000
SIDES: Final = ("answer", "pianist")


def sides(turn: Turn) -> dict[str, tuple[Note, ...]]:
    """What is compared: the answer and the true continuation."""
    return {"answer": turn.answer, "pianist": turn.next}


def likeness(turns: Sequence[Turn]) -> dict[str, Any]:
    """Overlapping areas of all answers with all true continuations, and the means of rhythm, key and repetition.

    {"overlap": {kind: 0-1, "mean": 0-1}, "answer": {...}, "pianist": {...}, "histograms": {side: {kind: counts}}}.
    """
    made = pooled([histograms(turn.answer, ANSWER_S) for turn in turns])
    real = pooled([histograms(turn.next, ANSWER_S) for turn in turns])
    areas = overlaps(made, real)
    keys = [key_of(turn.call) for turn in turns]
    found: dict[str, Any] = {
        "overlap": areas | {"mean": float(np.mean(list(areas.values())))},
        "histograms": {
            side: {kind: counts.tolist() for kind, counts in counted.items()}
            for side, counted in zip(SIDES, (made, real), strict=True)
        },
    }
    for side in SIDES:
        played = [sides(turn)[side] for turn in turns]
        beats = [b for notes in played if (b := beat([n.onset_s for n in notes])) is not None]
        found[side] = {
            "notes_per_s": float(np.mean([len(notes) for notes in played])) / ANSWER_S,
            "in_key_share": float(np.mean([in_key_share(n, k) for n, k in zip(played, keys, strict=True)])),
            "repetition": float(np.mean([repetition(notes) for notes in played])),
            "beat_s": _mean([b.beat_s for b in beats]),
            "rhythm_at_the_beat": _mean([b.at_beat for b in beats]),
            "rhythm_at_four_beats": _mean([b.at_four_beats for b in beats]),
            "with_a_beat": len(beats),
        }
    return found


def overlap_difference(ours: Sequence[Turn], theirs: Sequence[Turn]) -> dict[str, float]:
    """By how much our answers overlap more with the true continuations than theirs to the same calls; 95 % interval.

    The mean of the six overlapping areas, and a bootstrap over the calls that both have answered.
    """
    other = {turn.file: turn for turn in theirs}
    both = [turn for turn in ours if turn.file in other]
    if not both:
        return {}
    real = _counts([turn.next for turn in both])
    players = [_counts([turn.answer for turn in both]), _counts([other[turn.file].answer for turn in both])]
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(both), np.full(len(both), 1 / len(both)), RESAMPLES)  # (R, calls): how often each

    def gap(weights: Array) -> Array:
        one, two = (np.mean([_areas(weights @ p[k], weights @ real[k]) for k in KINDS], 0) for p in players)
        return np.asarray(one - two)

    low, high = np.percentile(gap(drawn), [2.5, 97.5])
    return {"mean": float(gap(np.ones((1, len(both))))[0]), "low": float(low), "high": float(high), "calls": len(both)}


def _counts(many: Sequence[Sequence[Note]]) -> dict[str, Array]:
    """(performances, bins) of each kind."""
    each = [histograms(notes, ANSWER_S) for notes in many]
    return {kind: np.stack([one[kind] for one in each]).astype(np.float64) for kind in KINDS}


def _areas(made: Array, real: Array) -> Array:
    """(R,) overlapping areas of the rows of two tables of counts."""
    shares = [table / np.maximum(table.sum(1, keepdims=True), 1) for table in (made, real)]
    return np.asarray(np.minimum(*shares).sum(1))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def register(turns: Sequence[Turn], side: str = "answer") -> dict[str, float]:
    """Semitones from the median pitch of the call's last 60 notes: median, nine in ten, and how many lie above C7."""
    played = [sides(turn)[side] for turn in turns]
    away = [register_distance(notes, turn.call) for notes, turn in zip(played, turns, strict=True)]
    return {
        "median": float(np.median(away)),
        "p90": float(np.quantile(away, 0.9)),
        "in_the_top_octave": float(sum(median_pitch(notes) >= TOP_OCTAVE for notes in played)),
    }


def runs_of(turns: Sequence[Turn], side: str, training: Any) -> dict[str, dict[str, float]]:
    """{"training", "call"}: the longest run of pitches that stands in each; ``training`` from `pitches_of_corpus`."""
    played = [pitches_of(sides(turn)[side]) for turn in turns]
    known = [longest_runs([notes], pitches_of(turn.call))[0] for notes, turn in zip(played, turns, strict=True)]
    found = {"call": spread(known)}
    return {"training": spread(longest_runs(played, training)), **found} if training is not None else found


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, nine in ten, and the most."""
    return {
        "median": float(np.median(values)),
        "p90": float(np.quantile(values, 0.9)),
        "longest": float(max(values)),
    }

"""The figures of beat hearing by source, beside those of a plain autocorrelation and of pretty_midi, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from training.hearing.beat_baseline import Autocorrelation
from training.hearing.beats import (
    AFTER_BEATS,
    LEVELS,
    SOURCES,
    Livemuse,
    Piece,
    by_chance,
    by_pretty_midi,
    cost_us,
    load_pieces,
    measured,
    spread,
)
from training.hearing.entries import entries_on_beat

BEAT_HEADS: Final = {
    "beats_f": "F (70 ms)",
    "near": "next beat within 30 ms",
    "clear": "time clear",
    "near_when_clear": "of it within 30 ms",
    "part_when_clear": "or of its half or third",
    "bars_told": "bar told",
    "bars_right": "right",
    "bars_begin": "begins right",
}


@dataclass(frozen=True)
class Asked:
    """What is measured, and on what."""

    data: Path
    manifest: Path | None
    split: str = "validation"
    pieces: int = 0
    timing_s: float = 0.0
    others: bool = True


def figures(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """By source and ear: the figures; and what a note costs, in microseconds."""
    pieces = load_pieces(asked.data, asked.manifest, asked.split, say)
    if not pieces:
        raise ValueError(f"{asked.data} has no piece of the split {asked.split} whose beats are known")
    found: dict[str, Any] = {"split": asked.split, "timing_s": asked.timing_s, "sources": {}, "entries": {}}
    chosen: list[Piece] = []
    for source in SOURCES:
        some = spread([piece for piece in pieces if piece.source == source], asked.pieces)
        some = [moved(piece, asked.timing_s) for piece in some]
        chosen += some
        if not some:
            continue
        say(f"{source}: {len(some)} pieces")
        ears: dict[str, Any] = {"livemuse": measured(some, Livemuse)}
        if asked.others:
            ears["autocorrelation"] = measured(some, Autocorrelation)
            ears["pretty_midi"] = by_pretty_midi(some)
        found["sources"][source] = ears
        found["entries"][source] = entries_on_beat([piece for piece in some if piece.true.phase_known] or some)
    found["chance"] = by_chance()
    found["us_a_note"] = cost_us(spread(chosen, 12))
    return found


def moved(piece: Piece, timing_s: float) -> Piece:
    """The piece with each key a little early or late, by a normal distribution; the same each time."""
    if not timing_s:
        return piece
    rng = np.random.default_rng(len(piece.true.notes))
    late = rng.normal(0.0, timing_s, len(piece.true.notes))
    notes = sorted((note[0] + float(s), note[1], note[2]) for note, s in zip(piece.true.notes, late, strict=True))
    return replace(piece, true=replace(piece.true, notes=tuple(notes)))


def table(found: dict[str, Any]) -> str:
    """The figures to be read."""
    errors = ("right", *LEVELS, "wrong")
    lines = [f"tempo within 4 %, {found['split']}", "", *_heads("source", "ear", "after", *errors)]
    for source, ears in found["sources"].items():
        for ear, m in ears.items():
            for number in AFTER_BEATS:
                shares = " | ".join(f"{m['tempo'][number][name]:.3f}" for name in errors)
                lines.append(f"| {source} ({m['pieces']}) | {ear} | {number} beats | {shares} |")
    lines += ["", "beats (of POP909 they are guessed, by where the bass is struck: its maps tell the tempo alone)", ""]
    lines += _heads("source", "ear", *BEAT_HEADS.values())
    for source, ears in found["sources"].items():
        for ear, m in ears.items():
            if "beats_f" in m:
                shares = " | ".join(f"{m[name]:.3f}" for name in BEAT_HEADS)
                lines.append(f"| {source} ({m['pieces_with_beats']}) | {ear} | {shares} |")
    lines.append("")
    for source, ears in found["sources"].items():
        share = ears["livemuse"]["repeated"]
        lines.append(f"{source}: who knows all beats so far and repeats the last period is within 30 ms in {share:.3f}")
    for source, told in found["entries"].items():
        lines.append(
            f"{source}: before {told['clear']:.3f} of {told['answers']:.0f} answers the beat is clear; of these "
            f"{told['on_beat']:.3f} begin within 30 ms of a beat, {told['on_part']:.3f} of one, its half or third"
        )
    lines.append(f"keys at random times: a beat is called clear {found['chance']:.3f} of the time")
    lines.append(f"{found['us_a_note']:.0f} microseconds a note")
    return "\n".join(lines)


def _heads(*heads: str) -> list[str]:
    return ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]

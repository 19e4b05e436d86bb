"""The figures of beat hearing by source, beside those of a plain autocorrelation and of pretty_midi, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
)


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
    found: dict[str, Any] = {"split": asked.split, "timing_s": asked.timing_s, "sources": {}}
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
    found["chance"] = by_chance()
    found["us_a_note"] = cost_us(spread(chosen, 12))
    return found


def spread(pieces: Sequence[Piece], most: int) -> list[Piece]:
    """At most so many pieces, evenly from all; 0 is all."""
    if not most or len(pieces) <= most:
        return list(pieces)
    return [pieces[k * len(pieces) // most] for k in range(most)]


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
    errors = (*LEVELS, "wrong")
    lines = [f"tempo within 4 %, {found['split']}", "", "| source | ear | after | right | " + " | ".join(errors) + " |"]
    lines.append("|" + " --- |" * (4 + len(errors)))
    for source, ears in found["sources"].items():
        for ear, measures in ears.items():
            for number in AFTER_BEATS:
                row = measures["tempo"][number]
                shares = " | ".join(f"{row[name]:.3f}" for name in ("right", *errors))
                lines.append(f"| {source} ({measures['pieces']}) | {ear} | {number} beats | {shares} |")
    lines += ["", "beats, of pieces whose beats are known in phase", ""]
    lines.append(
        "| source | ear | F (70 ms) | next beat within 30 ms | time clear | of it within 30 ms | bar told | right |"
    )
    lines.append("|" + " --- |" * 9)
    for source, ears in found["sources"].items():
        for ear, m in ears.items():
            if "beats_f" in m:
                cells = [
                    m[k]
                    for k in ("beats_f", "near", "clear", "near_when_clear", "bars_told", "bars_right", "bars_begin")
                ]
                shares = " | ".join(f"{cell:.3f}" for cell in cells)
                lines.append(f"| {source} ({m['pieces_with_beats']}) | {ear} | {shares} |")
    for source, ears in found["sources"].items():
        share = ears["livemuse"]["repeated"]
        lines += [
            "",
            f"{source}: who knows all beats so far and repeats the last period is within 30 ms in {share:.3f}",
        ]
    lines += ["", f"keys at random times: a beat is called clear {found['chance']:.3f} of the time"]
    lines.append(f"{found['us_a_note']:.0f} microseconds a note")
    return "\n".join(lines)

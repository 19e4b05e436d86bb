"""Long form: 16 and 32 bars improvised from a seed, beside what the pianists played there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.music.notes import Note
from training.corpus import Corpus, load_corpus
from training.figures.form import LAGS, form, mean_form
from training.figures.playing import controls_of, excerpt, improvise, load_stepper, piece_notes

SEED_BARS: Final = 4
FEWEST_SEED_NOTES: Final = 8
LONGEST_S: Final = 120.0  # no answer is longer
ROWS: Final = (
    *(f"{kind}_{lag}" for kind in ("pitch_classes", "rhythm") for lag in LAGS),
    "silence_share", "silent_bars", "drone_bars", "collapsed", "notes_per_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Long:
    """What `python -m training long-form` was asked for."""

    models: tuple[Path, ...]
    data: Path
    pieces: int = 10
    bars: tuple[int, ...] = (16, 32)
    bar_s: float = 2.0
    seed: int = 0
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """The first bars of a piece, and what the pianist played after them; the onsets of each count from 0."""

    file: str
    seed: tuple[Note, ...]
    real: tuple[Note, ...]


def openings(corpus: Corpus, pieces: int, bars: int, bar_s: float, seed: int) -> list[Opening]:
    """The openings of so many pieces that are long enough, drawn with ``seed``."""
    found: list[Opening] = []
    seed_s, real_s = SEED_BARS * bar_s, bars * bar_s
    for piece in np.random.default_rng(seed).permutation(len(corpus.pieces)):
        notes = piece_notes(corpus, int(piece))
        if notes[-1].onset_s < seed_s + real_s:
            continue
        opening = excerpt(notes, 0.0, seed_s)
        if len(opening) >= FEWEST_SEED_NOTES:
            found.append(Opening(corpus.pieces[piece].file, opening, excerpt(notes, seed_s, real_s)))
        if len(found) == pieces:
            break
    return found


def long_form(asked: Long, say: Callable[[str], None]) -> dict[str, Any]:
    """{"bar_s", "lengths": {bars: {name: figures}}}: each model, and the pianists; ValueError for what cannot be."""
    if any(bars < 1 or bars * asked.bar_s > LONGEST_S for bars in asked.bars):
        raise ValueError(f"from one bar to {LONGEST_S:g} s can be improvised: fewer --bars, or a shorter --bar-seconds")
    if asked.pieces < 1 or not 0.5 <= asked.bar_s <= 10:
        raise ValueError("at least one piece is needed, and bars of 0.5 to 10 s")
    corpus = load_corpus(asked.data, "validation")
    steppers = {model.name: load_stepper(model) for model in asked.models}
    if len(steppers) < len(asked.models):
        raise ValueError("two of the models have the same name; a folder each, called differently, is needed")
    # the same pieces at every length: those that are long enough for the longest
    longest = openings(corpus, asked.pieces, max(asked.bars), asked.bar_s, asked.seed)
    if not longest:
        raise ValueError(f"no piece of {asked.data} is as long as {max(asked.bars)} bars of {asked.bar_s:g} s")
    lengths: dict[str, dict[str, dict[str, float]]] = {}
    for bars in asked.bars:
        length_s = bars * asked.bar_s
        controls = controls_of(asked.settings, length_s)
        row = {"pianists": _mean([excerpt(o.real, 0.0, length_s) for o in longest], bars, asked.bar_s)}
        for name, stepper in steppers.items():
            row[name] = _mean([improvise(stepper, o.seed, controls) for o in longest], bars, asked.bar_s)
            say(f"{name}: {len(longest)} times {bars} bars")
        lengths[str(bars)] = row
    return {"pieces": len(longest), "seed_bars": SEED_BARS, "bar_s": asked.bar_s, "seed": asked.seed,
            "settings": list(asked.settings), "lengths": lengths}  # fmt: skip


def _mean(many: Sequence[Sequence[Note]], bars: int, bar_s: float) -> dict[str, float]:
    return mean_form([form(notes, bars, bar_s) for notes in many])


def table(found: Mapping[str, Any]) -> str:
    """The figures as a person reads them: a block each length, a column each who plays."""
    lines = [f"{found['pieces']} openings of {found['seed_bars']} bars, {found['bar_s']:g} s a bar"]
    wide = max([12, *(len(name) for row in found["lengths"].values() for name in row)]) + 2
    for bars, row in found["lengths"].items():
        lines.append(f"{bars + ' bars':<18}" + "".join(f"{name:>{wide}}" for name in row))
        for figure in ROWS:
            lines.append(
                f"{figure.replace('_', ' '):<18}" + "".join(f"{who[figure]:>{wide}.3f}" for who in row.values())
            )
    return "\n".join(lines)

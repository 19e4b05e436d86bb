"""Whether what a model is told of a piece helps it: pieces scored under their own label, none, and every other one.

Of each label (genre:jazz, composer:Chopin, mood:calm) some held-out pieces are taken, from their beginning on. Each is
scored several times, told nothing or one label of the same kind, and all those readings run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.model.bundle import Bundle
from training.corpus import Corpus, load_corpus
from training.evaluate import bootstrap, onnx_scores, performance_bundle
from training.figures.judging import gain

Array = npt.NDArray[Any]
NONE: Final = -1  # told nothing


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training labels` was asked for."""

    model: Path
    data: Path
    split: str = "validation"
    pieces: int = 30  # of each label, at most; 0 is all
    notes: int = 600  # of each piece, from its beginning; 0 is all
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """One piece, read once: whose label it is taken for, and what the model is told of it."""

    piece: int
    own: int
    told: int  # NONE or a label of the same kind


def beginnings(corpus: Corpus, pieces: Sequence[int], notes: int) -> Corpus:
    """The first notes of these pieces (0 is all), one after the other; a piece may be there several times."""
    bounds = [(int(corpus.starts[p]), int(corpus.starts[p + 1])) for p in pieces]
    spans = [(first, min(first + (notes or last), last)) for first, last in bounds]
    at = np.concatenate([np.arange(first, last) for first, last in spans])
    starts = np.concatenate([[0], np.cumsum([last - first for first, last in spans])]).astype(np.int64)
    chosen = tuple(
        replace(corpus.pieces[p], notes=last - first) for p, (first, last) in zip(pieces, spans, strict=True)
    )
    return Corpus(chosen, starts, corpus.pitch[at], corpus.step_s[at], corpus.duration_s[at], corpus.velocity[at])


def readings(corpus: Corpus, labels: Sequence[str], asked: Asked) -> list[Reading]:
    """Every piece that is taken, under no label and under each label of its kind."""
    rng = np.random.default_rng(asked.seed)
    found = []
    for own, label in enumerate(labels):
        kind, _, value = label.partition(":")
        here = np.array([k for k, piece in enumerate(corpus.pieces) if getattr(piece, kind, "") == value], np.int64)
        same_kind = [k for k, other in enumerate(labels) if other.partition(":")[0] == kind]
        for piece in np.sort(rng.permutation(here)[: asked.pieces or None]).tolist():
            found += [Reading(piece, own, told) for told in (NONE, *same_kind)]
    return found


def nats_of(bundle: Bundle, corpus: Corpus, made: Sequence[Reading], notes: int, say: Callable[[str], None]) -> Array:
    """(readings, 2): nats of each reading in all, and its notes."""
    read = beginnings(corpus, [r.piece for r in made], notes)
    style = np.zeros((len(made), len(bundle.styles)), np.float32)
    for row, reading in enumerate(made):
        if reading.told != NONE:
            style[row, reading.told] = 1.0
    nats, _ = onnx_scores(bundle, read, say, style)
    return np.stack([nats.sum(1), np.diff(read.starts)], 1)


def row_of(label: int, labels: Sequence[str], made: Sequence[Reading], scored: Array) -> dict[str, Any]:
    """What one label's own pieces cost under each label of its kind, nats a note; `scored` as `nats_of` gives it."""
    told = sorted({r.told for r in made if r.own == label})
    table = {}
    for one in told:
        rows = [k for k, r in enumerate(made) if r.own == label and r.told == one]
        table[one] = (scored[rows, 0], scored[rows, 1])
    a_note = {one: float(nats.sum() / notes.sum()) for one, (nats, notes) in table.items()}
    others = [one for one in told if one not in (NONE, label)]
    named = {one: a_note[one] for one in told if one != NONE}
    best = min(named, key=lambda one: named[one])
    notes = table[label][1]
    found: dict[str, Any] = {
        "label": labels[label],
        "pieces": len(notes),
        "notes": int(notes.sum()),
        "own": a_note[label],
        "none": a_note[NONE],
        "best": labels[best],
        "best_is_own": best == label,
        "under": {labels[one]: value for one, value in named.items()},
    }
    against_none = bootstrap(table[NONE][0] - table[label][0], notes)
    found |= {"gain_over_none": a_note[NONE] - a_note[label], "none_low": against_none[0], "none_high": against_none[1]}
    if others:
        mean = np.mean([table[one][0] for one in others], axis=0)
        low, high = bootstrap(mean - table[label][0], notes)
        found |= {"others": float(mean.sum() / notes.sum()), "low": low, "high": high}
        found["gain"] = found["others"] - found["own"]
    return found


def summary(rows: Sequence[Mapping[str, Any]], made: Sequence[Reading], scored: Array) -> dict[str, Any]:
    """All labels together: the mean gain by piece with its 95 % interval, and how many fit their own pieces best."""
    by_piece: dict[tuple[int, int], dict[int, float]] = {}
    for reading, (nats, notes) in zip(made, scored.tolist(), strict=True):
        by_piece.setdefault((reading.own, reading.piece), {})[reading.told] = nats / notes
    own, none, others = [], [], []
    for (label, _), told in by_piece.items():
        rest = [value for one, value in told.items() if one not in (NONE, label)]
        if rest:
            own.append(told[label])
            none.append(told[NONE])
            others.append(float(np.mean(rest)))
    judged = [row for row in rows if "gain" in row]
    if not judged:
        raise ValueError("no kind of label has two labels with pieces of their own: there is nothing to compare")
    over_others, over_none = (gain(own, against, less_is_better=True) for against in (others, none))
    return {
        "labels": len(judged),
        "best_under_own": sum(row["best_is_own"] for row in judged),
        "better_than_mean_of_others": sum(row["gain"] > 0 for row in judged),
        "better_than_none": sum(row["gain_over_none"] > 0 for row in judged),
        "gain": over_others.gain,
        "low": over_others.low,
        "high": over_others.high,
        "share_of_pieces": over_others.share_better,
        "gain_over_none": over_none.gain,
        "none_low": over_none.low,
        "none_high": over_none.high,
    }


def labels_table(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """Score the pieces of each label under every label of its kind; ValueError for a model that knows no labels."""
    if asked.pieces < 0 or asked.notes < 0:
        raise ValueError("--pieces and --notes are 0 (all) or more")
    bundle = performance_bundle(asked.model)
    if not bundle.styles:
        raise ValueError(f"{asked.model} has learned no labels: it cannot be told what a piece is")
    corpus = load_corpus(asked.data, asked.split)
    made = readings(corpus, bundle.styles, asked)
    present = sorted({r.own for r in made})
    if not made:
        raise ValueError(f"no {asked.split} piece of {asked.data} has one of the model's labels")
    say(f"{len(made)} readings")
    scored = nats_of(bundle, corpus, made, asked.notes, say)
    rows = [row_of(label, bundle.styles, made, scored) for label in present]
    return {
        "model": bundle.info.name,
        "hash": bundle.info.hash,
        "split": asked.split,
        "seed": asked.seed,
        "without_pieces": [label for k, label in enumerate(bundle.styles) if k not in present],
        "rows": rows,
        "all": summary(rows, made, scored),
    }


def table(found: Mapping[str, Any]) -> str:
    """The labels as a person reads them."""
    heads = "".join(f"{name:>8}" for name in ("own", "none", "others", "gain"))
    lines = [
        f"{found['model']}, {found['split']}: nats a note, less is better; intervals 95 % by piece",
        f"{'':<24}{'pieces':>7}{heads}  {'interval':<17}best label",
    ]
    for row in found["rows"]:
        begin = f"{row['label']:<24}{row['pieces']:>7}{row['own']:>8.3f}{row['none']:>8.3f}"
        if "gain" not in row:
            lines.append(f"{begin}{'-':>8}{'-':>8}  {'the only one of its kind':<17}")
            continue
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(f"{begin}{row['others']:>8.3f}{row['gain']:>8.3f}  {interval:<17}"
                     f"{'its own' if row['best_is_own'] else row['best']}")  # fmt: skip
    whole = found["all"]
    lines += [
        f"all: {whole['gain']:.3f} nats a note better under its own label than under others "
        f"({whole['low']:.3f} to {whole['high']:.3f}), {whole['share_of_pieces']:.0%} of pieces",
        f"     {whole['gain_over_none']:.3f} better than under none "
        f"({whole['none_low']:.3f} to {whole['none_high']:.3f})",
        f"     {whole['best_under_own']} of {whole['labels']} labels fit their own pieces best",
    ]
    if found["without_pieces"]:
        lines.append(f"no piece for: {', '.join(found['without_pieces'])}")
    return "\n".join(lines)

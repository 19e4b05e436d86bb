"""What a model expects of pieces it has never seen, beside an order-5 Markov model on the same notes.

    python -m training evaluate models/concert --data NOTES_DIR --split validation
    python -m training evaluate models/concert --data NOTES_DIR --split validation --pieces 100 --json
    python -m training evaluate models/concert --data NOTES_DIR --split validation --evening

Nats a note: how surprised it is by the next note, all four numbers of it; less is better. The interval is of a
bootstrap over pieces. The model is run from its ONNX files, so what is measured is what plays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.model.bundle import Bundle, load_bundle
from livemuse.music.vocabulary import BOS, HEADS
from training.baselines import markov
from training.corpus import Corpus, Piece, load_corpus
from training.lanes import corpus_bins, plan_lanes

Array = npt.NDArray[Any]
LANES, CHUNK = 128, 64
RESAMPLES = 2000
EVENING_NOTES = 10_000  # about an hour and a half of playing


@dataclass(frozen=True)
class Score:
    """Nats a note of one model on some pieces."""

    name: str
    by_head: dict[str, float]
    total: float
    low: float  # 95 % interval of the total, over pieces
    high: float
    intervals: dict[str, list[float]] = field(default_factory=dict)  # [low, high] of each head


def onnx_nats(bundle: Bundle, corpus: Corpus, say: Callable[[str], None]) -> Array:
    """Nats of each piece by head, summed over its notes, (pieces, 4): many pieces side by side."""
    return onnx_scores(bundle, corpus, say)[0]


def onnx_scores(
    bundle: Bundle, corpus: Corpus, say: Callable[[str], None], style: Array | None = None
) -> tuple[Array, Array]:
    """(nats, hits) of each piece by head, summed over its notes, (pieces, 4) each.

    A hit is a value that the model held to be the likeliest, the later heads given what was really played. `style`
    (pieces, S) is what the model is told of each piece; nothing where none is given.
    """
    bins = corpus_bins(corpus)
    fed = np.concatenate([np.array([[BOS, 0, 0, 0]], np.int32), bins[:-1]])
    fed[corpus.starts[:-1]] = (BOS, 0, 0, 0)
    order = np.argsort(-np.diff(corpus.starts), kind="stable")
    plan = plan_lanes(corpus, min(LANES, len(order)), CHUNK, order, full=True)
    lanes = plan.piece.shape[1]
    state = {name: np.zeros((lanes, units), np.float32) for name, units in bundle.state}
    outputs = ["pitch_logits", "z", *(f"{name}_out" for name in state)]
    step = bundle.sessions["step"]
    told = style if style is not None else np.zeros((len(corpus.pieces), len(bundle.styles)), np.float32)
    sums = np.zeros((2, len(corpus.pieces), len(HEADS)))  # nats, hits
    for row in range(plan.steps):
        piece, offset, length = plan.piece[row], plan.offset[row], plan.length[row]
        new = (offset == corpus.starts[np.maximum(piece, 0)]) & (piece >= 0)
        state = {name: np.where(new[:, None], np.float32(0), value) for name, value in state.items()}
        labels = {"style": told[np.maximum(piece, 0)].astype(np.float32)} if bundle.styles else {}
        width = int(length.max())
        index = np.minimum(offset + np.arange(width)[:, None], corpus.notes - 1)  # (T, B)
        pitches, zs = [], []
        for t in range(width):
            feeds = dict(zip(HEADS, fed[index[t]].T.copy(), strict=True))
            found = dict(zip(outputs, step.run(outputs, feeds | labels | state), strict=True))
            state = {name: found[f"{name}_out"] for name in state}
            pitches.append(found["pitch_logits"])
            zs.append(found["z"])
        target = bins[index.reshape(-1)]
        weight = (np.arange(width)[:, None] < length).reshape(-1)
        judged = heads_of(bundle, np.concatenate(pitches), np.concatenate(zs), target)
        for kind, values in enumerate(judged):
            lane_sums = (values * weight[:, None]).reshape(width, lanes, len(HEADS)).sum(0)
            np.add.at(sums[kind], piece[piece >= 0], lane_sums[piece >= 0])
        if row % 50 == 49:
            say(f"{row + 1}/{plan.steps} chunks")
    return sums[0], sums[1]


def heads_of(bundle: Bundle, pitch_logits: Array, z: Array, target: Array) -> tuple[Array, Array]:
    """(nats, hits) of each note by head, (notes, 4) each, the later heads given what was really played."""
    logits = [pitch_logits]
    for k, head in enumerate(HEADS[1:], 1):
        feeds = {"z": z, **{h: np.ascontiguousarray(target[:, n]) for n, h in enumerate(HEADS[:k])}}
        logits.append(bundle.sessions[f"head_{head}"].run(None, feeds)[0])
    nats = [_nats(found, target[:, k]) for k, found in enumerate(logits)]
    hits = [found.argmax(1) == target[:, k] for k, found in enumerate(logits)]
    return np.stack(nats, 1), np.stack(hits, 1)


def _nats(logits: Array, target: Array) -> Array:
    shifted = (logits - logits.max(1, keepdims=True)).astype(np.float64)
    found: Array = np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(target)), target]
    return found


def bootstrap(sums: Array, notes: Array, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of nats a note when pieces are drawn anew; `sums` are nats a piece."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(notes), (RESAMPLES, len(notes)))
    means = sums[drawn].sum(1) / notes[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def score(name: str, sums: Array, notes: Array) -> Score:
    """Nats a note from nats a piece by head."""
    by_head = dict(zip(HEADS, (sums.sum(0) / notes.sum()).tolist(), strict=True))
    low, high = bootstrap(sums.sum(1), notes)
    intervals = {head: list(bootstrap(sums[:, k], notes)) for k, head in enumerate(HEADS)}
    return Score(name, by_head, float(sums.sum() / notes.sum()), low, high, intervals)


def performance_bundle(folder: Path) -> Bundle:
    """A model that speaks of notes; ValueError for one on a grid, with what is known of it."""
    bundle = load_bundle(folder)
    commands = {"melody": "melody export", "pianoroll": "chorale"}
    if bundle.info.family in commands:
        raise ValueError(
            f"{folder} speaks of {bundle.info.unit}s and not of notes: `python -m training "
            f"{commands[bundle.info.family]}` scores it on its own validation pieces, and found "
            f"{bundle.info.held_out_nats:.3f} nats a{'n' * (bundle.info.unit == 'event')} {bundle.info.unit}"
        )
    return bundle


def cached_markov(data: Path, split: str, say: Callable[[str], None]) -> Array:
    """The Markov model's nats of every piece of a split, (pieces, 4); counted once, then kept beside the notes."""
    text = (data / "index.json").read_text(encoding="utf-8") + split + Path(markov.__file__).read_text(encoding="utf-8")
    kept = data / f"markov-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npy"
    if not kept.is_file():
        say("markov-5 counts the training notes; that takes a few minutes, once")
        np.save(kept, markov.markov_nats(load_corpus(data, "train"), load_corpus(data, split), say))
    found: Array = np.load(kept)
    return found


def evenings(corpus: Corpus, notes: int = EVENING_NOTES, seed: int = 0) -> Corpus:
    """The pieces in a random order, run together into evenings of about so many notes that nothing begins anew."""
    order = np.random.default_rng(seed).permutation(len(corpus.pieces))
    mixed = corpus.select(order.tolist())
    cuts, begun = [0], 0
    for end in mixed.starts[1:].tolist():
        if end - begun >= notes or end == mixed.notes:
            cuts.append(end)
            begun = end
    pieces = tuple(Piece(f"evening {k}", "", "", cuts[k + 1] - cuts[k], "") for k in range(len(cuts) - 1))
    return replace(mixed, pieces=pieces, starts=np.array(cuts, np.int64))


def in_the_evening(folder: Path, data: Path, split: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Nats a note with the state carried on from piece to piece, as in a musician's evening, and begun anew."""
    bundle, corpus = performance_bundle(folder), load_corpus(data, split)
    evening = evenings(corpus)
    return {
        "split": split,
        "notes": corpus.notes,
        "evenings": len(evening.pieces),
        "carried": float(onnx_nats(bundle, evening, say).sum() / corpus.notes),
        "begun_anew": float(onnx_nats(bundle, corpus, say).sum() / corpus.notes),
    }


def evaluate(
    folder: Path, data: Path, split: str, pieces: int, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """The model's and the Markov model's scores on a split, and by how much the model is better, piece by piece."""
    if pieces < 0 or seed < 0:
        raise ValueError("--pieces and --seed are 0 or more")
    bundle, corpus = performance_bundle(folder), load_corpus(data, split)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(corpus.pieces))[: pieces or None])
    corpus = corpus.select(chosen.tolist())
    model, hits = onnx_scores(bundle, corpus, say)
    markov = cached_markov(data, split, say)[chosen]
    notes = np.diff(corpus.starts)
    low, high = bootstrap(model.sum(1) - markov.sum(1), notes)
    sources = {}
    for source in sorted({p.source for p in corpus.pieces}):
        rows = np.array([p.source == source for p in corpus.pieces])
        sources[source] = {
            "pieces": int(rows.sum()),
            "notes": int(notes[rows].sum()),
            "model": float(model[rows].sum() / notes[rows].sum()),
            "markov": float(markov[rows].sum() / notes[rows].sum()),
        }
    return {
        "model": bundle.info.name,
        "hash": bundle.info.hash,
        "split": split,
        "pieces": len(corpus.pieces),
        "seed": seed if pieces else None,
        "notes": int(notes.sum()),
        "scores": [vars(score(bundle.info.name, model, notes)), vars(score("markov-5", markov, notes))],
        "accuracy": dict(zip(HEADS, (hits.sum(0) / notes.sum()).tolist(), strict=True)),
        "difference": {"mean": float((model - markov).sum() / notes.sum()), "low": low, "high": high},
        "sources": sources,
    }


def table(found: dict[str, Any]) -> str:
    """The scores as a person reads them."""
    if "carried" in found:
        return (
            f"{found['split']}: {found['evenings']} evenings, {found['notes']:,} notes; nats a note, less is better\n"
            f"{'carried on':<18}{found['carried']:>8.3f}\n{'begun anew':<18}{found['begun_anew']:>8.3f}"
        )
    lines = [
        f"{found['split']}: {found['pieces']} pieces, {found['notes']:,} notes; nats a note, less is better",
        f"{'':<18}{'total':>8}  {'95 % by piece':<17}" + "".join(f"{h:>10}" for h in HEADS),
    ]
    for row in found["scores"]:
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        heads = "".join(f"{row['by_head'][h]:>10.3f}" for h in HEADS)
        lines.append(f"{row['name']:<18}{row['total']:>8.3f}  {interval:<17}{heads}")
        widths = "".join(f"{'±' + format((high - low) / 2, '.3f'):>10}" for low, high in row["intervals"].values())
        lines.append(f"{'  95 % of each head':<45}{widths}")
    right = "".join(f"{found['accuracy'][h]:>10.1%}" for h in HEADS)
    lines.append(f"{'likeliest is played':<18}{'':>8}  {'':<17}{right}")
    gap = found["difference"]
    lines.append(f"{'difference':<18}{gap['mean']:>8.3f}  {gap['low']:.3f} to {gap['high']:.3f}")
    for name, row in found["sources"].items():
        lines.append(f"  {name:<16}{row['model']:>8.3f}  markov-5 {row['markov']:.3f}  ({row['notes']:,} notes)")
    return "\n".join(lines)


def as_json(found: dict[str, Any]) -> str:
    """The scores as one JSON value."""
    return json.dumps(found)

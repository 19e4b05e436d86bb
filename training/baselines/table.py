"""Every ancestor in one table: trained where it is missing, judged on the same notes in the same bins as ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.model.bundle import load_bundle
from livemuse.music.vocabulary import HEADS, VOCABULARY
from training.baselines import markov, pianoroll, train
from training.baselines.designs import DESIGNS
from training.corpus import Corpus, load_corpus
from training.evaluate import onnx_nats, score
from training.lanes import corpus_bins

Array = npt.NDArray[Any]
Say = Callable[[str], None]
MARKOV, MARKOV_NUMBER = "markov-5", 6
NAMES = {d.number: d.name for d in DESIGNS} | {pianoroll.NUMBER: pianoroll.NAME, MARKOV_NUMBER: MARKOV}
READING = """\
Nats a note, less is better; steps, durations and velocities in the bins of livemuse/music/vocabulary.py.
* a number with a spread around it: Gaussian, Laplace or log-normal, whichever, how wide, and how much of the training
  histogram is mixed in, as fits the training pieces kept for early stopping best. Velocity, which 1 to 4 do not have:
  the training histogram (in brackets)."""


@dataclass(frozen=True)
class Split:
    """The notes a table is about."""

    data: Path
    train: Corpus
    held_out: Corpus
    split: str

    @classmethod
    def read(cls, data: Path, split: str) -> Split:
        """The prepared notes of a folder."""
        return cls(data, load_corpus(data, "train"), load_corpus(data, split), split)


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@dataclass(frozen=True)
class Teaching:
    """Which baselines are trained, and how long each; further, those that the clock ended before go on."""

    only: Sequence[int]
    minutes: float
    further: bool = False

    def wants(self, number: int, folder: Path) -> bool:
        """Whether a baseline is trained now."""
        facts = folder / f"{NAMES[number]}.json"
        return number in self.only and (not facts.is_file() or (self.further and train.unfinished(facts)))


def train_missing(split: Split, folder: Path, teaching: Teaching, say: Say) -> None:
    """Train those baselines that the folder does not hold; ValueError where it holds those of other notes."""
    folder.mkdir(parents=True, exist_ok=True)
    about = folder / "notes.json"
    key = _hash((split.data / "index.json").read_bytes())
    if about.is_file() and json.loads(about.read_text(encoding="utf-8")).get("notes") != key:
        raise ValueError(f"{folder} holds baselines trained on other notes than {split.data}; choose another --run")
    train.keep_json(about, {"notes": key})
    for design in DESIGNS:
        if teaching.wants(design.number, folder):
            train.train(design, split.train, folder, teaching.minutes, say)
    if teaching.wants(pianoroll.NUMBER, folder):
        pianoroll.train(split.train, folder, teaching.minutes, say)
    if MARKOV_NUMBER in teaching.only and not (folder / f"{MARKOV}.npz").is_file():
        keep_markov(split.train, folder, say)


def keep_markov(corpus: Corpus, folder: Path, say: Say) -> None:
    """Fit the Markov model and keep it whole: the notes it has counted and how far it believes each order."""
    say(f"{MARKOV}: order 5 with back-off, counts the notes")
    weights = markov.fit_weights(corpus)
    arrays = {f"{head}_{k}": w for head, orders in weights.items() for k, w in enumerate(orders)}
    bins = corpus_bins(corpus).astype(np.uint8)
    train.keep_arrays(folder / f"{MARKOV}.npz", arrays | {"bins": bins, "starts": corpus.starts})


def load_markov(folder: Path) -> markov.Markov:
    """The Markov model as it plays."""
    path = folder / f"{MARKOV}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            weights = {head: [kept[f"{head}_{k}"] for k in range(len(markov.CHAINS[head]))] for head in HEADS}
            bins, starts = kept["bins"], kept["starts"]
            if bins.ndim != 2 or bins.shape[1] != len(HEADS) or (bins.max(0) >= list(VOCABULARY.sizes.values())).any():
                raise ValueError("these are no notes")
            return markov.Markov(bins, starts, weights)
    except (KeyError, ValueError) as problem:
        raise ValueError(f"{path} is not a Markov model of this version; delete it and count again") from problem


def _once(folder: Path, name: str, key: str, make: Callable[[], Array]) -> Array:
    """Nats of each piece by head, (pieces, 4), made once and then kept."""
    path = folder / f"nats-{name}-{key}.npz"
    if not path.is_file():
        train.keep_arrays(path, {"nats": make()})
    with np.load(path, allow_pickle=False) as kept:
        found: Array = kept["nats"]
        return found


def note_rows(
    split: Split, folder: Path, only: Sequence[int], models: Sequence[Path], say: Say
) -> list[dict[str, Any]]:
    """A row for each baseline that names notes, and for each exported model."""
    index = (split.data / "index.json").read_bytes() + split.split.encode()
    notes, held_out = np.diff(split.held_out.starts), split.held_out
    rows: list[dict[str, Any]] = []

    def add(name: str, label: str, key: str, make: Callable[[], Array]) -> None:
        say(f"{label} is scored")
        rows.append(vars(score(label, _once(folder, name, key, make), notes)))

    for design in DESIGNS:
        if design.number in only:
            key = _hash(index, (folder / f"{design.name}.npz").read_bytes())
            add(design.name, f"{design.number} {design.name}", key, partial(train.nats, design, folder, held_out))
            facts = json.loads((folder / f"{design.name}.json").read_text(encoding="utf-8"))
            rows[-1] |= {"numbers": facts["readings"], "weights": facts["weights"], "history": facts["history"]}
    if MARKOV_NUMBER in only:
        key = _hash(index, Path(markov.__file__).read_bytes())
        add(MARKOV, f"{MARKOV_NUMBER} {MARKOV}", key, partial(markov.markov_nats, split.train, held_out, say))
    for path in models:
        bundle = load_bundle(path)
        key = _hash(index, bundle.info.hash.encode())
        add(path.name, bundle.info.name, key, partial(onnx_nats, bundle, held_out, say))
    return rows


def baselines(split: Split, folder: Path, teaching: Teaching, models: Sequence[Path], say: Say) -> dict[str, Any]:
    """Train what is missing, score all; {"notes": rows, "frames": rows, and what they are about}."""
    only = teaching.only
    unknown = sorted(set(only) - set(NAMES))
    if unknown:
        known = ", ".join(f"{k} {n}" for k, n in sorted(NAMES.items()))
        raise ValueError(f"there is no baseline {unknown[0]}; there are {known}")
    train_missing(split, folder, teaching, say)
    rows = note_rows(split, folder, only, models, say)
    frames = pianoroll.scores(folder, split.train, split.held_out) if pianoroll.NUMBER in only else []
    return {
        "split": split.split,
        "training_notes": split.train.notes,
        "pieces": len(split.held_out.pieces),
        "notes": split.held_out.notes,
        "rows": rows,
        "frames": frames,
    }


def table(found: dict[str, Any]) -> str:
    """The scores as a person reads them."""
    judged = f"{found['split']}: {found['pieces']} pieces, {found['notes']:,} notes"
    lines = [
        f"{found['training_notes']:,} training notes; {judged}",
        f"{'':<22}{'total':>8}  {'95 % by piece':<18}" + "".join(f"{h:>11}" for h in HEADS),
    ]
    rows = found["rows"]
    for row in rows:
        said = row.get("numbers")
        marks = {h: "*" if said and h in said else " " for h in HEADS}
        heads = "".join(f"{row['by_head'][h]:>10.3f}{marks[h]}" for h in HEADS[:3])
        last = f"{row['by_head']['velocity']:.3f}"
        heads += f"{f'({last})' if said else last + ' ':>11}"
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        name = row["name"] + (" +" if row.get("history", {}).get("out_of_time") else "")
        lines.append(f"{name:<22}{row['total']:>8.3f}  {interval:<18}{heads}")
    if any("numbers" in row for row in rows):
        lines.append(READING)
    if any(row.get("history", {}).get("out_of_time") for row in rows):
        lines.append("+ stopped by the clock (--minutes), not by early stopping: longer training may still lower it.")
    if found["frames"]:
        lines += ["", f"{'sixteenths of 0.125 s':<24}{'nats a frame':>14}  {'95 % by piece':<18}{'a key':>8}"]
    for row in found["frames"]:
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(f"{row['name']:<24}{row['nats_a_frame']:>14.3f}  {interval:<18}{row['bce_a_key']:>8.4f}")
    return "\n".join(lines)

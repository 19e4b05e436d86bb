"""Make a model one's own: it learns from what one player played, and stays only where it knows that player better.

    python -m training finetune open --sessions ~/livemuse-sessions --out models/mine
    python -m training finetune RUN_DIR --sessions DIR --out models/mine

Of each ten turns seven are learned from, one says when to stop, and two, which it never sees, judge. The child is kept
where the graphs that would play are less surprised by those than its parent, by more than the turns differ among each
other (the 95 % interval of a bootstrap over turns, and a randomisation test of their signs). The learning rate is low,
and training starts and can end with the parent itself.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from livemuse.errors import LivemuseError
from livemuse.model.bundle import MANIFEST, load_bundle
from livemuse.model.shelf import Shelf
from training.bundles import WEIGHTS, put, room_for_a_model
from training.config import Config, config_from
from training.corpus import write_corpora
from training.evaluate import bootstrap, onnx_nats
from training.export import export
from training.lanes import plan_lanes
from training.run import BEST, about_of, load_network, new_run, take_weights, weights_of
from training.score import make_scoring
from training.train import Course, room_for_a_run, teach
from training.turns import Material, material_of, sessions_of

LEAST_TURNS, LEAST_NOTES = 30, 600
LEAST_UPDATES = 150
MOST_CHANCE = 0.025
FAMILY = "performance"
RUN = "run"  # where training is kept, in the folder that is asked for

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What is asked for: the parent (a model's name or folder, a run, a checkpoint), the sessions, the child."""

    model: str
    sessions: Path
    out: Path
    run: Path | None = None  # where training is kept; None: nowhere
    updates: int = 600  # at most; ten passes, but 150 of them at least
    bar: bool = False  # show how far it is, on a terminal


@dataclass(frozen=True)
class Parent:
    """What a model begins with, and what its card has to say of it."""

    weights: Path
    about: dict[str, Any]  # as in the manifest's `parent`, and its sources as `data`


@dataclass(frozen=True)
class Verdict:
    """Nats a note of the turns that judge, by parent and child, and the 95 % interval of the difference."""

    before: float
    after: float
    low: float
    high: float
    turns: int
    notes: int
    chance: float  # that turns alike would look as much better

    @property
    def kept(self) -> bool:
        """Whether the child is better by more than chance."""
        return self.high < 0.0 and self.chance < MOST_CHANCE

    def line(self, out: Path) -> str:
        """The verdict in one line."""
        figures = f"{self.before:.3f} -> {self.after:.3f} nats a note on {self.turns} held-out turns"
        if self.kept:
            return f"kept: {figures} (better by {-self.high:.3f} to {-self.low:.3f}); {out} is the model"
        why = "no better" if self.after >= self.before else "too little better to be sure"
        return f"not kept: {figures}, {why}; {out} was not written"


def parent_of(model: str) -> Parent:
    """The parent by a model's name or folder, a run's folder, or a file of weights; ValueError for anything else."""
    path = Path(model).expanduser()
    if path.suffix == ".npz":
        name = str((about_of(path).get("config") or {}).get("name", path.stem))
        unknown = {"source": f"what {name} learned from", "licence": "not stated", "pieces": 0, "notes": 0}
        return Parent(path, {"name": name, "hash": "", "licence": "not stated", "data": [unknown], "attribution": []})
    if path.is_dir() and not (path / MANIFEST).is_file():
        return parent_of(str(weights_of(path)))
    try:
        bundle = load_bundle(Shelf().find(model))
    except LivemuseError as problem:
        raise ValueError(f"{problem}") from None
    info = bundle.info
    if info.family != FAMILY:
        raise ValueError(f"{info.name} is a {info.family} model; fine-tuning is for {FAMILY} models")
    if not (info.path / WEIGHTS).is_file():
        raise ValueError(f"{info.path} has no {WEIGHTS} to go on from: it was exported before there were any")
    data, attribution = sources(info.path / MANIFEST)
    return Parent(info.path / WEIGHTS, {"name": info.name, "hash": info.hash, "licence": info.licence, "data": data,
                                        "attribution": attribution})  # fmt: skip


def sources(manifest: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """What a model was trained on, source by source, and whom single files ask to be named, from its manifest."""
    training = json.loads(manifest.read_text(encoding="utf-8"))["training"]
    data, attribution = training.get("data", []), training.get("attribution", [])
    kinds = {"source": str, "licence": str, "pieces": int, "notes": int}
    whole = isinstance(data, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(name), kind) for name, kind in kinds.items()) for row in data
    )
    if not whole or not isinstance(attribution, list) or not all(isinstance(name, str) for name in attribution):
        raise ValueError(f"{manifest} does not say source by source what the model was trained on")
    return data, attribution


def finetune(asked: Asked, say: Say) -> Verdict:
    """Fine-tune, judge, and write the child where it is better; ValueError where there is too little to learn from."""
    asked = replace(asked, out=room_for_a_model(asked.out))
    if asked.run:
        room_for_a_run(asked.run / RUN)
    parent = parent_of(asked.model)
    if asked.out == parent.weights.resolve().parent:
        raise ValueError(f"{asked.out} is the parent itself; choose another --out")
    material = material_of(sessions_of(asked.sessions, say))
    notes = sum(c.notes for c in (material.learn, material.stop, material.judge))
    if material.turns < LEAST_TURNS or notes < LEAST_NOTES:
        raise ValueError(
            f"too little to learn from: {material.turns} turns with {notes:,} notes; "
            f"{LEAST_TURNS} turns with {LEAST_NOTES} notes are the least"
        )
    say(f"{material.turns} turns, {notes:,} notes: {material.learn.notes:,} to learn from, "
        f"{len(material.judge.pieces)} turns to judge by")  # fmt: skip
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    kept = (
        nullcontext(asked.run) if asked.run else tempfile.TemporaryDirectory(prefix=".finetune-", dir=asked.out.parent)
    )
    with kept as folder:
        return _finetune(asked, parent, material, Path(str(folder)), say)


def _finetune(asked: Asked, parent: Parent, material: Material, folder: Path, say: Say) -> Verdict:
    run_dir, notes_dir = folder / RUN, folder / "notes"
    run_dir.mkdir(parents=True, exist_ok=True)
    judge, about = load_network(parent.weights)
    score = make_scoring(judge, material.judge)
    before = score().sum(1)
    config = config_of(about["config"], parent.weights, asked, material)
    run = new_run(config, tuple(about.get("styles", ())))
    run.parent = parent.about
    teach(run, Course(material.learn, material.stop, run_dir, say, asked.bar))
    take_weights(judge, run_dir / BEST)
    notes = np.diff(material.judge.starts)
    verdict = judged(before, score().sum(1), notes)
    if verdict.kept:
        take_weights(run.network, run_dir / BEST)
        run.config = replace(config, start_from=str(parent.about["name"]))  # where it lay says nothing to others
        figures = {"nats_before": round(verdict.before, 4), "nats_after": round(verdict.after, 4)}
        run.parent = parent.about | figures | {"turns": verdict.turns, "notes": material.learn.notes}
        run.save_weights(run_dir / BEST)
        write_corpora(notes_dir, {"train": material.learn, "validation": material.judge})
        made = folder / "model" / asked.out.name
        export(run_dir, notes_dir, made, 0, lambda _: None)
        verdict = judged(
            before, onnx_nats(load_bundle(made), material.judge, lambda _: None).sum(1), notes
        )  # as it plays
        if verdict.kept:
            put(made, asked.out)
    say(verdict.line(asked.out))
    return verdict


def judged(before: Any, after: Any, notes: Any) -> Verdict:
    """The verdict from nats of each turn, (turns,), by parent and child, and how many notes each has."""
    low, high = bootstrap(after - before, notes)
    count = int(notes.sum())
    chance = by_chance(after - before)
    return Verdict(float(before.sum() / count), float(after.sum() / count), low, high, len(notes), count, chance)


def by_chance(differences: Any, draws: int = 10_000) -> float:
    """How often turns that differ so much, (turns,), would be better together if each were as often worse (0 to 1).

    Signs are drawn anew (Fisher's randomisation test); it holds for a few turns too, where a bootstrap is too sure.
    """
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (draws, len(differences)))
    return float((1 + np.sum(signs @ differences <= differences.sum() + 1e-12)) / (1 + draws))


def config_of(parent: dict[str, Any], weights: Path, asked: Asked, material: Material) -> Config:
    """The parent's config with what fine-tuning does otherwise."""
    pieces = len(material.learn.pieces)
    found = replace(
        config_from(parent), name=asked.out.name, start_from=str(weights), minutes=0.0, chunk=64, lanes=min(16, pieces),
        learning_rate=3e-4, warmup_steps=20, final_rate=0.05, dropout=0.2, transpose=2, stretch=0.05, velocity_shift=4,
        encore=0.0, patience=8, checkpoint_steps=0, seed=1, weights={},
    )  # fmt: skip
    steps = plan_lanes(material.learn, found.lanes, found.chunk, np.arange(pieces), full=True).steps
    return replace(found, epochs=min(max(10 * steps, LEAST_UPDATES), asked.updates) / steps)

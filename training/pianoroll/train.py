"""Teach a piano-roll network and keep the weights that fit the validation part best."""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.pianoroll.config import Settings, settings_from
from training.pianoroll.dataset import batches, plan
from training.pianoroll.network import Dropout, Network
from training.pianoroll.sequences import Batch, Piece, feature_count, scoring_batches

Say = Callable[[str], None]
COLUMNS = ("epoch", "step", "seconds", "train_nats", "validation_nats")


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    best: float = math.inf
    best_epoch: int = -1
    over: bool = False


@dataclass
class Run:
    """A network, the running average of its weights, its optimiser and where it stands."""

    settings: Settings
    network: Network
    averaged: Network
    optimizer: Any
    progress: Progress = field(default_factory=Progress)

    def save(self, path: Path) -> None:
        """Write everything a run goes on from; a kill in the middle leaves the previous file."""
        arrays = {f"weight_{k}": w.numpy() for k, w in enumerate(self.network.trainable_variables)}
        arrays |= {f"averaged_{k}": w.numpy() for k, w in enumerate(self.averaged.trainable_variables)}
        arrays |= {f"optimizer_{k}": w.numpy() for k, w in enumerate(self.optimizer.variables)}
        _write(path, {"settings": self.settings.as_dict(), "progress": vars(self.progress)}, arrays)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; raises ValueError where it belongs to other settings."""
        about, arrays = _read(path)
        if settings_from(about["settings"]) != self.settings:
            raise ValueError(f"{path} was made with other settings; train in another folder")
        for name, variables in (
            ("weight", self.network.trainable_variables),
            ("averaged", self.averaged.trainable_variables),
            ("optimizer", self.optimizer.variables),
        ):
            for k, variable in enumerate(variables):
                variable.assign(arrays[f"{name}_{k}"])
        self.progress = Progress(**about["progress"])


def _write(path: Path, about: dict[str, Any], arrays: dict[str, Any]) -> None:
    partial = path.with_suffix(".part")
    with partial.open("wb") as stream:
        np.savez(stream, about=np.array(json.dumps(about)), **arrays)
    os.replace(partial, path)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return json.loads(str(arrays.pop("about"))), arrays
    except (KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise ValueError(f"{path} is not a checkpoint: {problem}") from problem


def new_run(settings: Settings) -> Run:
    """A run that has learned nothing yet."""
    network, averaged = Network(settings.shape, settings.seed), Network(settings.shape, settings.seed)
    optimizer = keras.optimizers.AdamW(
        settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=1.0, beta_2=0.99
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "_b", "gain"])
    optimizer.build(network.trainable_variables)
    return Run(settings, network, averaged, optimizer)


def load_best(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network that fitted the validation part best, and what its file says of it."""
    about, arrays = _read(path)
    network = Network(settings_from(about["settings"]).shape)
    for k, weight in enumerate(network.trainable_variables):
        weight.assign(arrays[f"weight_{k}"])
    return network, about


def _signature(settings: Settings) -> Batch:
    keys, real, whole = settings.shape.keys, tf.float32, tf.int32
    shapes = [((None, None, feature_count(settings.shape)), real), ((None,), whole), ((None, keys), real),
              ((None, keys), real), ((None,), whole), ((None,), whole), ((None,), whole)]  # fmt: skip
    return Batch(*(tf.TensorSpec(shape, kind) for shape, kind in shapes))


def make_update(run: Run) -> Callable[..., Any]:
    """The compiled update: one batch in, its nats a frame out."""
    settings, network = run.settings, run.network
    rates = {"input": settings.input_dropout, "between": settings.dropout, "head": settings.head_dropout,
             "around": settings.head_dropout}  # fmt: skip
    number = tf.TensorSpec((), tf.int32)

    @tf.function(input_signature=[_signature(settings), number])  # type: ignore[untyped-decorator]
    def update(batch: Batch, step: Any) -> Any:
        with tf.GradientTape() as tape:
            nats = network.nats(batch, Dropout(rates, step), settings.active_weight)
            loss = tf.reduce_mean(nats)
        found = tape.gradient(loss, network.trainable_variables)
        run.optimizer.apply([tf.convert_to_tensor(g) for g in found], network.trainable_variables)
        kept = tf.minimum(settings.average, tf.cast(1 + step, tf.float32) / tf.cast(10 + step, tf.float32))
        for slow, fast in zip(run.averaged.trainable_variables, network.trainable_variables, strict=True):
            slow.assign(kept * slow + (1.0 - kept) * fast if settings.average else fast)
        return tf.reduce_sum(nats)

    return update  # type: ignore[no-any-return]


def make_score(network: Network, settings: Settings) -> Callable[[Sequence[Piece]], float]:
    """A function from whole pieces to nats a frame, by the published measure."""

    @tf.function(input_signature=[_signature(settings)])  # type: ignore[untyped-decorator]
    def nats(batch: Batch) -> Any:
        return tf.reduce_sum(tf.cast(network.nats(batch), tf.float64))

    def score(pieces: Sequence[Piece]) -> float:
        total, frames = 0.0, 0
        for _, batch in scoring_batches(pieces, settings.shape):
            total += float(nats(batch))
            frames += len(batch.target)
        return total / max(frames, 1)

    return score


def rate_at(settings: Settings, step: int, done: float) -> float:
    """The learning rate: a short rise, then half a cosine down to the last epoch (`done` runs from 0 to 1)."""
    rise = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    fall = 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))
    return settings.learning_rate * rise * (settings.final_rate + (1 - settings.final_rate) * fall)


def _use_threads(count: int) -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:
        return  # TensorFlow has begun already, with the threads that it has


def train(pieces: dict[str, list[Piece]], folder: Path, settings: Settings, say: Say) -> Path:
    """Train until the validation part is fitted no better; returns the file of the best weights.

    `pieces` has "train" and "valid". FOLDER gets checkpoint.npz, best.npz and history.csv; a run that was
    interrupted goes on from its last epoch as if nothing had happened, and one that is over is left as it is.
    """
    _use_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    run, checkpoint, best = new_run(settings), folder / "checkpoint.npz", folder / "best.npz"
    if checkpoint.exists():
        run.load(checkpoint)
    else:
        (folder / "history.csv").unlink(missing_ok=True)
    update, score, at = make_update(run), make_score(run.averaged, settings), run.progress
    if at.over:
        return best
    planned = plan(pieces["train"], settings, range(at.epoch, settings.epochs))
    waiting, updates = batches(pieces["train"], planned, settings.shape, settings.transpose), iter(planned.updates)
    while not at.over:
        began_s = time.monotonic() - at.elapsed_s
        mean = _epoch(run, update, itertools.islice(waiting, next(updates)))
        validation = score(pieces["valid"])
        if validation < at.best:
            at.best, at.best_epoch = validation, at.epoch
            weights = {f"weight_{k}": w.numpy() for k, w in enumerate(run.averaged.trainable_variables)}
            about = {"settings": settings.as_dict(), "validation": validation, "epoch": at.epoch}
            _write(best, about | {"elapsed_s": time.monotonic() - began_s}, weights)
        at.epoch += 1
        at.elapsed_s = time.monotonic() - began_s
        at.over = at.epoch >= settings.epochs or at.epoch - at.best_epoch > settings.patience
        row = [at.epoch, at.step, f"{at.elapsed_s:.1f}", f"{mean:.5f}", f"{validation:.5f}"]
        _add_line(folder / "history.csv", row)
        run.save(checkpoint)
        left_min = at.elapsed_s / at.epoch * (settings.epochs - at.epoch) / 60
        say(f"{settings.name}: epoch {at.epoch}, train {mean:.3f}, validation {validation:.3f} nats a frame "
            f"(best {at.best:.3f}), at most {left_min:.1f} min left")  # fmt: skip
    return best


def _epoch(run: Run, update: Callable[..., Any], given: Iterable[Batch]) -> float:
    settings, at = run.settings, run.progress
    total, frames = 0.0, 0
    for batch in given:
        run.optimizer.learning_rate.assign(rate_at(settings, at.step, at.epoch / settings.epochs))
        total += float(update(batch, tf.constant(at.step)))
        frames += len(batch.target)
        at.step += 1
    return total / max(frames, 1)


def _add_line(path: Path, row: Sequence[Any]) -> None:
    first = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if first:
            writer.writerow(COLUMNS)
        writer.writerow(row)

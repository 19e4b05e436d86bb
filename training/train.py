"""Teach a network; stop it when you like, and it goes on from its last checkpoint as if nothing had happened.

    python -m training train --data NOTES_DIR --run RUN_DIR
    python -m training train --data NOTES_DIR --run RUN_DIR --config concert.toml
    python -m training train --data NOTES_DIR --run RUN_DIR --resume

RUN_DIR gets config.json, history.csv (one line a checkpoint) and checkpoint.npz (to go on from).
"""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from livemuse.music.vocabulary import HEADS
from training.config import Config, config_from
from training.corpus import Corpus, load_corpus
from training.dataset import batches
from training.lanes import Plan, Variation, plan_lanes, styles_of, vary
from training.network import Network
from training.score import nats_by_piece, some_pieces

Array = npt.NDArray[Any]
COLUMNS = ("step", "epoch", "notes", "minutes", "learning_rate", "train_nats", "validation_nats", *HEADS)


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    in_epoch: int = 0  # updates done in this epoch
    step: int = 0
    notes: int = 0
    elapsed_s: float = 0.0
    loss_sum: float = 0.0  # nats since the last checkpoint, to be averaged
    loss_count: float = 0.0


@dataclass
class Run:
    """A network, its optimiser, the state each lane carries, and where it all stands."""

    config: Config
    network: Network
    optimizer: Any
    state: list[tuple[Any, Any]]
    styles: tuple[str, ...] = ()  # the labels a piece can have
    progress: Progress = field(default_factory=Progress)
    saved_s: float = 0.0  # when the last checkpoint was written, on the run's own clock

    def save(self, path: Path) -> None:
        """Write everything a run goes on from; a kill in the middle leaves the previous file."""
        arrays = {f"weight_{k}": w.numpy() for k, w in enumerate(self.network.trainable_variables)}
        arrays |= {f"optimizer_{k}": w.numpy() for k, w in enumerate(self.optimizer.variables)}
        for k, (h, c) in enumerate(self.state):
            arrays[f"h{k}"], arrays[f"c{k}"] = h.numpy(), c.numpy()
        about = json.dumps({"config": self.config.as_dict(), "styles": self.styles, "progress": vars(self.progress)})
        partial = path.with_suffix(".part")
        with partial.open("wb") as stream:
            np.savez(stream, about=np.array(about), **arrays)
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        with np.load(path) as arrays:
            for k, weight in enumerate(self.network.trainable_variables):
                weight.assign(arrays[f"weight_{k}"])
            for k, weight in enumerate(self.optimizer.variables):
                weight.assign(arrays[f"optimizer_{k}"])
            layers = self.config.shape.layers
            self.state = [(tf.constant(arrays[f"h{k}"]), tf.constant(arrays[f"c{k}"])) for k in range(layers)]
            self.progress = Progress(**json.loads(str(arrays["about"]))["progress"])
            self.saved_s = self.progress.elapsed_s


@dataclass(frozen=True)
class Course:
    """What a run learns from, what it is scored on, where it writes and to whom it talks."""

    corpus: Corpus
    held_out: Corpus
    folder: Path
    say: Callable[[str], None]


def new_run(config: Config, styles: tuple[str, ...] = ()) -> Run:
    """A run that has learned nothing yet, or what its `start_from` had learned."""
    network = Network(config.shape, config.dropout, config.bfloat16, config.seed, len(styles))
    if config.start_from:
        _start_from(network, Path(config.start_from))
    # global_clipnorm also sums the gradients of a repeated note, which Adam alone does not do here
    optimizer = keras.optimizers.Adam(config.learning_rate, global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)
    return Run(config, network, optimizer, network.zero_state(config.lanes), styles)


def _start_from(network: Network, checkpoint: Path) -> None:
    """Take the weights of another run; labels that it did not know say nothing yet."""
    with np.load(checkpoint) as arrays:
        for k, weight in enumerate(network.trainable_variables):
            given = arrays[f"weight_{k}"]
            room = weight.shape[0] - given.shape[0]
            if given.shape[1:] != tuple(weight.shape[1:]) or room not in (0, network.styles):
                raise ValueError(f"{checkpoint} holds a network of another shape")
            weight.assign(np.concatenate([given, np.zeros((room, *given.shape[1:]), np.float32)]))


def load_network(checkpoint: Path) -> tuple[Network, dict[str, Any]]:
    """The network of a checkpoint, in float32 and without dropout, and what the checkpoint says of itself."""
    with np.load(checkpoint) as arrays:
        about = json.loads(str(arrays["about"]))
        network = Network(config_from(about["config"]).shape, styles=len(about.get("styles", ())))
        for k, weight in enumerate(network.trainable_variables):
            weight.assign(arrays[f"weight_{k}"])
    return network, about


def rate_at(config: Config, step: int, done: float) -> float:
    """The learning rate: a short rise, then half a cosine down to the planned end (`done` runs from 0 to 1)."""
    rise = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    fall = 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))
    return config.learning_rate * rise * (config.final_rate + (1 - config.final_rate) * fall)


def make_update(run: Run) -> Callable[..., Any]:
    """The compiled update: one chunk in every lane."""
    network, optimizer = run.network, run.optimizer

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def update(batch: Any, state: Any, step: Any) -> Any:
        inputs, targets, weight, new, style = batch
        state = [tuple(tf.where(new[:, None], 0.0, s) for s in pair) for pair in state]
        flat_weight = tf.reshape(weight, (-1,))
        with tf.GradientTape() as tape:
            nats, after = network.losses_of(tf.unstack(inputs), tf.unstack(targets), state, style, step)
            total = tf.reduce_sum(nats * flat_weight)
            loss = total / tf.maximum(tf.reduce_sum(flat_weight), 1.0)
        found = tape.gradient(loss, network.trainable_variables)
        optimizer.apply([tf.convert_to_tensor(g) for g in found], network.trainable_variables)
        return total, tf.reduce_sum(flat_weight), after

    return update  # type: ignore[no-any-return]


def limit_threads(threads: int) -> None:
    """How many threads TensorFlow may take; to be said before it has done anything."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def train(data: Path, folder: Path, config: Config, resume: bool, say: Callable[[str], None]) -> Path:
    """Train to the planned end; returns the last checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus, held_out = load_corpus(data, "train"), load_corpus(data, "validation")
    course = Course(corpus, some_pieces(held_out, config.validation_notes), folder, say)
    run, target = new_run(config, styles_of(corpus, config.style_notes)), folder / "checkpoint.npz"
    if resume:
        run.load(target)
    else:
        (folder / "history.csv").unlink(missing_ok=True)
    (folder / "config.json").write_text(json.dumps(config.as_dict(), indent=1), encoding="utf-8")
    weights = sum(int(np.prod(w.shape)) for w in run.network.trainable_variables)
    say(f"{corpus.notes:,} notes of {len(corpus.pieces)} pieces; {weights:,} weights")
    update, done = make_update(run), 0.0
    while done < 1.0:
        order, variation, encores = vary(corpus, config, run.progress.epoch, run.styles)
        plan = plan_lanes(corpus, config.lanes, config.chunk, order, full=False, encores=encores)
        done = _epoch(run, update, course, plan, variation)
        if done < 1.0:
            run.progress.epoch += 1
            run.progress.in_epoch = 0
    checkpoint(run, course, done)
    return target


def planned(run: Run, steps: int) -> float:
    """How much of the run is over, 0 to 1."""
    if run.config.minutes:
        return run.progress.elapsed_s / (60 * run.config.minutes)
    return (run.progress.epoch + run.progress.in_epoch / steps) / run.config.epochs


def _epoch(run: Run, update: Callable[..., Any], course: Course, plan: Plan, variation: Variation) -> float:
    """One pass over the corpus, or what is left of it; returns how much of the run is over."""
    config, at = run.config, run.progress
    began_s = time.monotonic() - at.elapsed_s
    shown_s = at.elapsed_s
    done = planned(run, plan.steps)
    for batch in batches(course.corpus, plan, variation, config.chunk, at.in_epoch):
        if done >= 1.0:
            break
        run.optimizer.learning_rate.assign(rate_at(config, at.step, done))
        total, count, run.state = update(batch, run.state, tf.constant(at.step))
        at.loss_sum += float(total)
        at.loss_count += float(count)
        at.notes += int(count)
        at.step += 1
        at.in_epoch += 1
        at.elapsed_s = time.monotonic() - began_s
        done = planned(run, plan.steps)
        if at.elapsed_s - shown_s > 20:
            shown_s = at.elapsed_s
            left_min = at.elapsed_s / max(done, 1e-9) * (1 - done) / 60
            mean = at.loss_sum / at.loss_count
            course.say(f"step {at.step}, epoch {at.epoch} {at.in_epoch}/{plan.steps}: {mean:.4f} nats a note, "
                f"{at.notes / at.elapsed_s:,.0f} notes/s, {left_min:.0f} min left")  # fmt: skip
        if at.elapsed_s - run.saved_s > 60 * config.checkpoint_minutes or (
            config.checkpoint_steps and at.step % config.checkpoint_steps == 0
        ):
            checkpoint(run, course, done)
            began_s = time.monotonic() - at.elapsed_s  # scoring is not training
    return done


def checkpoint(run: Run, course: Course, done: float) -> None:
    """Score the held-out pieces, write one line of history, and save everything."""
    at = run.progress
    by_head = nats_by_piece(run.network, course.held_out).sum(0) / course.held_out.notes
    mean = at.loss_sum / max(at.loss_count, 1.0)
    at.loss_sum = at.loss_count = 0.0
    row = [at.step, at.epoch, at.notes, f"{at.elapsed_s / 60:.2f}", f"{rate_at(run.config, at.step, done):.2e}",
           f"{mean:.5f}", f"{by_head.sum():.5f}", *(f"{v:.5f}" for v in by_head)]  # fmt: skip
    history = course.folder / "history.csv"
    first = not history.exists()
    with history.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if first:
            writer.writerow(COLUMNS)
        writer.writerow(row)
    run.saved_s = at.elapsed_s
    run.save(course.folder / "checkpoint.npz")
    course.say(f"checkpoint at step {at.step}: train {mean:.4f}, validation {by_head.sum():.4f} nats a note")

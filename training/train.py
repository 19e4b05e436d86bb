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
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from livemuse.music.vocabulary import HEADS
from training.config import Config
from training.corpus import Corpus, load_corpus
from training.dataset import batches
from training.lanes import Plan, Variation, plan_lanes, styles_of, vary
from training.run import Run, new_run
from training.score import nats_by_piece, some_pieces
from training.update import make_update

Array = npt.NDArray[Any]
COLUMNS = ("step", "epoch", "notes", "minutes", "learning_rate", "train_nats", "validation_nats", *HEADS)


@dataclass(frozen=True)
class Course:
    """What a run learns from, what it is scored on, where it writes and to whom it talks."""

    corpus: Corpus
    held_out: Corpus
    folder: Path
    say: Callable[[str], None]


def rate_at(config: Config, step: int, done: float) -> float:
    """The learning rate: a short rise, then half a cosine down to the planned end (`done` runs from 0 to 1)."""
    rise = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    fall = 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))
    return config.learning_rate * rise * (config.final_rate + (1 - config.final_rate) * fall)


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

"""Teach a network; stop it when you like, and it goes on from its last checkpoint as if nothing had happened.

    python -m training train --data NOTES_DIR --run RUN_DIR
    python -m training train --data NOTES_DIR --run RUN_DIR --config concert.toml
    python -m training train --data NOTES_DIR --run RUN_DIR --resume

RUN_DIR gets config.json, history.csv (a line for each score), checkpoint.npz (to go on from), best.npz (the weights
that fitted the held-out pieces best), history.png and tensorboard/.
"""

from __future__ import annotations

import json
import math
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.checkpoint import rate_at
from training.config import Config
from training.corpus import Corpus, load_corpus
from training.dataset import batches
from training.distributed import agreed, shared_lanes
from training.history import History, plot_history
from training.lanes import Plan, Variation, plan_lanes, styles_of, vary
from training.run import BEST, LAST, Run, config_of, new_run, notes_digest
from training.score import make_scoring, some_pieces
from training.update import limit_threads, make_update
from training.watch import Say, Watch

__all__ = ["Course", "corpora", "lanes_for", "limit_threads", "plan_epoch", "room_for_a_run", "teach", "train"]

LEAST_EPOCHS = 10.0  # of a run that does not say how many it has
SCORES = 40  # of a run planned by epochs
PLANNED_END = ("epochs", "minutes", "least_steps", "patience", "checkpoint_minutes", "checkpoint_steps")
"""The settings that may change where a run goes on."""


@dataclass(frozen=True)
class Course:
    """What a run learns from, what it is scored on, where it writes and to whom it talks."""

    corpus: Corpus
    held_out: Corpus
    folder: Path
    say: Say
    bar: bool = False  # on a terminal; `say` then talks there too


@dataclass
class _Work:
    """What the loop works with, beside the run itself."""

    course: Course
    update: Callable[..., Any]
    score: Callable[[], Any]
    history: History
    watch: Watch
    steps: int  # the planned end in updates; 0 where `minutes` says it
    every: int  # updates from score to score; 0 is by the clock
    scored_s: float = 0.0  # when that was, on the run's own clock


def corpora(data: Path) -> tuple[Corpus, Corpus]:
    """The notes to learn from and the held-out ones; ValueError, naming the folder, where they are not there."""
    try:
        found = load_corpus(data, "train"), load_corpus(data, "validation")
        for corpus in found:
            if not corpus.notes or any(len(a) != corpus.notes for a in (corpus.pitch, corpus.velocity)):
                raise ValueError("its table of contents does not fit its notes")
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{data} holds no notes; `python -m training prepare --out {data}` makes them") from None
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as problem:
        raise ValueError(f"{data} holds damaged notes, prepare them again: {problem}") from None
    return found


def train(data: Path, folder: Path, config: Config | None, resume: bool, say: Say, *, bar: bool = False) -> Path:
    """Train to the planned end, alone or as one of several workers (training.distributed); returns the last checkpoint.

    No config is that of the checkpoint where a run goes on, else the default one. ValueError, in a sentence, for notes
    or a checkpoint that are not there, damaged, of another network or config, or for other notes than the run's.
    """
    corpus, held_out = corpora(data)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ValueError(f"{folder} cannot be the folder of a run: {problem.strerror or problem}") from None
    if resume:
        config = _gone_on_with(folder / LAST, config, corpus)
    else:
        room_for_a_run(folder)
        config = config or Config()
        config = replace(config, lanes=shared_lanes(lanes_for(config, corpus)))
    run = new_run(config, styles_of(corpus, config.style_notes), begin=not resume)
    run.notes_sha256 = notes_digest(data)
    if resume:
        run.load(folder / LAST)
    return teach(run, Course(corpus, some_pieces(held_out, config.validation_notes), folder, say, bar))


def room_for_a_run(folder: Path) -> None:
    """Nothing, where a run can begin in a folder; ValueError where it holds one already."""
    if any((folder / name).exists() for name in (BEST, LAST)):
        raise ValueError(f"{folder} holds a run already: --resume goes on with it, another --run begins another")


def _gone_on_with(target: Path, given: Config | None, corpus: Corpus) -> Config:
    """The config of a checkpoint, with another planned end where one is given; ValueError for any other difference."""
    kept = config_of(target)
    lanes = kept.lanes
    if shared_lanes(lanes) != lanes:
        raise ValueError(
            f"{lanes} lanes cannot be shared among so many workers: their number must be a divisor of {lanes}"
        )
    if given is None:
        return kept
    asked = lanes_for(given, corpus)
    if lanes in (asked, shared_lanes(asked)):
        given = replace(given, lanes=lanes)
    names = [n for n in kept.as_dict() if n not in PLANNED_END and getattr(given, n) != getattr(kept, n)]
    if names:
        raise ValueError(
            f"{target} was trained with another {', '.join(names)}: leave --config out, or let it change the planned "
            f"end alone ({', '.join(PLANNED_END)})"
        )
    return given


def lanes_for(config: Config, corpus: Corpus) -> int:
    """How many pieces are read side by side: fewer than the config says where there are few, four to a lane or so."""
    pieces = len(corpus.pieces)
    return max(min(config.lanes, max(8, pieces // 4), pieces), 1)


def teach(run: Run, course: Course) -> Path:
    """Take a run from where it stands to its end; returns its last checkpoint."""
    at, target = run.progress, course.folder / LAST
    if at.over:
        course.say(f"{course.folder} is over: {at.step} updates, best {at.best_nats:.4f} nats a note")
        return target
    history = _begin(run, course)
    with Watch(course.say, at.elapsed_s, bar=course.bar) as watch:
        work = _work(run, course, history, watch)
        if run.config.start_from and at.fresh:
            _score(run, work, 0.0)  # what it began with may stay the best
        done = 0.0
        while done < 1.0 and not at.over:
            plan, variation = plan_epoch(run, course, at.epoch)
            done = _epoch(run, work, plan, variation)
            if done < 1.0 and not at.over:
                at.epoch += 1
                at.in_epoch = 0
        if not at.over:
            at.over = True
            _score(run, work, done)
    _picture(course)
    return target


def _begin(run: Run, course: Course) -> History:
    """Make the run's folder ready, and say what is going to happen."""
    at, folder = run.progress, course.folder
    (folder / "config.json").write_text(json.dumps(run.config.as_dict(), indent=1), encoding="utf-8")
    weights = sum(int(np.prod(w.shape)) for w in run.network.trainable_variables)
    course.say(f"{course.corpus.notes:,} notes of {len(course.corpus.pieces)} pieces; {weights:,} weights")
    events = keras.backend.backend() == "tensorflow"
    if not events:
        course.say("no TensorBoard files: TensorFlow writes them, and it does not train here")
    return History(folder, -1 if at.fresh else at.step, events)


def _work(run: Run, course: Course, history: History, watch: Watch) -> _Work:
    config = run.config
    steps = 0
    if not config.minutes:
        one = plan_epoch(run, course, 0)[0].steps
        steps = math.ceil(one * config.epochs if config.epochs else max(one * LEAST_EPOCHS, config.least_steps))
    every = config.checkpoint_steps or math.ceil(steps / SCORES)
    score = make_scoring(run.network, course.held_out)
    return _Work(course, make_update(run), score, history, watch, steps, every, run.progress.elapsed_s)


def plan_epoch(run: Run, course: Course, epoch: int) -> tuple[Plan, Variation]:
    """What each lane reads in an epoch, and how the pieces are varied; the same every time it is asked."""
    config, corpus = run.config, course.corpus
    order, variation, encores = vary(corpus, config, epoch, run.styles)
    plan = plan_lanes(corpus, config.lanes, config.chunk, order, full=False, encores=encores)
    wanted = corpus.notes + encores.length[encores.start >= 0].sum()
    if plan.length.sum() < 0.9 * wanted:  # few pieces: do not stop with the first lane that is done
        plan = plan_lanes(corpus, config.lanes, config.chunk, order, full=True, encores=encores)
    return plan, variation


def _done(run: Run, work: _Work) -> float:
    """How much of the planned run is over, 0 to 1."""
    if run.config.minutes:
        return run.progress.elapsed_s / (60 * run.config.minutes)
    return run.progress.step / work.steps


def _epoch(run: Run, work: _Work, plan: Plan, variation: Variation) -> float:
    """One pass over the corpus, or what is left of it; returns how much of the planned run is over."""
    config, at = run.config, run.progress
    began_s = time.monotonic() - at.elapsed_s
    done = _done(run, work)
    for batch in batches(work.course.corpus, plan, variation, config.chunk, at.in_epoch):
        if done >= 1.0 or at.over:
            break
        run.optimizer.learning_rate.assign(rate_at(config, at.step, done))
        total, count, run.state = work.update(batch, run.state, at.step)
        at.loss_sum += float(total)
        at.loss_count += float(count)
        at.notes += int(count)
        at.step += 1
        at.in_epoch += 1
        at.elapsed_s = agreed(time.monotonic() - began_s)  # the first worker's clock is everyone's
        done = _done(run, work)
        work.watch.at(
            at.elapsed_s,
            done,
            f"step {at.step}, epoch {at.epoch} {at.in_epoch}/{plan.steps}: {at.loss_sum / at.loss_count:.4f} nats a "
            f"note, {at.notes / at.elapsed_s:,.0f} notes/s",
        )
        late = 60 * config.checkpoint_minutes
        if (work.every and at.step % work.every == 0) or (not work.steps and at.elapsed_s - work.scored_s > late):
            if done < 1.0:
                _score(run, work, done)
        elif at.elapsed_s - run.saved_s > late:
            _save(run, work)
        began_s = time.monotonic() - at.elapsed_s  # neither scoring nor saving is training
    return done


def _save(run: Run, work: _Work) -> None:
    run.saved_s = run.progress.elapsed_s
    run.save(work.course.folder / LAST)


def _score(run: Run, work: _Work, done: float) -> None:
    """Score the held-out pieces, write one line of history, keep the best weights, save, and see whether to stop."""
    at, config, folder = run.progress, run.config, work.course.folder
    by_head = work.score().sum(0) / work.course.held_out.notes
    nats = agreed(float(by_head.sum()))  # all of them stop, or none
    mean = at.loss_sum / at.loss_count if at.loss_count else math.nan
    at.loss_sum = at.loss_count = 0.0
    work.scored_s = at.elapsed_s
    rate = f"{rate_at(config, at.step, done):.2e}"
    figures = [f"{value:.5f}" for value in (mean, nats, *by_head)]
    work.history.add([at.step, at.epoch, at.notes, f"{at.elapsed_s / 60:.2f}", rate, *figures])
    if at.scored(nats):
        run.save_weights(folder / BEST)
    stopped = bool(config.stop_after and at.since_best >= config.stop_after and not at.over)
    at.over = at.over or stopped
    _save(run, work)
    best = "the best yet" if not at.since_best else f"best {at.best_nats:.4f}"
    heard = "" if math.isnan(mean) else f"train {mean:.4f}, "
    work.watch.say(f"checkpoint at step {at.step}: {heard}validation {nats:.4f} nats a note ({best})")
    if stopped:
        work.watch.say(f"stopped early: {at.since_best} scores in a row were no better than at step {at.best_step}")


def _picture(course: Course) -> None:
    try:
        course.say(f"{plot_history(course.folder)} is drawn")
    except ValueError as problem:
        course.say(f"no picture of the history: {problem}")

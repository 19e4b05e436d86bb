"""Teach the melody network and keep the weights that fit the validation tunes best."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from training.checkpoint import rate_at
from training.config import dropout_seed
from training.epochs import BEST, HISTORY, LAST, Run, add_line, best_of, cut_history, use_threads
from training.melody.config import Settings, settings_from
from training.melody.dataset import batches, plan_epoch, plan_whole
from training.melody.hearing import NAMES, Heard
from training.melody.network import Network
from training.melody.run import new_run
from training.melody.tunes import Array, Say, Tunes, digest_of_tunes

COLUMNS: Final = ("epoch", "step", "events", "minutes", "learning_rate", "train_nats", "validation_nats")
TOLD_EVERY_S: Final = 20.0
_WHOLE: Final = tf.TensorSpec((None, None), tf.int32)
HEARD: Final = Heard(_WHOLE, _WHOLE, _WHOLE, _WHOLE, _WHOLE, tf.TensorSpec((None, None, NAMES), tf.float32))
GIVEN: Final = [HEARD, _WHOLE, tf.TensorSpec((None, None), tf.float32)]
"""What a batch of training.melody.dataset is."""


def train(tunes: dict[str, Tunes], folder: Path, settings: Settings, say: Say) -> Path:
    """Train until the validation tunes are fitted no better; returns the file of the best weights.

    `tunes` has "train" and "validation". FOLDER gets checkpoint.npz, best.npz and history.csv; a run that was
    interrupted goes on from its last epoch as if nothing had happened, and one that is over is left as it is.
    Raises ValueError where it belongs to other settings or tunes, or went astray.
    """
    use_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    run, checkpoint, history = new_run(settings, digest_of_tunes(tunes)), folder / LAST, folder / HISTORY
    if checkpoint.exists():
        run.load(checkpoint, settings_from)
    cut_history(history, run.progress.epoch)
    weights = sum(int(np.prod(w.shape)) for w in run.network.trainable_variables)
    say(f"{settings.name}: {weights:,} weights, {tunes['train'].count:,} events to learn from")
    update, score, at = make_update(run), make_score(run.averaged), run.progress
    while not at.over:
        rate, mean = _epoch(run, update, tunes["train"], say)
        held_out = tunes["validation"]
        found = float(nats_by_tune(score, held_out).sum()) / held_out.count
        if found < at.best:
            at.best, at.best_epoch = found, at.epoch
            run.save_best(folder / BEST)
        at.epoch += 1
        at.over = at.epoch >= settings.epochs or at.epoch - at.best_epoch > settings.patience
        row = [at.epoch, at.step, at.events, f"{at.elapsed_s / 60:.2f}", f"{rate:.2e}", f"{mean:.5f}", f"{found:.5f}"]
        add_line(history, COLUMNS, row)
        run.save(checkpoint)
        say(f"epoch {at.epoch}: train {mean:.4f}, validation {found:.4f} nats an event (best {at.best:.4f})")
    return best_of(folder, at)


def make_update(run: Run) -> Callable[..., Any]:
    """The compiled update: one batch in, its nats and the number of its events out."""
    settings, network, optimizer = run.settings, run.network, run.optimizer

    @tf.function(input_signature=[*GIVEN, tf.TensorSpec((), tf.int32)])  # type: ignore[untyped-decorator]
    def update(heard: Heard, events: Any, weight: Any, step: Any) -> Any:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(network.nats(heard, events, dropout_seed(settings.seed, step)) * weight)
            loss = total / tf.reduce_sum(weight)
        found = tape.gradient(loss, network.trainable_variables)
        optimizer.apply([tf.convert_to_tensor(g) for g in found], network.trainable_variables)
        kept = tf.minimum(settings.average, tf.cast(1 + step, tf.float32) / tf.cast(10 + step, tf.float32))
        for slow, fast in zip(run.averaged.trainable_variables, network.trainable_variables, strict=True):
            slow.assign(kept * slow + (1.0 - kept) * fast if settings.average else fast)
        return total, tf.reduce_sum(weight)

    return update  # type: ignore[no-any-return]


def make_score(network: Network) -> Callable[..., Any]:
    """The compiled scoring of one batch: nats (T, B), 0 after a tune's end."""

    @tf.function(input_signature=GIVEN)  # type: ignore[untyped-decorator]
    def score(heard: Heard, events: Any, weight: Any) -> Any:
        return network.nats(heard, events) * weight

    return score  # type: ignore[no-any-return]


def nats_by_event(score: Callable[..., Any], tunes: Tunes, batch: int = 32) -> Array:
    """Nats of each event of each tune, (events,) float64, each tune heard whole from its beginning."""
    plan, found = plan_whole(tunes, batch), np.zeros(tunes.count)
    for row, given in enumerate(batches(tunes, plan)):
        nats = score(*given).numpy()
        for lane, (begin, length) in enumerate(zip(plan.begin[row], plan.length[row], strict=True)):
            found[begin : begin + length] = nats[:length, lane]
    return found


def nats_by_tune(score: Callable[..., Any], tunes: Tunes) -> Array:
    """Nats of each tune, summed over its events: (tunes,)."""
    return np.add.reduceat(nats_by_event(score, tunes), tunes.starts[:-1])


def _epoch(run: Run, update: Callable[..., Any], tunes: Tunes, say: Say) -> tuple[float, float]:
    """Every tune once; the learning rate at the end, and nats an event on the way."""
    settings, at = run.settings, run.progress
    plan = plan_epoch(tunes, settings, at.epoch)
    began_s = time.monotonic() - at.elapsed_s
    told_s, total, events, rate = at.elapsed_s, 0.0, 0, 0.0
    for number, batch in enumerate(batches(tunes, plan)):
        done = (at.epoch + number / plan.batches) / settings.epochs
        rate = rate_at(settings, at.step, done)
        run.optimizer.learning_rate.assign(rate)
        nats, count = update(*batch, tf.constant(at.step))
        total, events, at.step = total + float(nats), events + int(count), at.step + 1
        at.elapsed_s = time.monotonic() - began_s
        if at.elapsed_s - told_s > TOLD_EVERY_S:
            told_s = at.elapsed_s
            left_min = at.elapsed_s * (1 - done) / max(done, 1e-9) / 60
            say(f"epoch {at.epoch + 1}, {number + 1}/{plan.batches}: {total / events:.3f} nats an event, "
                f"at most {left_min:.1f} min left")  # fmt: skip
    at.events += events
    return rate, total / max(events, 1)

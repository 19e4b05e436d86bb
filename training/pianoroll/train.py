"""Teach a piano-roll network and keep the weights that fit the validation part best."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from training.checkpoint import assign, digest_of, opened, rate_at
from training.config import dropout_seed
from training.epochs import BEST, HISTORY, LAST, Run, add_line, best_of, config_of, cut_history, use_threads
from training.pianoroll.config import Settings, settings_from
from training.pianoroll.dataset import batches, plan
from training.pianoroll.network import Dropout, Network
from training.pianoroll.sequences import Batch, Piece, feature_count, scoring_batches

Say = Callable[[str], None]
COLUMNS = ("epoch", "step", "seconds", "train_nats", "validation_nats")


def new_run(settings: Settings, notes_sha256: str = "") -> Run:
    """A run that has learned nothing yet; `notes_sha256` tells the pieces that it learns from."""
    network, averaged = Network(settings.shape, settings.seed), Network(settings.shape, settings.seed)
    optimizer = keras.optimizers.AdamW(
        settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=1.0, beta_2=0.99
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "_b", "gain"])
    optimizer.build(network.trainable_variables)
    return Run(settings, network, averaged, optimizer, notes_sha256)


def load_best(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network that fitted the validation part best, and what its file says of it (config, progress)."""
    with opened(path) as (about, arrays):
        network = Network(settings_from(config_of(about)).shape)
        assign(network.trainable_variables, arrays, "weight", path)
        if "progress" not in about:  # as older files have it
            told = {"epoch": about["epoch"], "best": about["validation"], "elapsed_s": about["elapsed_s"]}
            about |= {"config": about["settings"], "progress": told}
    return network, about


def digest_of_pieces(pieces: dict[str, list[Piece]]) -> str:
    """What tells these very pieces, to learn from and to be scored on, from others."""
    return digest_of(
        part
        for name in ("train", "valid")
        for piece in pieces[name]
        for part in (piece.frames, piece.position, piece.top)
        if part is not None
    )


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
            nats = network.nats(batch, Dropout(rates, dropout_seed(settings.seed, step)), settings.active_weight)
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


def train(pieces: dict[str, list[Piece]], folder: Path, settings: Settings, say: Say) -> Path:
    """Train until the validation part is fitted no better; returns the file of the best weights.

    `pieces` has "train" and "valid". FOLDER gets checkpoint.npz, best.npz and history.csv; a run that was
    interrupted goes on from its last epoch as if nothing had happened, and one that is over is left as it is.
    Raises ValueError where it belongs to other settings or pieces, or went astray.
    """
    use_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    run, checkpoint, history = new_run(settings, digest_of_pieces(pieces)), folder / LAST, folder / HISTORY
    if checkpoint.exists():
        run.load(checkpoint, settings_from)
    cut_history(history, run.progress.epoch)
    update, score, at = make_update(run), make_score(run.averaged, settings), run.progress
    if at.over:
        return best_of(folder, at)
    planned = plan(pieces["train"], settings, range(at.epoch, settings.epochs))
    waiting, updates = batches(pieces["train"], planned, settings.shape, settings.transpose), iter(planned.updates)
    while not at.over:
        began_s = time.monotonic() - at.elapsed_s
        mean = _epoch(run, update, itertools.islice(waiting, next(updates)))
        validation = score(pieces["valid"])
        at.elapsed_s = time.monotonic() - began_s
        if validation < at.best:
            at.best, at.best_epoch = validation, at.epoch
            run.save_best(folder / BEST)
        at.epoch += 1
        at.over = at.epoch >= settings.epochs or at.epoch - at.best_epoch > settings.patience
        row = [at.epoch, at.step, f"{at.elapsed_s:.1f}", f"{mean:.5f}", f"{validation:.5f}"]
        add_line(history, COLUMNS, row)
        run.save(checkpoint)
        left_min = at.elapsed_s / at.epoch * (settings.epochs - at.epoch) / 60
        say(f"{settings.name}: epoch {at.epoch}, train {mean:.3f}, validation {validation:.3f} nats a frame "
            f"(best {at.best:.3f}), at most {left_min:.1f} min left")  # fmt: skip
    return best_of(folder, at)


def _epoch(run: Run, update: Callable[..., Any], given: Iterable[Batch]) -> float:
    settings, at = run.settings, run.progress
    total, frames = 0.0, 0
    for batch in given:
        run.optimizer.learning_rate.assign(rate_at(settings, at.step, at.epoch / settings.epochs))
        total += float(update(batch, tf.constant(at.step)))
        frames += len(batch.target)
        at.step += 1
    return total / max(frames, 1)

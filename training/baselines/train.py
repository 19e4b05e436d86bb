"""A design trained with early stopping, kept in a folder, and scored on notes it has never seen."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.vocabulary import DURATION_EDGES_S, HEADS, PITCHES, STEP_EDGES_S, VOCABULARY
from training.baselines import reading
from training.baselines.designs import PITCH_UNIT, REGRESSED, WINDOW, Design, network
from training.baselines.windows import dataset, set_aside, windows_of
from training.corpus import Corpus
from training.lanes import corpus_bins

Array = npt.NDArray[Any]
Say = Callable[[str], None]
BATCH, JUDGED = 256, 4096
CHECKS_A_PASS = 4  # how often it is judged on what is kept aside, in one pass over the notes
PATIENCE = 4  # checks without a gain
PASSES = 20  # at most
EDGES = {
    "pitch": np.arange(PITCHES + 1) - 0.5,
    "step": np.array(STEP_EDGES_S),
    "duration": np.array(DURATION_EDGES_S),
}


def keep_arrays(path: Path, arrays: dict[str, Array]) -> None:
    """Write arrays whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    os.replace(part, path)


def keep_json(path: Path, found: dict[str, Any]) -> None:
    """Write a table of facts whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)


def one_thread(seed: int) -> None:
    """The same start every time, and one core: small networks gain nothing from a second."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return  # TensorFlow has already begun


def fit(model: Any, rows: tuple[Any, Any], checks: int, minutes: float, say: Say) -> dict[str, Any]:
    """Train until the notes kept aside are no longer told better, or the time is up; the best weights stay.

    `rows` are (endless training batches, those kept aside); `checks` is how many batches lie between two checks.
    """
    import keras

    began_s = time.monotonic()

    def tell(epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {}).get("val_loss", float("nan"))
        say(f"  check {epoch + 1}: {loss:.4f} kept aside, {time.monotonic() - began_s:.0f} s")

    def enough(_: int, logs: dict[str, float] | None = None) -> None:
        if time.monotonic() - began_s > minutes * 60:
            model.stop_training = True

    stop = keras.callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)
    calls = [keras.callbacks.LambdaCallback(on_epoch_end=tell, on_train_batch_end=enough), stop]
    found = model.fit(rows[0], validation_data=rows[1], steps_per_epoch=checks, epochs=PASSES * CHECKS_A_PASS,
                      callbacks=calls, verbose=0, shuffle=False)  # fmt: skip
    losses = [float(v) for v in found.history["val_loss"]]
    return {
        "checks": len(losses),
        "batches_a_check": checks,
        "best_check": int(np.argmin(losses)) + 1,
        "kept_aside_loss": losses,
        "out_of_time": time.monotonic() - began_s > minutes * 60,
        "seconds": round(time.monotonic() - began_s, 1),
    }


def expectations(model: Any, corpus: Corpus) -> dict[str, Array]:
    """What a model says before each note of a corpus: pitch (n, 128) or (n,), step and duration (n,) in seconds."""
    import tensorflow as tf

    ask = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, WINDOW, 3), tf.float32)]
    )
    windows, said = windows_of(corpus), []
    for at in range(0, corpus.notes, JUDGED):
        said.append(ask(windows.before(np.arange(at, min(at + JUDGED, corpus.notes)))))
    found = {head: np.concatenate([row[head].numpy() for row in said]) for head in ("pitch", *REGRESSED)}
    if found["pitch"].shape[1] == 1:
        found["pitch"] = found["pitch"][:, 0] * PITCH_UNIT
    return found | {head: found[head][:, 0] for head in REGRESSED}


def history_of(facts: Path) -> dict[str, Any] | None:
    """How a design has been trained so far; None where it has not."""
    if not facts.is_file():
        return None
    found: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))["history"]
    return found


def unfinished(facts: Path) -> bool:
    """Whether a design has been trained, but was ended by the clock."""
    return bool((history_of(facts) or {}).get("out_of_time"))


def go_on(
    model: Any, rows: tuple[Any, Any], checks: int, minutes: float, before: dict[str, Any] | None, say: Say
) -> dict[str, Any]:
    """Fit a model, or fit it further, as one history; weights that were better before stay."""
    begun_with = model.get_weights()
    after = fit(model, rows, checks, minutes, say)
    if before is None:
        return after
    losses = before["kept_aside_loss"] + after["kept_aside_loss"]
    best = int(np.argmin(losses))
    if best < before["checks"]:
        model.set_weights(begun_with)
    return after | {
        "checks": len(losses),
        "best_check": best + 1,
        "kept_aside_loss": losses,
        "seconds": round(before["seconds"] + after["seconds"], 1),
    }


def train(design: Design, corpus: Corpus, folder: Path, minutes: float, say: Say) -> None:
    """Train a design, or train it further, and keep its weights, its histograms and how its numbers are read."""
    before = history_of(folder / f"{design.name}.json")
    seed = design.number + (before["checks"] if before else 0)
    one_thread(seed)
    say(f"{design.name}: {design.title}" + (f", from check {before['best_check']} on" if before else ""))
    rest, aside = set_aside(corpus)
    model = load(design, folder)[0] if before else network(design)
    rows = dataset(windows_of(rest), design.categorical, BATCH, seed)
    kept = dataset(windows_of(aside), design.categorical, JUDGED, seed=None)
    checks = max(rest.notes // (BATCH * CHECKS_A_PASS), 1)
    history = go_on(model, (rows, kept), checks, minutes, before, say)
    bins = corpus_bins(corpus)
    floors = {h: reading.histogram(bins[:, k], VOCABULARY.sizes[h]) for k, h in enumerate(HEADS)}
    said, true = expectations(model, aside), corpus_bins(aside)
    readings = {}
    for k, head in enumerate(("pitch", *REGRESSED)):
        if head in REGRESSED or not design.categorical:
            kinds = reading.KINDS[:2] if head == "pitch" else reading.KINDS
            readings[head] = reading.fit(said[head].astype(np.float64), EDGES[head], true[:, k], floors[head], kinds)
    weights = {f"w{n}": value for n, value in enumerate(model.get_weights())}
    keep_arrays(folder / f"{design.name}.npz", weights | {f"histogram_{h}": f for h, f in floors.items()})
    facts = {"title": design.title, "weights": model.count_params(), "history": history,
             "readings": {h: r.as_dict() for h, r in readings.items()}}  # fmt: skip
    keep_json(folder / f"{design.name}.json", facts)


def load(design: Design, folder: Path) -> tuple[Any, dict[str, Array], dict[str, reading.Reading]]:
    """(model, histograms by head, readings by head) of a trained design; ValueError where it is another's."""
    model = network(design)
    try:
        facts = json.loads((folder / f"{design.name}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{design.name}.npz", allow_pickle=False) as kept:
            model.set_weights([kept[f"w{n}"] for n in range(len(model.weights))])
            floors = {head: kept[f"histogram_{head}"] for head in HEADS}
        return model, floors, {head: reading.Reading(**row) for head, row in facts["readings"].items()}
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"{folder / design.name}.npz is not this design's; delete it and train again") from problem


def nats(design: Design, folder: Path, corpus: Corpus) -> Array:
    """Nats of each piece by head, summed over its notes, (pieces, 4)."""
    model, floors, readings = load(design, folder)
    said, bins = expectations(model, corpus), corpus_bins(corpus)
    columns = []
    for k, head in enumerate(HEADS):
        if head in readings:
            expected = said[head].astype(np.float64)
            columns.append(reading.nats(readings[head], expected, EDGES[head], bins[:, k], floors[head]))
        elif head == "pitch":
            logits = said["pitch"].astype(np.float64)
            peak = logits.max(1)
            total = peak + np.log(np.exp(logits - peak[:, None]).sum(1))
            columns.append(total - logits[np.arange(len(bins)), bins[:, 0]])
        else:
            columns.append(-np.log(floors[head][bins[:, k]]))
    return np.stack([np.add.reduceat(column, corpus.starts[:-1]) for column in columns], 1)

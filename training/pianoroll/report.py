"""The benchmark, trained and tested: one row for each set and head, with the published figures beside."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.pianoroll.benchmark import PARTS, PUBLISHED, Roll, frame_nll, load_set
from training.pianoroll.config import CONFIGS, KEYS, load_settings
from training.pianoroll.network import Network
from training.pianoroll.sequences import Piece, features_of
from training.pianoroll.train import load_best, make_score, train

TARGETS = {
    ("jsb_chorales", "sigmoid"): 8.10,
    ("jsb_chorales", "joint"): 5.56,
    ("nottingham", "sigmoid"): 3.07,
    ("nottingham", "joint"): 2.31,
}


@dataclass(frozen=True)
class Result:
    """What one head does on one set, in nats a frame but for `nats_per_key` (a frame's nats by its 88 keys)."""

    set: str
    head: str
    validation: float
    test: float
    nats_per_key: float
    target: float
    weights: int
    epoch: int  # the one whose weights were kept, the first being 1
    minutes: float  # of training


def predictor(network: Network) -> Callable[[Roll], npt.NDArray[Any]]:
    """A function from a roll (T, 88) to the probabilities (T - 1, 88) of its frames but the first."""

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def probabilities(features: Any) -> Any:
        return tf.sigmoid(network.sequence(features[:, None], tf.range(tf.shape(features)[0])))

    def predict(roll: Roll) -> npt.NDArray[Any]:
        fed = tf.constant(features_of(Piece(roll), network.shape))
        found: npt.NDArray[Any] = probabilities(fed).numpy()
        return found

    return predict


@dataclass(frozen=True)
class Places:
    """Where the benchmark's sets lie, where runs are kept, and where the configs are."""

    data: Path
    runs: Path
    configs: Path = CONFIGS


def run_one(places: Places, name: str, head: str, say: Callable[[str], None]) -> Result:
    """Train one head on one set, or go on with it; test the best weights once, and remember the result."""
    settings = load_settings(places.configs / f"{name}_{head}.toml")
    if settings.shape.head != head or settings.shape.kinds != 1:
        raise ValueError(f"{name}_{head}.toml describes another kind of network")
    folder = places.runs / f"{name}_{head}"
    told = folder / "tested.json"
    rolls = load_set(places.data, name)
    pieces = {part: [Piece(roll) for roll in rolls[part]] for part in PARTS}
    best = train({part: pieces[part] for part in PARTS[:2]}, folder, settings, say)
    if told.exists():
        return Result(**json.loads(told.read_text(encoding="utf-8")))
    network, about = load_best(best)
    if head == "sigmoid":
        test = frame_nll(predictor(network), rolls["test"])
    else:
        test = make_score(network, settings)(pieces["test"])
    count = sum(int(np.prod(w.shape)) for w in network.trainable_variables)
    at = about["progress"]
    result = Result(name, head, at["best"], test, test / KEYS, TARGETS[name, head],
                    count, at["epoch"] + 1, at["elapsed_s"] / 60)  # fmt: skip
    partial = told.with_suffix(".part")
    partial.write_text(json.dumps(asdict(result), indent=1), encoding="utf-8")
    os.replace(partial, told)
    return result


def table(results: Sequence[Result]) -> str:
    """The results as lines of text, the published figures below those of their set."""
    columns = {"test": 8, "target": 8, "valid": 8, "a key": 8, "weights": 11, "minutes": 9}
    lines = [f"{'set':14s}{'model':26s}" + "".join(name.rjust(width) for name, width in columns.items())]
    for name in dict.fromkeys(r.set for r in results):
        for r in (r for r in results if r.set == name):
            label = "LSTM, " + ("independent sigmoids" if r.head == "sigmoid" else "joint head")
            lines.append(f"{name:14s}{label:26s}{r.test:8.3f}{r.target:8.2f}{r.validation:8.3f}{r.nats_per_key:8.4f}"
                         f"{r.weights:11,d}{r.minutes:9.1f}")  # fmt: skip
        lines += [f"{name:14s}{who:26s}{nats:8.2f}    published" for who, nats in PUBLISHED[name].items()]
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """The results and the published figures as plain values."""
    return {
        "measure": "nats a frame, test part; the first frame of a sequence is given",
        "results": [asdict(r) | {"reached": r.test <= r.target} for r in results],
        "published": {name: PUBLISHED[name] for name in dict.fromkeys(r.set for r in results)},
    }

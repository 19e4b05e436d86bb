"""How long a model takes to make one note as it is played, beside reading a window of notes anew for each one.

The note is the improviser's own: the heads, the rules, the draws and the step. Hot is one note after the other; cold
is as in a room, with a rest before each, in which the processor forgets what it was doing.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.model.stepper import OnnxStepper
from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.schedule import Plan
from livemuse.music.vocabulary import HEADS

WINDOWS: Final = (25, 64)  # notes: what the baselines read anew, and a common choice for longer ones
REST_S: Final = 0.06
TAKE_NOTES: Final = 64  # a long answer; then the next one begins
HEARD: Final = 64  # notes of the call
HOT_LIMIT_MS: Final = 0.35
COLD_LIMIT_MS: Final = 2.0
PREDICT_CALLS: Final = 20


@dataclass(frozen=True)
class Took:
    """How long something took, in milliseconds."""

    median_ms: float
    p99_ms: float
    count: int


def step_time(model: Path, notes: int, cold_notes: int, keras_too: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Time a model: `hot` and `cold` (a `Took` each, as plain values), and what re-reading costs.

    `windows` has for 25 and 64 notes the time of feeding them to the same graphs and making one note, and the ratio
    to a hot note; `predict` the same for Keras' own predict with a network of this size, None without TensorFlow.
    Raises ModelError where the model does not load, ValueError where there is nothing to count.
    """
    if notes < 1 or cold_notes < 1:
        raise ValueError("At least one note has to be timed, hot and cold.")
    stepper, about = Shelf().load(str(model))
    if not isinstance(stepper, OnnxStepper):
        raise ValueError(f"{model} plays on a grid; only models of the family performance are timed by the note.")
    player = _Player(stepper)
    for _ in range(min(notes, 200)):  # what is done for the first time is no measure
        player.note()
    hot = took(player.note, notes)
    say(f"hot: {hot.median_ms:.3f} ms a note")
    cold = took(player.note, cold_notes, rest_s=REST_S)
    say(f"cold: {cold.median_ms:.3f} ms a note")
    windows = []
    for size in WINDOWS:
        found = took(lambda size=size: player.note_from_window(size), max(notes // size, 1))  # type: ignore[misc]
        windows.append({"notes": size, **vars(found), "ratio": found.median_ms / hot.median_ms})
    predict = None
    if keras_too and all(importlib.util.find_spec(name) for name in ("tensorflow", "keras")):
        say("Keras reads a window of its own")
        found = _predict(player.layers)
        predict = {"notes": WINDOWS[0], **vars(found), "ratio": found.median_ms / hot.median_ms}
    return {
        "model": about["name"],
        "hash": about["hash"],
        "bytes": sum(path.stat().st_size for path in Path(model).glob("*.onnx")),
        "hot": vars(hot),
        "cold": vars(cold),
        "rest_s": REST_S,
        "targets_ms": {"hot": HOT_LIMIT_MS, "cold": COLD_LIMIT_MS},
        "windows": windows,
        "predict": predict,
    }


def took(work: Callable[[], Any], count: int, rest_s: float = 0.0) -> Took:
    """Median and 99th percentile of `count` calls, after `rest_s` seconds of rest before each."""
    times_s = np.empty(count)
    for k in range(count):
        if rest_s:
            time.sleep(rest_s)
        begun_s = time.perf_counter()
        work()
        times_s[k] = time.perf_counter() - begun_s
    median_s, p99_s = np.percentile(times_s, [50, 99]).tolist()
    return Took(median_s * 1e3, p99_s * 1e3, count)


class _Player:
    """An improviser that has heard a call and goes on, take after take."""

    def __init__(self, stepper: OnnxStepper) -> None:
        self._stepper = stepper
        self._improviser = Improviser(stepper)
        self._take, self._made, self._at_s = 0, TAKE_NOTES, 0.25 * HEARD
        self._improviser.listen([Note(0.25 * k, 48 + 7 * k % 24, 0.3, 70 + k % 20) for k in range(HEARD)])

    @property
    def layers(self) -> list[int]:
        """Units of each LSTM layer."""
        return [array.shape[1] for array in self._stepper.start().arrays[::2]]

    def note(self) -> None:
        """One more note of the take, the next take where it is complete."""
        if self._made == TAKE_NOTES:
            self._next_take()
        extension = self._improviser.extend(self._take, 1e9, 1)
        self._made = TAKE_NOTES if extension.done else self._made + 1
        if extension.notes:
            self._at_s = extension.notes[-1].onset_s

    def note_from_window(self, size: int) -> None:
        """One note as one makes it without a memory: all of a window is fed from nothing."""
        state = self._stepper.start()
        for k in range(size):
            state = self._stepper.feed(state, (48 + 7 * k % 24, 20, 20, 16))
        self.note()

    def _next_take(self) -> None:
        if self._take:
            self._improviser.settle(self._take, self._made - 1)
        self._take, self._made = self._take + 1, 0
        start_s = self._at_s + 1.0
        plan = Plan(self._take, self._take, 0, (), start_s, start_s, start_s + 1e6, None, 0, Controls())
        self._improviser.begin(plan)


def _predict(layers: list[int]) -> Took:
    """A window of 25 notes of three numbers through Keras' predict, LSTM layers and heads of this size."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass  # TensorFlow runs already, with the threads it has
    given = keras.Input((WINDOWS[0], len(HEADS)))
    hidden = given
    for k, units in enumerate(layers):
        hidden = keras.layers.LSTM(units, return_sequences=k < len(layers) - 1)(hidden)
    network = keras.Model(given, [keras.layers.Dense(128)(hidden), *(keras.layers.Dense(1)(hidden) for _ in range(2))])
    window = np.zeros((1, WINDOWS[0], len(HEADS)), np.float32)
    network.predict(window, verbose=0)
    return took(lambda: network.predict(window, verbose=0), PREDICT_CALLS)


def table(found: dict[str, Any]) -> str:
    """The times as a person reads them."""
    size = found["bytes"] / 1e6
    lines = [f"{found['model']}: {size:.2f} MB of graphs; one whole note, one thread, ms", f"{'':<30}median     p99"]
    for name, words in (("hot", "hot"), ("cold", f"cold, {found['rest_s'] * 1e3:.0f} ms of rest before")):
        row, limit = found[name], found["targets_ms"][name]
        verdict = f"at most {limit:g}: {'yes' if row['median_ms'] <= limit else 'NO'}"
        lines.append(f"{words:<28}{row['median_ms']:>8.3f}{row['p99_ms']:>8.3f}   {verdict}")
    rows = [(f"{row['notes']} notes read anew for each", row) for row in found["windows"]]
    if found["predict"]:
        rows.append((f"{found['predict']['notes']} notes by Keras' predict", found["predict"]))
    lines += [f"{words:<28}{row['median_ms']:>8.3f}{row['p99_ms']:>8.3f}   {row['ratio']:.0f} x" for words, row in rows]
    return "\n".join(lines)

"""How long a model takes to make one note as it is played, beside reading a window of notes anew for each one.

The note is the improviser's own: the heads, the rules, the draws and the step. Hot is one note after the other; cold
is as in a room, with a rest before each, in which the processor forgets what it was doing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.model.bundle import MANIFEST, Bundle, load_bundle
from livemuse.model.improviser import Improviser
from livemuse.model.shelf import Shelf
from livemuse.model.stepper import OnnxStepper
from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.schedule import Plan
from livemuse.music.vocabulary import HEADS
from training.card import card

WINDOWS: Final = (25, 64)  # notes: what the baselines read anew, and a common choice for longer ones
REST_S: Final = 0.06
HOT_NOTES: Final = 2000
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
    quietest_ms: float  # the lowest median of its tenths: what else runs on the machine is in it least
    count: int


def step_time(model: Path, notes: int, cold_notes: int, keras_too: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Time a model: `hot` and `cold` (a `Took` each, as plain values), and what re-reading costs.

    `bare` is the same four graphs run one after the other with nothing done before or after, and the ratio to it is of
    the quietest tenths, so that it can be compared with that of a busy machine. `windows` has for 25 and 64 notes the
    time of feeding them to the same graphs and making one note, and the ratio to a hot note; `predict` the same for
    Keras' own predict with a network of this size, None without TensorFlow.
    Raises ModelError where the model does not load, ValueError where there is nothing to count.
    """
    if notes < 1 or cold_notes < 1:
        raise ValueError("At least one note has to be timed, hot and cold.")
    bundle = load_bundle(Shelf().find(str(model)))
    if bundle.info.family != "performance":
        raise ValueError(f"{model} plays on a grid; only models of the family performance are timed by the note.")
    player, bare_note = _Player(OnnxStepper(bundle)), _bare(bundle)
    for _ in range(min(notes, 200)):  # what is done for the first time is no measure
        player.note()
    hot = took(player.note, notes)
    say(f"hot: {hot.median_ms:.3f} ms a note")
    bare = took(bare_note, notes)
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
        "model": bundle.info.name,
        "hash": bundle.info.hash,
        "bytes": sum(path.stat().st_size for path in Path(model).glob("*.onnx")),
        "hot": vars(hot),
        "cold": vars(cold),
        "bare": {**vars(bare), "ratio": hot.quietest_ms / bare.quietest_ms},
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
    quietest_s = min(float(np.median(part)) for part in np.array_split(times_s, min(10, count)))
    return Took(median_s * 1e3, p99_s * 1e3, quietest_s * 1e3, count)


def _bare(bundle: Bundle) -> Callable[[], None]:
    """Runs each graph of a model once, always with the same inputs."""
    runs = []
    for session in bundle.sessions.values():
        feeds = {v.name: np.zeros((1, *v.shape[1:]), np.int32 if "int32" in v.type else np.float32)
                 for v in session.get_inputs()}  # fmt: skip
        runs.append((session.run, [v.name for v in session.get_outputs()], feeds))

    def note() -> None:
        for run, outputs, feeds in runs:
            run(outputs, feeds)

    return note


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


def keep(model: Path, found: dict[str, Any]) -> None:
    """Write the times into the manifest of a model and into its card, which is made anew; its hash stays.

    Raises ValueError for a model that was exported before cards told of 8-bit weights.
    """
    folder = Shelf().find(str(model))
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) | {"step_time": found}
    if "weights" not in manifest:
        raise ValueError(f"{folder} was exported by an older version: export it again.")
    texts = {MANIFEST: json.dumps(manifest, indent=1, allow_nan=False) + "\n", "MODEL.md": card(manifest)}
    for name, text in texts.items():
        part = folder / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        os.replace(part, folder / name)


def table(found: dict[str, Any]) -> str:
    """The times as a person reads them."""
    size = found["bytes"] / 1e6
    lines = [
        f"{found['model']}: {size:.2f} MB of graphs; one whole note, one thread, ms",
        f"{'':<30}median     p99  quietest",
    ]
    for name, words in (("hot", "hot"), ("cold", f"cold, {found['rest_s'] * 1e3:.0f} ms of rest before")):
        row, limit = found[name], found["targets_ms"][name]
        verdict = f"at most {limit:g}: {'yes' if row['median_ms'] <= limit else 'NO'}"
        lines.append(f"{words:<28}{_times(row)}   {verdict}")
    lines.append(f"{'the graphs alone':<28}{_times(found['bare'])}   the note is {found['bare']['ratio']:.2f} x")
    rows = [(f"{row['notes']} notes read anew for each", row) for row in found["windows"]]
    if found["predict"]:
        rows.append((f"{found['predict']['notes']} notes by Keras' predict", found["predict"]))
    lines += [f"{words:<28}{_times(row)}   {row['ratio']:.0f} x" for words, row in rows]
    return "\n".join(lines)


def _times(row: dict[str, Any]) -> str:
    return f"{row['median_ms']:>8.3f}{row['p99_ms']:>8.3f}{row['quietest_ms']:>10.3f}"


def summary(found: dict[str, Any]) -> str:
    """The times and the size in one line."""
    hot, cold = found["hot"]["median_ms"], found["cold"]["median_ms"]
    return f"a whole note: {hot:.3f} ms hot, {cold:.3f} ms cold (medians); {found['bytes']:,} bytes of graphs"

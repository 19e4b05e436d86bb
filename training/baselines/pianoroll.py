"""The piano-roll ancestor: two LSTM layers of 512 say for each of 88 keys whether it sounds in the next sixteenth.

Active keys weigh ten times as much in its loss, since most keys are silent. That teaches it probabilities that are too
high on purpose: an ideal network would say 10 p / (10 p + 1 - p). Both are judged, what it says and what is left when
the ten is taken out again (its logits less ln 10), which is also what its answers are drawn from.

The notes have no beats that could be trusted, so a sixteenth lasts 0.125 s (120 beats a minute) throughout. Only what
sounds is known, not what is struck. Shapes: frames (batch, time, 88), 0 or 1, from A0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.grid import KEYS
from livemuse.music.notes import PIANO_HIGH, PIANO_LOW
from training.baselines.train import go_on, history_of, keep_arrays, keep_json, one_thread
from training.baselines.windows import set_aside
from training.corpus import Corpus
from training.evaluate import bootstrap

Array = npt.NDArray[Any]
NAME, NUMBER = "piano-roll", 5
TITLE = "piano roll, 2 LSTM layers of 512, active keys weigh 10"
UNITS, LAYERS, ACTIVE = 512, 2, 10.0
SIXTEENTH_S = 0.125
CHUNK, BATCH, TOGETHER = 64, 64, 24
CHECKS_A_PASS = 3


@dataclass(frozen=True)
class Roll:
    """The frames of all pieces, piece after piece."""

    frames: Array  # (frames, 88) uint8
    starts: Array  # (pieces + 1,)


def frames_of_notes(onset_s: Array, pitch: Array, duration_s: Array) -> Array:
    """What sounds in each sixteenth, (frames, 88) uint8; a note goes to the nearest frames and lasts one at least."""
    on_piano = (pitch >= PIANO_LOW) & (pitch <= PIANO_HIGH)
    begin = np.floor(onset_s[on_piano] / SIXTEENTH_S + 0.5).astype(np.int64)
    end = np.floor((onset_s + duration_s)[on_piano] / SIXTEENTH_S + 0.5).astype(np.int64)
    end = np.maximum(end, begin + 1)
    change = np.zeros((int(end.max(initial=0)) + 1, KEYS), np.int32)
    key = pitch[on_piano].astype(np.int64) - PIANO_LOW
    np.add.at(change, (begin, key), 1)
    np.add.at(change, (end, key), -1)
    found: Array = (np.cumsum(change, 0)[:-1] > 0).astype(np.uint8)
    return found


def roll_of(corpus: Corpus) -> Roll:
    """All pieces of a corpus on the grid."""
    pieces = []
    for first, last in zip(corpus.starts[:-1], corpus.starts[1:], strict=True):
        onset_s = np.cumsum(corpus.step_s[first:last].astype(np.float64))
        pieces.append(frames_of_notes(onset_s, corpus.pitch[first:last], corpus.duration_s[first:last]))
    return Roll(np.concatenate(pieces), np.concatenate([[0], np.cumsum([len(p) for p in pieces])]).astype(np.int64))


def quick_lstm(units: int) -> Any:
    """Keras' own LSTM layer, reading a whole sequence with the kernel that our network is trained with.

    The weights and their order are Keras'; matrices are multiplied in bfloat16 in training, as ours are, and in
    float32 otherwise. On a processor with bfloat16 it takes half the time.
    """
    import keras
    from keras import ops

    from training.kernels import lstm

    class Quick(keras.layers.LSTM):  # type: ignore[misc]
        def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
            """Frames (batch, time, n) to hidden vectors (batch, time, units), from a state of zero."""
            weights = []
            for weight in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias):
                opened, forget, candidate, output = ops.split(ops.convert_to_tensor(weight), 4, -1)
                weights.append(ops.concatenate([opened, forget, output, candidate], -1))
            zeros = ops.zeros((ops.shape(sequences)[0], self.units))
            read = ops.transpose(sequences, (1, 0, 2))  # (T, B, n)
            hidden, _, _ = lstm(read, (zeros, zeros), tuple(weights), "bfloat16" if training else "float32")
            return ops.transpose(hidden, (1, 0, 2))

    return Quick(units, return_sequences=True)


def network() -> Any:
    """Frames (batch, time, 88) in, the logits of the frame after each out, (batch, time, 88); compiled."""
    import keras
    from keras import ops

    frames = keras.Input((None, KEYS))
    x = frames
    for _ in range(LAYERS):
        x = quick_lstm(UNITS)(x)
    model = keras.Model(frames, keras.layers.Dense(KEYS)(x))

    def weighted(true: Any, logits: Any) -> Any:
        silent = (1.0 - true) * ops.log_sigmoid(-logits)
        return -ops.mean(ACTIVE * true * ops.log_sigmoid(logits) + silent, axis=-1)

    model.compile(keras.optimizers.Adam(0.001, global_clipnorm=1.0), loss=weighted)
    return model


def dataset(roll: Roll, batch: int, seed: int | None) -> Any:
    """(frames, the frames after them) in chunks, a `tf.data.Dataset`; with a seed endless, each pass in a new order."""
    import tensorflow as tf

    pieces = zip(roll.starts[:-1], roll.starts[1:], strict=True)
    begins = np.concatenate([np.arange(first, last - CHUNK, CHUNK) for first, last in pieces])
    if not len(begins):
        raise ValueError(f"no piece is longer than {CHUNK} sixteenths")
    frames = tf.constant(roll.frames)

    def example(begin: Any) -> tuple[Any, Any]:
        cut = tf.cast(tf.gather(frames, begin[:, None] + tf.range(CHUNK + 1, dtype=begin.dtype)), tf.float32)
        return cut[:, :-1], cut[:, 1:]

    rows = tf.data.Dataset.from_tensor_slices(begins)
    if seed is not None:
        rows = rows.shuffle(len(begins), seed=seed, reshuffle_each_iteration=True).repeat()
    return rows.batch(batch).map(example).prefetch(2)


def train(corpus: Corpus, folder: Path, minutes: float, say: Callable[[str], None]) -> None:
    """Train it, or train it further, with early stopping and keep its weights."""
    before = history_of(folder / f"{NAME}.json")
    seed = NUMBER + (before["checks"] if before else 0)
    one_thread(seed)
    say(f"{NAME}: {TITLE}" + (f", from check {before['best_check']} on" if before else ""))
    rest, aside = (roll_of(part) for part in set_aside(corpus))
    model = load(folder) if before else network()
    checks = max(len(rest.frames) // (CHUNK * BATCH * CHECKS_A_PASS), 1)
    rows = dataset(rest, BATCH, seed), dataset(aside, BATCH, seed=None)
    history = go_on(model, rows, checks, minutes, before, say)
    keep_arrays(folder / f"{NAME}.npz", {f"w{n}": value for n, value in enumerate(model.get_weights())})
    facts = {"title": TITLE, "weights": model.count_params(), "history": history, "frames": len(rest.frames)}
    keep_json(folder / f"{NAME}.json", facts)


def load(folder: Path) -> Any:
    """The trained network."""
    model = network()
    try:
        with np.load(folder / f"{NAME}.npz", allow_pickle=False) as kept:
            model.set_weights([kept[f"w{n}"] for n in range(len(model.weights))])
    except (KeyError, ValueError) as problem:
        raise ValueError(f"{folder / NAME}.npz is not this design's; delete it and train again") from problem
    return model


def nats_of(logits: Array, true: Array) -> Array:
    """Nats of each frame, summed over its keys; `true` is 0 or 1."""
    signed = np.where(true > 0, -logits, logits).astype(np.float64)
    found: Array = np.logaddexp(0.0, signed).sum(-1)
    return found


def piece_nats(model: Any, roll: Roll) -> tuple[Array, Array]:
    """Nats of each piece, as the network says it and with the weight taken out, summed over its frames: (pieces,)."""
    import tensorflow as tf

    ask = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec((None, None, KEYS), tf.float32)])
    lengths = np.diff(roll.starts)
    order = np.argsort(-lengths)
    found = np.zeros((len(lengths), 2))
    for at in range(0, len(order), TOGETHER):
        chosen = order[at : at + TOGETHER]
        fed = np.zeros((len(chosen), lengths[chosen[0]], KEYS), np.float32)  # (B, T, 88), the frame before each
        for row, piece in enumerate(chosen):
            fed[row, 1 : lengths[piece]] = roll.frames[roll.starts[piece] : roll.starts[piece + 1] - 1]
        logits = ask(fed).numpy()
        for row, piece in enumerate(chosen):
            true = roll.frames[roll.starts[piece] : roll.starts[piece + 1]]
            said = logits[row, : len(true)]
            found[piece] = nats_of(said, true).sum(), nats_of(said - math.log(ACTIVE), true).sum()
    return found[:, 0], found[:, 1]


def held_keys(train_roll: Roll, roll: Roll) -> Array:
    """Nats of each piece when every key only knows whether it sounded in the frame before: a Markov model a key."""

    def before(rolled: Roll) -> Array:
        frames = np.concatenate([np.zeros((1, KEYS), np.uint8), rolled.frames[:-1]])
        frames[rolled.starts[:-1]] = 0
        return frames

    was, now = before(train_roll), train_roll.frames
    on = [((was == state) & (now == 1)).sum(0) + 0.5 for state in (0, 1)]
    seen = [(was == state).sum(0) + 1.0 for state in (0, 1)]
    share = np.where(before(roll) == 1, on[1] / seen[1], on[0] / seen[0])
    nats = -np.log(np.where(roll.frames == 1, share, 1 - share)).sum(1)
    found: Array = np.add.reduceat(nats, roll.starts[:-1])
    return found


def scores(folder: Path, corpus: Corpus, held_out: Corpus) -> list[dict[str, Any]]:
    """Rows of the frame measure: nats a frame with an interval by piece, and a key; a key-by-key Markov model last."""
    roll = roll_of(held_out)
    said, even = piece_nats(load(folder), roll)
    frames = np.diff(roll.starts)
    rows = []
    for name, nats in (
        (NAME, said),
        (f"{NAME}, weight out", even),
        ("key-by-key Markov", held_keys(roll_of(corpus), roll)),
    ):
        low, high = bootstrap(nats, frames)
        a_frame = float(nats.sum() / frames.sum())
        rows.append({"name": name, "nats_a_frame": a_frame, "low": low, "high": high, "bce_a_key": a_frame / KEYS})
    return rows

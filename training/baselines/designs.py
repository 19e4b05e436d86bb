"""The ancestors that read a window of notes, each a row of a table, and the network that each row describes.

All read the last 25 notes (pitch as a share of 127, step and duration in seconds) from a state of zero, once for
every note they play, and have three heads: pitch, step, duration. None knows how hard a note is struck. Shapes:
windows (batch, 25, 3); pitch (batch, 128) logits, or (batch, 1) where it is a number; step and duration (batch, 1).

Sources: the TensorFlow tutorial "Generate music with an RNN" (`positive-pressure`), and the many small LSTM
programs before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WINDOW = 25  # notes
PITCH_UNIT = 127.0
REGRESSED = ("step", "duration")


@dataclass(frozen=True, slots=True)
class Design:
    """One ancestor."""

    number: int
    name: str
    title: str
    units: int = 128
    layers: int = 1
    both_ways: bool = False  # bidirectional, with batch normalisation and dropout after each layer
    categorical: bool = True  # pitch as 128 classes; otherwise a number, by its squared error
    pressure: bool = False  # a penalty on times below zero
    pitch_weight: float = 1.0
    rate: float = 0.003


DESIGNS = (
    Design(1, "muselstm", "MuseLSTM: one LSTM of 128, squared error on all", categorical=False),
    Design(2, "positive-pressure", "categorical pitch, squared error with positive pressure", pressure=True,
           pitch_weight=0.05, rate=0.005),
    Design(3, "bidirectional", "3 bidirectional layers of 64, batch normalisation", units=64, layers=3, both_ways=True,
           pressure=True, pitch_weight=0.05, rate=0.002),
    Design(4, "three-heads", "one LSTM of 128, three plain heads, early stopping"),
)  # fmt: skip


def positive_pressure(true: Any, found: Any) -> Any:
    """The squared error, and ten times what a time lies below zero (TensorFlow's music_generation tutorial)."""
    from keras import ops

    return ops.mean(ops.square(true - found) + 10.0 * ops.maximum(-found, 0.0))


def network(design: Design) -> Any:
    """The design's Keras model, compiled: windows in, {"pitch", "step", "duration"} out."""
    import keras

    layers = keras.layers
    windows = keras.Input((WINDOW, 3))  # (B, 25, 3)
    x = windows
    for k in range(design.layers):
        lstm = layers.LSTM(design.units, return_sequences=k < design.layers - 1)
        x = layers.Bidirectional(lstm)(x) if design.both_ways else lstm(x)
        if design.both_ways:
            x = layers.Dropout(0.2)(layers.BatchNormalization()(x))
    heads = {"pitch": layers.Dense(128 if design.categorical else 1, name="pitch")(x)}
    heads |= {name: layers.Dense(1, name=name)(x) for name in REGRESSED}
    model = keras.Model(windows, heads)
    pitch = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if design.categorical else "mse"
    time = positive_pressure if design.pressure else "mse"
    model.compile(
        keras.optimizers.Adam(design.rate, global_clipnorm=1.0),
        loss={"pitch": pitch, "step": time, "duration": time},
        loss_weights={"pitch": design.pitch_weight, "step": 1.0, "duration": 1.0},
    )
    return model

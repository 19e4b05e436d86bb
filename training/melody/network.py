"""The melody network: an LSTM that reads one voice event by event, and says what the next sixteenth will be.

It hears as singers do, from note to note: how far the last note is from the one before, how old it is, which notes of
the scale were heard lately as seen from it, and what stood some bars before (as in the Lookback RNN of Waite et al.,
Magenta 2016). What it says of the next note is mostly an interval too. So it knows a tune in every key. Where the voice
lies, and which sixteenth of the bar comes next, it is told beside. Built of the same cells as the other networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from livemuse.music.grid import EVENTS, PER_BAR
from training.cells import Recurrent, dense, gather, lstm, step_cell, tensors
from training.kernels import dropout
from training.melody.config import Shape
from training.melody.hearing import (
    ABOUT,
    FADING,
    KIND,
    NAME,
    NAME_BITS,
    NAMES,
    OLDEST,
    PITCH,
    PITCHES,
    REACH,
    ROWS,
    SEEN_BY_PITCH,
    SEEN_ROW,
    TURNED,
    Heard,
)

Tensor = Any  # the backends share no type
KINDS = 4  # a note begins, hold, rest, the beginning; or, of what stood before, the last three and nothing


class Network(Recurrent):
    """The whole network; `bfloat16` says how matrices are multiplied in training, never how weights are kept."""

    def __init__(self, shape: Shape, drop: float = 0.0, bfloat16: bool = False, seed: int = 1) -> None:
        super().__init__(seed * 1000 + 1)
        self.shape, self.drop, self.fast = shape, drop, "bfloat16" if bfloat16 else "float32"
        small, lags = shape.embed_other, len(shape.lookback)
        self.tables = [
            self._table("embed_kind", KINDS, small),
            self._table("embed_pitch", PITCHES, small),
            self._table("embed_interval", ROWS, small),
            self._table("embed_age", OLDEST + 1, small),
            self._table("embed_position", PER_BAR, small),
            *(self._table(f"embed_back{lag}", ROWS + KINDS, shape.embed_lookback) for lag in shape.lookback),
        ]
        fed = width = 5 * small + lags * shape.embed_lookback + NAMES
        self.cells = []
        for k in range(shape.layers):
            self.cells.append(self._cell(k, width, shape.units))
            width = shape.units
        self._carry(shape.remembered, "past")  # the last events, each plus one; nought is none
        self._carry(NAMES, "heard")  # how much of each note name was heard lately
        self._carry(3, "voice")  # the pitch of the last note and of the one before, each plus one, and its age
        self.event_out = self._dense("event", width + fed, EVENTS)
        self.interval_out = self._dense("interval", width + fed, 2 * REACH + 1)

    def zero_state(self, batch: int) -> list[Tensor]:
        """The state before anything was heard, array by array in the order of `state_names`."""
        return [ops.zeros((batch, width)) for width in self.state_widths.values()]

    def _read(self, numbers: Sequence[Tensor], names: Tensor) -> Tensor:
        """What is fed, (..., F): kind, pitch, interval, age, position and what stood before, each by its number."""
        looked_up = [gather(t, n) for t, n in zip(tensors(self.tables), numbers, strict=True)]
        return ops.concatenate([*looked_up, names], -1)

    def _logits(self, hidden: Tensor, turned: Tensor) -> Tensor:
        """(N, 130) logits, of (N, units + F) and the bits (N, 7) of 127 less the last pitch."""
        kernel, bias = tensors(self.interval_out)
        low = PITCHES - 1 - REACH  # no semitone stands in the middle of what becomes the pitches; nothing on the rest
        placed = dense(hidden, (ops.pad(kernel, ((0, 0), (low, low + 2))), ops.pad(bias, ((low, low + 2),))), self.fast)
        pitches = shifted(placed[:, : 2 * PITCHES - 1], turned)  # (N, 128)
        return dense(hidden, self.event_out, self.fast) + ops.concatenate([pitches, placed[:, 2 * PITCHES - 1 :]], 1)

    def sequence(self, heard: Heard, seed: Tensor | None = None) -> Tensor:
        """Logits (T, B, 130) of the events after each of those heard; with a seed, numbers are left out."""
        events = heard.events
        steps = ops.shape(events)[0]
        back = [ops.pad(events + 1, ((lag - 1, 0), (0, 0)))[:steps] for lag in self.shape.lookback]
        numbers = [
            gather(ops.convert_to_tensor(KIND), events),
            heard.pitch,
            heard.interval + PITCHES,
            heard.age,
            heard.position,
            *(_seen_from(b, heard.pitch) for b in back),
        ]
        x = fed = self._read(numbers, heard.names)
        for k, cell in enumerate(self.cells):
            x = self._dropped(x, seed, k) if k else x
            zero = ops.zeros((ops.shape(events)[1], self.shape.units))
            x, _, _ = lstm(x, (zero, zero), tensors(cell), self.fast)
        x = ops.concatenate([self._dropped(x, seed, len(self.cells)), fed], -1)
        turned = gather(ops.convert_to_tensor(TURNED), ops.reshape(heard.pitch, (-1,)))
        flat = self._logits(ops.reshape(x, (-1, x.shape[-1])), turned)
        return ops.reshape(flat, (*ops.shape(events), EVENTS))

    def _dropped(self, x: Tensor, seed: Tensor | None, place: int) -> Tensor:
        return x if seed is None or not self.drop else dropout(x, self.drop, seed, place)

    def nats(self, heard: Heard, targets: Tensor, seed: Tensor | None = None) -> Tensor:
        """Nats (T, B) of the events that came (T, B)."""
        return ops.sparse_categorical_crossentropy(targets, self.sequence(heard, seed), from_logits=True)

    def step(self, event: Tensor, position: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One event (B,) in, and the position (B,) of the next: logits (B, 130), and the state after."""
        *layers, past, heard, voice = state
        # (B, 3): the event plus one; whether a note begins; whether it is the beginning
        about = gather(ops.convert_to_tensor(ABOUT), event)
        number, begins, anew = about[:, :1], about[:, 1:2], about[:, 2:3]
        past = ops.concatenate([past[:, 1:], number], 1)
        heard = heard * (1.0 - FADING * begins) + FADING * gather(ops.convert_to_tensor(NAME), event)
        pitch = voice[:, :1] * (1.0 - begins) + number * begins
        before = voice[:, 1:2] * (1.0 - begins) + voice[:, :1] * begins
        age = (voice[:, 2:] + 1.0) * (1.0 - begins) * (1.0 - anew)
        age = float(OLDEST) - ops.relu(float(OLDEST) - age)
        now = gather(ops.convert_to_tensor(PITCH), _whole(pitch))  # (B,)
        # an interval is counted from the note before, or from the note itself where there is none
        known = ops.relu(1.0 - ops.relu(1.0 - before))
        interval = (pitch - before) * known
        back = [past[:, self.shape.remembered - lag :][:, :1] for lag in self.shape.lookback]
        numbers = [
            gather(ops.convert_to_tensor(KIND), event), now, _whole(interval + float(PITCHES)), _whole(age), position,
            *(_seen_from(_whole(b), now) for b in back),
        ]  # fmt: skip
        names = shifted(ops.concatenate([heard] * 3, 1), gather(ops.convert_to_tensor(NAME_BITS), now))
        x = fed = self._read(numbers, names[:, :NAMES])
        after = []
        for k, cell in enumerate(self.cells):
            after.append(step_cell([x], (layers[2 * k], layers[2 * k + 1]), cell))
            x = after[-1][0]
        logits = self._logits(ops.concatenate([x, fed], -1), gather(ops.convert_to_tensor(TURNED), now))
        voice = ops.concatenate([pitch, before, age], 1)
        return logits, [*(array for pair in after for array in pair), past, heard, voice]


def shifted(x: Tensor, bits: Tensor) -> Tensor:
    """x (N, n) moved to the left by the number whose k bits (N, k) are given, row by row: (N, n + 1 - 2 ** k).

    Made of products and sums alone, so that the exported step needs no operation that it has not.
    """
    for k in range(bits.shape[1]):
        far, bit = 1 << k, bits[:, k : k + 1]
        near = x[:, : x.shape[1] - far]
        x = near + bit * (x[:, far:] - near)
    return x


def _whole(column: Tensor) -> Tensor:
    """(N, 1) numbers without a fraction as (N,) integers."""
    return ops.cast(ops.take(column, 0, axis=1), "int32")


def _seen_from(number: Tensor, pitch: Tensor) -> Tensor:
    """The row of what stood before, an event plus one, as it is from a pitch."""
    rows, by_pitch = ops.convert_to_tensor(SEEN_ROW, "int32"), ops.convert_to_tensor(SEEN_BY_PITCH)
    return gather(rows, number) - gather(by_pitch, number) * pitch

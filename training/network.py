"""The network, written once: the training graph and the one-note graph share these weights and functions.

Notes are embedded, read by LSTM layers (and, where the shape says so, looked back upon by attention), and drawn head by
head: the pitch first, then the step given the pitch, the duration given both, the velocity given all three.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from livemuse.music.vocabulary import HEADS, PITCHES, VOCABULARY
from training.attention import HEAD_WIDTH, Attention
from training.cells import Recurrent, State, begun, dense, step_cell, tensors
from training.config import Shape
from training.kernels import dropout, gather, lstm

Tensor = Any  # the backends share no type
FEED_SIZES = {**VOCABULARY.sizes, "pitch": PITCHES + 1}
"""What can be fed: the pitch has one more, the beginning of a piece."""


class Network(Recurrent):
    """The whole network; `bfloat16` says how matrices are multiplied in training, never how weights are kept."""

    def __init__(
        self, shape: Shape, dropout: float = 0.0, bfloat16: bool = False, seed: int = 1, styles: int = 0
    ) -> None:
        super().__init__(seed * 1000 + 1)
        self.shape, self.drop, self.fast = shape, dropout, "bfloat16" if bfloat16 else "float32"
        self.styles = styles
        widths = {h: shape.embed_pitch if h == "pitch" else shape.embed_other for h in HEADS}
        self.tables = {h: self._table(f"embed_{h}", FEED_SIZES[h], widths[h]) for h in HEADS}
        self.cells = []
        width = sum(widths.values())
        for k in range(shape.layers):
            self.cells.append(self._cell(k, width + styles, shape.units, styles))
            width = shape.units
        self.attention = self._attention(width) if shape.attention else None
        self.pitch_out = self._dense("pitch", width, PITCHES)
        self.z_out = self._dense("z", width, shape.head_width * (len(HEADS) - 1))
        self.head_tables: dict[str, list[Tensor]] = {}
        self.head_out: dict[str, tuple[Tensor, Tensor]] = {}
        for k, head in enumerate(HEADS[1:], 1):
            drawn = HEADS[:k] if shape.heads == "factorised" else ()
            self.head_tables[head] = [
                self._table(f"{head}_given_{d}", VOCABULARY.sizes[d], shape.head_width) for d in drawn
            ]
            self.head_out[head] = self._dense(head, shape.head_width, VOCABULARY.sizes[head])

    def _attention(self, width: int) -> Attention:
        window, inner = self.shape.attention, self.shape.attention_width
        query, key, value = (self._dense(name, width, inner) for name in ("query", "key", "value"))
        out = self._dense("attended", inner, width)
        near = self._weight("near", (window, inner // HEAD_WIDTH), "zeros")
        self._carry(window * inner, "keys", "values")
        return Attention(query, key, value, out, near, window, inner, self.fast)

    def embed(self, notes: list[Tensor]) -> Tensor:
        """Four arrays of bins, any shape, to vectors."""
        tables = tensors([self.tables[h] for h in HEADS])
        return ops.concatenate([gather(t, n) for t, n in zip(tables, notes, strict=True)], -1)

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(pitch logits, z): what the pitch is drawn from, and what the other heads start from."""
        return dense(hidden, self.pitch_out, self.fast), dense(hidden, self.z_out, self.fast)

    def head(self, name: str, z: Tensor, drawn: list[Tensor]) -> Tensor:
        """The logits of step, duration or velocity, given what has been drawn of the note so far."""
        k = HEADS.index(name) - 1
        width = self.shape.head_width
        hidden = z[..., k * width : (k + 1) * width]
        for table, value in zip(tensors(self.head_tables[name]), drawn, strict=self.shape.heads == "factorised"):
            hidden = hidden + gather(table, value)
        return dense(ops.relu(hidden), self.head_out[name], self.fast)

    def sequence(
        self, notes: list[Tensor], state: State, style: Tensor, dropout_seed: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Hidden vectors (T * B, units) after each of T notes in B lanes, notes as (T, B), and the state after.

        `style` (B, S) is what each lane's piece is, as far as the network may know it; all zero is nothing.
        """
        x, after = self.embed(notes), []
        told = ops.broadcast_to(style[None], (*ops.shape(x)[:2], self.styles)) if self.styles else None
        for k, cell in enumerate(self.cells):
            if k and dropout_seed is not None and self.drop:
                x = dropout(x, self.drop, dropout_seed, k)
            x = x if told is None else ops.concatenate([x, told], 2)
            x, h, c = lstm(x, state[k], tensors(cell), self.fast)
            after.append((h, c))
        if self.attention is not None:
            x, cache = self.attention.sequence(x, state[-1])
            after.append(cache)
        return ops.reshape(x, (-1, self.shape.units)), after

    def step(self, notes: list[Tensor], state: State, style: Tensor) -> tuple[Tensor, Tensor, State]:
        """One note (B,) in, and the style (B, S): (pitch logits (B, 128), z (B, Z), the state after)."""
        x, after = self.embed(notes), []
        told = [style] if self.styles else []
        for cell, before in zip(self.cells, state[: len(self.cells)], strict=True):
            after.append(step_cell([x, *told], before, cell))
            x = after[-1][0]
        if self.attention is not None:
            x, cache = self.attention.step(x, state[-1])
            after.append(cache)
        return (*self.project(x), after)

    def losses_of(
        self, notes: list[Tensor], targets: list[Tensor], state: State, style: Tensor, seed: Tensor | None = None
    ) -> Any:
        """Nats of each head for each note, (4, T * B), and the state after."""
        hidden, after = self.sequence(notes, state, style, seed)
        flat = [ops.reshape(t, (-1,)) for t in targets]
        pitch_logits, z = self.project(hidden)
        logits = [pitch_logits, *(self.head(h, z, flat[:k]) for k, h in enumerate(HEADS[1:], 1))]
        return ops.stack([surprise(t, g) for t, g in zip(flat, logits, strict=True)]), after

    def nats(self, batch: Any, state: State, seed: Tensor | None = None) -> Any:
        """The same for a batch (see dataset.py), whose lanes may begin new pieces."""
        inputs, targets, _, new, style = batch
        heads = range(len(HEADS))
        return self.losses_of([inputs[k] for k in heads], [targets[k] for k in heads], begun(state, new), style, seed)


def surprise(drawn: Tensor, logits: Tensor) -> Tensor:
    """Nats (N,) of what was drawn (N,) by logits (N, K)."""
    return ops.sparse_categorical_crossentropy(drawn, logits, from_logits=True)

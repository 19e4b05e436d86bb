"""The history of a run: a line for each time it was scored, as a table, as TensorBoard's files and as a picture.

RUN_DIR/history.csv is what happened; tensorboard/ and history.png are made of it and can be thrown away.
"""

from __future__ import annotations

import csv
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from livemuse.music.vocabulary import HEADS

COLUMNS: Final = ("updates", "epoch", "notes", "minutes", "learning_rate", "train_nats", "validation_nats", *HEADS)
"""Updates so far, epochs, notes heard, minutes of training; then nats a note, of the held-out pieces by head too."""
FILE: Final = "history.csv"
EVENTS: Final = "tensorboard"
PICTURE: Final = "history.png"

Row = Mapping[str, float]


def read_history(folder: Path) -> list[dict[str, float]]:
    """The lines of a run's history, oldest first; ValueError where the folder has none, or a damaged one."""
    path = folder / FILE
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            header, *rows = csv.reader(stream)
        if header[1:] != list(COLUMNS[1:]):
            raise ValueError("it has other columns")
        return [dict(zip(COLUMNS, map(float, row), strict=True)) for row in rows]
    except FileNotFoundError:
        raise ValueError(f"{folder} has no {FILE}: nothing was trained there") from None
    except (ValueError, csv.Error) as problem:
        raise ValueError(f"{path} is no history of a run: {problem}") from None


class History:
    """The history of a run that goes on: what was written after update `step` is written again; -1: all begins anew."""

    def __init__(self, folder: Path, step: int, events: bool = False) -> None:
        self._path = folder / FILE
        kept = [row for row in _whole_rows(self._path) if int(row[0]) <= step] if step >= 0 else []
        partial = self._path.with_suffix(".part")
        with partial.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([COLUMNS, *kept])
        os.replace(partial, self._path)
        self._events = _Events(folder / EVENTS) if events else None
        for row in kept:
            self._tell(row)

    def add(self, row: list[Any]) -> None:
        """One more line, its values in the order of the columns."""
        with self._path.open("a", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerow(row)
        self._tell(row)

    def _tell(self, row: list[Any]) -> None:
        if self._events:
            self._events.add({name: float(value) for name, value in zip(COLUMNS, row, strict=True)})


def _whole_rows(path: Path) -> list[list[str]]:
    """The lines of a history as they stand; one that was torn off in the middle is passed over."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    return [row for row in rows if len(row) == len(COLUMNS) and row[0].isdigit()]


class _Events:
    """TensorBoard's event files, by TensorFlow's own writer; TensorBoard itself is needed only to look at them."""

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        shutil.rmtree(folder, ignore_errors=True)  # they are made again from the history
        self._tf, self._writer = tf, tf.summary.create_file_writer(os.fspath(folder))

    def add(self, row: Row) -> None:
        """One scalar a column, at the update it belongs to."""
        tf = self._tf
        with self._writer.as_default(step=int(row["updates"])):
            for name in COLUMNS[1:]:
                tag = f"heads/{name}" if name in HEADS else name
                value = tf.compat.v1.Summary.Value(tag=tag, simple_value=row[name])
                tf.summary.experimental.write_raw_pb(tf.compat.v1.Summary(value=[value]).SerializeToString())
        self._writer.flush()


def plot_history(folder: Path, out: Path | None = None) -> Path:
    """Draw a run's history: nats a note, heard and held out, the held-out ones by head, and the learning rate.

    Returns the picture, RUN_DIR/history.png unless `out` (.png, .svg or .pdf) is given. ValueError where there is no
    history, or no matplotlib.
    """
    rows = read_history(folder)
    if not rows:
        raise ValueError(f"{folder / FILE} holds no line yet: nothing was scored")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError("a picture needs matplotlib: pip install matplotlib") from None
    out = out or folder / PICTURE
    updates = [row["updates"] for row in rows]
    figure = Figure(figsize=(11, 4), layout="constrained")  # no pyplot: no window, no global state
    nats, heads, rate = figure.subplots(1, 3)
    nats.plot(updates, [row["train_nats"] for row in rows], label="heard while learning", color="tab:grey")
    nats.plot(updates, [row["validation_nats"] for row in rows], label="held out", color="tab:blue")
    best = min(rows, key=lambda row: row["validation_nats"])
    if math.isfinite(best["validation_nats"]):
        nats.plot([best["updates"]], [best["validation_nats"]], "o", color="tab:blue",
                  label=f"best: {best['validation_nats']:.3f}")  # fmt: skip
    for head in HEADS:
        heads.plot(updates, [row[head] for row in rows], label=head)
    rate.plot(updates, [row["learning_rate"] for row in rows], color="tab:grey")
    for axes, title in ((nats, "nats a note"), (heads, "held out, by head"), (rate, "learning rate")):
        axes.set_title(title)
        axes.set_xlabel("updates")
        axes.grid(alpha=0.3)
    nats.legend()
    heads.legend()
    try:
        figure.savefig(out)
    except ValueError as problem:  # a kind of picture that matplotlib does not draw
        raise ValueError(f"{out}: {problem}") from None
    return out

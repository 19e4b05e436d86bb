"""A run that learns by whole epochs: its weights, their running average, its optimiser and how far it has come."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from training.checkpoint import OtherRun, assign, opened, write_checkpoint

BEST, LAST, HISTORY = "best.npz", "checkpoint.npz", "history.csv"
"""In a run's folder: the weights that fitted the held-out music best, all that a run goes on from, a line an epoch."""


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    step: int = 0
    events: int = 0  # heard so far, holds and rests included; 0 where they are not counted
    elapsed_s: float = 0.0
    best: float = math.inf  # nats an event or a frame of the held-out music
    best_epoch: int = -1  # -1: not once was the score a number
    over: bool = False


_BLANK: Final = Progress()


@dataclass
class Run:
    """A network, the running average of its weights, its optimiser, what it learns from and where it stands."""

    settings: Any
    network: Any
    averaged: Any
    optimizer: Any
    notes_sha256: str = ""  # of what it learns from and is scored on
    progress: Progress = field(default_factory=Progress)

    def save(self, path: Path) -> None:
        """Write everything a run goes on from; a kill in the middle leaves the previous file."""
        write_checkpoint(path, self._about(), self._variables())

    def save_best(self, path: Path) -> None:
        """Write the averaged weights alone, as they are exported."""
        write_checkpoint(path, self._about(), {"weight": self.averaged.trainable_variables})

    def load(self, path: Path, settings_from: Callable[[dict[str, Any]], Any]) -> None:
        """Go on from a checkpoint; raises ValueError where it is damaged, of other settings or of other music."""
        with opened(path) as (about, arrays):
            if settings_from(config_of(about)) != self.settings:
                raise OtherRun(f"{path} was made with other settings; train in another folder")
            if about.get("notes_sha256", self.notes_sha256) != self.notes_sha256:
                raise OtherRun(f"{path} has learned from other music; train in another folder")
            for name, variables in self._variables().items():
                assign(variables, arrays, name, path)
            told = about["progress"]
            self.progress = Progress(**{name: type(getattr(_BLANK, name))(told[name]) for name in told})

    def _about(self) -> dict[str, Any]:
        about = {"config": self.settings.as_dict(), "progress": vars(self.progress)}
        return about | {"notes_sha256": self.notes_sha256}

    def _variables(self) -> dict[str, Sequence[Any]]:
        weights, averaged = self.network.trainable_variables, self.averaged.trainable_variables
        return {"weight": weights, "averaged": averaged, "optimizer": self.optimizer.variables}


def config_of(about: dict[str, Any]) -> dict[str, Any]:
    """The settings in what a checkpoint says of itself; KeyError where there are none."""
    config: dict[str, Any] = about["config"] if "config" in about else about["settings"]  # as older files have it
    return config


def best_of(folder: Path, progress: Progress) -> Path:
    """The file of a run's best weights; ValueError where it has never had any."""
    if progress.best_epoch < 0:
        raise ValueError(
            f"{folder}: the training went astray, its score was never a number; "
            "train with a lower learning_rate, in another folder"
        )
    return folder / BEST


def cut_history(history: Path, epochs: int) -> None:
    """Leave out lines of epochs that were written but not kept: the run was cut off between the two."""
    if not history.exists():
        return
    lines = history.read_text(encoding="utf-8").splitlines(keepends=True)
    history.write_text("".join(lines[: epochs + 1] if epochs else []), encoding="utf-8")


def add_line(history: Path, columns: Sequence[str], row: Sequence[Any]) -> None:
    """Add a line to a table of comma-separated values, which begins with the names of its columns."""
    first = not history.exists() or not history.stat().st_size
    with history.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if first:
            writer.writerow(columns)
        writer.writerow(row)


def use_threads(count: int) -> None:
    """How many threads TensorFlow may take, where it has not begun yet."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:
        return  # it has begun already, with the threads that it has

"""A training run: the network, its optimiser, what each lane carries and how far it has come; kept as one file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from livemuse.model.manifest import MAX_STYLES
from training.cells import paired
from training.checkpoint import OtherRun, assign, opened, write_checkpoint
from training.config import Config, config_from
from training.network import Network

BEST, LAST = "best.npz", "checkpoint.npz"
"""In a run's folder: the weights that fitted the held-out pieces best, and all that a run goes on from."""


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    in_epoch: int = 0  # updates done in this epoch
    step: int = 0
    notes: int = 0
    elapsed_s: float = 0.0
    loss_sum: float = 0.0  # nats since the last checkpoint, to be averaged
    loss_count: float = 0.0
    best_nats: float = 0.0  # a note of the held-out pieces, at best_step
    best_step: int = -1  # -1: not scored yet
    since_best: int = 0  # scores in a row that were no better
    over: bool = False

    @property
    def fresh(self) -> bool:
        """Whether nothing has been learned or scored yet; a run that starts from another is scored before it learns."""
        return not self.step and self.best_step < 0

    def scored(self, nats: float) -> bool:
        """Count a score of the held-out pieces, nats a note, and say whether it is the best yet.

        What is no number is the best only as long as there is nothing else.
        """
        self.since_best += 1
        best = math.isnan(self.best_nats) and not math.isnan(nats)
        if self.best_step < 0 or nats < self.best_nats or best:
            self.best_nats, self.best_step, self.since_best = nats, self.step, 0
        return not self.since_best


@dataclass
class Run:
    """A network, its optimiser, the state each lane carries, and where it all stands."""

    config: Config
    network: Network
    optimizer: Any
    state: list[tuple[Any, Any]]
    styles: tuple[str, ...] = ()  # the labels a piece can have
    progress: Progress = field(default_factory=Progress)
    parent: dict[str, Any] = field(default_factory=dict)  # what it was fine-tuned from; {} for one from nothing
    before: dict[str, Any] = field(default_factory=dict)  # notes and seconds of the runs it began with; {} for none
    notes_sha256: str = ""  # of what it learns from (see `notes_digest`); "" where nobody says
    saved_s: float = 0.0  # when the last checkpoint was written, on the run's own clock

    def save(self, path: Path) -> None:
        """Write everything a run goes on from; a kill in the middle leaves the previous file."""
        parts = [part for pair in self.state for part in pair]
        carried = dict(zip(self.network.state_names, parts, strict=True))
        kept = {"weight": self.network.trainable_variables, "optimizer": self.optimizer.variables}
        write_checkpoint(path, self._about(), kept, carried)

    def save_weights(self, path: Path) -> None:
        """Write the weights alone, as `load_network` reads them."""
        write_checkpoint(path, self._about(), {"weight": self.network.trainable_variables})

    def _about(self) -> dict[str, Any]:
        about = {"config": self.config.as_dict(), "styles": self.styles, "progress": vars(self.progress)}
        about |= {"parent": self.parent} if self.parent else {}
        about |= {"before": self.before} if self.before else {}
        return about | ({"notes_sha256": self.notes_sha256} if self.notes_sha256 else {})

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; ValueError, naming it, where it is damaged, of another network or of other notes."""
        with _opened(path) as (about, arrays):
            if tuple(about.get("styles", ())) != self.styles:
                raise OtherRun(f"{path} holds a network with other labels")
            if self.notes_sha256 not in ("", about.get("notes_sha256", self.notes_sha256)):
                raise OtherRun(f"{path} has learned from other notes than these")
            assign(self.network.trainable_variables, arrays, "weight", path)
            assign(self.optimizer.variables, arrays, "optimizer", path)
            self.state = paired([arrays[name] for name in self.network.state_names])
            self.parent, self.before = about.get("parent", {}), about.get("before", {})
            self.progress = Progress(**about["progress"])
            self.saved_s = self.progress.elapsed_s


@contextmanager
def _opened(path: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """`checkpoint.opened`, of a run: it says its config and how far it has come."""
    with opened(path) as (about, arrays):
        if any(not isinstance(about.get(k), dict) for k in ("config", "progress")):
            raise TypeError("it does not say how it was trained")
        yield about, arrays


def weights_of(run: Path, which: str = "best") -> Path:
    """The file of a run's weights: the best ones where they were kept, else the last; "last" is always those.

    ValueError where the folder holds neither.
    """
    for name in (BEST, LAST) if which == "best" else (LAST,):
        if (run / name).is_file():
            return run / name
    raise ValueError(f"{run} holds no weights: train first, `python -m training train --run {run}`")


def about_of(path: Path) -> dict[str, Any]:
    """What a file of weights says of itself: its config, its labels, how far it had come."""
    with _opened(path) as (about, _):
        return about


def config_of(path: Path) -> Config:
    """The config of a file of weights; ValueError, naming the file, where it holds none that this version knows."""
    with _opened(path) as (about, _):
        return config_from(about["config"])


def notes_digest(data: Path) -> str:
    """What tells the notes of a folder from others: the SHA-256 of its table of contents, index.json."""
    return hashlib.sha256((data / "index.json").read_bytes()).hexdigest()


def check_notes(about: dict[str, Any], data: Path) -> None:
    """ValueError where weights say (`about`) that they learned from other notes than those of a folder.

    Weights that say nothing of it, as those of older versions, are not checked.
    """
    said = about.get("notes_sha256")
    if said and said != notes_digest(data):
        raise ValueError(f"{data} holds other notes than the run has learned from")


def new_run(config: Config, styles: tuple[str, ...] = (), *, begin: bool = True) -> Run:
    """A run that has learned nothing yet, or what its `start_from` had learned; `begin=False` where `load` follows."""
    network = Network(config.shape, config.dropout, config.bfloat16, config.seed, len(styles))
    before = _start_from(network, Path(config.start_from), styles) if config.start_from and begin else {}
    # global_clipnorm also sums the gradients of a repeated note, which Adam alone does not do here
    optimizer = keras.optimizers.Adam(config.learning_rate, global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)
    return Run(config, network, optimizer, network.zero_state(config.lanes), styles, before=before)


def _start_from(network: Network, checkpoint: Path, styles: tuple[str, ...]) -> dict[str, Any]:
    """Take the weights of another run, whose labels are the same or none; new ones say nothing yet.

    Returns how many notes that run, and those that it began with, had heard, and in how many seconds.
    """
    with _opened(checkpoint) as (about, arrays):
        if tuple(about.get("styles", ())) not in ((), styles):
            raise OtherRun(f"{checkpoint} holds a network with other labels than those of these notes")
        for k, weight in enumerate(network.trainable_variables):
            given = arrays[f"weight_{k}"]
            room = weight.shape[0] - given.shape[0]
            if given.shape[1:] != tuple(weight.shape[1:]) or room not in (0, network.styles):
                raise OtherRun(f"{checkpoint} holds a network of another shape")
            weight.assign(np.concatenate([given, np.zeros((room, *given.shape[1:]), np.float32)]))
        told, earlier = about["progress"], about.get("before", {})
        return {name: told[name] + earlier.get(name, 0) for name in ("notes", "elapsed_s")}


def _styles(about: dict[str, Any]) -> list[str]:
    """The labels of a checkpoint; TypeError where they are none that a model could carry."""
    styles = about.get("styles", [])
    if not isinstance(styles, list) or len(styles) > MAX_STYLES or not all(isinstance(name, str) for name in styles):
        raise TypeError("its labels are no labels")
    return styles


def take_weights(network: Network, path: Path) -> None:
    """Give a network the weights of a file; ValueError, naming it, where they are another network's."""
    with _opened(path) as (_, arrays):
        assign(network.trainable_variables, arrays, "weight", path)


def load_network(checkpoint: Path) -> tuple[Network, dict[str, Any]]:
    """The network of a checkpoint, in float32 and without dropout, and what the checkpoint says of itself."""
    with _opened(checkpoint) as (about, arrays):
        network = Network(config_from(about["config"]).shape, styles=len(_styles(about)))
        assign(network.trainable_variables, arrays, "weight", checkpoint)
    return network, about

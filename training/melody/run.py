"""A run of the melody network: its weights, their running average, its optimiser and how far it has come."""

from __future__ import annotations

import json
import math
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.melody.config import Settings, settings_from
from training.melody.network import Network


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    step: int = 0
    events: int = 0  # heard so far, holds and rests included
    elapsed_s: float = 0.0
    best: float = math.inf  # nats an event on the validation tunes
    best_epoch: int = -1
    over: bool = False


@dataclass
class Run:
    """A network, the running average of its weights, its optimiser and where it stands."""

    settings: Settings
    network: Network
    averaged: Network
    optimizer: Any
    progress: Progress = field(default_factory=Progress)

    def save(self, path: Path) -> None:
        """Write everything a run goes on from; a kill in the middle leaves the previous file."""
        arrays = {f"weight_{k}": w.numpy() for k, w in enumerate(self.network.trainable_variables)}
        arrays |= {f"averaged_{k}": w.numpy() for k, w in enumerate(self.averaged.trainable_variables)}
        arrays |= {f"optimizer_{k}": w.numpy() for k, w in enumerate(self.optimizer.variables)}
        _write(path, {"config": self.settings.as_dict(), "progress": vars(self.progress)}, arrays)

    def save_best(self, path: Path) -> None:
        """Write the averaged weights alone, as they are exported."""
        arrays = {f"weight_{k}": w.numpy() for k, w in enumerate(self.averaged.trainable_variables)}
        _write(path, {"config": self.settings.as_dict(), "progress": vars(self.progress)}, arrays)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; raises ValueError where it belongs to other settings."""
        about, arrays = _read(path)
        if settings_from(about["config"]) != self.settings:
            raise ValueError(f"{path} was made with other settings; train in another folder")
        for name, variables in (
            ("weight", self.network.trainable_variables),
            ("averaged", self.averaged.trainable_variables),
            ("optimizer", self.optimizer.variables),
        ):
            for k, variable in enumerate(variables):
                variable.assign(arrays[f"{name}_{k}"])
        self.progress = Progress(**about["progress"])


def new_run(settings: Settings) -> Run:
    """A run that has learned nothing yet."""
    network, averaged = (Network(settings.shape, settings.dropout, settings.bfloat16, settings.seed) for _ in range(2))
    # global_clipnorm also sums the gradients of a repeated event, which Adam alone does not do here
    optimizer = keras.optimizers.Adam(settings.learning_rate, global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)
    return Run(settings, network, averaged, optimizer)


def load_best(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network that fitted the validation tunes best, and what its file says of it (config, progress)."""
    about, arrays = _read(path)
    network = Network(settings_from(about["config"]).shape)
    for k, weight in enumerate(network.trainable_variables):
        weight.assign(arrays[f"weight_{k}"])
    return network, about


def _write(path: Path, about: dict[str, Any], arrays: dict[str, Any]) -> None:
    partial = path.with_suffix(".part")
    with partial.open("wb") as stream:
        np.savez(stream, about=np.array(json.dumps(about)), **arrays)
    os.replace(partial, path)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return json.loads(str(arrays.pop("about"))), arrays
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise ValueError(f"{path} is not a checkpoint: {problem}") from problem

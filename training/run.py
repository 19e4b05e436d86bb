"""A training run: the network, its optimiser, what each lane carries and how far it has come; kept as one file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.config import Config, config_from
from training.network import Network


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


@dataclass
class Run:
    """A network, its optimiser, the state each lane carries, and where it all stands."""

    config: Config
    network: Network
    optimizer: Any
    state: list[tuple[Any, Any]]
    styles: tuple[str, ...] = ()  # the labels a piece can have
    progress: Progress = field(default_factory=Progress)
    saved_s: float = 0.0  # when the last checkpoint was written, on the run's own clock

    def save(self, path: Path) -> None:
        """Write everything a run goes on from; a kill in the middle leaves the previous file."""
        arrays = {f"weight_{k}": w.numpy() for k, w in enumerate(self.network.trainable_variables)}
        arrays |= {f"optimizer_{k}": w.numpy() for k, w in enumerate(self.optimizer.variables)}
        for k, (h, c) in enumerate(self.state):
            arrays[f"h{k}"], arrays[f"c{k}"] = h.numpy(), c.numpy()
        about = json.dumps({"config": self.config.as_dict(), "styles": self.styles, "progress": vars(self.progress)})
        partial = path.with_suffix(".part")
        with partial.open("wb") as stream:
            np.savez(stream, about=np.array(about), **arrays)
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        with np.load(path) as arrays:
            for k, weight in enumerate(self.network.trainable_variables):
                weight.assign(arrays[f"weight_{k}"])
            for k, weight in enumerate(self.optimizer.variables):
                weight.assign(arrays[f"optimizer_{k}"])
            layers = self.config.shape.layers
            self.state = [(tf.constant(arrays[f"h{k}"]), tf.constant(arrays[f"c{k}"])) for k in range(layers)]
            self.progress = Progress(**json.loads(str(arrays["about"]))["progress"])
            self.saved_s = self.progress.elapsed_s


def new_run(config: Config, styles: tuple[str, ...] = ()) -> Run:
    """A run that has learned nothing yet, or what its `start_from` had learned."""
    network = Network(config.shape, config.dropout, config.bfloat16, config.seed, len(styles))
    if config.start_from:
        _start_from(network, Path(config.start_from))
    # global_clipnorm also sums the gradients of a repeated note, which Adam alone does not do here
    optimizer = keras.optimizers.Adam(config.learning_rate, global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)
    return Run(config, network, optimizer, network.zero_state(config.lanes), styles)


def _start_from(network: Network, checkpoint: Path) -> None:
    """Take the weights of another run; labels that it did not know say nothing yet."""
    with np.load(checkpoint) as arrays:
        for k, weight in enumerate(network.trainable_variables):
            given = arrays[f"weight_{k}"]
            room = weight.shape[0] - given.shape[0]
            if given.shape[1:] != tuple(weight.shape[1:]) or room not in (0, network.styles):
                raise ValueError(f"{checkpoint} holds a network of another shape")
            weight.assign(np.concatenate([given, np.zeros((room, *given.shape[1:]), np.float32)]))


def load_network(checkpoint: Path) -> tuple[Network, dict[str, Any]]:
    """The network of a checkpoint, in float32 and without dropout, and what the checkpoint says of itself."""
    with np.load(checkpoint) as arrays:
        about = json.loads(str(arrays["about"]))
        network = Network(config_from(about["config"]).shape, styles=len(about.get("styles", ())))
        for k, weight in enumerate(network.trainable_variables):
            weight.assign(arrays[f"weight_{k}"])
    return network, about

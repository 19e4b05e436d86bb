"""A run of the melody network, and its best weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from training.checkpoint import assign, opened
from training.epochs import Run, config_of
from training.melody.config import Settings, settings_from
from training.melody.network import Network


def new_run(settings: Settings, notes_sha256: str = "") -> Run:
    """A run that has learned nothing yet; `notes_sha256` tells the tunes that it learns from."""
    network, averaged = (Network(settings.shape, settings.dropout, settings.bfloat16, settings.seed) for _ in range(2))
    # global_clipnorm also sums the gradients of a repeated event, which Adam alone does not do here
    optimizer = keras.optimizers.Adam(settings.learning_rate, global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)
    return Run(settings, network, averaged, optimizer, notes_sha256)


def load_best(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network that fitted the validation tunes best, and what its file says of it (config, progress)."""
    with opened(path) as (about, arrays):
        network = Network(settings_from(config_of(about)).shape)
        assign(network.trainable_variables, arrays, "weight", path)
    return network, about

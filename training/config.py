"""What a training run is made of; a TOML file holds only what differs from these values."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a network."""

    units: int = 256
    layers: int = 2
    embed_pitch: int = 64
    embed_other: int = 16  # step, duration and velocity each
    head_width: int = 128  # of the hidden layer of each head that follows the pitch


@dataclass(frozen=True, slots=True)
class Config:
    """One training run."""

    name: str = "model"
    seed: int = 1
    lanes: int = 64  # pieces read side by side, each with its own carried state
    chunk: int = 128  # notes between two updates; the gradient goes back this far, the state further
    dropout: float = 0.1  # between the layers
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    final_rate: float = 0.01  # of the learning rate, reached at the end
    epochs: float = 10.0  # the planned end, unless `minutes` is given
    minutes: float = 0.0  # the planned end by the clock, resumed runs counted together; 0 is off
    checkpoint_minutes: float = 5.0
    checkpoint_steps: int = 0  # a checkpoint every so many steps too; 0 is off
    validation_notes: int = 120_000
    transpose: int = 5  # semitones up or down, drawn anew for each piece in each epoch
    stretch: float = 0.10  # of the tempo, up or down
    velocity_shift: int = 10
    style_notes: int = 0  # a genre, composer or mood with so many training notes is a label; 0 is no labels at all
    style_dropout: float = 0.4  # how often each kind of label of a piece is kept from the network
    encore: float = 0.0  # share of pieces that, after a rest, go on from somewhere in their middle
    start_from: str = ""  # a checkpoint whose weights this run begins with
    bfloat16: bool = False  # multiply matrices in bfloat16: faster where the processor has it
    threads: int = 1
    shape: Shape = field(default_factory=Shape)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, to be written beside a checkpoint."""
        return asdict(self)


def config_from(values: dict[str, Any]) -> Config:
    """A config from plain values; a name that does not exist is refused."""
    shape = values.pop("shape", {})
    for cls, given in ((Config, values), (Shape, shape)):
        unknown = set(given) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"unknown setting: {', '.join(sorted(unknown))}")
    return Config(**values, shape=Shape(**shape))


def load_config(path: Path | None) -> Config:
    """The config of a TOML file, or the default one."""
    return config_from(tomllib.loads(path.read_text(encoding="utf-8")) if path else {})

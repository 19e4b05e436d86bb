"""What a training run is made of; a TOML file holds only what differs from these values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from livemuse.model.manifest import MAX_UNITS
from livemuse.music.vocabulary import HEADS
from training.settings import check_value, read_settings, settings_of


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a network."""

    units: int = 256
    layers: int = 2
    embed_pitch: int = 64
    embed_other: int = 16  # step, duration and velocity each
    head_width: int = 128  # of the hidden layer of each head that follows the pitch
    heads: str = "factorised"  # each head is told what was drawn before it; "independent": none is, to compare
    attention: int = 0  # notes that attention on top of the layers looks back over; 0 is no attention
    attention_width: int = 64  # numbers of each note that it keeps, as keys and as values; a multiple of 32

    def __post_init__(self) -> None:
        """ValueError for sizes that a model cannot carry from note to note."""
        if self.heads not in ("factorised", "independent"):
            raise ValueError('heads are "factorised" or "independent"')
        if self.attention and (self.attention_width % 32 or not 0 < self.attention_width * self.attention <= MAX_UNITS):
            raise ValueError(
                f"attention times attention_width is at most {MAX_UNITS}, and attention_width a multiple of 32"
            )


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
    epochs: float = 0.0  # the planned end; 0 is ten, or as many as make `least_steps` updates
    least_steps: int = 600
    minutes: float = 0.0  # the planned end by the clock, resumed runs counted together; 0 is off
    checkpoint_minutes: float = 5.0
    checkpoint_steps: int = 0  # updates between two scores; 0 is 40 scores in a run planned by epochs
    patience: int = -1  # scores without a better one before it stops; 0 is never, -1 is 8, or never with `minutes`
    validation_notes: int = 120_000
    transpose: int = 5  # semitones up or down, drawn anew for each piece in each epoch
    stretch: float = 0.10  # of the tempo, up or down
    velocity_shift: int = 10
    weights: dict[str, float] = field(default_factory=dict)  # of the heads' losses, where not 1: {"pitch": 2.0}
    style_notes: int = 0  # a genre, composer or mood with so many training notes is a label; 0 is no labels at all
    style_dropout: float = 0.4  # how often each kind of label of a piece is kept from the network
    encore: float = 0.0  # share of pieces that, after a rest, go on from somewhere in their middle
    start_from: str = ""  # a checkpoint whose weights this run begins with
    bfloat16: bool = False  # multiply matrices in bfloat16: faster where the processor has it
    threads: int = 1
    shape: Shape = field(default_factory=Shape)

    @property
    def head_weights(self) -> tuple[float, ...]:
        """How much the loss of each head counts, in the order of the heads; the nats that are told stay unweighted."""
        return tuple(float(self.weights.get(head, 1.0)) for head in HEADS)

    @property
    def stop_after(self) -> int:
        """Scores without a better one before the run stops; 0 is never."""
        return self.patience if self.patience >= 0 else (0 if self.minutes else 8)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, to be written beside a checkpoint."""
        return asdict(self)


def dropout_seed(seed: int, step: int) -> int:
    """What decides which numbers dropout leaves out in an update, for a run's seed: below 2^31 for 10^9 updates."""
    return step + 1_000_003 * (seed % 1000)


def config_from(values: dict[str, Any]) -> Config:
    """A config from plain values; ValueError for a name that does not exist or a value that it cannot have."""
    config = settings_of(Config, Shape, values)
    _check_weights(config.weights)
    return config


def _check_weights(weights: dict[str, Any]) -> None:
    unknown = set(weights) - set(HEADS)
    if unknown:
        raise ValueError(f"weights are of {', '.join(HEADS)}, not of {', '.join(sorted(unknown))}")
    for head, value in weights.items():
        check_value(f"weights.{head}", value, float)
    if len(weights) == len(HEADS) and not any(weights.values()):
        raise ValueError("the weights are all 0: nothing would be learned")


def load_config(path: Path | None) -> Config:
    """The config of a TOML file, or the default one; ValueError, naming the file, for one that cannot be read."""
    return Config() if path is None else read_settings(path, config_from)

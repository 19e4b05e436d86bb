"""What a run of the melody network is made of; a TOML file holds only what differs from these values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.settings import read_settings, settings_of

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a network."""

    units: int = 256
    layers: int = 1
    embed_other: int = 16  # the kind of an event, its pitch, its interval, its age and the place in the bar, each
    embed_lookback: int = 16
    lookback: tuple[int, ...] = (16, 32)  # sixteenths before the one to be drawn that are read again

    def __post_init__(self) -> None:
        sizes = (self.units, self.layers, self.embed_other, self.embed_lookback, *self.lookback)
        if min(sizes) < 1:
            raise ValueError("every size of a network is 1 or more")

    @property
    def remembered(self) -> int:
        """How many events are carried beside the state of the layers."""
        return max(self.lookback, default=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """One training run."""

    name: str = "melody"
    seed: int = 1
    epochs: int = 8  # at most; the learning rate falls over all of them
    patience: int = 2  # epochs without a better validation loss before it stops
    batch: int = 64  # windows between two updates
    window: int = 256  # sixteenths; longer tunes are cut, at other notes in each epoch
    restart: float = 0.5  # share of windows whose bar is counted from their own first note, as in live playing
    transpose: int = 6  # semitones up or down, drawn anew for each window in each epoch
    lowest: int = 40  # no tune is transposed below this pitch, nor above the next
    highest: int = 96
    learning_rate: float = 3e-3
    final_rate: float = 0.02  # of the learning rate, reached at the last epoch
    warmup_steps: int = 50
    average: float = 0.99  # of the running average of the weights, which is what is scored and kept; 0 is off
    dropout: float = 0.2  # between the layers and before the output
    bfloat16: bool = False  # multiply matrices in bfloat16: faster where the processor has it
    threads: int = 1
    shape: Shape = field(default_factory=Shape)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, to be written beside a checkpoint."""
        return asdict(self)


def settings_from(values: dict[str, Any]) -> Settings:
    """Settings from plain values; ValueError for a name that does not exist or a value that it cannot have."""
    return settings_of(Settings, Shape, values)


def load_settings(path: Path) -> Settings:
    """The settings of a TOML file; ValueError, naming the file, for one that cannot be read."""
    return read_settings(path, settings_from)

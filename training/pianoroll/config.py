"""What a piano-roll run is made of; a TOML file holds only what differs from these values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.settings import read_settings, settings_of

KEYS = 88
CONFIGS = Path(__file__).parent / "configs"
HEADS = ("sigmoid", "joint")


@dataclass(frozen=True, slots=True)
class Shape:
    """The size and the kind of a network."""

    head: str = "joint"  # "sigmoid": every key by itself; "joint": each key given those already drawn
    kinds: int = 1  # 1: a key sounds or not; 2: held and struck are told apart
    units: int = 256
    layers: int = 1
    head_width: int = 192  # of the joint head's hidden layer
    around: int = 0  # hidden numbers for each key, made of what lies around it by weights that all keys share; 0: none
    reach: int = 12  # semitones up and down that lie around a key
    positions: int = 0  # how many places of the bar are told; 0: none
    lookback: tuple[int, ...] = ()  # frames before the one to be drawn that are read again, beside the last one
    echo: int = 0  # over so many frames it is told how well the music agrees with itself at each lookback; 0: not told
    residual: bool = False  # a layer's input is added to its output
    normalise: bool = False  # layer normalisation after each LSTM
    draw_order: str = "up"  # of the joint head: "up" from the lowest key, "down" from the highest

    def __post_init__(self) -> None:
        if self.head not in HEADS or self.draw_order not in ("up", "down") or self.kinds not in (1, 2):
            raise ValueError(f"no such network: head {self.head}, {self.kinds} kinds, drawn {self.draw_order}")

    @property
    def keys(self) -> int:
        """Numbers a frame: 88 or 176."""
        return KEYS * self.kinds

    @property
    def tokens(self) -> int:
        """What the joint head chooses from: each key (twice, where held and struck differ) and the end."""
        return self.keys + 1


@dataclass(frozen=True, slots=True)
class Settings:
    """One training run."""

    name: str = "pianoroll"
    seed: int = 1
    epochs: int = 60  # at most
    patience: int = 12  # epochs without a better validation loss before it stops
    batch: int = 16  # sequences, or windows of them, between two updates
    window: int = 160  # frames; longer sequences are cut, at another place in each epoch
    learning_rate: float = 2e-3
    final_rate: float = 0.05  # of the learning rate, reached at the last epoch
    warmup_steps: int = 100
    weight_decay: float = 0.0
    average: float = 0.99  # of the running average of the weights, which is what is scored and kept; 0 is off
    active_weight: float = 1.0  # of a sounding key in the cross-entropy of the sigmoids, in training alone
    input_dropout: float = 0.0
    dropout: float = 0.3  # between the layers and before the heads
    head_dropout: float = 0.0
    transpose: int = 0  # semitones up or down, drawn anew for each sequence in each epoch
    transposed_share: float = 1.0  # of the sequences
    alone_share: float = 0.0  # of the windows that begin with one voice alone; what is to be drawn has all of them
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

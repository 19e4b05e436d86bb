"""What a training run is made of; a TOML file holds only what differs from these values."""

from __future__ import annotations

import math
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from livemuse.model.manifest import MAX_UNITS
from livemuse.music.vocabulary import HEADS


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


POSITIVE = ("lanes", "chunk", "learning_rate", "validation_notes", "threads", "units", "layers")
SHARES = ("dropout", "stretch", "final_rate", "style_dropout", "encore")
ANY_SIGN = ("patience",)


def config_from(values: dict[str, Any]) -> Config:
    """A config from plain values; ValueError for a name that does not exist or a value that it cannot have."""
    shape = values.get("shape", {})
    if not isinstance(shape, dict):
        raise ValueError("shape is a table of its own: [shape]")
    given = {name: value for name, value in values.items() if name != "shape"}
    for cls, part in ((Config, given), (Shape, shape)):
        known = {f.name: type(getattr(cls(), f.name)) for f in fields(cls)}
        unknown = set(part) - set(known)
        if unknown:
            raise ValueError(f"unknown setting: {', '.join(sorted(unknown))}")
        for name, value in part.items():
            _check(name, value, known[name])
    _check_weights(given.get("weights", {}))
    return Config(**given, shape=Shape(**shape))


def _check(name: str, value: Any, kind: type) -> None:
    """ValueError where a setting is of another kind, or a number it cannot be."""
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", dict: "a table"}
    if kind not in words:
        return
    fits = isinstance(value, (int, float) if kind is float else kind) and isinstance(value, bool) == (kind is bool)
    if not fits:
        raise ValueError(f"{name} is {words[kind]}, not {value!r}")
    if kind in (int, float) and name not in ANY_SIGN:
        if not (math.isfinite(value) and value >= 0 and (value > 0 or name not in POSITIVE)):
            raise ValueError(f"{name} is {'more than 0' if name in POSITIVE else '0 or more'}, not {value}")
        if name in SHARES and value > 1:
            raise ValueError(f"{name} is a share from 0 to 1, not {value}")


def _check_weights(weights: dict[str, Any]) -> None:
    unknown = set(weights) - set(HEADS)
    if unknown:
        raise ValueError(f"weights are of {', '.join(HEADS)}, not of {', '.join(sorted(unknown))}")
    for head, value in weights.items():
        _check(f"weights.{head}", value, float)
    if len(weights) == len(HEADS) and not any(weights.values()):
        raise ValueError("the weights are all 0: nothing would be learned")


def load_config(path: Path | None) -> Config:
    """The config of a TOML file, or the default one; ValueError, naming the file, for one that cannot be read."""
    if path is None:
        return Config()
    try:
        return config_from(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise ValueError(f"{path} cannot be read: {problem.strerror or problem}") from None
    except ValueError as problem:  # TOML, UTF-8 and settings alike
        raise ValueError(f"{path}: {problem}") from None

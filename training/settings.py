"""What a run is told: plain values, checked, into a dataclass of settings with its `shape`; of every family alike."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from sys import float_info
from typing import Any, Final, TypeVar

from livemuse.model.manifest import MAX_STATES, MAX_UNITS

MAX_LAYERS: Final = MAX_STATES // 2  # each carries two states
MAX_NUMBER: Final = 10**12  # of whole numbers that have no bound of their own
SIZES: Final = {"units", "head_width", "embed_pitch", "embed_other", "embed_lookback"}  # of a network
POSITIVE: Final = SIZES | {
    "layers", "lanes", "chunk", "batch", "window", "learning_rate", "validation_notes", "threads", "kinds", "lookback",
}  # fmt: skip
SHARES: Final = {
    "dropout", "input_dropout", "head_dropout", "style_dropout", "stretch", "final_rate", "encore", "restart",
    "average", "transposed_share", "alone_share",
}  # fmt: skip
ANY_SIGN: Final = {"patience"}
MOST: Final = {
    "layers": MAX_LAYERS, "lanes": 4096, "batch": 4096, "chunk": 65536, "window": 65536, "threads": 1024,
    "transpose": 127, "reach": 127,
} | dict.fromkeys((*SIZES, "around", "positions", "lookback", "echo"), MAX_UNITS)  # fmt: skip
WORDS: Final = {
    bool: "true or false", int: "a whole number", float: "a number", str: "a text", dict: "a table",
    tuple: "a list of whole numbers",
}  # fmt: skip

Made = TypeVar("Made")


def settings_of(cls: type[Made], shape: type[Any], values: Mapping[str, Any]) -> Made:
    """Settings from plain values; ValueError for a name that does not exist or a value that it cannot have."""
    given = {name: value for name, value in values.items() if name != "shape"}
    inner = values.get("shape", {})
    if not isinstance(inner, Mapping):
        raise ValueError("shape is a table of its own: [shape]")
    return cls(**(_checked(cls, given) | {"shape": shape(**_checked(shape, inner))}))


def _checked(cls: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    default = cls()
    known = {f.name: type(getattr(default, f.name)) for f in fields(cls)}
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"unknown setting: {', '.join(sorted(map(str, unknown)))}")
    return {name: check_value(name, value, known[name]) for name, value in given.items()}


def check_value(name: str, value: Any, kind: type) -> Any:
    """A setting as the kind it is of; ValueError where it is of another kind, or a number that it cannot be."""
    if kind is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{name} is {WORDS[kind]}, not {value!r}")
        return tuple(check_value(name, each, int) for each in value)
    if kind not in WORDS:
        return value
    fits = isinstance(value, (int, float) if kind is float else kind) and isinstance(value, bool) == (kind is bool)
    if not fits:
        raise ValueError(f"{name} is {WORDS[kind]}, not {value!r}")
    if kind in (int, float) and name not in ANY_SIGN:
        if not (value > 0 if name in POSITIVE else value >= 0):
            raise ValueError(f"{name} is {'more than 0' if name in POSITIVE else '0 or more'}, not {value}")
        if name in SHARES and value > 1:
            raise ValueError(f"{name} is a share from 0 to 1, not {value}")
        most = MOST.get(name, MAX_NUMBER if kind is int else float_info.max)
        if value > most:
            raise ValueError(f"{name} is at most {most:,}" if name in MOST else f"{name} is no such number")
    return value


def read_settings(path: Path, made: Callable[[dict[str, Any]], Made]) -> Made:
    """What `made` makes of a TOML file; ValueError, naming the file, where it cannot be read or is not fit."""
    try:
        return made(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise ValueError(f"{path} cannot be read: {problem.strerror or problem}") from None
    except RecursionError:
        raise ValueError(f"{path}: tables within tables without end") from None
    except ValueError as problem:  # TOML, UTF-8 and settings alike
        raise ValueError(f"{path}: {problem}") from None

"""What runs of every family share: files of weights, read with care, and the learning rate."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

_DAMAGED: Final = (
    OSError, EOFError, LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RuntimeError, MemoryError,
    SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class OtherRun(ValueError):
    """A checkpoint in good order, but of another network, of other settings or of other music."""


class Schedule(Protocol):
    """The settings of a learning rate."""

    @property
    def learning_rate(self) -> float:
        """The highest."""

    @property
    def final_rate(self) -> float:
        """The last one, as a share of the highest."""

    @property
    def warmup_steps(self) -> int:
        """Updates until the highest is reached."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """What a file of weights says of itself, and its arrays; ValueError, naming it, where it is none or damaged.

    So is whatever goes wrong while the arrays are read, but for an OtherRun, which says itself what is wrong.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            if not isinstance(about, dict):
                raise TypeError("its description is no object")
            yield about, arrays
    except OtherRun:
        raise
    except FileNotFoundError:
        raise ValueError(f"{path} is not there") from None
    except _DAMAGED as problem:
        raise ValueError(f"{path} is no checkpoint, or a damaged one: {problem}") from None


def write_checkpoint(
    path: Path,
    about: Mapping[str, Any],
    variables: Mapping[str, Sequence[Any]],
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write variables by name (`weight` gives weight_0 and on) and `more` arrays; a kill leaves the previous file."""
    arrays = {f"{name}_{k}": np.asarray(v) for name, given in variables.items() for k, v in enumerate(given)}
    arrays |= {name: np.asarray(array) for name, array in (more or {}).items()}
    partial = path.with_suffix(".part")
    with partial.open("wb") as stream:
        np.savez(stream, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    os.replace(partial, path)


def assign(variables: Sequence[Any], arrays: Any, name: str, path: Path) -> None:
    """Give variables what `write_checkpoint` kept of them; OtherRun where it is of another shape."""
    for k, variable in enumerate(variables):
        found = arrays[f"{name}_{k}"]
        if tuple(found.shape) != tuple(variable.shape):
            raise OtherRun(f"{path} holds a network of another shape, or with other labels")
        if found.dtype.kind not in "fiu" or not np.isfinite(found).all():
            raise OtherRun(f"{path} holds weights that are no numbers")
        variable.assign(found.astype(variable.dtype))  # a model keeps its weights in float16


def digest_of(arrays: Iterable[Any]) -> str:
    """What tells these very arrays, in this order, from others: their SHA-256."""
    digest = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def rate_at(settings: Schedule, step: int, done: float) -> float:
    """The learning rate: a short rise, then half a cosine down to the planned end (`done` runs from 0 to 1)."""
    rise = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    fall = 0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))
    return settings.learning_rate * rise * (settings.final_rate + (1 - settings.final_rate) * fall)

"""What a model of each family takes and gives: the graphs it has, and the name, kind and width of every array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from livemuse.music.grid import EVENTS, GRID_SHA256, KEYS, PER_BAR, PER_BEAT
from livemuse.music.vocabulary import HEADS, VOCABULARY

INT: Final = "tensor(int32)"
FLOAT: Final = "tensor(float)"

Value = tuple[str, str, int | None]
"""(name, kind, width): an array (batch, width), or (batch,) where the width is None."""
Signature = tuple[list[Value], list[Value]]
"""The inputs and the outputs of a graph."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model."""

    name: str
    vocabulary_sha256: str
    graphs: tuple[str, ...]
    has_z: bool  # what its heads start from
    unit: str  # what a step of it is: held-out scores are given by this
    signatures: Callable[[int], dict[str, Signature]]  # by graph, for a width of z; of the step without its state
    grid: dict[str, int] | None = None  # what the manifest says of it
    draw_orders: Sequence[str] = ()


def _performance(z_width: int) -> dict[str, Signature]:
    sizes = VOCABULARY.sizes
    note: list[Value] = [(head, INT, None) for head in HEADS]
    z: Value = ("z", FLOAT, z_width)
    found: dict[str, Signature] = {"step": (note, [("pitch_logits", FLOAT, sizes["pitch"]), z])}
    for k, head in enumerate(HEADS[1:], 1):
        found[f"head_{head}"] = ([z, *note[:k]], [(f"{head}_logits", FLOAT, sizes[head])])
    return found


def _melody(_: int) -> dict[str, Signature]:
    return {"step": ([("event", INT, None), ("position", INT, None)], [("event_logits", FLOAT, EVENTS)])}


def _pianoroll(z_width: int) -> dict[str, Signature]:
    z: Value = ("z", FLOAT, z_width)
    return {
        "step": ([("keys", FLOAT, 2 * KEYS), ("position", INT, None)], [z]),
        "head_keys": (
            [z, ("drawn", FLOAT, 2 * KEYS), ("last", INT, None)],
            [("keys_logits", FLOAT, 2 * KEYS + 1)],
        ),
    }


_GRID: Final = {"per_beat": PER_BEAT, "per_bar": PER_BAR}

FAMILIES: Final[dict[str, Family]] = {
    family.name: family
    for family in (
        Family(
            "performance", VOCABULARY.sha256(), ("step", *(f"head_{head}" for head in HEADS[1:])), True, "note",
            _performance,
        ),
        Family("melody", GRID_SHA256["melody"], ("step",), False, "event", _melody, _GRID),
        Family(
            "pianoroll", GRID_SHA256["pianoroll"], ("step", "head_keys"), True, "frame", _pianoroll, _GRID,
            ("up", "down"),
        ),
    )
}  # fmt: skip


def signatures(family: Family, state: Sequence[tuple[str, int]], z_width: int, styles: int) -> dict[str, Signature]:
    """By graph, all that it takes and gives."""
    found = family.signatures(z_width)
    inputs, outputs = found["step"]
    label: list[Value] = [("style", FLOAT, styles)] if styles else []
    carried: list[Value] = [(name, FLOAT, units) for name, units in state]
    after: list[Value] = [(f"{name}_out", FLOAT, units) for name, units in state]
    return found | {"step": ([*inputs, *carried, *label], [*outputs, *after])}


def width_of(shape: list[Any]) -> int | None:
    """The width of a (batch, width) array, None for (batch,); -1 for anything else, a fixed batch too."""
    if not 1 <= len(shape) <= 2 or isinstance(shape[0], int):
        return -1
    if len(shape) == 1:
        return None
    return shape[1] if isinstance(shape[1], int) else -1

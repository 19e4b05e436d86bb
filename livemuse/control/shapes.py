"""What a field of a message may hold; each shape reads a decoded JSON value or raises ValueError."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """``what`` in words, and ``read``: the value as it is kept, or ValueError."""

    what: str
    read: Callable[[Any], Any]


def whole(low: int, high: int) -> Shape:
    """A whole number from ``low`` to ``high``."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(value)
        return value

    return Shape(f"a whole number from {low} to {high}", read)


def number(low: float, high: float) -> Shape:
    """A finite number from ``low`` to ``high``."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(value)
        if not math.isfinite(value) or not low <= value <= high:
            raise ValueError(value)
        return float(value)

    return Shape(f"a number from {low:g} to {high:g}", read)


def boolean() -> Shape:
    """True or false."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(value)
        return value

    return Shape("true or false", read)


def text(longest: int) -> Shape:
    """Text of at most ``longest`` characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest:
            raise ValueError(type(value))
        return value

    return Shape(f"text of at most {longest} characters", read)


def value_of_control() -> Shape:
    """What a control may be before it is known which: a whole number, a finite number, or short text."""
    short, finite = text(1000), number(-1e300, 1e300)

    def read(value: Any) -> int | float | str:
        if isinstance(value, str):
            return str(short.read(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return int(whole(-(1 << 64), 1 << 64).read(value))
        return float(finite.read(value))

    return Shape("a number or text", read)


def choice(*choices: str) -> Shape:
    """One of these words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(type(value))
        return value

    return Shape("one of " + ", ".join(choices), read)


def optional(shape: Shape) -> Shape:
    """Null, or what ``shape`` reads."""
    return Shape(f"{shape.what}, or null", lambda value: None if value is None else shape.read(value))


def listed(shape: Shape, longest: int) -> Shape:
    """A list of at most ``longest`` things."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > longest:
            raise ValueError(type(value))
        return tuple(shape.read(item) for item in value)

    return Shape(f"a list of at most {longest}, each {shape.what}", read)


def row(*shapes: Shape) -> Shape:
    """A list of exactly these things."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) != len(shapes):
            raise ValueError(type(value))
        return tuple(shape.read(item) for shape, item in zip(shapes, value, strict=True))

    return Shape("a list of " + ", ".join(shape.what for shape in shapes), read)


def table(shape: Shape, longest: int) -> Shape:
    """An object of at most ``longest`` names."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > longest:
            raise ValueError(type(value))
        return {name: shape.read(item) for name, item in value.items()}

    return Shape(f"an object of at most {longest} names, each {shape.what}", read)


def record(kind: Callable[..., Any], shapes: Mapping[str, Shape]) -> Shape:
    """An object with these fields, kept as a ``kind``: what is left out starts as there, what is unknown is ignored."""

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(type(value))
        return kind(**{name: shape.read(value[name]) for name, shape in shapes.items() if name in value})

    return Shape("an object with some of " + ", ".join(shapes), read)

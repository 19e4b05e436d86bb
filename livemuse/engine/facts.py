"""What the engine shows of itself beside the music."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Facts:
    """What the engine shows of itself beside the music."""

    session: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)  # name, hash, family, styles, terms, use
    api: str = "none"
    ports: Mapping[str, Any] = field(default_factory=lambda: {"in": None, "out": None})
    available: Mapping[str, Any] = field(default_factory=lambda: {"in": [], "out": []})
    connections: Mapping[str, Any] = field(default_factory=dict)
    sound: str = "none"
    recording: bool = True
    notices: list[str] = field(default_factory=list)

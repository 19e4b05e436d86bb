"""What the lists of the console hold: (value, words) of models, ports, sessions, of what the engine answered."""

from collections.abc import Mapping
from typing import Any, Final

from livemuse.control.messages import PortsNow

Value = int | float | str
OWN_PORT: Final = ""  # in a list of ports: livemuse's own virtual one
_MOST: Final = 200  # a list longer than this is damage


def model_choices(answer: Mapping[str, Any] | None) -> list[tuple[Value, str]]:
    """The models of an answer to ``models``, each with its terms; what is no model is left out."""
    found = _objects(answer, "models")
    return [
        (
            str(model.get("name", ""))[:200],
            "   ".join(str(model[key]) for key in ("name", "family", "use", "terms") if model.get(key))[:300],
        )
        for model in found[:_MOST]
    ]


def session_choices(answer: Mapping[str, Any] | None) -> list[tuple[Value, str]]:
    """The sessions of an answer to ``sessions``, the latest first."""
    found = [str(session.get("name", ""))[:200] for session in _objects(answer, "sessions")]
    return [(name, name) for name in reversed(found[-_MOST:]) if name]


def _objects(answer: Mapping[str, Any] | None, name: str) -> list[dict[str, Any]]:
    values = (answer or {}).get(name)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def port_choices(ports: PortsNow, direction: str) -> list[tuple[Value, str]]:
    """livemuse's own port, and those of one direction."""
    names = ports.inputs if direction == "in" else ports.outputs
    own: list[tuple[Value, str]] = [(OWN_PORT, "livemuse's own port (others connect to it)")]
    return own + [(name, name) for name in names[:_MOST]]

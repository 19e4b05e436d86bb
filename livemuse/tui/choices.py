"""What the lists of the console hold: (value, words) of models and ports, made of what the engine answered."""

from collections.abc import Mapping
from typing import Any, Final

from livemuse.control.messages import PortsNow

Value = int | float | str
OWN_PORT: Final = ""  # in a list of ports: livemuse's own virtual one
_MOST: Final = 200  # a list longer than this is damage


def model_choices(answer: Mapping[str, Any] | None) -> list[tuple[Value, str]]:
    """The models of an answer to ``models``, each with its terms; what is no model is left out."""
    models = (answer or {}).get("models")
    found = [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []
    return [
        (
            str(model.get("name", ""))[:200],
            "   ".join(str(model[key]) for key in ("name", "family", "use", "terms") if model.get(key))[:300],
        )
        for model in found[:_MOST]
    ]


def port_choices(ports: PortsNow, direction: str) -> list[tuple[Value, str]]:
    """livemuse's own port, and those of one direction."""
    names = ports.inputs if direction == "in" else ports.outputs
    own: list[tuple[Value, str]] = [(OWN_PORT, "livemuse's own port (others connect to it)")]
    return own + [(name, name) for name in names[:_MOST]]

"""What is shown of the engine: the ``state`` and ``ports`` events (``docs/protocol.md`` lists their fields)."""

from collections.abc import Mapping
from typing import Any

from livemuse.engine.facts import Facts
from livemuse.music.duet import Duet


def state(
    duet: Duet, facts: Facts, latency_ms: Mapping[str, Any], since_s: float, sounding: int, now_s: float
) -> dict[str, Any]:
    """The ``state`` event; ``since_s`` is when this state began, ``sounding`` how many notes livemuse sounds."""
    return {
        "state": duet.state,
        "mode": duet.controls["mode"],
        "turn": duet.turn,
        "deadline_s": duet.deadline_s,
        "since_s": since_s,
        "session": facts.session,
        "recording": facts.recording,
        "sounding": sounding,
        "latency_ms": latency_ms,
        "model": dict(facts.model),
        "sound": facts.sound,
        "ports": dict(facts.ports),
        "api": facts.api,
        "notices": list(facts.notices),
        "heard": duet.ear.shown(now_s),
        "wait": wait(duet),
    }


def wait(duet: Duet) -> dict[str, float]:
    """The silence that ends a phrase now, and how much of it was learned on stage."""
    wait_s, learned_s = duet.wait_s, 0.0
    if duet.controls["wait"] == "auto":
        learned_s = wait_s - duet.turns.wait_s(duet.controls.number("patience"), learned=0.0)
    return {"s": round(wait_s, 3), "learned_s": round(learned_s, 3)}


def ports(facts: Facts, chosen: Mapping[str, str | None]) -> dict[str, Any]:
    """The ``ports`` event."""
    return {
        "api": facts.api,
        "in": list(facts.available.get("in", ())),
        "out": list(facts.available.get("out", ())),
        "chosen": dict(chosen),
    }

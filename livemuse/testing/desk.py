"""A desk without an engine behind it: remembers what was asked, tells what the script says."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from livemuse.control.server import Listener
from livemuse.errors import PortError
from livemuse.music.controls import Controls, Value, parse_action

Fields = dict[str, Any]


class ScriptedDesk:
    """Satisfies ``livemuse.control.server.Desk``; ``calls`` holds every request as (name, values...)."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.controls = Controls()
        self.state: Fields = {
            "event": "state", "state": "listening", "mode": "answer", "turn": 1, "deadline_s": None,
            "since_s": now_s(), "session": "2026-06-01 20.00.00.mid", "recording": True, "sounding": 0,
            "latency_ms": {"decide_to_first": {"p50": 1.4, "p99": 3.9, "n": 12}, "lateness": {"p50": 0.1, "p99": 0.4,
                           "n": 200}, "thru": {"p50": 0.05, "p99": 0.2, "n": 300}},
            "model": {"name": "concert", "terms": "CC BY 4.0"}, "sound": "on",
            "ports": {"in": "livemuse-in", "out": "livemuse-out"}, "api": "jack", "notices": [],
            "heard": {}, "wait": {"s": 0.63, "learned_s": 0.15},
        }  # fmt: skip
        self.port_names: Fields = {
            "api": "jack", "in": ["Stage piano", "Pads"], "out": ["FluidSynth", "DAW"],
            "chosen": {"in": None, "out": None},
        }  # fmt: skip
        self._now_s = now_s
        self._listeners: list[Listener] = []
        self._sounding: dict[tuple[str, int], Fields] = {}
        self._releases: dict[int, asyncio.TimerHandle] = {}

    # --- what the server asks --------------------------------------------------------------------------------

    async def get(self, name: str | None) -> Mapping[str, Value]:
        """One control or all."""
        self.calls.append(("get", name))
        return dict(self.controls) if name is None else {name: self.controls.replaced(name, self.controls[name])[name]}

    async def set(self, name: str, value: int | float | str) -> Mapping[str, Value]:
        """Change a control and tell everybody."""
        self.calls.append(("set", name, value))
        self.controls = self.controls.replaced(name, value)
        self.tell("controls", controls=dict(self.controls))
        if name == "mode":
            self.tell_state(mode=self.controls.text("mode"))
        return {name: self.controls[name]}

    async def action(self, name: str) -> None:
        """Remember it."""
        self.calls.append(("action", parse_action(name)))
        if name == "panic":
            self.silence()

    async def status(self) -> Mapping[str, Any]:
        """The form of ``livemuse ctl status --json``."""
        self.calls.append(("status",))
        kept = ("state", "mode", "turn", "sounding", "session", "latency_ms", "heard", "wait")
        return {name: self.state[name] for name in kept} | {"controls": dict(self.controls)}

    async def press(self, pitch: int, velocity: int, hold_s: float) -> None:
        """Sound a typed key for ``hold_s``, or lengthen it."""
        self.calls.append(("press", pitch, velocity, hold_s))
        pending = self._releases.pop(pitch, None)
        if pending is not None:
            pending.cancel()
        if ("player", pitch) not in self._sounding:
            self.note_on("player", pitch, velocity)
        loop = asyncio.get_running_loop()
        self._releases[pitch] = loop.call_later(hold_s, self._release, pitch)

    async def ports(self) -> Mapping[str, Any]:
        """The ports of the script."""
        self.calls.append(("ports",))
        return self.port_names

    async def choose(self, direction: str, port: str | None) -> Mapping[str, Any]:
        """Choose one of the script's ports."""
        self.calls.append(("choose", direction, port))
        if port is not None and port not in self.port_names[direction]:
            raise PortError(f"There is no port called {port[:60]!r}.", "See `livemuse ports`.")
        self.port_names = self.port_names | {"chosen": self.port_names["chosen"] | {direction: port}}
        self.tell("ports", **self.port_names)
        return self.port_names

    async def models(self) -> Sequence[Mapping[str, Any]]:
        """Two models."""
        self.calls.append(("models",))
        return [{"name": "concert", "terms": "CC BY 4.0"}, {"name": "[nocturne]", "terms": "CC0"}]

    async def sessions(self) -> Sequence[Mapping[str, Any]]:
        """Two sessions."""
        self.calls.append(("sessions",))
        return [{"name": "2026-05-30_201500", "state": "done"}, {"name": "2026-05-31_193000", "state": "done"}]

    async def remember(self, session: str) -> Mapping[str, Any]:
        """Remember that it was asked."""
        self.calls.append(("remember", session))
        return {"session": session, "notes": 120}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """How things stand, then what happens."""
        self._listeners.append(listener)
        for fields in (self.state, {"event": "controls", "controls": dict(self.controls)},
                       {"event": "ports", **self.port_names}, *self._sounding.values()):  # fmt: skip
            listener(fields)
        return lambda: self._listeners.remove(listener)

    # --- what the script says --------------------------------------------------------------------------------

    @property
    def watchers(self) -> int:
        """How many clients watch."""
        return len(self._listeners)

    @property
    def sounding(self) -> frozenset[tuple[str, int]]:
        """Who sounds which pitch now."""
        return frozenset(self._sounding)

    def tell(self, event: str, **fields: Any) -> None:
        """Something happened."""
        message = {"event": event, **fields}
        for listener in tuple(self._listeners):
            listener(message)

    def tell_state(self, **changes: Any) -> None:
        """The state is another now."""
        self.state = {**self.state, "sounding": len(self._sounding), **changes}
        for listener in tuple(self._listeners):
            listener(self.state)

    def note_on(self, who: str, pitch: int, velocity: int) -> None:
        """A note begins now."""
        fields = {"event": "note_on", "who": who, "pitch": pitch, "velocity": velocity, "channel": 0,
                  "at_s": self._now_s()}  # fmt: skip
        self._sounding[who, pitch] = fields
        for listener in tuple(self._listeners):
            listener(fields)

    def note_off(self, who: str, pitch: int) -> None:
        """A note ends now."""
        if self._sounding.pop((who, pitch), None) is not None:
            self.tell("note_off", who=who, pitch=pitch, channel=0, at_s=self._now_s())

    def silence(self) -> None:
        """Everything ends now."""
        for timer in self._releases.values():
            timer.cancel()
        self._releases.clear()
        self.tell("planned", take=0, notes=[])
        for who, pitch in tuple(self._sounding):
            self.note_off(who, pitch)

    def _release(self, pitch: int) -> None:
        self._releases.pop(pitch, None)
        self.note_off("player", pitch)

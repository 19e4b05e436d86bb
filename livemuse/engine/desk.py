"""The desk: what whoever is connected to the engine may ask of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from livemuse.engine.board import Listener
from livemuse.engine.engine import Engine
from livemuse.errors import ControlError, PortError
from livemuse.music.controls import parse_action, parse_control
from livemuse.music.motifs import MotifMemory
from livemuse.music.protocols import Stepper
from livemuse.music.styles import chosen_style, settled_style

_PORT_WITHIN_S: Final = 3.0


class ModelShelf(Protocol):
    """The models there are, and how one is taken up."""

    def models(self) -> Sequence[Mapping[str, Any]]:
        """One mapping a model, each with its ``name``."""
        ...

    def available(self, name: str) -> str:
        """``name``, or what stands in for it."""
        ...

    def load(self, name: str) -> tuple[Stepper, Mapping[str, Any]]:
        """The model and what is shown of it (name, hash, family, styles, terms); ModelError. Takes a moment: not for
        the loop."""
        ...


class Archive(Protocol):
    """The sessions that were recorded."""

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """One mapping a session, oldest first, each with its ``name``."""
        ...

    def remembered(self, session: str) -> tuple[str, MotifMemory]:
        """The name of the file meant, and what was played in it; FileError. Takes a moment: not for the loop."""
        ...


TakeUp = Callable[[Stepper, Mapping[str, Any]], Awaitable[str]]
"""Goes on with another model; gives what there is to say of it, if anything."""


class EngineDesk:
    """Serves the control socket; every call may raise LivemuseError and changes nothing then."""

    def __init__(self, engine: Engine, shelf: ModelShelf, archive: Archive, take_up: TakeUp) -> None:
        self._engine = engine
        self._shelf = shelf
        self._archive = archive
        self._take_up = take_up
        self._port_waiters: list[asyncio.Event] = []
        engine.on_ports = self._ports_changed

    async def get(self, name: str | None) -> Mapping[str, int | float | str]:
        """The value of one control, or of all."""
        controls = self._engine.duet.controls
        if name is None:
            return dict(controls)
        if name not in controls:
            parse_control(name, "")  # says which there are
        return {name: controls[name]}

    async def set(self, name: str, value: int | float | str) -> Mapping[str, int | float | str]:
        """Change a control from the next unsounded note on; gives the value as it is kept, and maybe a ``notice``."""
        kept, notice = parse_control(name, value), ""
        kept = self._shelf.available(str(kept)) if name == "model" else kept
        if name == "model" and kept != self._engine.duet.controls["model"]:
            stepper, facts = await asyncio.to_thread(self._shelf.load, str(kept))
            notice = await self._take_up(stepper, facts)
            self._change("style", settled_style(self._engine.duet.controls.text("style"), facts.get("styles", ())))
        elif name == "style":
            model = self._engine.facts.model
            kept = chosen_style(
                str(kept), model.get("styles", ()), str(model.get("name", "")), self._engine.duet.controls.text("style")
            )
        self._change(name, kept)
        return {name: self._engine.duet.controls[name], **({"notice": notice} if notice else {})}

    def _change(self, name: str, kept: int | float | str) -> None:
        controls = self._engine.duet.controls.replaced(name, kept)
        if controls[name] != self._engine.duet.controls[name]:
            self._engine.set(controls, name)

    async def action(self, name: str) -> None:
        """Do something now."""
        self._engine.do(parse_action(name))

    async def status(self) -> Mapping[str, Any]:
        """The form of ``livemuse ctl status --json``."""
        state = self._engine.state()
        first = ("state", "mode", "turn", "sounding", "session")
        return {
            **{name: state[name] for name in first},
            "controls": dict(self._engine.duet.controls),
            "latency_ms": state["latency_ms"],
            "model": state["model"],
            "api": state["api"],
            "ports": state["ports"],
            "sound": state["sound"],
            "notices": state["notices"],
            "heard": state["heard"],
            "wait": state["wait"],
        }

    async def press(self, pitch: int, velocity: int, hold_s: float) -> None:
        """A typed key: ended after ``hold_s``, whatever becomes of whoever typed it."""
        self._engine.press(pitch, velocity, hold_s)

    async def ports(self) -> Mapping[str, Any]:
        """api, in, out, chosen {in, out}."""
        return self._engine.ports()

    async def choose(self, direction: str, port: str | None) -> Mapping[str, Any]:
        """Use another port (None: livemuse's own virtual one)."""
        engine = self._engine
        if direction not in ("in", "out"):
            raise ControlError(f"{direction!r:.20} is no direction.", "It is in or out.")
        there = engine.ports()[direction]
        if port is not None and port not in there:
            known = ", ".join(there) or "none"
            raise PortError(f"There is no MIDI port called {port!r:.80}.", f"There is: {known}.")
        changed = asyncio.Event()
        self._port_waiters.append(changed)
        engine.chosen[direction] = port
        engine.send_rules()
        try:
            await asyncio.wait_for(changed.wait(), _PORT_WITHIN_S)
        except TimeoutError:
            pass  # the stage says so in a notice when a port cannot be had
        finally:
            self._port_waiters.remove(changed)
        return engine.ports()

    async def models(self) -> Sequence[Mapping[str, Any]]:
        """The models there are."""
        return await asyncio.to_thread(self._shelf.models)

    async def sessions(self) -> Sequence[Mapping[str, Any]]:
        """The sessions that were recorded."""
        return await asyncio.to_thread(self._archive.sessions)

    async def remember(self, session: str) -> Mapping[str, Any]:
        """Remember what was played in an earlier session, from the next unsounded note on."""
        name, earlier = await asyncio.to_thread(self._archive.remembered, session)
        self._engine.remember(earlier, name)
        self._engine.notice(f"livemuse remembers {len(earlier)} notes of {name}.")
        return {"session": name, "notes": len(earlier)}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """How things stand, then everything that happens."""
        return self._engine.board.subscribe(listener)

    def _ports_changed(self) -> None:
        for waiter in self._port_waiters:
            waiter.set()

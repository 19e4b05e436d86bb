"""The board: what everybody who watches is told, and what they are told first.

It knows what sounds and what is planned, gathers what changes many times a second into one message, and hands out
plain dictionaries (``docs/protocol.md`` lists their fields).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from livemuse.music.notes import PlannedNote, Who

STATE_EVERY_S: Final = 0.25  # figures that move all the time are told so often at most
PLAN_EVERY_S: Final = 0.03

Listener = Callable[[Mapping[str, Any]], None]


class Board:
    """Tells listeners what happens; ``state``, ``controls`` and ``ports`` are asked for when they are needed."""

    def __init__(
        self,
        state: Callable[[], Mapping[str, Any]],
        controls: Callable[[], Mapping[str, Any]],
        ports: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._state, self._controls, self._ports = state, controls, ports
        self._listeners: list[Listener] = []
        self._sounding: dict[tuple[Who, int, int], dict[str, Any]] = {}  # (who, channel, pitch) -> its note_on
        self._ahead: dict[tuple[int, int], PlannedNote] = {}
        self._take = 0
        self._told_state: Mapping[str, Any] = {}
        self._state_waits: asyncio.TimerHandle | None = None
        self._plan_waits: asyncio.TimerHandle | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """How things stand, then everything that happens; the call that is returned ends it."""
        listener({"event": "state", **self._state()})
        listener({"event": "controls", "controls": dict(self._controls())})
        listener({"event": "ports", **self._ports()})
        listener(self._plan())
        for struck in self._sounding.values():
            listener(struck)
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def tell(self, event: str, **fields: Any) -> None:
        """Something happened."""
        message = {"event": event, **fields}
        for listener in tuple(self._listeners):
            listener(message)

    # --- what sounds ---------------------------------------------------------------------------------------------

    def struck(self, who: Who, channel: int, pitch: int, velocity: int, at_s: float) -> None:
        """A note began."""
        fields = {"who": who, "pitch": pitch, "velocity": velocity, "channel": channel, "at_s": at_s}
        self._sounding[who, channel, pitch] = {"event": "note_on", **fields}
        self.tell("note_on", **fields)

    def ended(self, who: Who, channel: int, pitch: int, at_s: float) -> None:
        """A note ended; nothing where none was sounding."""
        if self._sounding.pop((who, channel, pitch), None) is not None:
            self.tell("note_off", who=who, pitch=pitch, channel=channel, at_s=at_s)

    def all_ended(self, who: Who, at_s: float) -> None:
        """Nothing of ``who`` sounds any more."""
        for owner, channel, pitch in list(self._sounding):
            if owner == who:
                self.ended(who, channel, pitch, at_s)

    def sounding(self, who: Who) -> list[tuple[int, int]]:
        """(channel, pitch) of what sounds."""
        return [(channel, pitch) for owner, channel, pitch in self._sounding if owner == who]

    # --- what is ahead -------------------------------------------------------------------------------------------

    def planned(self, notes: tuple[PlannedNote, ...], shortened: tuple[PlannedNote, ...]) -> None:
        """More lies ahead, or the same in another length."""
        for note in notes:
            self._ahead[note.take, note.index] = note
            self._take = note.take
        for note in shortened:
            if (note.take, note.index) in self._ahead:
                self._ahead[note.take, note.index] = note
        self._plan_changed()

    def sent(self, take: int, index: int) -> None:
        """One planned note sounds now."""
        self._ahead.pop((take, index), None)
        self._plan_changed()

    def nothing_ahead(self, take: int) -> None:
        """A take was closed: the rest of it never sounds."""
        for key in [key for key in self._ahead if key[0] == take]:
            del self._ahead[key]
        self._plan_changed()

    def _plan(self) -> dict[str, Any]:
        notes = [[n.onset_s, n.end_s, n.pitch, min(max(n.velocity, 1), 127)] for n in self._ahead.values()]
        return {"event": "planned", "take": self._take, "notes": notes}

    def _plan_changed(self) -> None:
        if self._plan_waits is None and self._listeners:
            self._plan_waits = asyncio.get_running_loop().call_later(PLAN_EVERY_S, self._tell_plan)

    def _tell_plan(self) -> None:
        self._plan_waits = None
        message = self._plan()
        for listener in tuple(self._listeners):
            listener(message)

    # --- how things stand ----------------------------------------------------------------------------------------

    def changed(self, *, now: bool = False) -> None:
        """Something of ``state`` changed; ``now`` where a musician waits for it."""
        if not self._listeners:
            return
        if now:
            if self._state_waits is not None:
                self._state_waits.cancel()
            self._tell_state()
        elif self._state_waits is None:
            self._state_waits = asyncio.get_running_loop().call_later(STATE_EVERY_S, self._tell_state)

    def _tell_state(self) -> None:
        self._state_waits = None
        state = self._state()
        if state != self._told_state:
            self._told_state = state
            self.tell("state", **state)

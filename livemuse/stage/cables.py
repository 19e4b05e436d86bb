"""What is plugged into our two ports, and putting it back after the JACK server or the stage itself was gone.

A cable that somebody pulls is forgotten. A cable whose other end went away on its own is remembered, and only put
back in the time after a return: at any other time a program that comes back makes its own connections.
"""

from collections.abc import Mapping
from typing import Any, Final

from livemuse.stage.jackwatch import CableNews, JackWatch, PortNews

SETTLE_S: Final = 0.5  # a program that is coming back has this long to connect itself
RETURN_S: Final = 30.0  # after a return, cables are put back for this long
DIRECTIONS: Final = ("in", "out")


class Cables:
    """The ports of others that ours were connected to, by direction."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        """``state`` is what an engine remembers of a stage before this one: {"connections": {"in": [], "out": []}}."""
        remembered = state.get("connections")
        remembered = remembered if isinstance(remembered, dict) else {}
        self.remembered: dict[str, list[str]] = {
            direction: [str(name) for name in remembered.get(direction) or ()] for direction in DIRECTIONS
        }
        self._awaited: set[str] = set()  # remembered, and not tried yet since the last return
        self._returned_until_s = 0.0

    def returned(self, now_s: float) -> bool:
        """Our ports are there again; whether there is anything to put back."""
        self._returned_until_s = now_s + RETURN_S
        self._awaited = {name for names in self.remembered.values() for name in names}
        return bool(self._awaited)

    def wants(self, news: PortNews, now_s: float) -> bool:
        """Whether the port that has come is one to put back."""
        return news.there and now_s < self._returned_until_s and news.port in self._awaited

    def look(self, watch: JackWatch, ours: Mapping[str, str | None]) -> None:
        """Remember what is connected now; forget what is not though it could be."""
        there = watch.ports() - self._awaited
        if not watch.alive:
            return
        looked: dict[str, list[str]] = {}
        for direction in DIRECTIONS:
            now = watch.connections(ours[direction])
            away = [name for name in self.remembered[direction] if name not in there and name not in now]
            looked[direction] = [*now, *away]
        self.remembered = looked

    def put_back(self, watch: JackWatch, ours: Mapping[str, str | None]) -> int:
        """Connect again what was connected; how many cables that were missing are in."""
        there, made = watch.ports(), 0
        self._awaited -= there
        for direction in DIRECTIONS:
            mine = ours[direction]
            now = watch.connections(mine)
            for other in self.remembered[direction]:
                if mine is not None and other in there and other not in now:
                    ends = (other, mine) if direction == "in" else (mine, other)
                    made += watch.connect(*ends)
        return made

    def concerns(self, news: CableNews, ours: Mapping[str, str | None]) -> str | None:
        """The direction of ours that this cable has an end in."""
        if news.source == ours["out"]:
            return "out"
        return "in" if news.sink == ours["in"] else None

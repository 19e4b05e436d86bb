"""The patch bay: keeps the stage's input and output open, whatever comes and goes around them.

An interface that is not there is looked for, a port that was unplugged is waited for, a JACK server that died is
survived: what sounded then is owed, and paid to whoever listens when it is back.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from livemuse.errors import PortError
from livemuse.midi.messages import SUSTAIN, control_change, note_off
from livemuse.stage.cables import SETTLE_S, Cables
from livemuse.stage.chores import Chores
from livemuse.stage.hearing import Hearing
from livemuse.stage.jackwatch import JackNews, PortNews, ServerGone
from livemuse.stage.ports import Outlet, Ports, find_port
from livemuse.stage.wires import Wires

WAYS: Final = ("out", "in")  # what is heard can be answered at once
SEARCH_S: Final = 2.0  # between looks for an interface; one costs under a millisecond
SEARCH_LOST_S: Final = 0.5  # the same while a JACK server that was there is away
POLL_S: Final = 2.0  # between looks at the list of ports, where nobody tells us
CABLE_S: Final = 0.05  # after a cable was put in, the other end hears us
OWED_S: Final = 10.0  # for so long are notes of a dead output ended again for listeners that come back
BLIND_REPEATS_S: Final = (1.0, 3.0)  # where listeners cannot be seen, owed note-offs are sent again after this long
_NOBODY: Final = "No MIDI interface was found; livemuse keeps looking. Run `livemuse doctor` to see what is missing."


class Patchbay:
    """Opens the ports and keeps them open. ``notice`` gets sentences, ``changed`` is called when anything is new."""

    def __init__(self, ports: Ports, wires: Wires, hearing: Hearing, chores: Chores, state: Mapping[str, Any]) -> None:
        self._ports, self._wires, self._hearing, self._chores = ports, wires, hearing, chores
        self._cables = Cables(state)
        self.wishes: dict[str, str | None] = {"in": None, "out": None}
        self._outlet: Outlet | None = None
        self._owed: list[bytes] = []
        self._lost = False
        self._away: set[str] = set()  # directions whose named port is waited for
        self._listed: dict[str, list[str]] = {"in": [], "out": []}
        self.notice: Callable[[str], None] = lambda sentence: None
        self.changed: Callable[[], None] = lambda: None

    # --- at the start and at the end --------------------------------------------------------------------------------

    def start(self, wishes: Mapping[str, str | None]) -> None:
        """Open what can be opened; PortError when something that was named cannot be had."""
        self.wishes = dict(wishes)
        api = self._ports.find_api()
        if api == "none" and self._ports.wanted_api != "auto":
            raise self._ports.why_no_api()
        named = [name for name in wishes.values() if name is not None]
        if api == "none" and named:
            raise PortError(f"There is no MIDI interface, so no port called {named[0]!r}.", "See `livemuse doctor`.")
        if api == "none":
            self.notice(_NOBODY)
            self._search_later(SEARCH_S)
        else:
            self._open(api)

    def close(self) -> None:
        """Close the ports; all that sounds on them is ended first."""
        self._close_ports(alive=True)
        self._ports.close()

    def _open(self, api: str, *, patient: bool = False) -> None:
        """Open both ports; ``patient``: one that was named and is not there yet is waited for."""
        self._ports.api = api
        try:
            for way in WAYS:
                self._open_way(way, patient=patient)
        except PortError:
            self._close_ports(alive=True)
            raise
        now_s = time.monotonic()
        if self._cables.returned(now_s):
            self._chores.set("put back", now_s + SETTLE_S, self._put_back)
        self._list_ports()

    def _open_way(self, way: str, *, patient: bool = False) -> None:
        """Open our port of one direction as it is wished; if ``patient``, our own virtual one stands in meanwhile."""
        wish = self.wishes[way]
        try:
            self._open_as(way, wish)
            self._away.discard(way)
        except PortError:
            if wish is None or not patient:
                raise
            self._away.add(way)
            self._open_as(way, None)

    def _open_as(self, way: str, wish: str | None) -> None:
        if way == "in":
            self._ports.open_in(self._hearing.heard, wish)
        else:
            self._outlet = self._ports.open_out(wish)
            self._wires.open_output(self._outlet.put)

    def _close_way(self, way: str, *, alive: bool) -> None:
        """Close our port of one direction; what it leaves sounding is ended, or owed where it is not alive."""
        if way == "in":
            self._hearing.let_go()
            self._ports.close_in()
        else:
            self._owed += self._wires.close_output(alive=alive)
            self._outlet = None
            self._ports.close_out()

    def _close_ports(self, *, alive: bool) -> None:
        for way in WAYS:
            self._close_way(way, alive=alive)

    # --- what others see --------------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """The fields of ``PortsChanged``, without the sound."""
        return {
            "api": self._ports.api,
            "ports": {way: self._ports.chosen[way] or self._ports.names[way] for way in ("in", "out")},
            "available": self._listed,
            "connections": self._cables.remembered,
        }

    @property
    def backed_up(self) -> bool:
        """Whether messages wait because JACK has no room for them."""
        outlet = self._outlet
        if outlet is None or not outlet.waiting:
            return False
        with self._wires.lock:
            return not outlet.flush()

    # --- wishes of the engine ---------------------------------------------------------------------------------------

    def choose(self, wishes: Mapping[str, str | None]) -> None:
        """Join other ports from now on; where one is not there, a sentence, and all stays as it was."""
        for way, wish in wishes.items():
            before, self.wishes[way] = self.wishes[way], wish
            if wish == before or self._ports.api == "none":
                continue
            self._close_way(way, alive=True)
            try:
                self._open_way(way)
            except PortError as error:
                self.notice(str(error))
                self.wishes[way] = before
                self._stand_in(way)
        self._list_ports()
        self.changed()

    def release(self, keys: bytes) -> None:
        """End the notes that a stage before this one left sounding, now and when listeners are back."""
        found = sorted({int.from_bytes(keys[at : at + 2], "little") for at in range(0, len(keys) - 1, 2)})
        owed = [note_off(key >> 7 & 0x0F, key & 0x7F) for key in found]
        owed += [control_change(channel, SUSTAIN, 0) for channel in sorted({key >> 7 & 0x0F for key in found})]
        self._wires.pay(owed)
        self._owed += owed
        self._owe_for_a_while()

    def _stand_in(self, way: str) -> None:
        """Open what can be opened of a direction that was just closed."""
        try:
            self._open_way(way, patient=True)
        except PortError as error:
            self.notice(str(error))

    # --- what happens around us -------------------------------------------------------------------------------------

    def jack_news(self, news: JackNews) -> None:
        """Something has changed in the JACK graph."""
        now_s = time.monotonic()
        if isinstance(news, ServerGone):
            if self._ports.watch is not None and not self._ports.watch.alive:
                self._lose_api("The JACK server has gone; livemuse waits for it and keeps the music in time.")
        elif isinstance(news, PortNews):
            if self._cables.wants(news, now_s):
                self._chores.set("put back", now_s + SETTLE_S, self._put_back)
            self._chores.set("list", now_s + SETTLE_S, self._list_ports)
        elif self._cables.concerns(news, self._ports.names) is not None:
            if news.connected and news.source == self._ports.names["out"] and self._owed:
                self._chores.set("pay", now_s + CABLE_S, self._pay)
            if news.connected and news.source == self._ports.names["out"]:
                self._chores.set("programs", now_s + CABLE_S, self._wires.tell_programs)
            self._chores.set("list", now_s + SETTLE_S, self._list_ports)

    def _lose_api(self, sentence: str) -> None:
        self._lost = True
        self._close_ports(alive=False)
        self._ports.close()
        for chore in ("put back", "list", "pay", "forgive"):
            self._chores.cancel(chore)
        self.notice(sentence)
        self.changed()
        self._search_later(SEARCH_LOST_S)

    def _search_later(self, pause_s: float) -> None:
        self._chores.set("search", time.monotonic() + pause_s, self._search)

    def _search(self) -> None:
        pause_s = SEARCH_LOST_S if self._lost else SEARCH_S
        api = self._ports.find_api()
        if api == "none":
            self._search_later(pause_s)
            return
        try:
            self._open(api, patient=True)
        except PortError as error:  # it is gone again, or not ready
            self.notice(str(error))
            self._ports.close()
            self._search_later(SEARCH_S)
            return
        self.notice("The JACK server is back." if self._lost else f"A MIDI interface was found: {api}.")
        self._lost = False
        self._owe_for_a_while()
        self.changed()

    def _put_back(self) -> None:
        if self._ports.watch is not None:
            self._cables.put_back(self._ports.watch, self._ports.names)
            self._chores.set("list", time.monotonic() + CABLE_S, self._list_ports)

    def _owe_for_a_while(self) -> None:
        if not self._owed:
            return
        now_s = time.monotonic()
        self._chores.set("forgive", now_s + OWED_S, self._owed.clear)
        if self._ports.watch is None:
            for number, pause_s in enumerate(BLIND_REPEATS_S):
                self._chores.set(f"pay {number}", now_s + pause_s, self._pay)

    def _pay(self) -> None:
        self._wires.pay(self._owed)

    def _list_ports(self) -> None:
        """Look which ports and cables there are now; tell if that is new, and look again later if nobody tells us."""
        watch, before = self._ports.watch, (self._listed, self._cables.remembered)
        if watch is not None:
            self._cables.look(watch, self._ports.names)
        else:
            self._chores.set("list", time.monotonic() + POLL_S, self._list_ports)
        self._listed = self._ports.available()
        self._look_for_chosen()
        if before != (self._listed, self._cables.remembered):
            self.changed()

    def _look_for_chosen(self) -> None:
        """A port we are joined to has gone, or one we wait for has come."""
        for way in WAYS:
            chosen, wish = self._ports.chosen[way], self.wishes[way]
            if chosen is not None and way not in self._away and chosen not in self._listed[way]:
                self._unplugged(way)
                self.notice(f"{chosen} has gone; livemuse waits for it.")
            elif way in self._away and wish is not None and find_port(wish, self._listed[way]) is not None:
                self._plugged_in(way, chosen)
                self.notice(f"{self._ports.chosen[way] or wish} is back.")
            else:
                continue
            self._listed = self._ports.available()
            self.changed()

    def _unplugged(self, way: str) -> None:
        if self._ports.watch is not None:  # on JACK our own port stays, and only the cable is out
            self._away.add(way)
            if way == "in":
                self._hearing.let_go()
        else:
            self._close_way(way, alive=False)
            self._stand_in(way)

    def _plugged_in(self, way: str, chosen: str | None) -> None:
        watch, mine = self._ports.watch, self._ports.names[way]
        if watch is not None and chosen is not None and mine is not None:
            self._away.discard(way)
            watch.connect(*((chosen, mine) if way == "in" else (mine, chosen)))
        else:
            self._close_way(way, alive=True)
            self._stand_in(way)
        if way == "out":
            self._owe_for_a_while()
            self._chores.set("pay", time.monotonic() + CABLE_S, self._pay)

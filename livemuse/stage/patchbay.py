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
from livemuse.stage.ports import Outlet, Ports
from livemuse.stage.wires import Wires

SEARCH_S: Final = 2.0  # between looks for an interface; one costs under a millisecond
SEARCH_LOST_S: Final = 0.5  # the same while a JACK server that was there is away
POLL_S: Final = 2.0  # between looks at the list of ports, where nobody tells us
CABLE_S: Final = 0.05  # after a cable was put in, the other end hears us
OWED_S: Final = 10.0  # for so long are notes of a dead output ended again for listeners that come back
BLIND_REPEATS_S: Final = (1.0, 3.0)  # where listeners cannot be seen, owed note-offs are sent again after this long
_NOBODY: Final = "No MIDI interface was found; livemuse keeps looking. Run `livemuse doctor` to see what is missing."


class Patchbay:
    """Opens the ports and keeps them open. ``notice`` gets sentences, ``changed`` is called when anything is new."""

    def __init__(
        self, ports: Ports, wires: Wires, hearing: Hearing, chores: Chores, state: Mapping[str, Any]
    ) -> None:
        self._ports, self._wires, self._hearing, self._chores = ports, wires, hearing, chores
        self._cables = Cables(state)
        self.wishes: dict[str, str | None] = {"in": None, "out": None}
        self._outlet: Outlet | None = None
        self._owed: list[bytes] = []
        self._lost = False
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

    def _open(self, api: str) -> None:
        self._ports.api = api
        self._outlet = self._ports.open_out(self.wishes["out"])
        self._wires.open_output(self._outlet.put)
        try:
            self._ports.open_in(self._hearing.heard, self.wishes["in"])
        except PortError:
            self._close_ports(alive=True)
            raise
        now_s = time.monotonic()
        if self._cables.returned(now_s):
            self._chores.set("put back", now_s + SETTLE_S, self._put_back)
        self._list_ports()

    def _close_ports(self, *, alive: bool) -> None:
        self._hearing.let_go()
        self._owed += self._wires.close_output(alive=alive)
        self._outlet = None
        self._ports.close_in()
        self._ports.close_out()

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
        return self._outlet is not None and not self._outlet.flush()

    # --- wishes of the engine ---------------------------------------------------------------------------------------

    def choose(self, wishes: Mapping[str, str | None]) -> None:
        """Join other ports from now on; where one is not there, a sentence, and all stays as it was."""
        for way, wish in wishes.items():
            if wish == self.wishes[way]:
                continue
            before, self.wishes[way] = self.wishes[way], wish
            if self._ports.api == "none":
                continue
            try:
                self._reopen(way)
            except PortError as error:
                self.wishes[way] = before
                self.notice(str(error))
                self._reopen_if_there(way)
        self.changed()

    def release(self, keys: bytes) -> None:
        """End the notes that a stage before this one left sounding, now and when listeners are back."""
        found = sorted({int.from_bytes(keys[at : at + 2], "little") for at in range(0, len(keys) - 1, 2)})
        owed = [note_off(key >> 7 & 0x0F, key & 0x7F) for key in found]
        owed += [control_change(channel, SUSTAIN, 0) for channel in sorted({key >> 7 & 0x0F for key in found})]
        self._wires.pay(owed)
        self._owed += owed
        self._owe_for_a_while()

    def _reopen(self, way: str) -> None:
        if way == "in":
            self._hearing.let_go()
            self._ports.close_in()
            self._ports.open_in(self._hearing.heard, self.wishes["in"])
        else:
            self._wires.close_output(alive=True)
            self._outlet = None
            self._ports.close_out()
            self._outlet = self._ports.open_out(self.wishes["out"])
            self._wires.open_output(self._outlet.put)

    def _reopen_if_there(self, way: str) -> None:
        try:
            self._reopen(way)
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
            self._open(api)
        except PortError as error:
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
        if before != (self._listed, self._cables.remembered):
            self.changed()

"""A third, silent JACK client that watches: is the server alive, which ports come and go, what is connected to ours.

RtMidi neither says when the JACK server dies nor which ports it is connected to, and one send too many to a dead
server waits for ever. Without libjack or JACK-Client there is no watcher; then the engine notices a stage that does
not answer, and connections are not put back.

Callbacks come on JACK's threads, where nothing may ask the server: they tell the stage's loop and leave.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

RING_BYTES: Final = 16384  # RtMidi's buffer towards JACK; it empties once a period
ROOM_BYTES: Final = RING_BYTES // 2  # so much may wait in it, as we count, before we ask whether a period has passed


@dataclass(frozen=True, slots=True)
class ServerGone:
    """The JACK server has shut down or died."""


@dataclass(frozen=True, slots=True)
class PortNews:
    """A port of anybody's was registered or is gone."""

    port: str
    there: bool


@dataclass(frozen=True, slots=True)
class CableNews:
    """Two ports were connected or disconnected."""

    source: str
    sink: str
    connected: bool


JackNews = ServerGone | PortNews | CableNews


def load_jack() -> ModuleType | None:
    """The JACK-Client module, or None where it or libjack is not installed."""
    try:
        jack = importlib.import_module("jack")
    except (ImportError, OSError):  # OSError: the module is there and libjack is not
        return None
    jack.set_error_function(lambda message: None)
    jack.set_info_function(lambda message: None)
    return jack


class JackWatch:
    """The watching client; opening it is also the cheapest way to ask whether a server runs (4 ms, no noise)."""

    def __init__(self, jack: ModuleType, name: str, tell: Callable[[JackNews], None]) -> None:
        """Raises ``jack.JackError`` where no server runs."""
        self._errors: type[Exception] = jack.JackError
        self._tell = tell
        self.alive = True
        self._waiting_bytes, self._period_start = 0, -1
        self._client: Any = jack.Client(f"{name}-watch", no_start_server=True)
        self._client.set_shutdown_callback(self._server_gone)
        self._client.set_port_registration_callback(self._port_news, only_available=False)
        self._client.set_port_connect_callback(self._cable_news, only_available=False)
        self._client.activate()

    def close(self) -> None:
        """Leave the server, dead or alive."""
        self.alive = False
        self._client.close()

    def room_for(self, size: int) -> bool:
        """Whether ``size`` bytes can be sent without a chance of waiting; False on a server that is dead or stuck."""
        if not self.alive:
            return False
        if self._waiting_bytes + size > ROOM_BYTES:
            period_start = self._client.last_frame_time
            if period_start == self._period_start and self._waiting_bytes:
                return False
            self._period_start, self._waiting_bytes = period_start, 0
        self._waiting_bytes += size + 4  # RtMidi writes the length before each message
        return True

    def ports(self) -> set[str]:
        """The names of all MIDI ports there are; empty when the server is gone."""
        if not self.alive:
            return set()
        return {port.name for port in self._client.get_ports(is_midi=True)}

    def connections(self, port: str | None) -> tuple[str, ...]:
        """The ports that ``port`` is connected to."""
        if not self.alive or port is None:
            return ()
        try:
            return tuple(other.name for other in self._client.get_all_connections(self._client.get_port_by_name(port)))
        except self._errors:
            return ()

    def connect(self, source: str, sink: str) -> bool:
        """Connect two ports; False where that cannot be, or is so already."""
        if not self.alive:
            return False
        try:
            self._client.connect(source, sink)
        except self._errors:
            return False
        return True

    def _server_gone(self, _status: object, _reason: str) -> None:
        self.alive = False
        self._tell(ServerGone())

    def _port_news(self, port: Any, there: bool) -> None:
        self._tell(PortNews(port.name if port is not None else "", there))

    def _cable_news(self, a: Any, b: Any, connected: bool) -> None:
        if a is not None and b is not None:
            source, sink = (a, b) if a.is_output else (b, a)
            self._tell(CableNews(source.name, sink.name, connected))

"""A JACK client in the test's own process: plays bytes into a port, and writes down all that comes out of another."""

import threading
import time
from collections import deque
from typing import Any

import jack

from livemuse.midi.messages import is_note_off, is_note_on


class Peer:
    """``peer:play`` and ``peer:hear`` on a test's JACK server; ``got`` holds (frame time, bytes) in order."""

    def __init__(self, server_name: str, name: str = "peer") -> None:
        self._client: Any = jack.Client(name, servername=server_name, no_start_server=True)
        self._play = self._client.midi_outports.register("play")
        self._hear = self._client.midi_inports.register("hear")
        self._waiting: deque[bytes] = deque()
        self.got: list[tuple[int, bytes]] = []
        self._news = threading.Condition()
        self.per_period = 1
        self._client.set_process_callback(self._process)
        self._client.activate()

    def connect(self, livemuse: str) -> None:
        """Join both ports to those of livemuse."""
        self._client.connect(f"{self._client.name}:play", f"{livemuse}-in:in")
        self._client.connect(f"{livemuse}-out:out", f"{self._client.name}:hear")

    def patch(self, source: str, sink: str) -> None:
        """Join any two ports."""
        self._client.connect(source, sink)

    def connections(self) -> set[str]:
        """What both ports are joined to now."""
        return {other.name for port in (self._play, self._hear) for other in self._client.get_all_connections(port)}

    def play(self, *messages: bytes) -> None:
        """Send these, ``per_period`` in each period of the server."""
        self._waiting.extend(messages)

    def wait(self, count: int, timeout_s: float = 10.0) -> list[bytes]:
        """All that came, once there are ``count`` or nothing comes any more."""
        end_s = time.monotonic() + timeout_s
        with self._news:
            while len(self.got) < count and (left_s := end_s - time.monotonic()) > 0:
                self._news.wait(left_s)
        return self.messages()

    def messages(self) -> list[bytes]:
        """All that came so far."""
        return [data for _, data in self.got]

    def hanging(self) -> dict[tuple[int, int], int]:
        """What a synth would still sound: (channel, pitch) -> how often struck, and pedals down as (channel, -1).

        An end without a beginning is silence: a JACK client that was late for a period has lost what came in it.
        """
        balance: dict[tuple[int, int], int] = {}
        for data in self.messages():
            if is_note_on(data) or is_note_off(data):
                place = (data[0] & 15, data[1])
                balance[place] = max(balance.get(place, 0) + (1 if is_note_on(data) else -1), 0)
            elif data[0] & 0xF0 == 0xB0 and data[1] == 64:
                balance[data[0] & 15, -1] = data[2]
        return {place: count for place, count in balance.items() if count}

    def wait_until_silent(self, timeout_s: float = 2.0) -> dict[tuple[int, int], int]:
        """What still hangs when all is silent, or when the time is over."""
        end_s = time.monotonic() + timeout_s
        with self._news:
            while self.hanging() and (left_s := end_s - time.monotonic()) > 0:
                self._news.wait(left_s)
        return self.hanging()

    def close(self) -> None:
        """Leave the server, dead or alive."""
        self._client.close()

    def _process(self, _frames: int) -> None:
        self._play.clear_buffer()
        for offset in range(min(self.per_period, len(self._waiting))):
            self._play.write_midi_event(offset, self._waiting.popleft())
        began = self._client.last_frame_time
        came = [(began + offset, bytes(data)) for offset, data in self._hear.incoming_midi_events()]
        if came:
            with self._news:
                self.got += came
                self._news.notify_all()

"""A real JACK server of the test's own: the dummy driver, so no sound card is needed.

What was learnt the hard way: never ask jack_lsp while clients start (its comings and goings upset jackd2), so ONE
client, ``probe``, stays for as long as the server does; notes are lost without ``-S`` when the machine is busy; with
``-S`` a killed client holds up everything for five seconds, so tests that kill use the asynchronous server.
"""

import os
import signal
import subprocess
import threading
import uuid
from pathlib import Path
from typing import IO

import jack

RATE_HZ = 48_000
PERIOD_FRAMES = 128
PATIENT_FRAMES = 1024  # of an asynchronous server, which drops what a client is late with


def may_be_realtime() -> bool:
    """Whether this user may run with real-time priority, which jackd asks for with ``-R``."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        return False
    os.sched_setscheduler(0, *before)
    return True


class JackServer:
    """One JACK server, its probe, and the environment in which other programs find it."""

    def __init__(self, folder: Path, *, synchronous: bool = True) -> None:
        self.name = "t" + uuid.uuid4().hex[:8]
        self.env = {**os.environ, "JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}
        self._log = folder / f"jackd-{self.name}.log"
        self._synchronous = synchronous
        self._process: subprocess.Popen[bytes] | None = None
        self._probe: jack.Client | None = None
        self._ports_changed = threading.Event()
        self.appeared: list[str] = []  # every port that ever did, in order

    def start(self) -> None:
        """Start the server (again) and wait until it takes clients."""
        punctual = may_be_realtime()
        frames = PERIOD_FRAMES if self._synchronous or punctual else PATIENT_FRAMES
        # Without -S notes are lost when the machine is busy; -t: a client that stalls is waited for 20 ms at most.
        order = ["-S", "-t", "20"] if self._synchronous else []
        command = ["jackd", "-R" if punctual else "-r", *order, "-n", self.name]
        command += ["-d", "dummy", "-r", str(RATE_HZ), "-p", str(frames)]
        log: IO[bytes]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        pause = threading.Event()
        for _ in range(100):
            if self._process.poll() is not None:
                break
            try:
                self._probe = jack.Client("probe", servername=self.name, no_start_server=True)
            except jack.JackOpenError:
                pause.wait(0.1)
                continue
            self._probe.set_port_registration_callback(self._port_changed)
            self._probe.activate()
            return
        raise RuntimeError("jackd did not come up: " + self._log.read_text(errors="replace")[-2000:])

    def _port_changed(self, port: jack.Port, there: bool) -> None:
        if there:
            self.appeared.append(port.name)
        self._ports_changed.set()

    def ports(self) -> list[str]:
        """The names of all MIDI ports there are now."""
        assert self._probe is not None
        return [port.name for port in self._probe.get_ports(is_midi=True)]

    def port_of(self, client: str, timeout_s: float = 5.0) -> str:
        """The one port of ``client``, which may be about to appear."""
        for _ in range(int(timeout_s / 0.05) + 1):
            self._ports_changed.clear()
            found = [name for name in self.ports() if name.startswith(client + ":")]
            if found:
                return found[0]
            self._ports_changed.wait(0.05)
        raise AssertionError(f"no port of {client} among {self.ports()}")

    def wait_for_new_port(self, client: str, since: int, timeout_s: float = 5.0) -> str:
        """Wait for a port of ``client`` to appear after the ``since``-th of all that ever did; its name."""
        for _ in range(int(timeout_s / 0.05) + 1):
            self._ports_changed.clear()
            found = [name for name in self.appeared[since:] if name.startswith(client + ":")]
            if found:
                return found[0]
            self._ports_changed.wait(0.05)
        raise AssertionError(f"no port of {client} appeared again: {self.appeared[since:]}")

    def connections(self, port: str) -> list[str]:
        """The names of the ports that ``port`` is connected to."""
        assert self._probe is not None
        return [other.name for other in self._probe.get_all_connections(self._probe.get_port_by_name(port))]

    def kill(self) -> None:
        """End the server as a crash would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(5)
        self._close_probe()

    def stop(self) -> None:
        """End the server in good order: clients first."""
        self._close_probe()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _close_probe(self) -> None:
        if self._probe is not None:
            self._probe.close()
            self._probe = None

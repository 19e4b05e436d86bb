"""What a benchmark starts: a JACK server without a sound card, the bare programs, livemuse, and who plays to both."""

import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from livemuse.errors import LivemuseError

START_S: Final = 30.0  # loading a model on a busy machine
PERIOD_FRAMES: Final = 128  # at 48 kHz: 2.7 ms


class BenchError(LivemuseError):
    """What a benchmark needs and does not find."""


class Program:
    """A program under measurement; ``await_ready`` for one that says READY."""

    def __init__(self, command: Sequence[str], env: dict[str, str], log: Path) -> None:
        with log.open("ab") as talk:
            self._process = subprocess.Popen(
                command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=talk, start_new_session=True
            )
        self.pid = self._process.pid
        self.ready = ""

    def await_ready(self) -> "Program":
        """Wait for its line READY; what stood behind it is in ``ready``."""
        self.ready = self.read(START_S).removeprefix("READY").strip()
        return self

    def read(self, timeout_s: float) -> str:
        """The next line it writes."""
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        line = self._process.stdout.readline().decode() if readable else ""
        if not line:
            self.close()
            raise BenchError(f"A program under measurement did not answer: {self._process.args!r:.200}.")
        return line

    def write(self, line: str) -> None:
        """Give it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it and all it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self.pid, number)
                try:
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    continue
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class Studio:
    """A folder, a JACK server of the benchmark's own, and the surroundings in which programs find both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = f"livemuse-bench-{os.getpid()}"
        homes = {key: str(folder) for key in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        self.env = {**os.environ, **homes, "JACK_DEFAULT_SERVER": self.server, "JACK_NO_START_SERVER": "1"}
        self._jackd: subprocess.Popen[bytes] | None = None
        self._probe: Any = None

    def open(self) -> None:
        """Start the server; BenchError where there can be none."""
        try:
            import jack
        except (ImportError, OSError) as error:
            raise BenchError("There is no JACK to measure through.", "Install jackd2 and JACK-Client.") from error
        jack.set_error_function(lambda message: None)
        for realtime in ("-R", "-r"):
            command = ["jackd", realtime, "-S", "-t", "50", "-n", self.server]
            command += ["-d", "dummy", "-r", "48000", "-p", str(PERIOD_FRAMES)]
            try:
                with (self.folder / "jackd.log").open("ab") as talk:
                    self._jackd = subprocess.Popen(command, stdout=talk, stderr=talk)
            except OSError as error:
                raise BenchError("jackd cannot be started.", "Install jackd2.") from error
            for _ in range(50):
                if self._jackd.poll() is not None:
                    break  # real-time priority is not granted here: once more without
                try:
                    self._probe = jack.Client("probe", servername=self.server, no_start_server=True)
                except jack.JackOpenError:
                    time.sleep(0.1)
                    continue
                return
        raise BenchError("jackd does not start.", f"See {self.folder / 'jackd.log'}.")

    def start(self, command: Sequence[str]) -> Program:
        """Start a program in these surroundings."""
        return Program(command, self.env, self.folder / "programs.log")

    def bare(self, what: str, name: str) -> Program:
        """One of the bare programs, ready."""
        return self.start([sys.executable, "-m", "livemuse.bench.bare", what, name]).await_ready()

    def daemon(self, name: str, *settings: str) -> Program:
        """livemuse's engine and stage, ready."""
        options = [word for setting in settings for word in ("--set", setting)]
        command = [sys.executable, "-m", "livemuse", "daemon", "--name", name, "--api", "jack", *options]
        return self.start(command).await_ready()

    def close(self) -> None:
        """End the server."""
        if self._probe is not None:
            self._probe.close()
        if self._jackd is not None:
            self._jackd.terminate()
            try:
                self._jackd.wait(5)
            except subprocess.TimeoutExpired:
                self._jackd.kill()
                self._jackd.wait()


class Musician:
    """A JACK client that plays messages frame-exactly to several programs in turn and stamps what comes back."""

    def __init__(self, server: str, programs: Sequence[str]) -> None:
        import jack

        self._client: Any = jack.Client("musician", servername=server, no_start_server=True)
        self._plays = [self._client.midi_outports.register(f"play{n}") for n in range(len(programs))]
        self._hears = [self._client.midi_inports.register(f"hear{n}") for n in range(len(programs))]
        self._waiting: deque[tuple[int, int, bytes]] = deque()  # (frame, program, message)
        self.played: list[list[tuple[int, bytes]]] = [[] for _ in programs]
        self.heard: list[list[tuple[int, bytes]]] = [[] for _ in programs]
        self._done = threading.Event()
        self._client.set_process_callback(self._process)
        self._client.activate()
        for number, name in enumerate(programs):
            self._client.connect(f"musician:play{number}", f"{name}-in:in")
            self._client.connect(f"{name}-out:out", f"musician:hear{number}")

    def play(self, messages: Sequence[bytes], gap_s: float) -> None:
        """Play each message to every program, one after the other, about ``gap_s`` apart; returns when all is played.
        The gaps vary, so that no program always meets the same moment of the server's period."""
        chance = random.Random(len(messages))
        frame = self._client.frame_time + self._client.samplerate // 5
        turns = [(message, program) for message in messages for program in range(len(self._plays))]
        self._done.clear()
        for message, program in turns:
            frame += int(gap_s * chance.uniform(0.5, 1.5) * self._client.samplerate)
            self._waiting.append((frame, program, message))
        self._done.wait(10 + 2 * gap_s * len(turns))
        time.sleep(0.3)

    def seconds(self, frames: int) -> float:
        """How long so many frames last."""
        return frames / int(self._client.samplerate)

    def close(self) -> None:
        """Leave the server."""
        self._client.close()

    def _process(self, frames: int) -> None:
        began = self._client.last_frame_time
        for number, port in enumerate(self._hears):
            self.heard[number] += [(began + offset, bytes(data)) for offset, data in port.incoming_midi_events()]
        for port in self._plays:
            port.clear_buffer()
        waiting = self._waiting
        if not waiting:
            self._done.set()
        while waiting and waiting[0][0] < began + frames:
            at, program, message = waiting.popleft()
            offset = max(at - began, 0)
            self._plays[program].write_midi_event(offset, message)
            self.played[program].append((began + offset, message))

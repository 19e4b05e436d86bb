"""The programs of a live test: livemuse's daemon with its command line, and the musician that plays into it."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # jack cannot be imported where there is no JACK
    from tests.live.jackd import JackServer

ROOT = Path(__file__).parents[2]
PERFORMANCE = ROOT / "tests/data/handel-air-hwv425.mid"
LIVEMUSE = [sys.executable, "-c", "import sys; from livemuse.cli import main; sys.exit(main())"]
START_S = 20.0  # loading a model on a busy machine


def _line(process: subprocess.Popen[str], timeout_s: float, what: str) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], timeout_s)
    assert readable, f"{what}: nothing within {timeout_s} s"
    return process.stdout.readline()


def end_group(process: subprocess.Popen[Any]) -> None:
    """Kill a program and all it started (it leads a process group of its own), whatever state they are in."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


class Livemuse:
    """One engine under test: its own folders, its own name, on the test's JACK server."""

    def __init__(self, server: "JackServer", folder: Path, name: str = "livemuse") -> None:
        self.name, self.sessions, self._folder = name, folder / "sessions", folder
        self._talk = folder / "daemon.log"
        homes = {key: str(folder) for key in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        self.env = {**server.env, **homes, "PYTHONPATH": str(ROOT)}
        self.ready: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None
        self._groups: list[subprocess.Popen[str]] = []

    def start(self, *settings: str) -> dict[str, Any]:
        """Start the daemon with ``--set`` settings; what its READY line holds."""
        command = [*LIVEMUSE, "daemon", "--name", self.name, "--api", "jack", "--record", str(self.sessions)]
        for setting in ("wait=0.3", "answer_length=2 s", *settings):
            command += ["--set", setting]
        with self._talk.open("a") as talk:
            self.process = subprocess.Popen(
                command, env=self.env, stdout=subprocess.PIPE, stderr=talk, text=True, start_new_session=True
            )
        self._groups.append(self.process)
        line = _line(self.process, START_S, "the daemon's READY line")
        assert line.startswith("READY "), line + self.talk()
        self.ready = json.loads(line.removeprefix("READY "))
        return self.ready

    def talk(self) -> str:
        """What the daemon said on stderr so far."""
        return self._talk.read_text() if self._talk.exists() else ""

    def run(self, *command: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
        """Run another livemuse command in the same surroundings, to its end."""
        return subprocess.run([*LIVEMUSE, *command], env=self.env, capture_output=True, text=True, timeout=timeout_s)

    def ctl(self, *words: str) -> str:
        """``livemuse ctl`` to this engine; its stdout."""
        done = self.run("ctl", "--name", self.name, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        """``livemuse ctl status --json``."""
        status: dict[str, Any] = json.loads(self.ctl("status", "--json"))
        return status

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the daemon by a signal; its exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(10)

    def close(self) -> None:
        """Leave no process behind, however the test went: stages lead groups of their own, and outlive engines."""
        for process in self._groups:
            end_group(process)
        for command_line in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if os.fsencode(self._folder) in command_line.read_bytes():
                    os.kill(int(command_line.parent.name), signal.SIGKILL)


class MusicianProgram:
    """The musician in its own process (see ``musician.py``)."""

    def __init__(self, server: "JackServer") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("musician.py")), str(PERFORMANCE)],
            env=server.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """One request, one reply."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._process.stdin.flush()
        line = _line(self._process, float(fields.get("timeout_s", 10)) + 25, f"the musician's reply to {do}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def play(self, from_s: float, to_s: float) -> int:
        """Play a phrase to its end; the number of events heard when its last key came up."""
        self.ask("play", from_s=from_s, to_s=to_s)
        finished = self.ask("finished")
        assert finished["ok"]
        events: int = finished["events"]
        return events

    def play_until_answered(self, from_s: float, to_s: float, note_ons: int = 1, tries: int = 1) -> int:
        """Play a phrase and wait for the first notes of its answer; the frame when they had come.

        An asynchronous server may lose a key-up, and a key that is down keeps the turn: hence ``tries``.
        """
        for _ in range(tries):
            heard = self.play(from_s, to_s)
            reply = self.ask("hears", note_ons=note_ons, after=heard, timeout_s=8)
            if reply["ok"]:
                break
        assert reply["ok"], f"no answer to the phrase from {from_s} to {to_s} s"
        frame: int = reply["frame"]
        return frame

    def leave(self) -> dict[str, Any]:
        """Stop playing; all that was heard and played."""
        reply = self.ask("quit")
        self._process.wait(10)
        self.close()
        return reply

    def close(self) -> None:
        """Leave no process behind."""
        end_group(self._process)


def notes(events: list[list[Any]]) -> list[tuple[int, int | None, int]]:
    """(frame on, frame off or None, pitch) of ``[[frame, hex], ...]``; a note-off ends the oldest of its pitch."""
    found: list[tuple[int, int | None, int]] = []
    open_: dict[tuple[int, int], list[int]] = {}
    for frame, text in events:
        data = bytes.fromhex(text)
        kind, key = data[0] & 0xF0, (data[0] & 15, data[1] if len(data) > 1 else 0)
        if kind == 0x90 and data[2]:
            open_.setdefault(key, []).append(len(found))
            found.append((frame, None, data[1]))
        elif kind in (0x80, 0x90) and open_.get(key):
            index = open_[key].pop(0)
            found[index] = (found[index][0], frame, found[index][2])
    return found

"""Opening the console: of an engine that runs, or of one started for it."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from livemuse.control.client import ask
from livemuse.control.messages import Status
from livemuse.control.paths import runtime_folder, socket_path
from livemuse.errors import LinkError, LivemuseError
from livemuse.settings import Settings

_READY_WITHIN_S: Final = 20.0
_GOODBYE_S: Final = 5.0  # for what sounds to end and the session to be written
_LOG_BYTES: Final = 4000


def attach(name: str) -> int:
    """The console of a running engine; LinkError where none runs."""
    path = socket_path(name)
    ask(path, Status())
    from livemuse.tui.app import run

    return run(path, owns_engine=False)


def open_console(settings: Settings, arguments: Sequence[str]) -> int:
    """The console of the engine of this name, started first where none runs, and ended with the console."""
    path = socket_path(settings.name)
    with contextlib.suppress(LinkError):
        ask(path, Status(), timeout_s=2.0)
        from livemuse.tui.app import run

        return run(path, owns_engine=False)
    engine = StartedEngine(settings.name, arguments)
    from livemuse.tui.app import run  # while the engine starts: both take a good part of a second

    try:
        return run(path, owns_engine=True, own=engine)
    finally:
        engine.finish()


class StartedEngine:
    """The engine started for a console, which is drawn while it starts."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        self._log = runtime_folder() / f"{name}.log"
        self._lives_on = False
        self._give_up_s = time.monotonic() + _READY_WITHIN_S
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "livemuse", "daemon", *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
            )  # fmt: skip

    def ended(self) -> LivemuseError | None:
        """Why it is not there, in its own words; None while it starts."""
        if self._process.poll() is not None:
            return _as_error(self._log)
        if time.monotonic() > self._give_up_s:
            self.end()
            return LinkError("The engine did not start in time.", f"Its log is {self._log}.")
        return None

    def end(self) -> None:
        """End it, though it cannot be asked yet."""
        self._process.terminate()

    def let_live(self) -> None:
        """The console was detached: the music goes on."""
        self._lives_on = True

    def finish(self) -> None:
        """The console is closed, however it came to that: so is its engine, its session written."""
        if self._lives_on:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GOODBYE_S)


def _as_error(log: Path) -> LivemuseError:
    lines = log.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace").strip().splitlines()
    told = [number for number, line in enumerate(lines) if line.startswith("livemuse: ")]
    if not told:
        return LinkError("The engine ended at once.", f"Its log is {log}.")
    what = lines[told[-1]].removeprefix("livemuse: ")
    return LivemuseError(what, " ".join(lines[told[-1] + 1 :]))

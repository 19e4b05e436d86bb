"""Opening the console: of an engine that runs, or of one started for it."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from livemuse.control.client import ask
from livemuse.control.messages import Status
from livemuse.control.paths import runtime_folder, socket_path
from livemuse.errors import LinkError, LivemuseError
from livemuse.settings import Settings

_READY_WITHIN_S: Final = 20.0
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
    log = runtime_folder() / f"{settings.name}.log"
    with log.open("wb") as errors:
        engine = subprocess.Popen(
            [sys.executable, "-P", "-m", "livemuse", "daemon", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
        )  # fmt: skip
    from livemuse.tui.app import run  # while the engine starts: both take a good part of a second

    try:
        _wait_until_ready(engine, log)
    except BaseException:
        engine.terminate()
        raise
    code = run(path, owns_engine=True)
    return code


def _wait_until_ready(engine: "subprocess.Popen[bytes]", log: Path) -> Mapping[str, Any]:
    """The READY line's fields; LivemuseError with what the engine said where it ended instead."""
    assert engine.stdout is not None
    deadline_s = time.monotonic() + _READY_WITHIN_S
    said = b""
    while (left_s := deadline_s - time.monotonic()) > 0:
        if not select.select([engine.stdout], [], [], left_s)[0]:
            break
        data = os.read(engine.stdout.fileno(), 65536)
        said += data
        line, newline, _ = said.partition(b"\n")
        if newline and line.startswith(b"READY "):
            fields: Mapping[str, Any] = json.loads(line[6:])
            return fields
        if not data:
            engine.wait()
            raise _as_error(log)
    raise LinkError("The engine did not start in time.", f"Its log is {log}.")


def _as_error(log: Path) -> LivemuseError:
    lines = log.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace").strip().splitlines()
    told = [number for number, line in enumerate(lines) if line.startswith("livemuse: ")]
    if not told:
        return LinkError("The engine ended at once.", f"Its log is {log}.")
    what = lines[told[-1]].removeprefix("livemuse: ")
    return LivemuseError(what, " ".join(lines[told[-1] + 1 :]))

"""``python -m livemuse.stage --socket PATH``: the process that owns the MIDI ports; an engine starts it."""

import argparse
import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

from livemuse.errors import LivemuseError
from livemuse.stage.stage import Stage, StageSettings

PRIORITY: Final = 60  # of 99: above everything ordinary, below the interrupt threads of sound cards
SWITCH_S: Final = 0.0001  # a key that is struck waits no longer than this for the stage's loop
PR_SET_TIMERSLACK: Final = 29


def main(argv: list[str] | None = None) -> int:
    """Run a stage to its end; exit status 1 where what was named cannot be had."""
    parser = argparse.ArgumentParser(prog="livemuse.stage", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--name", default="livemuse")
    parser.add_argument("--api", default="auto", choices=("auto", "alsa", "jack", "core", "winmm"))
    parser.add_argument("--in", dest="port_in")
    parser.add_argument("--out", dest="port_out")
    parser.add_argument("--sound", default="auto", choices=("auto", "on", "off"))
    parser.add_argument("--state", default="{}", type=json.loads)
    told = parser.parse_args(argv)
    told.state = told.state if isinstance(told.state, dict) else {}
    try:
        stage = Stage(StageSettings(**vars(told)))
    except LivemuseError as error:
        sys.stderr.write(f"livemuse stage: {error}\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stage.end())
    signal.set_wakeup_fd(stage.waker_fd, warn_on_full_buffer=False)
    be_prompt()
    return stage.run()


def be_prompt() -> None:
    """Real-time priority where it is granted, timers without slack, and no garbage collection of what will stay."""
    sys.setswitchinterval(SWITCH_S)
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):  # an ordinary user may not; the music plays all the same
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a message that comes in while the interpreter is taken down would crash it

"""``python -m livemuse.stage --socket PATH``: the process that owns the MIDI ports; an engine starts it."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from livemuse.errors import LivemuseError
from livemuse.stage.priority import be_prompt
from livemuse.stage.stage import Stage, StageSettings


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
    silence_libraries()
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


def silence_libraries() -> None:
    """What MIDI libraries print by themselves goes nowhere; what this process has to say still goes to stderr."""
    sys.stderr.flush()
    ours = os.fdopen(os.dup(2), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = ours


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a message that comes in while the interpreter is taken down would crash it

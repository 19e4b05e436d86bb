"""The bare programs that livemuse is measured beside: the least that python-rtmidi needs to do the same.

    python -m livemuse.bench.bare echo NAME     sends every message on from the callback
    python -m livemuse.bench.bare loop NAME     sends a message at each due time given on stdin
    python -m livemuse.bench.bare idle NAME     two open ports, and nothing to do

Each writes READY, does its work until a line ``end`` comes on stdin, and then writes its figures as one JSON value.
"""

import contextlib
import gc
import json
import os
import select
import sys
import time
from typing import Any, Final

import rtmidi

API: Final = rtmidi.API_UNIX_JACK


def _ports(name: str) -> tuple[Any, Any]:
    midi_in = rtmidi.MidiIn(API, name=f"{name}-in")
    midi_in.ignore_types(sysex=False, timing=False, active_sense=False)
    midi_out = rtmidi.MidiOut(API, name=f"{name}-out")
    midi_out.open_virtual_port("out")
    return midi_in, midi_out


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def echo(name: str) -> None:
    """Send on whatever comes in; the figures are the seconds from the callback's first line to the send's return."""
    midi_in, midi_out = _ports(name)
    took_s: list[float] = []

    def heard(event: tuple[list[int], float], _: object) -> None:
        at_s = time.monotonic()
        midi_out.send_message(event[0])
        took_s.append(time.monotonic() - at_s)

    midi_in.set_callback(heard)
    midi_in.open_virtual_port("in")
    _say("READY")
    sys.stdin.readline()
    _say(json.dumps(took_s))


def loop(name: str) -> None:
    """Read due times, one JSON list on one line, and send a note at each; the figures are [due, sent] pairs."""
    midi_in, midi_out = _ports(name)
    with contextlib.suppress(OSError, AttributeError):  # as the stage does
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(60))
    _say("READY")
    due: list[float] = json.loads(sys.stdin.readline())
    gc.collect()
    gc.freeze()
    sent: list[tuple[float, float]] = []
    for number, due_s in enumerate(due):
        while (left_s := due_s - time.monotonic()) > 0:
            select.select([], [], [], left_s)
        midi_out.send_message((0x90 if number % 2 == 0 else 0x80, 60, 64))
        sent.append((due_s, time.monotonic()))
    _say(json.dumps(sent))
    midi_in.delete()


def idle(name: str) -> None:
    """Hold two ports open."""
    midi_in, _ = _ports(name)
    midi_in.set_callback(lambda event, data: None)
    midi_in.open_virtual_port("in")
    _say("READY")
    sys.stdin.readline()
    _say("null")


if __name__ == "__main__":
    {"echo": echo, "loop": loop, "idle": idle}[sys.argv[1]](sys.argv[2])
    sys.stdout.flush()
    os._exit(0)

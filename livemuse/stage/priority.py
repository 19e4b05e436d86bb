"""Being prompt: real-time priority where it is granted, timers without slack, no garbage collection of what stays."""

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from typing import Final

PRIORITY: Final = 60  # of 99: above everything ordinary, below the interrupt threads of sound cards
SWITCH_S: Final = 0.0001  # a key that is struck waits no longer than this for the stage's loop
_PR_SET_TIMERSLACK: Final = 29


def be_prompt() -> None:
    """Make this thread wake on time; what the system does not grant is done without."""
    sys.setswitchinterval(SWITCH_S)
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):  # an ordinary user may not; the music plays all the same
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1)
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def ordinary() -> Iterator[None]:
    """Meanwhile this thread has ordinary priority: a process that is started inherits that, and not ours."""
    if not hasattr(os, "sched_setscheduler"):
        yield
        return
    before, place = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, before, place)

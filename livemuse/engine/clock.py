"""The one file of the engine that asks the machine for the time."""

import time


class MonotonicClock:
    """Seconds since the machine started; the same clock for every process of the machine."""

    def now_s(self) -> float:
        """Now."""
        return time.monotonic()

"""How late livemuse was: the last few thousand measurements of each kind, as the figures a musician can judge by."""

from collections import deque
from typing import Any, Final

KINDS: Final = ("decide_to_first", "lateness", "thru")
_KEPT: Final = 2000
_FRESH: Final = 25  # once there are plenty, so many new ones before the figures are worked out again


class Meters:
    """decide_to_first: decision to first note sent. lateness: due time to return of the send call.
    thru: what livemuse added between the input callback and the return of the thru send. Seconds in, ms out."""

    def __init__(self) -> None:
        self._measured_s: dict[str, deque[float]] = {kind: deque(maxlen=_KEPT) for kind in KINDS}
        self._fresh = dict.fromkeys(KINDS, 0)
        self._figures = {kind: _percentiles([]) for kind in KINDS}

    def add(self, kind: str, seconds: float) -> None:
        """One measurement."""
        self._measured_s[kind].append(seconds)
        self._fresh[kind] += 1

    def figures(self) -> dict[str, dict[str, Any]]:
        """{kind: {p50, p99, n}}; milliseconds, None before the first measurement."""
        for kind, values in self._measured_s.items():
            if self._fresh[kind] and (len(values) <= 2 * _FRESH or self._fresh[kind] >= _FRESH):
                self._fresh[kind] = 0
                self._figures[kind] = _percentiles(sorted(values))
        return {kind: dict(figures) for kind, figures in self._figures.items()}


def _percentiles(ordered_s: list[float]) -> dict[str, Any]:
    n = len(ordered_s)
    if not n:
        return {"p50": None, "p99": None, "n": 0}
    return {
        "p50": round(ordered_s[(n - 1) // 2] * 1e3, 3),
        "p99": round(ordered_s[min(n - 1, -(-99 * n // 100) - 1)] * 1e3, 3),
        "n": n,
    }

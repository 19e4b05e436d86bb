"""The figures of this machine: how late, how fast, how costly, each beside a bare program in the same run."""

import json
import signal
import sys
from collections.abc import Sequence

from livemuse.errors import ControlError


def run(what: Sequence[str] = (), *, as_json: bool = False) -> int:
    """Measure and print; ``what`` names figures to take (all without). All of them take four minutes.

    A figure may have a share after it: ``thru:0.1`` takes a tenth of the measurements. ControlError for no such figure.
    """
    from livemuse.bench.measure import FIGURES, measure

    shares: dict[str, float] = {}
    for word in what or FIGURES:
        name, _, share = word.partition(":")
        number = float(share) if share.replace(".", "", 1).isdigit() else 0.0 if share else 1.0
        if name not in FIGURES or not 0 < number <= 10:
            raise ControlError(f"There is no figure called {word[:40]!r}.", "Known: " + ", ".join(FIGURES) + ".")
        shares[name] = number
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what it started ends with it
    try:
        figures = measure(shares, lambda sentence: _talk(f"measuring {sentence} ...\n"))
    finally:
        signal.signal(signal.SIGTERM, before)
    lines = [json.dumps(figures.json())] if as_json else figures.lines()
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _talk(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()

"""The figures as values, and how a person reads them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """How something that was measured ``n`` times spreads, in milliseconds."""

    p50_ms: float
    p99_ms: float
    n: int

    @classmethod
    def of(cls, measured_s: Iterable[float]) -> "Spread":
        """The spread of times in seconds; nearest rank, and zeros where nothing was measured."""
        ordered = sorted(measured_s)
        if not ordered:
            return cls(0.0, 0.0, 0)
        p50, p99 = (ordered[round(share * (len(ordered) - 1))] * 1000 for share in (0.5, 0.99))
        return cls(round(p50, 4), round(p99, 4), len(ordered))

    @classmethod
    def of_meter(cls, figures: Mapping[str, Any]) -> "Spread":
        """The same from a meter of ``livemuse ctl status``."""
        return cls(figures["p50"] or 0.0, figures["p99"] or 0.0, figures["n"])


@dataclass(frozen=True, slots=True)
class SideBySide:
    """livemuse and the bare program, in the same run."""

    livemuse: Spread
    bare: Spread

    @property
    def more_p50_ms(self) -> float:
        """How much more livemuse takes, in the middle."""
        return round(self.livemuse.p50_ms - self.bare.p50_ms, 4)

    @property
    def more_p99_ms(self) -> float:
        """How much more livemuse takes, at the 99th percentile."""
        return round(self.livemuse.p99_ms - self.bare.p99_ms, 4)

    def json(self) -> dict[str, Any]:
        """As it is printed."""
        return {**asdict(self), "more_p50_ms": self.more_p50_ms, "more_p99_ms": self.more_p99_ms}


@dataclass(frozen=True, slots=True)
class Thru:
    """Messages of every kind on their way through, while livemuse plays."""

    callback: SideBySide  # from the input callback's first line to the return of the send
    round_trip: SideBySide  # from the musician's port back to it, through the JACK server
    lost: int
    altered: int

    def json(self) -> dict[str, Any]:
        """As it is printed."""
        sides = {"callback": self.callback.json(), "round_trip": self.round_trip.json()}
        return {**sides, "lost": self.lost, "altered": self.altered}


@dataclass(frozen=True, slots=True)
class Idle:
    """What doing nothing costs, in percent of one core."""

    livemuse_percent: float  # stage and engine together
    bare_percent: float
    seconds: float

    def json(self) -> dict[str, Any]:
        """As it is printed."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured; None where this machine lacks what it takes, and ``missing`` says what."""

    thru: Thru | None = None
    lateness: SideBySide | None = None
    lateness_playing: Spread | None = None  # of the engine's own notes, while it made them
    decide_to_first: Spread | None = None
    idle: Idle | None = None
    missing: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """As ``livemuse bench --json`` prints it."""
        return {
            "processors": os.cpu_count(),
            "thru": self.thru and self.thru.json(),
            "lateness": self.lateness and self.lateness.json(),
            "lateness_playing": self.lateness_playing and asdict(self.lateness_playing),
            "decide_to_first": self.decide_to_first and asdict(self.decide_to_first),
            "idle": self.idle and self.idle.json(),
            "missing": list(self.missing),
        }

    def lines(self) -> list[str]:
        """As ``livemuse bench`` prints it."""
        head = f"{'':35}{'livemuse p50':>12}{'p99':>9}{'bare p50':>11}{'p99':>9}   ms"
        rows = [head]
        if self.thru is not None:
            rows.append(_row("thru, callback to send", self.thru.callback))
            rows.append(_row("thru, there and back through JACK", self.thru.round_trip))
            rows.append(f"  of {self.thru.callback.livemuse.n}: {self.thru.lost} lost, {self.thru.altered} altered")
        if self.lateness is not None:
            rows.append(_row("lateness of an answer's notes", self.lateness))
        if self.lateness_playing is not None:
            rows.append(_alone("lateness while the model makes them", self.lateness_playing))
        if self.decide_to_first is not None:
            rows.append(_alone("decided to first note sent", self.decide_to_first))
        if self.idle is not None:
            idle = self.idle
            rows.append(f"idle: {idle.livemuse_percent:.2f} % of a core, bare {idle.bare_percent:.2f} %")
        return rows + list(self.missing)


def _row(what: str, sides: SideBySide) -> str:
    ours, bare = sides.livemuse, sides.bare
    return f"{what:36}{ours.p50_ms:>11.3f}{ours.p99_ms:>9.3f}{bare.p50_ms:>11.3f}{bare.p99_ms:>9.3f}   (n={ours.n})"


def _alone(what: str, spread: Spread) -> str:
    return f"{what:36}{spread.p50_ms:>11.3f}{spread.p99_ms:>9.3f}{'':20}   (n={spread.n})"

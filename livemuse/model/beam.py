"""What is played at temperature 0: not the likeliest pitch each time, but a way on which all pitches are likely.

A beam search: the likeliest pitches prolong each of the ways that were kept, and of all that come of it the likeliest
are kept. The rules' nats count, and so does when each note is struck. A way's log-likelihood is divided by its length
to the power of ALPHA, or the shortest would win.

Sources: the search, Graves 2012 (Sequence Transduction with Recurrent Neural Networks, section 2.7); the division, Wu
et al. 2016 (Google's Neural Machine Translation System, equation 14).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from livemuse.model.conversation import InStep, Talk
from livemuse.model.rolling import MOST_ROLLED, Rolled, Tally
from livemuse.music.protocols import Stepper
from livemuse.music.schedule import Chosen

ALPHA: Final = 0.65

T = TypeVar("T", bound=Rolled)
Branch = Callable[[T, int], list[tuple[float, T, Talk[Any]]]]
"""The likeliest next pitches of a take, so many at most: the log-likelihood of each, and how the note is made."""


@dataclass(slots=True)
class Way(Generic[T]):
    """Notes that hang together, and their log-likelihood in nats."""

    take: T
    path: tuple[int, ...] = ()
    nats: float = 0.0

    @property
    def score(self) -> float:
        """Log-likelihood, so that ways of different lengths compare; the most is the best."""
        return normalised(self.nats, len(self.path))


def normalised(nats: float, length: int) -> float:
    """A log-likelihood over a length penalty, as Wu et al. have it."""
    return nats / math.pow((5.0 + length) / 6.0, ALPHA)


class Beam(Generic[T]):
    """A search ``width`` wide from a take without notes, a slice at a time; ``branch`` says where a way may go on."""

    def __init__(self, take: T, branch: Branch[T], stepper: Stepper, width: int) -> None:
        self.ways = [Way(take)]
        self._branch = branch
        self._stepper = stepper
        self._width = width
        self._longer: list[Way[T]] = []
        self._tally: Tally | None = None
        self._together: InStep | None = None

    @property
    def over(self) -> bool:
        """Whether every way that was kept is at its end."""
        return self._together is None and not any(self._open(way) for way in self.ways)

    def go_on(self) -> None:
        """One run of the model; or where the next ones lead is found out."""
        if self._together is None or self._tally is None:
            self._prolong()
        elif not self._together.over:
            self._tally.hear(self._together.go_on())
        else:
            for number, way in enumerate(self._longer):
                way.nats += self._tally.of(number, "step")
            ended = [way for way in self.ways if not self._open(way)]
            self.ways = sorted([*ended, *self._longer], key=lambda way: -way.score)[: self._width]
            self._together = None

    def chosen(self, take: int) -> Chosen | None:
        """The ways found so far, the likeliest first; None where none has a note."""
        found = [way.path for way in sorted(self.ways, key=lambda way: -way.score) if way.take.notes]
        return Chosen(take, tuple(range(len(found))), tuple(found)) if found else None

    def _prolong(self) -> None:
        found: list[tuple[Way[T], Talk[Any]]] = []
        for way in self.ways:
            if self._open(way):
                for likely, take, talk in self._branch(way.take, self._width):
                    found.append((Way(take, take.path, way.nats + likely), talk))
        found = sorted(found, key=lambda pair: -pair[0].score)[: self._width]
        self._longer = [way for way, _ in found]
        self._tally = Tally(self._stepper, len(found))
        self._together = InStep([talk for _, talk in found], self._stepper)

    @staticmethod
    def _open(way: Way[T]) -> bool:
        return not way.take.done and len(way.path) < MOST_ROLLED

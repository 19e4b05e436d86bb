"""Candidate answers rolled ahead in step, a slice at a time, and what the network makes of each of their notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from livemuse.model.conversation import FEED, Ask, InStep, Talk
from livemuse.music.candidates import Candidate, Wanted, ranked
from livemuse.music.notes import PlannedNote
from livemuse.music.protocols import Stepper
from livemuse.music.schedule import Chosen
from livemuse.music.vocabulary import HEADS

MOST_ROLLED: Final = 200  # notes of a candidate

Array = npt.NDArray[Any]


class Rolled(Protocol):
    """An answer that is being rolled ahead."""

    notes: list[PlannedNote]
    path: tuple[int, ...]  # what its first pitches are drawn to be, where they were searched for

    @property
    def done(self) -> bool:
        """Whether its last note is there."""
        ...


T = TypeVar("T", bound=Rolled)


class Rolling(Protocol):
    """Several candidates for one answer, on their way."""

    @property
    def over(self) -> bool:
        """Whether all of them are at their ends."""
        ...

    def go_on(self) -> None:
        """Roll a little further: some milliseconds at most."""
        ...

    def chosen(self, take: int) -> Chosen | None:
        """The best of them as far as they are; None where none has a note."""
        ...


class Tally:
    """The log-likelihood of what each of k conversations drew, under the network at temperature 1.

    It listens to what is answered. ``alone``, where it is given, is a state that has heard nothing: it is told the same
    notes, and by how much they are likelier after the call says how far the answer is one to this call.
    """

    def __init__(self, stepper: Stepper, count: int, alone: Any = None) -> None:
        self._stepper = stepper
        self._alone = None if alone is None else [alone] * count
        self._expected: list[dict[tuple[str, tuple[int, ...]], Array]] = [{} for _ in range(count)]
        self._nats = [dict.fromkeys(HEADS, 0.0) for _ in range(count)]
        self._count = [0] * count
        self._related = [0.0] * count

    def hear(self, answered: Sequence[tuple[int, Ask, Any]]) -> None:
        """What was asked and answered in one run."""
        if answered[0][1].what == FEED:
            self._fed(answered)
            return
        for k, ask, logits in answered:
            self._expected[k][ask.what, ask.values] = logits

    def of(self, k: int, head: str) -> float:
        """The log-likelihood of all values of a head that conversation k drew."""
        return self._nats[k][head]

    def surprise(self, k: int) -> float | None:
        """The nats that a pitch of conversation k costs, on average; None before its first note."""
        return -self._nats[k]["pitch"] / self._count[k] if self._count[k] else None

    def related(self, k: int) -> float | None:
        """Nats a note by which it is likelier after the call than after nothing; None where that is not known."""
        return self._related[k] / self._count[k] if self._count[k] and self._alone is not None else None

    def _fed(self, answered: Sequence[tuple[int, Ask, Any]]) -> None:
        for place, head in enumerate(HEADS):
            drawn: list[tuple[int, tuple[int, ...]]] = []  # (conversation, its note), of those that were asked
            logits = []
            for k, ask, _ in answered:
                found = self._expected[k].get((head, ask.values[:place]))
                if found is not None:
                    drawn.append((k, ask.values))
                    logits.append(found)
            self._count_in(head, drawn, logits)
        for k, _, _ in answered:
            self._expected[k].clear()
            self._count[k] += 1
        if self._alone is not None:
            alone, numbers = self._alone, [k for k, _, _ in answered]
            words = [ask.values for _, ask, _ in answered]
            after = self._stepper.feed_many([alone[k] for k in numbers], words, answered[0][1].style)
            for k, state in zip(numbers, after, strict=True):
                alone[k] = state

    def _count_in(self, head: str, drawn: Sequence[tuple[int, tuple[int, ...]]], logits: Sequence[Any]) -> None:
        if not drawn:
            return
        place = HEADS.index(head)
        values, before = [words[place] for _, words in drawn], [words[:place] for _, words in drawn]
        nats = log_likelihood(logits, values)
        blank = [0.0] * len(drawn)
        if self._alone is not None:
            states = [self._alone[k] for k, _ in drawn]
            blank = log_likelihood(self._stepper.logits_many(states, head, before), values)
        for (k, _), one, other in zip(drawn, nats, blank, strict=True):
            self._nats[k][head] += one
            self._related[k] += one - other


def log_likelihood(logits: Sequence[Any], values: Sequence[int]) -> list[float]:
    """The log-likelihood (nats, 0 at most) of a value in each row of logits (k, n)."""
    rows = np.array(logits, np.float64)
    rows -= rows.max(1, keepdims=True)
    found: list[float] = (rows[np.arange(len(rows)), list(values)] - np.log(np.exp(rows).sum(1))).tolist()
    return found


class TogetherRolling:
    """Candidates that a model steps as one batch; ``talks`` make the notes of ``takes`` to their ends."""

    def __init__(self, takes: Sequence[Rolled], talks: Sequence[Talk[None]], tally: Tally, stepper: Stepper,
                 wanted: Wanted) -> None:  # fmt: skip
        self.takes = takes
        self._together = InStep(talks, stepper)
        self._tally = tally
        self._wanted = wanted

    @property
    def over(self) -> bool:
        """Whether all of them are at their ends."""
        return self._together.over

    def go_on(self) -> None:
        """One run of the model."""
        self._tally.hear(self._together.go_on())

    def candidates(self) -> list[Candidate]:
        """Each of them, as far as it is."""
        tally = self._tally
        return [
            Candidate(take.notes, tally.surprise(k), tally.related(k), take.done) for k, take in enumerate(self.takes)
        ]

    def chosen(self, take: int) -> Chosen | None:
        """The best of them as far as they are; None where none has a note."""
        return choice(take, self.candidates(), self._wanted)


def choice(take: int, candidates: Sequence[Candidate], wanted: Wanted) -> Chosen | None:
    """The ranking of the candidates; None where none has a note."""
    if not any(candidate.notes for candidate in candidates):
        return None
    return Chosen(take, tuple(ranked(candidates, wanted)))


class ApartRolling(Generic[T]):
    """Candidates that are made each by itself, in turn; ``more`` makes one a little longer."""

    def __init__(self, takes: Sequence[T], more: Callable[[T], object], wanted: Wanted) -> None:
        self._takes = takes
        self._more = more
        self._wanted = wanted

    @property
    def over(self) -> bool:
        """Whether all of them are at their ends."""
        return all(_at_end(take) for take in self._takes)

    def go_on(self) -> None:
        """Prolong the shortest."""
        going = [take for take in self._takes if not _at_end(take)]
        if going:
            self._more(min(going, key=lambda take: take.notes[-1].onset_s if take.notes else -np.inf))

    def chosen(self, take: int) -> Chosen | None:
        """The best of them as far as they are; None where none has a note."""
        return choice(take, [Candidate(t.notes, whole=t.done) for t in self._takes], self._wanted)


def _at_end(take: Rolled) -> bool:
    return take.done or len(take.notes) >= MOST_ROLLED

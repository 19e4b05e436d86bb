"""The making of notes as a conversation: it says what it asks of the model, and whoever leads it brings the answer.

So the same rules make one answer alone (``alone``), or several in step (``InStep``), where what is asked by all of them
is asked once, as a batch: several notes for little more than the price of one.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from livemuse.music.protocols import Stepper

FEED = "feed"


class Ask(NamedTuple):
    """What is asked of the model: to be fed a note in some state, or the logits of a head there."""

    what: str  # FEED, or the head
    state: Any
    values: tuple[int, ...]  # the note's words, or what was drawn before the head
    style: Any = None  # what the note is fed with, (1, S); None for a model without styles


T = TypeVar("T")
Talk = Generator[Ask, Any, T]
"""Yields ``Ask``, is sent the state or the logits, and returns what was made."""


def alone(talk: Talk[T], stepper: Stepper) -> T:
    """Lead one conversation to its end, each question by itself."""
    answer = None
    try:
        while True:
            what, state, values, style = talk.send(answer)
            if what != FEED:
                answer = stepper.logits(state, what, values)
            elif style is None:
                answer = stepper.feed(state, values)  # type: ignore[arg-type]
            else:
                answer = stepper.feed(state, values, style)  # type: ignore[arg-type]
    except StopIteration as over:
        made: T = over.value
        return made


class InStep:
    """Several conversations, led together: those that ask for the same kind of thing are answered as one batch."""

    def __init__(self, talks: Sequence[Talk[Any]], stepper: Stepper) -> None:
        self._talks = list(talks)
        self._stepper = stepper
        self._asks: dict[int, Ask] = {}  # conversation -> what it waits for
        self.made: dict[int, Any] = {}  # conversation -> what it returned
        for number in range(len(self._talks)):
            self._hear(number, None)

    @property
    def over(self) -> bool:
        """Whether all of them have ended."""
        return not self._asks

    def go_on(self) -> list[tuple[int, Ask, Any]]:
        """Answer what most of them ask for, once; (conversation, question, answer) of each. One run of the model."""
        kinds = [ask.what for ask in self._asks.values()]
        most = max(kinds, key=kinds.count)
        asked = [(number, ask) for number, ask in self._asks.items() if ask.what == most]
        states = [ask.state for _, ask in asked]
        values = [ask.values for _, ask in asked]
        answers: Sequence[Any]
        if most == FEED:
            answers = self._stepper.feed_many(states, values, asked[0][1].style)
        else:
            answers = self._stepper.logits_many(states, most, values)
        for (number, _), answer in zip(asked, answers, strict=True):
            self._hear(number, answer)
        return [(number, ask, answer) for (number, ask), answer in zip(asked, answers, strict=True)]

    def _hear(self, number: int, answer: Any) -> None:
        try:
            self._asks[number] = self._talks[number].send(answer)
        except StopIteration as over:
            self._asks.pop(number, None)
            self.made[number] = over.value

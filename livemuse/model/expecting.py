"""How long a silence a model expects: what it says of the next step, over the pitches that are likeliest to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np

from livemuse.music.notes import Note
from livemuse.music.protocols import Stepper
from livemuse.music.turntaking import SILENCES_S
from livemuse.music.vocabulary import Vocabulary

_LIKELIEST: Final = 16  # pitches: a model draws its step after the pitch

M = TypeVar("M")


def silence_shares(stepper: Stepper, state: Any, words: Vocabulary) -> tuple[float, ...]:
    """How likely it is in this state that nothing is struck for each of ``SILENCES_S`` after the last onset.

    Two runs at most, whatever the number of pitches: the step is asked for all of them at once.
    """
    logits = np.asarray(stepper.logits(state, "pitch", ()), np.float64)  # (128,)
    pitches = np.argpartition(logits, -_LIKELIEST)[-_LIKELIEST:]
    weights = np.exp(logits[pitches] - logits.max())  # (k,)
    steps = np.asarray(stepper.step_logits(state, pitches.tolist()), np.float64)  # (k, n)
    steps = np.exp(steps - steps.max(1, keepdims=True))
    step = (weights / weights.sum()) @ (steps / steps.sum(1, keepdims=True))  # (n,)
    at_edges = np.append(np.cumsum(step[::-1])[::-1], 0.0)  # not before each edge
    found = np.interp(SILENCES_S, words.step_edges_s, at_edges)
    return tuple(round(float(share), 4) for share in found)


class Peek(Generic[M]):
    """The moment after a tail that is not final: each of its notes is fed once, as long as it then had sounded.

    ``exact``: a note that has sounded longer by now is fed anew.
    """

    def __init__(self, now: M, *, exact: bool = False) -> None:
        self._exact = exact
        self._keys: list[tuple[float, int] | Note] = []
        self._moments = [now]

    def after(self, now: M, tail: Sequence[Note], feed: Callable[[M, Note], M]) -> M:
        """The moment after ``tail``, which follows on ``now``."""
        keys: list[tuple[float, int] | Note] = [n if self._exact else (n.onset_s, n.pitch) for n in tail]
        same = 0
        if self._moments[0] is not now:
            self._keys, self._moments = [], [now]
        while same < min(len(keys), len(self._keys)) and keys[same] == self._keys[same]:
            same += 1
        self._keys, self._moments = keys, self._moments[: same + 1]
        for note in tail[same:]:
            self._moments.append(feed(self._moments[-1], note))
        return self._moments[-1]

"""A model without weights: it plays a scale, or whatever it is given, and remembers what it heard."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livemuse.music.vocabulary import VOCABULARY, Vocabulary

Words = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScriptedState:
    """What a scripted model knows: every note it was fed."""

    heard: tuple[Words, ...] = ()


class ScriptedStepper:
    """Prefers, after n notes, the n-th of ``melody`` (round and round), each ``step_s`` after the one before.

    Its logits favour one value by ``confidence`` nats; 0 makes everything equally likely.
    """

    name = "scripted"
    hash = "0" * 64
    labels: tuple[str, ...] = ()

    def __init__(
        self,
        melody: tuple[int, ...] = (60, 62, 64, 65, 67, 69, 71, 72),
        step_s: float = 0.25,
        duration_s: float = 0.2,
        velocity: int = 80,
        confidence: float = 20.0,
        vocabulary: Vocabulary = VOCABULARY,
    ) -> None:
        self.melody = melody
        self.vocabulary = vocabulary
        self._rest = (
            vocabulary.step_bin(step_s),
            vocabulary.duration_bin(duration_s),
            vocabulary.velocity_bin(velocity),
        )
        self._confidence = confidence

    def start(self, style: object = None) -> ScriptedState:
        """Nothing heard yet."""
        return ScriptedState()

    def feed(self, state: ScriptedState, note: Words, style: object = None) -> ScriptedState:
        """One note more."""
        return ScriptedState((*state.heard, note))

    def logits(self, state: ScriptedState, head: str, drawn: tuple[int, ...]) -> NDArray[np.float32]:
        """Float32 logits (n,) that favour one value."""
        favoured = {
            "pitch": self.melody[len(state.heard) % len(self.melody)],
            "step": self._rest[0],
            "duration": self._rest[1],
            "velocity": self._rest[2],
        }[head]
        logits = np.zeros(self.vocabulary.sizes[head], dtype=np.float32)
        logits[favoured] = self._confidence
        return logits

    def step_logits(self, state: ScriptedState, pitches: Sequence[int]) -> NDArray[np.float32]:
        """(k, n) logits of the step, the same for every pitch."""
        return np.stack([self.logits(state, "step", (pitch,)) for pitch in pitches])

    def feed_many(
        self, states: Sequence[ScriptedState], notes: Sequence[tuple[int, ...]], style: object = None
    ) -> list[ScriptedState]:
        """One note more for each of k."""
        return [ScriptedState((*state.heard, note)) for state, note in zip(states, notes, strict=True)]

    def logits_many(
        self, states: Sequence[ScriptedState], head: str, drawn: Sequence[tuple[int, ...]]
    ) -> list[NDArray[np.float32]]:
        """The logits of each of k."""
        return [self.logits(state, head, values) for state, values in zip(states, drawn, strict=True)]

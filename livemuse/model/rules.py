"""What of a take's plan holds for all its notes, and its draws, each with a name of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from livemuse.model.chordpull import ChordPull
from livemuse.model.pace import ALONG_LOUDNESS, Pace
from livemuse.music.ceilings import Ceilings
from livemuse.music.chance import uniform
from livemuse.music.sampling import COLDEST, Draw, Floats, draw, draw_mixed
from livemuse.music.schedule import Plan
from livemuse.music.vocabulary import HEADS, Vocabulary

_NUMBERS: Final = {head: number for number, head in enumerate(HEADS)}
_FINE: Final = len(HEADS)  # draws 4-7 place a value inside its bin
_STAYS, _AGAIN = 2 * len(HEADS), 2 * len(HEADS) + 1  # draws 8 and 9: whether a pitch suits its chord, and another one
_WHOSE: Final = 2 * len(HEADS) + 2  # draw 10: whether a note is the player's material or the network's
_FACTORS: Final = {
    "pitch": "temperature_pitch",
    "step": "temperature_time",
    "duration": "temperature_time",
    "velocity": "temperature_velocity",
}
"""The control that is a factor on the temperature of each head."""


class Rules:
    """What of a take's plan holds for all its notes, and its draws, each with a name of its own."""

    def __init__(self, plan: Plan) -> None:
        controls = plan.controls
        temperature, top_k, top_p = (controls.number(n) for n in ("temperature", "top_k", "top_p"))
        self.controls = controls
        self.ceilings = Ceilings.of(controls)
        self.room = plan.context.room
        self.density, self.loudness = controls.number("density"), controls.number("velocity")
        self.chords = ChordPull.of(controls, plan.not_before_s if plan.first_beat_s is None else plan.first_beat_s)
        self.anywhen = controls if self.chords is None else controls.replaced("key", "off")  # it has the key in it
        polyphony = controls["polyphony"]
        self.polyphony = None if isinstance(polyphony, str) else int(polyphony)
        self.pace = None
        if self.room is not None:
            self.pace = Pace.beside(plan.context, self.density, self.polyphony)
            self.density, self.loudness = 1.0, self.loudness * ALONG_LOUDNESS
            self.polyphony = self.pace.together
        self._how = {head: Draw(temperature * controls.number(f), int(top_k), top_p) for head, f in _FACTORS.items()}
        self._now = self._how
        self.cold = self._how["pitch"].temperature < COLDEST  # nothing is left to chance
        self._seed, self._key = int(controls["seed"]), (plan.turn, plan.candidate, plan.revision)

    def warm(self, factor: float) -> None:
        """The temperature of the next draws is so many times what it is set to."""
        self._now = {head: replace(how, temperature=how.temperature * factor) for head, how in self._how.items()}

    def draw(self, logits: Floats, head: str, index: int) -> int:
        """The value of a head for note ``index``."""
        return draw(logits, self._now[head], uniform(self._seed, *self._key, index, _NUMBERS[head]))

    def mixed(self, logits: Floats, head: str, index: int, shares: Mapping[int, float]) -> tuple[int, bool]:
        """The same, where some values have a share of their own; and whether that gave it."""
        if not shares:
            return self.draw(logits, head, index), False
        u = uniform(self._seed, *self._key, index, _NUMBERS[head])
        return draw_mixed(logits, self._now[head], u, shares, self.whose(index))

    def whose(self, index: int) -> float:
        """The chance that says whether note ``index`` is the player's material or the network's; 0 at temperature 0.

        It is the same for all candidates: how much of the player is taken up is not what they are chosen by.
        """
        turn, _, revision = self._key
        return 0.0 if self.cold else uniform(self._seed, turn, 0, revision, index, _WHOSE)

    def stays(self, nats: float, index: int) -> bool:
        """Whether a pitch that costs so many nats is left as it was drawn."""
        temperature = self._now["pitch"].temperature
        if nats <= 0.0 or temperature <= 0.0:
            return nats <= 0.0
        return uniform(self._seed, *self._key, index, _STAYS) < math.exp(-nats / temperature)

    def draw_again(self, logits: Floats, index: int) -> int:
        """The pitch of note ``index`` once more."""
        return draw(logits, self._now["pitch"], uniform(self._seed, *self._key, index, _AGAIN))

    def inside(self, words: Vocabulary, head: str, value: int, index: int) -> float:
        """A number inside bin ``value``: by chance, or its centre where the temperature is 0."""
        if self._how[head].temperature <= 0.0:
            return words.centre(head, value)
        return words.value(head, value, uniform(self._seed, *self._key, index, _FINE + _NUMBERS[head]))

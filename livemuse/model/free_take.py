"""What an answer in free time is made of: the moments between its notes, and the take that holds them."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from livemuse.model.imitating import Imitating
from livemuse.model.manners import Hands, struck_together
from livemuse.model.pitches import Reach
from livemuse.model.rules import Rules
from livemuse.model.shaping import MOST_IN_CHORD, Shaping
from livemuse.music.ceilings import Ceilings, Hand
from livemuse.music.following import NOTHING_TAKEN, Following
from livemuse.music.loops import NOTHING_STRUCK, Line
from livemuse.music.notes import PlannedNote
from livemuse.music.phrasing import NO_SURPRISE, Surprise
from livemuse.music.sampling import Floats
from livemuse.music.schedule import Plan
from livemuse.music.styles import NO_STYLE

Words = tuple[int, int, int, int]
"""A note as it is fed: (pitch, step bin, duration bin, velocity bin)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything the next note depends on, after some note."""

    state: Any
    onset_s: float | None  # of the last note
    recent: tuple[int, ...]  # pitches of whoever played, oldest first
    heard: tuple[int, ...]  # pitches of the player alone
    hand: Hand  # never changed once it is in a moment
    mix: str = NO_STYLE  # the control `style` that the state was told of with its last notes
    told: tuple[tuple[Any, Words], ...] = ()  # those notes, each with the state before it
    loud: tuple[int, ...] = ()  # velocities of the player alone
    following: Following = NOTHING_TAKEN  # what of the player's was taken up
    line: Line = NOTHING_STRUCK  # what livemuse struck in this turn
    surprise: Surprise = NO_SURPRISE  # of the last pitches, to the model


@dataclass(slots=True)
class Take:
    """An answer that is being made, and what of its plan holds for all its notes."""

    plan: Plan
    rules: Rules
    reach: Reach | None
    hands: Hands
    moments: list[Moment]  # [before the first note, after note 0, ...]
    notes: list[PlannedNote]
    imitating: Imitating
    shape: Shaping
    expects: Floats  # (128,) logits of the next pitch
    exact_s: float | None = None  # when its first note is struck, where that is settled
    done: bool = False
    path: tuple[int, ...] = ()  # what its first pitches are drawn to be

    def fork(self, pitch: int) -> Take:
        """The same up to here, with a next pitch of its own."""
        return replace(
            self, rules=copy(self.rules), shape=copy(self.shape), moments=[*self.moments], notes=[*self.notes],
            path=(*self.path, pitch),
        )  # fmt: skip

    @property
    def index(self) -> int:
        """The number of the next note."""
        return self.plan.first_index + len(self.notes)

    def voices(self, onset_s: float) -> Ceilings:
        """The ceilings; where fewer notes are to sound together, what rang before the last that were struck ends."""
        ceilings, polyphony = self.rules.ceilings, self.rules.polyphony
        if polyphony is None:
            return ceilings
        together = struck_together([*(n.onset_s for n in self.notes[-16:]), onset_s])
        return replace(ceilings, voices=min(ceilings.voices, max(polyphony, together)))

    @property
    def closing_room(self) -> int:
        """How many notes the last onset may have."""
        if self.plan.notes_left is not None:
            return 1
        return min(MOST_IN_CHORD, self.rules.ceilings.voices, self.rules.polyphony or MOST_IN_CHORD)

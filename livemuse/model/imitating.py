"""The network's distribution and the player's own material, mixed for each part of a note.

p = (1 - w) p_network + w p_memory: w grows with the control ``imitate`` and with how much of the last notes agrees with
what is remembered (``livemuse.music.following``). The network's part obeys every rule as it always does; the memory's
obeys those that forbid, and is spared what only discourages repetition: a motif may repeat itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livemuse.model.pitches import Nats, Reach, pitch_nats
from livemuse.music.controls import Controls
from livemuse.music.following import Following, Imitation, Limits, Proposal
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import PlannedNote
from livemuse.music.sampling import Floats
from livemuse.music.schedule import Plan

_CROWDED: Final = 3.0  # nats off what the network would play above a tune that is under way
NOTHING: Final = Proposal()


class Imitating:
    """One take's material of the player's; nothing is ever proposed where ``imitate`` is 0."""

    def __init__(self, plan: Plan, memory: MotifMemory, reach: Reach | None) -> None:
        controls: Controls = plan.controls
        amount = controls.number("imitate")
        self._ends_s = plan.end_s
        self._rules: list[float] = []
        self._following: Imitation | None = None
        if amount > 0.0:
            heard = memory.copy()
            for note in plan.tail:
                heard.hear(note)
            self._following = Imitation(heard, amount, controls.number("density"))
            self._rules = pitch_nats(controls, (), reach).tolist()

    def proposal(self, now: Following, at_s: float) -> Proposal:
        """What the player's material would go on with, struck no sooner than ``at_s``."""
        if self._following is None:
            return NOTHING
        return self._following.proposal(now, Limits(self._rules, at_s, self._ends_s))

    def after(self, now: Following, proposal: Proposal, note: PlannedNote) -> Following:
        """What follows from the note that was played."""
        if self._following is None:
            return now.played(note.onset_s, note.pitch)
        return self._following.after(now, proposal, note.onset_s, note.pitch)


def cleared(logits: Floats, proposal: Proposal) -> Floats:
    """(128,) logits of the network's, which leaves room for a tune that is under way."""
    if proposal.below is None:
        return logits
    crowded: Nats = np.zeros(len(logits))
    crowded[max(proposal.below, 0) :] = _CROWDED
    return logits - crowded


@dataclass(frozen=True, slots=True)
class Wish:
    """How the player's material would have a note whose pitch is drawn; ``claim`` (0-1): how much the pitch was its."""

    claim: float = 0.0
    step_s: float | None = None  # since the last onset, as the model counts
    duration_s: float | None = None
    before_s: float | None = None  # a note that is none of it is to be struck by then


NO_WISH: Final = Wish()


def wish(proposal: Proposal, pitch: int, claim: float) -> Wish:
    """What is wished of the note with this pitch."""
    opening = proposal.begins.get(pitch)
    if opening is not None:
        return Wish(claim, None, opening.motif.tones[0].duration_s * opening.stretch)
    suggestion = proposal.suggestions.get(pitch)
    if suggestion is not None:
        return Wish(claim, suggestion.step_s, suggestion.duration_s)
    return NO_WISH if proposal.before_s is None else Wish(before_s=proposal.before_s)

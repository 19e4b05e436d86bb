"""The network's distribution and the player's own material, mixed at each note.

p = (1 - w) p_network + w p_memory for the pitch: w grows with the control ``imitate`` and with how much of the last
notes agrees with what is remembered (``livemuse.music.following``). Whose the pitch is, theirs are its time and length;
how loud it is, the network says, which has heard both. The network's part obeys every rule as it always does; the
memory's obeys those that forbid, and is spared what only discourages repetition: a motif may repeat itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livemuse.model.pitches import Nats
from livemuse.music.controls import Controls
from livemuse.music.following import Following, Imitation, Limits, Proposal
from livemuse.music.motifs import MotifMemory, Struck, Suggestion
from livemuse.music.notes import PlannedNote
from livemuse.music.sampling import Floats
from livemuse.music.schedule import Plan
from livemuse.music.statement import nearest_welcome

_CROWDED: Final = 3.0  # nats off what the network would play above a tune that is under way
_OWN_KEY_STRENGTH: Final = 0.3  # 1.1 nats for a note outside the key
NOTHING: Final = Proposal()


def beat_of(plan: Plan) -> float | None:
    """How long a beat is of the call that a plan answers, where one is clear: its motifs are known by it (seconds)."""
    beats = plan.context.beats
    return beats.period_s if beats is not None and beats.clear else None


class Material:
    """What the player played up to a call's end, made ready once for all the answers to it."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._ready: Imitation | None = None

    def after(self, memory: MotifMemory, plan: Plan) -> Imitation | None:
        """The memory with the tail of the call; None at `imitate` 0."""
        amount, density = plan.controls.number("imitate"), plan.controls.number("density")
        if amount <= 0.0:
            return None
        beat_s = beat_of(plan)
        key = (memory, memory.first, len(memory), plan.tail, beat_s, amount, density)
        if key != self._key or self._ready is None:
            heard = memory.copy()
            for note in plan.tail:
                heard.hear(note)
            heard.beat(beat_s)
            self._key, self._ready = key, Imitation(heard, amount, density)
        return self._ready


class Imitating:
    """One take's material of the player's, where the rules cost ``nats`` (128,), for tunes that are over by ``ends_s``.

    Nothing at `imitate` 0.
    """

    def __init__(self, material: Imitation | None, nats: Nats, ends_s: float) -> None:
        self._following, self._ends_s = material, ends_s
        self._rules: list[float] = [] if material is None else nats.tolist()

    def proposal(self, now: Following, at_s: float, whose: float) -> Proposal:
        """What the player's material would go on with, no sooner than ``at_s``; nothing where it is not its turn.

        It is where ``whose`` (0-1) is below the sum of its shares: above all that it can have, it need not be asked.
        """
        if self._following is None or whose >= self._following.most(now):
            return NOTHING
        return self._following.proposal(now, Limits(self._rules, at_s, self._ends_s))

    def after(self, now: Following, proposal: Proposal | None, note: PlannedNote, drawn: int) -> Following:
        """What follows from a note that was ``drawn`` as one pitch; ``proposal`` is None where it was the network's."""
        if self._following is None:
            return now.played(note.onset_s, note.pitch)
        return self._following.after(now, proposal or NOTHING, Struck(note.onset_s, note.pitch), drawn)


def cleared(logits: Floats, proposal: Proposal) -> Floats:
    """(128,) logits of the network's, which leaves room for a tune that is under way."""
    if proposal.below is None:
        return logits
    crowded: Nats = np.zeros(len(logits))
    crowded[max(proposal.below, 0) :] = _CROWDED
    return logits - crowded


def of_player(controls: Controls) -> Controls:
    """The controls for what is the player's own: a key that may be left weighs little, or no motif that leaves it would
    be known again.
    """
    strength = controls.number("key_strength")
    return controls if strength >= 1.0 else controls.replaced("key_strength", min(strength, _OWN_KEY_STRENGTH))


def own_pitch(pitch: int, chord: Nats) -> int:
    """A pitch of the player's material where a chord is to be followed, which costs ``chord`` (128,) nats."""
    return nearest_welcome(pitch, chord.tolist())


@dataclass(frozen=True, slots=True)
class Wish:
    """What the player's material has decided of a note whose pitch is drawn; None where the network decides."""

    own: bool = False  # the note is of the player's material
    step_s: float | None = None  # since the last onset, as the model counts
    duration_s: float | None = None
    before_s: float | None = None  # a note that is none of it is to be struck by then


NO_WISH: Final = Wish()


def wish(proposal: Proposal, pitch: int, drawn: bool) -> Wish:
    """What is wished of the note with this pitch, which was ``drawn`` by the player's share or by the network."""
    suggestion = proposal.suggestions.get(pitch)
    if proposal.before_s is not None:  # a tune is under way: its note is its note, whoever wants it
        return Wish(before_s=proposal.before_s) if suggestion is None else _as(suggestion)
    opening = proposal.begins.get(pitch)
    if not drawn:
        return NO_WISH
    if opening is not None:
        return Wish(True, None, opening.motif.tones[0].duration_s * opening.stretch)
    return NO_WISH if suggestion is None else _as(suggestion)


def _as(suggestion: Suggestion) -> Wish:
    return Wish(True, suggestion.step_s, suggestion.duration_s)

"""The improviser: hears notes, and makes the next ones, with a model of whatever family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from livemuse.model.free_improviser import FreeImproviser
from livemuse.model.grid_improviser import GridImproviser
from livemuse.model.grid_stepper import GridStepper
from livemuse.model.memory import Memory
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note
from livemuse.music.protocols import Partner, Stepper
from livemuse.music.schedule import Chosen, Extension, Plan
from livemuse.music.voicing import Voicing

AnyStepper = Stepper | GridStepper


class _Player(Partner, Protocol):
    """A partner that can hand on what it knows."""

    @property
    def busy(self) -> bool: ...

    @property
    def memory(self) -> Memory: ...

    motifs: MotifMemory


class Improviser:
    """One partner with a memory, which may change its model as the evening goes on."""

    def __init__(self, stepper: AnyStepper) -> None:
        self._stepper = stepper  # the model that plays
        self._player = _with(stepper, Memory())
        self._next_stepper: AnyStepper | None = None
        self._voicing = Voicing()

    def change_model(self, stepper: AnyStepper) -> None:
        """Go on with another model, told of the rolling window; at once, or when the take under way is settled."""
        self._next_stepper = stepper
        self._take_up_model()

    @property
    def memory(self) -> Memory:
        """The evening as it is remembered."""
        return self._player.memory

    @property
    def motifs(self) -> MotifMemory:
        """What the player played, as it can be taken up."""
        return self._player.motifs

    @motifs.setter
    def motifs(self, memory: MotifMemory) -> None:
        self._player.motifs = memory

    def _take_up_model(self) -> None:
        if self._next_stepper is not None and not self._player.busy:
            self._stepper, self._next_stepper = self._next_stepper, None
            self._player = _with(self._stepper, self._player.memory)

    def listen(self, notes: Sequence[Note]) -> None:
        """These notes sounded, in the order of their onsets."""
        self._player.listen(notes)

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        """How likely nothing more is struck for each of ``SILENCES_S``; empty where the model has no say in it."""
        return self._player.expect(tail)

    def roll(self, plan: Plan) -> None:
        """Begin to roll candidates for an answer that may be wanted soon."""
        self._player.roll(plan)

    def roll_on(self) -> bool:
        """Roll them a slice further, some milliseconds at most; whether there is more to roll."""
        return self._player.roll_on()

    def choose(self, plan: Plan) -> Chosen | None:
        """The best of the candidates that were rolled for this call; None where there are none."""
        return self._player.choose(plan)

    def remember(self, earlier: MotifMemory | None, at_s: float) -> None:
        """Motifs of an earlier session may be taken up too; None: none that were struck before ``at_s``."""
        self._player.remember(earlier, at_s)

    def begin(self, plan: Plan) -> None:
        """Make ready to improvise a take; the tail of the call is fed for this take alone."""
        self._player.begin(plan)
        self._voicing.begin(plan)

    def extend(self, take_id: int, until_s: float, most: int = 64) -> Extension:
        """Up to ``most`` more notes, until one lies past ``until_s``; nothing for a take that is settled."""
        return self._voicing.extend(self._player.extend, take_id, until_s, most)

    def settle(self, take_id: int, last_index: int | None) -> None:
        """Notes up to ``last_index`` sounded; what was planned after it never was."""
        self._player.settle(take_id, last_index)
        self._voicing.settle(take_id, last_index)
        self._take_up_model()

    def discard(self, turn: int, at_s: float) -> None:
        """What was played of this turn is forgotten; nothing where another model has been taken up since."""
        self._player.discard(turn, at_s)


def _with(stepper: AnyStepper, memory: Memory) -> _Player:
    return GridImproviser(stepper, memory) if isinstance(stepper, GridStepper) else FreeImproviser(stepper, memory)

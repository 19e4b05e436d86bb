"""What the musical core needs of the world, and nothing more: the doubles in ``livemuse.testing`` satisfy these too."""

from collections.abc import Sequence
from typing import Any, Protocol

from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note
from livemuse.music.schedule import Chosen, Extension, Plan


class Clock(Protocol):
    """Tells the time; the real one is the machine's monotonic clock."""

    def now_s(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...


class Stepper(Protocol):
    """A model that is told one note at a time and says what may come next.

    States are snapshots: ``feed`` returns a new one and leaves the old as it was, so going back costs nothing.
    """

    name: str
    hash: str
    labels: tuple[str, ...]
    """The styles it knows, as "genre:jazz"; (1, S) weights of them may be told with each note."""

    def start(self, style: Any = None) -> Any:
        """The state before the first note."""
        ...

    def feed(self, state: Any, note: tuple[int, int, int, int], style: Any = None) -> Any:
        """The state after (pitch, step bin, duration bin, velocity bin)."""
        ...

    def logits(self, state: Any, head: str, drawn: tuple[int, ...]) -> Any:
        """Float32 logits (n,) of ``head``, given what was already drawn of this note."""
        ...

    def step_logits(self, state: Any, pitches: Sequence[int]) -> Any:
        """Float32 logits (k, n) of the step, a row for each of k pitches that might come next."""
        ...

    def feed_many(self, states: Sequence[Any], notes: Sequence[tuple[int, ...]], style: Any = None) -> Sequence[Any]:
        """``feed`` for k states, each with its note: as one run, where that is cheaper."""
        ...

    def logits_many(self, states: Sequence[Any], head: str, drawn: Sequence[tuple[int, ...]]) -> Sequence[Any]:
        """``logits`` for k states, each with what was drawn of its note: k rows (n,)."""
        ...


class Partner(Protocol):
    """Who makes the notes: the improviser, as the engine and a virtual evening see it."""

    def listen(self, notes: Sequence[Note]) -> None:
        """These notes sounded."""
        ...

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        """How likely it is that nothing more is struck for each of ``turntaking.SILENCES_S`` after the last onset of
        ``tail`` (heard, but not yet final); empty where nothing can be said.
        """
        ...

    def roll(self, plan: Plan) -> None:
        """Candidates for this take may be rolled ahead."""
        ...

    def roll_on(self) -> bool:
        """Roll them a slice further; whether there is more to roll."""
        ...

    def choose(self, plan: Plan) -> Chosen | None:
        """The best of the candidates that were rolled for this call; None where there are none."""
        ...

    def begin(self, plan: Plan) -> None:
        """Make ready to improvise a take."""
        ...

    def extend(self, take_id: int, until_s: float, most: int = 64) -> Extension:
        """Improvise on."""
        ...

    def settle(self, take_id: int, last_index: int | None) -> None:
        """What was sent is now the past."""
        ...

    def discard(self, turn: int, at_s: float) -> None:
        """What was played of this turn is forgotten: another answer to the same call begins."""
        ...

    def remember(self, earlier: MotifMemory | None, at_s: float) -> None:
        """Motifs of an earlier session may be taken up too; None: none that were struck before ``at_s``."""
        ...


class Journal(Protocol):
    """Where everything that happened is written down as it happens."""

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        """Append one record; on disk within a second."""
        ...

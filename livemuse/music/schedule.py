"""What the duet wants done: actions for the improviser, for the stage, and for whoever keeps the time."""

from dataclasses import dataclass, replace
from typing import Final

from livemuse.music.context import NOTHING_HEARD, Context
from livemuse.music.controls import Controls
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note, PlannedNote, Who

CLOSING_NOTE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a take is to be improvised.

    ``start_s`` is the exact onset of its first note, or None where it goes on from notes already played and the
    model chooses. Nothing is struck before ``not_before_s`` nor from ``end_s`` on, nothing sounds past ``end_s``.
    Where ``closing`` is set the music ends with it: its last note is one to end on, and sounds until ``end_s``.
    Chance is keyed by (seed, turn, candidate, revision, note), notes counted from ``first_index``; where a search led
    to a ``path``, its pitches are the first. ``first_beat_s`` is where the chords begin, the first note of the turn
    however often it is made again; None: with this take. ``controls`` say
    what is meant: where the player set `auto`, they hold the key, tempo and chords that ``context`` was heard to have.
    """

    take: int
    turn: int
    revision: int
    tail: tuple[Note, ...]  # heard, but not yet final: fed for this take alone
    start_s: float | None
    not_before_s: float
    end_s: float
    notes_left: int | None
    first_index: int
    controls: Controls
    first_beat_s: float | None = None
    closing: bool = False
    context: Context = NOTHING_HEARD
    candidate: int = 0
    path: tuple[int, ...] = ()

    @property
    def last_onset_s(self) -> float:
        """Where the last note of a closing take is struck: it sounds for a second, or the last half of the take."""
        return self.end_s - min(CLOSING_NOTE_S, (self.end_s - self.not_before_s) / 2)


# --- for the improviser ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listen:
    """Feed notes that were heard, in the order of their onsets."""

    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Roll:
    """Roll candidates for this take ahead whenever there is nothing else to do: it may begin soon."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Begin:
    """Make ready to improvise a take: with the best of the candidates that were rolled for it, where ``choose``."""

    plan: Plan
    choose: bool = False


@dataclass(frozen=True, slots=True)
class Extend:
    """Improvise on, until a note lies past ``until_s`` or the take is complete."""

    take: int
    until_s: float


@dataclass(frozen=True, slots=True)
class Expect:
    """Say how long a silence is to be expected after these last notes; asked on behalf of a waiting take."""

    take: int
    tail: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Settle:
    """What was sent of a take has sounded and is now the past; the rest never was (None: nothing was sent)."""

    take: int
    last_index: int | None


@dataclass(frozen=True, slots=True)
class Discard:
    """Forget what was played of a turn: another answer to the same call begins at ``at_s``."""

    turn: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Remember:
    """Remember what was played in an earlier session too; or (None) nothing of what was struck before ``at_s``."""

    earlier: MotifMemory | None
    at_s: float


@dataclass(frozen=True, slots=True)
class Extension:
    """What ``Extend`` gave: newly planned notes, earlier ones that end sooner, and whether the take is complete."""

    take: int
    notes: tuple[PlannedNote, ...]
    shortened: tuple[PlannedNote, ...]
    done: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What ``Expect`` gave: how likely nothing more is struck for each of ``SILENCES_S``; empty where unknown."""

    take: int
    silence: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What ``Begin`` chose among: the candidates, the best first, and the pitches of each where a search led there."""

    take: int
    ranking: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...] = ()

    @property
    def fields(self) -> dict[str, object]:
        """As a record has it."""
        return {"take": self.take, "ranking": list(self.ranking), "paths": [list(path) for path in self.paths]}

    def plan(self, plan: Plan, place: int = 0) -> Plan:
        """A plan with the candidate that stands in this place."""
        path = self.paths[place] if self.paths else ()
        return replace(plan, candidate=self.ranking[place], path=path)


# --- for the stage -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenTake:
    """Announce a take; ``yields`` as in ``livemuse.midi.link``."""

    take: int
    yields: int
    release_s: float
    turn: int
    revision: int


@dataclass(frozen=True, slots=True)
class Play:
    """Send these notes when they are due, each on its channel; ``shortened`` are earlier ones that now end sooner."""

    notes: tuple[PlannedNote, ...]
    shortened: tuple[PlannedNote, ...]


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Drop what has not been sent; sounding notes end within ``release_s`` (negative: as planned)."""

    take: int
    release_s: float


@dataclass(frozen=True, slots=True)
class Silence:
    """End everything at once."""


# --- for whoever keeps time and minutes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call ``wake`` at this time."""

    at_s: float


@dataclass(frozen=True, slots=True)
class TurnBegins:
    """The player's call, or livemuse's answer, of turn ``number`` began."""

    number: int
    who: Who
    at_s: float


Task = Listen | Roll | Begin | Extend | Expect | Settle | Discard | Remember
"""What the improviser is asked to do."""
Made = Extension | Expected | Chosen
"""What it gives."""

Action = Task | OpenTake | Play | TakeBack | Silence | WakeAt | TurnBegins
"""What the duet wants done."""

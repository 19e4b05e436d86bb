"""What the duet wants done: actions for the improviser, for the stage, and for whoever keeps the time."""

from dataclasses import dataclass

from livemuse.music.controls import Controls
from livemuse.music.notes import Note, PlannedNote, Who


@dataclass(frozen=True, slots=True)
class Plan:
    """How a take is to be improvised.

    ``start_s`` is the exact onset of its first note, or None where it goes on from notes already played and the
    model chooses. Nothing is struck before ``not_before_s`` nor from ``end_s`` on, nothing sounds past ``end_s``.
    Chance is keyed by (seed, turn, revision, note), notes counted from ``first_index``. ``first_beat_s`` is where the
    chords begin, the first note of the turn however often it is made again; None: with this take.
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


# --- for the improviser ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listen:
    """Feed notes that were heard, in the order of their onsets."""

    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """Make ready to improvise a take."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Extend:
    """Improvise on, until a note lies past ``until_s`` or the take is complete."""

    take: int
    until_s: float


@dataclass(frozen=True, slots=True)
class Settle:
    """What was sent of a take has sounded and is now the past; the rest never was (None: nothing was sent)."""

    take: int
    last_index: int | None


@dataclass(frozen=True, slots=True)
class Extension:
    """What ``Extend`` gave: newly planned notes, earlier ones that end sooner, and whether the take is complete."""

    take: int
    notes: tuple[PlannedNote, ...]
    shortened: tuple[PlannedNote, ...]
    done: bool


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
    """Send these notes when they are due; ``shortened`` are earlier ones that now end sooner."""

    notes: tuple[PlannedNote, ...]
    shortened: tuple[PlannedNote, ...]
    channel: int


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


Action = Listen | Begin | Extend | Settle | OpenTake | Play | TakeBack | Silence | WakeAt | TurnBegins

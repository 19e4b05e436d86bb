"""The words of the musical core: what is heard, what is played, and who plays it.

Times are seconds on the monotonic clock (``_s``); channels are 0-15; pitches 0-127; velocities 1-127.
"""

from dataclasses import dataclass
from typing import Literal

Who = Literal["player", "livemuse"]

LOWEST_PITCH = 0
HIGHEST_PITCH = 127
PIANO_LOW = 21  # A0, the lowest key of a piano
PIANO_HIGH = 108  # C8, the highest


@dataclass(frozen=True, slots=True)
class Note:
    """One note as it sounded: when it was struck, its pitch, how long it rang, how hard."""

    onset_s: float
    pitch: int
    duration_s: float
    velocity: int

    @property
    def end_s(self) -> float:
        """When it stops sounding."""
        return self.onset_s + self.duration_s


@dataclass(frozen=True, slots=True)
class PlannedNote:
    """A note livemuse means to play: note ``index`` (from 0) of take ``take``."""

    take: int
    index: int
    onset_s: float
    pitch: int
    duration_s: float
    velocity: int
    channel: int = 0

    @property
    def end_s(self) -> float:
        """When it is to stop sounding."""
        return self.onset_s + self.duration_s


@dataclass(frozen=True, slots=True)
class KeyDown:
    """The player struck a key."""

    at_s: float
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class KeyUp:
    """The player let a key go."""

    at_s: float
    channel: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Pedal:
    """The player's sustain pedal went down or came up (controller 64, down from 64 on)."""

    at_s: float
    channel: int
    down: bool


@dataclass(frozen=True, slots=True)
class AllNotesOff:
    """The keyboard said that nothing is held any more (controllers 120 and 123-127)."""

    at_s: float
    channel: int


Heard = KeyDown | KeyUp | Pedal | AllNotesOff

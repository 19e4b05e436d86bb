"""What one improviser tells another that takes its place: the evening so far."""

from dataclasses import dataclass, field
from typing import Final

from livemuse.music.ceilings import Hand
from livemuse.music.notes import Note

WINDOW_NOTES: Final = 512  # the rolling window: what a newly chosen model is told of the evening so far
FEWEST_NOTES: Final = 3  # an answer has room for so many, however long its rests
LAST_ONSET_S: Final = 0.15  # no note is struck later than this before the end


@dataclass(frozen=True, slots=True)
class Memory:
    """The notes of both, oldest first; the pitches of the player alone; and what livemuse's hand plays."""

    window: tuple[Note, ...] = ()
    heard: tuple[int, ...] = ()
    hand: Hand = field(default_factory=Hand)  # never changed once it is here

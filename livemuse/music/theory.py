"""Keys: a tonic and a scale, as a musician writes them (``Eb dorian``)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from livemuse.errors import ControlError

_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS: Final = {"": 0, "#": 1, "b": -1, "♯": 1, "♭": -1}
PITCH_CLASS_NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

# semitones above the tonic
SCALES: Final[dict[str, tuple[int, ...]]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "octatonic": (0, 2, 3, 5, 6, 8, 9, 11),
    "chromatic": tuple(range(12)),
}
_OTHER_NAMES: Final = {
    "ionian": "major",
    "aeolian": "minor",
    "natural minor": "minor",
    "pentatonic": "major pentatonic",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (0 = C to 11 = B) and the name of a scale in ``SCALES``."""

    tonic: int
    scale: str

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes (0-11) that belong to the key."""
        return frozenset((self.tonic + step) % 12 for step in SCALES[self.scale])

    @property
    def tonic_triad(self) -> frozenset[int]:
        """The pitch classes of the chord to end on: tonic, third and fifth, as far as the scale has them."""
        steps = (3 if 3 in SCALES[self.scale] and 4 not in SCALES[self.scale] else 4, 7)
        return frozenset({self.tonic, *((self.tonic + step) % 12 for step in steps)}) & self.pitch_classes

    def __str__(self) -> str:
        return f"{PITCH_CLASS_NAMES[self.tonic]} {self.scale}"


@lru_cache(maxsize=256)
def parse_key(text: str) -> Key:
    """``Eb dorian``, ``F# minor``, ``c`` (major is meant); ControlError for what is no key."""
    words = text.replace("_", " ").split()
    tonic = words[0] if words else ""
    letter, accidental = tonic[:1].upper(), tonic[1:]
    scale = " ".join(words[1:]).lower() or "major"
    scale = _OTHER_NAMES.get(scale, scale)
    if letter not in _LETTERS or accidental not in _ACCIDENTALS:
        raise ControlError(f"{text!r} is not a key.", "Write a tonic and a scale, for example 'Eb dorian', or 'off'.")
    if scale not in SCALES:
        raise ControlError(f"There is no scale called {scale!r}.", "Known: " + ", ".join(SCALES) + ".")
    return Key((_LETTERS[letter] + _ACCIDENTALS[accidental]) % 12, scale)


def pitch_name(pitch: int) -> str:
    """60 -> ``C4`` (the octave numbering of scientific pitch notation)."""
    return f"{PITCH_CLASS_NAMES[pitch % 12]}{pitch // 12 - 1}"

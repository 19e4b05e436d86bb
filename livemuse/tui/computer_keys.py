"""The computer's keyboard as a piano, laid out as trackers have it: two and a half octaves from two rows each.

The lower row, ``z x c v b n m``, is an octave of white keys with ``s d g h j`` as its black ones; the upper row,
``q w e r t y u`` with ``2 3 5 6 7``, is the octave above; both go on a little to the right.
"""

from dataclasses import dataclass, replace
from typing import Final

# semitones above the C of the lower row
LAYOUT: Final = {
    "z": 0, "s": 1, "x": 2, "d": 3, "c": 4, "v": 5, "g": 6, "b": 7, "h": 8, "n": 9, "j": 10, "m": 11,
    ",": 12, "l": 13, ".": 14, ";": 15, "/": 16,
    "q": 12, "2": 13, "w": 14, "3": 15, "e": 16, "r": 17, "5": 18, "t": 19, "6": 20, "y": 21, "7": 22, "u": 23,
    "i": 24, "9": 25, "o": 26, "0": 27, "p": 28,
}  # fmt: skip
HOLD_S: Final = 0.35  # terminals tell no key-up: a typed note lasts so long, and a repeat lengthens it
HIGHEST_OCTAVE: Final = 7
_SOFTEST, _LOUDEST, _VELOCITY_STEP = 16, 127, 16


@dataclass(frozen=True, slots=True)
class ComputerKeys:
    """Which octave the lower row plays (4: its ``z`` is middle C), and how hard its keys strike."""

    octave: int = 4
    velocity: int = 80

    def pitch(self, character: str | None) -> int | None:
        """The pitch a typed character plays, None where it plays none; capitals play as small letters do."""
        step = LAYOUT.get(character.lower()) if character else None
        pitch = (self.octave + 1) * 12 + step if step is not None else -1
        return pitch if 0 <= pitch <= 127 else None

    def letters(self) -> dict[int, str]:
        """The character that plays each pitch; the upper row where two do."""
        low = (self.octave + 1) * 12
        return {low + step: letter for letter, step in LAYOUT.items() if low + step <= 127}

    def shifted(self, octaves: int) -> "ComputerKeys":
        """These keys some octaves higher or lower."""
        return replace(self, octave=min(max(self.octave + octaves, 0), HIGHEST_OCTAVE))

    def louder(self, steps: int) -> "ComputerKeys":
        """These keys struck harder, or softer."""
        return replace(self, velocity=min(max(self.velocity + steps * _VELOCITY_STEP, _SOFTEST), _LOUDEST))

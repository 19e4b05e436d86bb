"""Keys: a tonic and a scale, as a musician writes them (``Eb dorian``), or pitches of one's own (``{C E G A}``)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from livemuse.errors import ControlError
from livemuse.music.scales import SCALES, scale_called, scales_near

__all__ = ["PITCH_CLASS_NAMES", "SCALES", "Key", "parse_key", "pitch_class_of", "pitch_name"]

_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
PITCH_CLASS_NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
OWN: Final = "own"  # the scale of a key that is a set of pitches
_NOTE: Final = re.compile(r"[A-Ga-g](?:[#♯]{0,2}|[b♭]{0,2})")
_TONIC: Final = re.compile(rf"({_NOTE.pattern})(m?)")
_LONGEST: Final = 200  # characters


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (0 = C to 11 = B) and the name of a scale in ``SCALES``; or scale ``own``, and its steps."""

    tonic: int
    scale: str
    own: tuple[int, ...] = ()  # semitones above the tonic, rising from 0

    @property
    def steps(self) -> tuple[int, ...]:
        """Semitones above the tonic, rising from 0."""
        return self.own if self.scale == OWN else SCALES[self.scale]

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes (0-11) that belong to the key."""
        return frozenset((self.tonic + step) % 12 for step in self.steps)

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is a minor one, and no major one is there."""
        return 3 in self.steps and 4 not in self.steps

    @property
    def tonic_triad(self) -> frozenset[int]:
        """The pitch classes of the chord to end on: tonic, third and fifth, as far as the scale has them."""
        steps = (0, 3 if self.is_minor else 4, 7)
        return frozenset((self.tonic + step) % 12 for step in steps) & self.pitch_classes

    def __str__(self) -> str:
        if self.scale == OWN:
            return "{" + " ".join(PITCH_CLASS_NAMES[(self.tonic + step) % 12] for step in self.own) + "}"
        return f"{PITCH_CLASS_NAMES[self.tonic]} {self.scale}"


def pitch_class_of(name: str) -> int | None:
    """The pitch class (0-11) of a note name such as ``Eb``, ``f#`` or ``B♭``; None for what is none."""
    if not _NOTE.fullmatch(name):
        return None
    sharps, flats = (sum(name[1:].count(sign) for sign in signs) for signs in ("#♯", "b♭"))
    return (_LETTERS[name[0].upper()] + sharps - flats) % 12


@lru_cache(maxsize=256)
def parse_key(text: str) -> Key:
    """``Eb dorian``, ``F#m``, ``c`` (major is meant), ``{C E G A}``; ControlError for what is no key."""
    names = re.split(r"[\s,;]+", text[:_LONGEST].strip().strip("{}").strip(" ,;"))
    if text.lstrip().startswith("{") or (len(names) > 1 and all(pitch_class_of(name) is not None for name in names)):
        return _own_key(text, names)
    words = text[:_LONGEST].replace("_", " ").split()
    tonic = _TONIC.fullmatch(words[0]) if words else None
    found = pitch_class_of(tonic[1]) if tonic else None
    if tonic is None or found is None or (tonic[2] and len(words) > 1):
        raise ControlError(
            f"{text[:60]!r} is not a key.",
            "Write a tonic and a scale, as 'Eb dorian', pitches of your own, as '{C E G A}', or 'off'.",
        )
    name = "minor" if tonic[2] else " ".join(words[1:]) or "major"
    scale = scale_called(name)
    if scale is None:
        near = scales_near(name)
        known = (
            f"Near: {', '.join(near)}." if near else f"Known: {', '.join(list(SCALES)[:7])}, {len(SCALES) - 7} more."
        )
        raise ControlError(f"There is no scale called {name[:60].lower()!r}.", known)
    return Key(found, scale)


def _own_key(text: str, names: list[str]) -> Key:
    """A set of pitches; the first of them is the tonic."""
    classes: list[int] = []
    for name in names:
        found = pitch_class_of(name)
        if found is None:
            raise ControlError(f"{text[:60]!r} is no set of pitches.", "Write note names in braces, as '{C E G A}'.")
        classes.append(found)
    return Key(classes[0], OWN, tuple(sorted({(found - classes[0]) % 12 for found in classes})))


def pitch_name(pitch: int) -> str:
    """60 -> ``C4`` (the octave numbering of scientific pitch notation)."""
    return f"{PITCH_CLASS_NAMES[pitch % 12]}{pitch // 12 - 1}"

"""Roman numerals: chords by their degree in a key, as ``ii7``, ``bVII``, ``viiø7``, ``V65``, ``V7/vi``.

Capitals are major and small letters minor triads; what follows means what it means in a chord symbol, but for the
figures of inversions (6, 64, 65, 43, 42). Flats count from the major scale in every key, so ``bVII`` of C minor is Bb,
as of C major. Plain degrees and sharps count from the scale of the key (from the natural minor where it is harmonic or
melodic minor), but for ``vii°``, which leads to the tonic. Source: the notation as in Aldwell and Schachter 2003.
"""

import re
from functools import lru_cache
from typing import Final

from livemuse.music.chords import Chord, chord_on, chord_steps, plain_signs
from livemuse.music.theory import PITCH_CLASS_NAMES, Key

_NUMERAL: Final = re.compile(
    r"([#b]{0,2})(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?![IViv])"
    r"(?:([°ºoø+]?)(64|65|43|42|6)|((?:[^/]|/9)*))(?:/(?!9)([^/]+))?"
)
_DEGREES: Final = ("I", "II", "III", "IV", "V", "VI", "VII")
_MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
_MINOR: Final = (0, 2, 3, 5, 7, 8, 10)
_INVERSIONS: Final = {"": ("", 0), "6": ("", 1), "64": ("", 2), "65": ("7", 1), "43": ("7", 2), "42": ("7", 3)}
"""Figure: (the chord that is meant, which of its notes is the lowest)."""
_DIMINISHED: Final = re.compile(r"[°ºoø]|dim")
_SAYS_MINOR: Final = re.compile(r"m(?!aj|a\d)|-")
_LONGEST: Final = 30  # characters


@lru_cache(maxsize=512)
def parse_numeral(text: str, key: Key) -> Chord | None:
    """The chord of a numeral in a key; None for what is no numeral. ``V/V`` is the fifth of the fifth."""
    written = plain_signs(text)
    found = _NUMERAL.fullmatch(written) if len(written) <= _LONGEST else None
    if found is None:
        return None
    signs, numeral, quality, figure, suffix, of = found.groups()
    suffix = quality if figure else suffix
    if of is not None:
        target = parse_numeral(of, key)
        if target is None:
            return None
        key = Key(target.root, "minor" if of.lstrip("#b").islower() else "major")
    diminished = bool(_DIMINISHED.match(suffix))
    if numeral.islower() and not diminished and not _SAYS_MINOR.match(suffix):
        suffix = "m" + suffix
    seventh, lowest = _INVERSIONS[figure or ""]
    steps = chord_steps(suffix + seventh)
    if steps is None:
        return None
    from_major = "b" in signs or (diminished and numeral == "vii" and "#" not in signs)
    scale = _MAJOR if from_major else _degrees_of(key)
    root = (key.tonic + scale[_DEGREES.index(numeral.upper())] + signs.count("#") - signs.count("b")) % 12
    bass = (root + sorted(steps)[lowest]) % 12
    slash = "" if bass == root else f"/{PITCH_CLASS_NAMES[bass]}"
    return chord_on(root, steps, bass, f"{PITCH_CLASS_NAMES[root]}{suffix}{seventh}{slash}")


def _degrees_of(key: Key) -> tuple[int, ...]:
    """The seven degrees that numerals count from."""
    if len(key.steps) == 7 and key.scale not in ("harmonic minor", "melodic minor"):
        return key.steps
    return _MINOR if key.is_minor else _MAJOR

"""The scales by name: every mode of major, harmonic minor and melodic minor, pentatonics, blues, symmetric ones.

Modes are turned out of their parent scale, so that none can be mistyped; the other rows are semitones above the tonic.
Sources: the modes as in Persichetti 1961 and Levine 1995; Japanese pentatonics as in Malm 1959 and Burrows 1989.
"""

import re
from typing import Final

Steps = tuple[int, ...]
"""Semitones above the tonic, rising from 0."""

_MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
_HARMONIC_MINOR: Final = (0, 2, 3, 5, 7, 8, 11)
_MELODIC_MINOR: Final = (0, 2, 3, 5, 7, 9, 11)
# The modes of each parent from its first degree on: the name that is kept, then other names.
_MODES: Final[dict[Steps, tuple[str, ...]]] = {
    _MAJOR: (
        "major|ionian",
        "dorian",
        "phrygian",
        "lydian",
        "mixolydian|dominant",
        "minor|aeolian|natural minor",
        "locrian",
    ),
    _HARMONIC_MINOR: (
        "harmonic minor|aeolian #7",
        "locrian #6|locrian natural 6|locrian 6",
        "ionian #5|ionian augmented|augmented major|major #5",
        "dorian #4|ukrainian dorian|romanian|romanian minor|dorian #11|altered dorian",
        "phrygian dominant|spanish|spanish phrygian|freygish|phrygian major|phrygian #3|mixolydian b9 b13",
        "lydian #2|lydian #9",
        "ultralocrian|super locrian bb7|superlocrian bb7|altered bb7|altered diminished",
    ),
    _MELODIC_MINOR: (
        "melodic minor|jazz minor|ionian b3|dorian #7",
        "dorian b2|phrygian #6|phrygian natural 6|dorian b9|assyrian",
        "lydian augmented|lydian #5",
        "lydian dominant|overtone|acoustic|lydian b7|mixolydian #4|mixolydian #11",
        "mixolydian b6|aeolian dominant|hindu|melodic major|mixolydian b13",
        "locrian #2|half diminished|aeolian b5|locrian natural 2|locrian 2|locrian #9",
        "altered|super locrian|superlocrian|altered dominant|diminished whole tone|locrian b4",
    ),
}
_OTHERS: Final[dict[str, Steps]] = {
    "harmonic major|ionian b6": (0, 2, 4, 5, 7, 8, 11),
    "double harmonic|byzantine|arabic|gypsy major": (0, 1, 4, 5, 7, 8, 11),
    "hungarian minor|gypsy minor|double harmonic minor": (0, 2, 3, 6, 7, 8, 11),
    "neapolitan minor": (0, 1, 3, 5, 7, 8, 11),
    "neapolitan major": (0, 1, 3, 5, 7, 9, 11),
    "bebop|bebop dominant": (0, 2, 4, 5, 7, 9, 10, 11),
    "bebop major": (0, 2, 4, 5, 7, 8, 9, 11),
    "major pentatonic|pentatonic|pentatonic major": (0, 2, 4, 7, 9),
    "minor pentatonic|pentatonic minor": (0, 3, 5, 7, 10),
    "egyptian|suspended pentatonic": (0, 2, 5, 7, 10),
    "blues minor pentatonic|man gong": (0, 3, 5, 8, 10),
    "blues major pentatonic|ritsu|yo|ritusen": (0, 2, 5, 7, 9),
    "dominant pentatonic": (0, 2, 4, 7, 10),
    "hirajoshi": (0, 2, 3, 7, 8),
    "kumoi": (0, 2, 3, 7, 9),
    "in|miyako bushi|sakura": (0, 1, 5, 7, 8),
    "insen|in sen": (0, 1, 5, 7, 10),
    "iwato": (0, 1, 5, 6, 10),
    "pelog": (0, 1, 3, 7, 8),
    "blues|minor blues|blues minor": (0, 3, 5, 6, 7, 10),
    "major blues|blues major": (0, 2, 3, 4, 7, 9),
    "whole tone|wholetone": (0, 2, 4, 6, 8, 10),
    "octatonic|diminished|whole half|whole half diminished|octatonic whole half": (0, 2, 3, 5, 6, 8, 9, 11),
    "half whole|dominant diminished|half whole diminished|octatonic half whole": (0, 1, 3, 4, 6, 7, 9, 10),
    "augmented|hexatonic": (0, 3, 4, 7, 8, 11),
    "chromatic|all": tuple(range(12)),
}


def _mode(parent: Steps, degree: int) -> Steps:
    """The scale that begins on a degree (from 0) of its parent."""
    return tuple(sorted((step - parent[degree]) % 12 for step in parent))


_ROWS: Final[dict[str, Steps]] = {
    names: _mode(parent, degree) for parent, modes in _MODES.items() for degree, names in enumerate(modes)
} | _OTHERS
SCALES: Final[dict[str, Steps]] = {names.split("|")[0]: steps for names, steps in _ROWS.items()}
"""Semitones above the tonic of each scale, by the name that is kept."""
_NAMES: Final = {name: names.split("|")[0] for names in _ROWS for name in names.split("|")}


def scale_called(name: str) -> str | None:
    """The kept name of a scale by any of its names (case, hyphens and ♯ ♭ ♮ as one writes them), or None."""
    return _NAMES.get(_plain(name))


def scales_near(name: str, most: int = 4) -> list[str]:
    """Kept names of scales that are written much like ``name``, the nearest first."""
    import difflib  # late: it is seldom needed, and a console must be there at once

    near = difflib.get_close_matches(_plain(name)[:60], _NAMES, 2 * most, 0.6)
    return list(dict.fromkeys(_NAMES[found] for found in near))[:most]


def _plain(name: str) -> str:
    name = name.lower().replace("♯", "#").replace("♭", "b").replace("♮", "natural ")
    name = re.sub(r"\b(?:sharp|raised)\s*(?=\d)", "#", re.sub(r"\b(?:flat|lowered)\s*(?=\d)", "b", name))
    return " ".join(re.sub(r"[-_/\s]+", " ", name).removesuffix(" scale").removesuffix(" mode").split())

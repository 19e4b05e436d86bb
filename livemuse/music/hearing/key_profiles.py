"""What each degree speaks for a key, and which scales a key may be heard to have.

The profiles of major and minor are the weights of a logistic regression over the 24 keys, as `python -m training
hearing-key --learn` learns it: from the train split's pieces that state a key (their beginnings and ends), and from
POP909's train songs with the keys of its authors. They have the form of the probe-tone profiles of Krumhansl and
Kessler 1982, taken as log-likelihoods as in Temperley, Music and Probability, 2007; that such numbers are better
taken from music than from listeners was shown by Albrecht and Shanahan 2013. As plain sums on the train pieces after
10, 20 and 40 notes, each composition once, Krumhansl's and Kessler's are right 70, 72 and 73 times in a hundred,
Temperley's of Kostka and Payne 76, 78 and 81, Albrecht's and Shanahan's 78, 80 and 82, these 80, 80 and 84.

No data here is marked as modal or as blues: those profiles are major and minor with their own degrees put in, by
hand, and MODAL_NATS is the least that costs nothing where music is plain major or minor.
"""

from __future__ import annotations

import math
from typing import Final

from livemuse.music.theory import SCALES

PROFILES: Final[dict[str, tuple[float, ...]]] = {
    "major": (4.6, -2.6, 1.4, -2.6, 3.6, 1.1, -3.8, 4.3, -2.0, 0.5, -5.8, 0.1),
    "minor": (4.8, -5.2, 1.0, 3.3, -1.8, 1.3, -2.2, 4.1, 0.0, -5.3, 0.4, 0.9),
    "dorian": (4.8, -5.2, 1.0, 3.3, -1.8, 1.3, -2.2, 4.1, -5.0, 0.0, 0.4, -3.0),
    "mixolydian": (4.6, -2.6, 1.4, -2.6, 3.6, 1.1, -3.8, 4.3, -2.0, 0.5, 0.0, -5.0),
    "blues": (4.8, -5.0, 0.5, 2.0, 2.0, 1.3, -0.5, 4.1, -4.0, 0.2, 1.2, -4.0),
}
"""What a note speaks for a key, by its semitones above the tonic: nats, where every note said the same."""
MODAL_NATS: Final = 1.5  # so much less likely is a mode or a blues before anything is heard
FAMILIES: Final = tuple(PROFILES)
STATES: Final = tuple((tonic, family) for family in FAMILIES for tonic in range(12))
"""Every key that is weighed, as (tonic 0-11, family); the tables below are in this order."""
SPEAKS: Final = tuple(
    tuple(PROFILES[family][(pitch_class - tonic) % 12] for tonic, family in STATES) for pitch_class in range(12)
)
"""By pitch class: what a note speaks for each of STATES."""
BEFORE: Final = tuple(0.0 if family in ("major", "minor") else -MODAL_NATS for _, family in STATES)

FINER: Final = {
    "major": ("major", "mixolydian", "lydian", "major pentatonic", "blues"),
    "minor": (
        "minor", "harmonic minor", "dorian", "phrygian", "melodic minor", "minor pentatonic", "blues", "locrian",
    ),
}  # fmt: skip
"""The scales that a key in major or minor may have, the plain one first."""
_STRAY: Final = 0.05  # of the notes lie outside the scale
INSIDE: Final = {name: math.log((1.0 - _STRAY) / len(steps)) for name, steps in SCALES.items()}
"""Nats of a note that lies in a scale, where all that do are as likely."""
OUTSIDE: Final = {name: math.log(_STRAY / max(12 - len(steps), 1)) for name, steps in SCALES.items()}
"""Nats of one that does not."""
CLASSES: Final = {
    (tonic, name): tuple((tonic + step) % 12 for step in steps) for name, steps in SCALES.items() for tonic in range(12)
}
"""The pitch classes of every scale on every tonic."""

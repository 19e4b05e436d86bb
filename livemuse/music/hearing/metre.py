"""Where the bar begins: nine readings of the beats (bars of 2, 3 and 4, from any beat on), weighed beat by beat.

After Temperley 2007, "Music and Probability", chapter 3: what is struck on a beat is likelier on some beats of a bar
than on others.
"""

from __future__ import annotations

import math
from typing import Final

from livemuse.music.hearing.beat_tables import BAR_SHARES, BARS, RESTS

CYCLE: Final = 12  # beats after which bars of 2, 3 and 4 begin together again
METRES: Final = tuple((beats, first) for beats in (2, 3, 4) for first in range(beats))
"""(beats a bar, the beat from 0 on which a bar begins)."""

Metres = tuple[float, ...]
"""The log weight of each of METRES."""

_SHARES: Final = {2: 0.35, 3: 0.3, 4: 0.35}
AT_FIRST: Final[Metres] = tuple(math.log(_SHARES[beats] / beats) for beats, _ in METRES)
_MEMORY: Final = 0.985  # what a beat says counts less by this with each one after it
_CLEAR: Final = 0.85  # a reading as likely as this is told
_FOUR: Final = 4.0  # two bars of two are one of four where one of the two is so much likelier to begin it


def _kind(beat: int, beats: int, first: int) -> int:
    """0 the first beat of a bar, 1 the middle of a bar of four, 2 another."""
    k = (beat - first) % beats
    return 0 if k == 0 else 1 if beats == 4 and k == 2 else 2


_KINDS: Final = tuple(tuple(_kind(beat, *metre) for metre in METRES) for beat in range(CYCLE))
_NOTHING: Final = tuple(rest for rest, _ in RESTS)

Signs = tuple[float, float, float]
"""How well what is struck fits the first beat of a bar, the middle of a bar of four, another beat: log likelihoods."""


def signs_of(accents: tuple[float, ...]) -> Signs:
    """How well an event on a beat fits each kind of beat."""
    found = [row[0] + sum(map(float.__mul__, row[1:], accents)) for row in BARS]
    norm = math.log(sum(share * math.exp(f) for share, f in zip(BAR_SHARES, found, strict=True)))
    return tuple(f - norm + sounds for f, (_, sounds) in zip(found, RESTS, strict=True))  # type: ignore[return-value]


def after_beats(metres: Metres, beat: int, gone: int, signs: Signs | None) -> Metres:
    """The readings ``gone`` beats after ``beat`` (0 to 11), of which the last has these signs, or None: nothing."""
    for k in range(max(gone - CYCLE, 0) + 1, gone + 1):
        kinds = _KINDS[(beat + k) % CYCLE]
        weights = signs if k == gone and signs is not None else _NOTHING
        metres = tuple([_MEMORY * m + weights[kind] for m, kind in zip(metres, kinds, strict=True)])
    return metres


def clearest(metres: Metres) -> tuple[int, int] | None:
    """(beats a bar, the beat from 0 to 11 on which one begins), or None where no reading is clear.

    Bars of four on any beat of a bar of two agree with it. Where they are clear together, four is told if one of the
    two places where they can begin is much likelier than the other.
    """
    top = max(metres)
    shares = {metre: math.exp(m - top) for metre, m in zip(METRES, metres, strict=True)}
    total = sum(shares.values())
    beats, first = max(shares, key=shares.__getitem__)
    if beats == 3:
        return (3, first) if shares[3, first] >= _CLEAR * total else None
    first %= 2
    one, other = shares[4, first], shares[4, first + 2]
    if shares[2, first] + one + other < _CLEAR * total:
        return None
    if max(one, other) < _FOUR * min(one, other):
        return 2, first
    return 4, first if one > other else first + 2

"""The chords there are to be heard, how common each is, and how each is struck: as bass and above it.

The shares are rounded from counts over train songs of POP909 and two fifths of the Mozart sonatas annotated by
Hentschel, Neuwirth and Rohrmeier (2021): of the keys struck above the bass while a plain triad sounds, 26 to 32 in a
hundred are its root, 23 to 29 its third and 22 to 31 its fifth; of a seventh chord 16 to 29 its seventh.
"""

from __future__ import annotations

from typing import Final

QUALITIES: Final[dict[str, tuple[int, ...]]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "m7b5": (0, 3, 6, 10),
    "6": (0, 4, 7, 9),
    "7sus4": (0, 5, 7, 10),
    "9": (0, 2, 4, 7, 10),
    "add9": (0, 2, 4, 7),
    "m6": (0, 3, 7, 9),
    "maj9": (0, 2, 4, 7, 11),
    "m9": (0, 2, 3, 7, 10),
    "aug": (0, 4, 8),
    "5": (0, 7),
}
"""Semitones above the root, by what a lead sheet writes after it."""
NAMES: Final = tuple(QUALITIES)
CHORDS: Final = tuple((root, quality) for quality in NAMES for root in range(12))
"""Every chord as (root 0-11, quality); the tables below are in this order."""

_HOW_COMMON: Final = (
    0.34, 0.22, 0.12, 0.07, 0.05, 0.05, 0.03, 0.03, 0.025, 0.02, 0.012, 0.015, 0.01, 0.01, 0.01, 0.008, 0.008, 0.02,
    0.005,
)  # fmt: skip
_ROOT, _BASS_ROOT = 1.1, 2.0  # how often keys of each kind are struck, in shares of one another
_TONE: Final = {2: 0.75, 3: 0.85, 4: 0.85, 5: 0.75, 6: 0.9, 7: 0.9, 8: 0.9, 9: 0.8, 10: 0.8, 11: 0.8}
_PASSING, _BASS_PASSING = 0.12, 0.04  # a note beside the chord that its scale has
_CHROMATIC, _BASS_CHROMATIC = 0.05, 0.03
_SCALE_NOTES: Final = {4: (2, 5, 9), 3: (2, 5, 10), None: (2, 4, 5, 9)}  # beside chords with this third
_SPEAKS: Final = 1.2  # a struck key counts so many times what the shares say
_SOUNDS: Final = 0.15  # and one that goes on sounding


def _shares(steps: tuple[int, ...], root: float, passing: float, chromatic: float) -> list[float]:
    third = next((step for step in (4, 3) if step in steps), None)
    beside = [passing if step in _SCALE_NOTES[third] else chromatic for step in range(12)]
    struck = [root if step == 0 else _TONE[step] if step in steps else beside[step] for step in range(12)]
    return [share / sum(struck) for share in struck]


def _table(root: float, passing: float, chromatic: float, power: float) -> tuple[tuple[float, ...], ...]:
    shares = {quality: _shares(steps, root, passing, chromatic) for quality, steps in QUALITIES.items()}
    return tuple(
        tuple((12.0 * shares[quality][(pitch_class - root_) % 12]) ** power for root_, quality in CHORDS)
        for pitch_class in range(12)
    )


ABOVE: Final = _table(_ROOT, _PASSING, _CHROMATIC, _SPEAKS)
"""By pitch class: how much a key struck above the bass speaks for each chord (1: neither for nor against)."""
BASS: Final = _table(_BASS_ROOT, _BASS_PASSING, _BASS_CHROMATIC, _SPEAKS)
SOUNDING: Final = _table(_ROOT, _PASSING, _CHROMATIC, _SOUNDS)
COMMON: Final = tuple(share / sum(_HOW_COMMON) / 12.0 for share in _HOW_COMMON for _ in range(12))
"""How likely each chord is before anything is heard; they sum to 1."""

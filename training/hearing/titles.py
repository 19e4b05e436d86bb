"""The key that a piece states of itself: in its title (``Sonata in C-sharp minor``), or as its key signature.

A title counts where it names one key for all that the file holds: a later movement of a work has a key of its own,
and is left out. Names are read as English (``B-flat minor``, ``F# Min``, ``in Eb``) or, before ``Dur`` and ``Moll``,
as German (``cis-Moll``; ``B-Dur`` is B flat major, ``H-Dur`` is B major). A tonic alone is major (``Sonata in A,
K. 331``; ``Military march E-flat``), and in lower case minor (``Sonata in a, K. 310``).
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

Mode = Literal["major", "minor"]


class Stated(NamedTuple):
    """A tonic (0 = C to 11 = B) and its mode."""

    tonic: int
    mode: Mode


_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "H": 11}
_ALTERED: Final = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
_GERMAN: Final = {"es": -1, "s": -1, "is": 1, "": 0}

_NO_LETTER: Final = r"(?<![A-Za-z.])"
_ENGLISH: Final = re.compile(
    _NO_LETTER + r"([A-Ga-g])[ -]?(#|♯|b|♭|(?i:sharp|flat))?[ -]*(?i:(major|minor|maj\b|min\b))"
)
_DUR_MOLL: Final = re.compile(_NO_LETTER + r"([A-Ha-h])(es|is|s)?[ -]+(?i:(dur|moll))\b")
_CATALOGUE: Final = r"(?i:on\b|(?:op|kv?|d|s|hob|bwv|hwv|woo)\.?\s*[\dXIV])"
_ENDS: Final = r"(?=\s*(?:$|[,(:]|" + _CATALOGUE + "))"
_TONIC_ALONE: Final = re.compile(r"\b[Ii]n ([A-Ga-g])(?:[ -]?(#|♯|b|♭|(?i:sharp|flat)))?" + _ENDS)
_ALTERED_ALONE: Final = re.compile(_NO_LETTER + r"([A-G])(?:(#|♯|b|♭)|[ -]((?i:sharp|flat)))" + _ENDS)
_LATER_MOVEMENT: Final = re.compile(
    r"(?i:\b(?:2nd|3rd|4th|5th|second|third|fourth|fifth|last|final) (?:&|and|mov|part)|\b[2-9]\. satz|\baus\b|\ba\. )"
    r"|(?i:missing|\b2nd part|scherzo, rondo)|,\s*(?:II|III|IV|V|VI)\b|- +(?:II|III|IV|V|VI)\."
)
_LAST_NUMBER: Final = re.compile(r"(\d+)(?=\D*$)")


def key_in_title(title: str, numbered_movements: bool = False) -> Stated | None:
    """The one key that a title states for the whole of its file, or None.

    ``numbered_movements``: the last number of a sonata's title is its movement, as piano-midi.de writes it.
    """
    title = title.replace("_", " ")
    if _LATER_MOVEMENT.search(title):
        return None
    if numbered_movements and "sonat" in title.lower():
        last = _LAST_NUMBER.search(title)
        if last is not None and last.group(1) != "1":
            return None
    found = {_english(*match.groups()) for match in _ENGLISH.finditer(title)}
    found |= {_german(*match.groups()) for match in _DUR_MOLL.finditer(title)}
    found |= {_english(m[1], m[2] or m[3], "major") for m in _ALTERED_ALONE.finditer(title)}
    if not found:
        alone = (match.groups() for match in _TONIC_ALONE.finditer(title))
        found = {_english(letter, sign, "minor" if letter.islower() else "major") for letter, sign in alone}
    return found.pop() if len(found) == 1 else None


def key_of_signature(sharps: int, minor: bool) -> Stated:
    """The key of a MIDI key signature: sharps (-7 to 7, flats negative) and its mode."""
    return Stated((7 * sharps + (9 if minor else 0)) % 12, "minor" if minor else "major")


def key_of_annotation(text: str) -> Stated | None:
    """The key of a line ``begin end Gb:maj``, as POP909 has them; None where there are several, or none is known."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    match = re.fullmatch(r"([A-G])([#b]?):(maj|min)", lines[0][-1]) if len(lines) == 1 else None
    return _english(*match.groups()) if match is not None else None


def _english(letter: str, altered: str | None, mode: str) -> Stated:
    tonic = (_LETTERS[letter.upper()] + _ALTERED[(altered or "").lower()]) % 12
    return Stated(tonic, "major" if mode.lower().startswith("maj") else "minor")


def _german(letter: str, altered: str | None, mode: str) -> Stated:
    tonic = _LETTERS[letter.upper()] + _GERMAN[altered or ""]
    if letter in "Bb" and not altered:
        tonic = 10
    return Stated(tonic % 12, "major" if mode.lower() == "dur" else "minor")

"""Chord symbols, as they stand in a lead sheet: ``Am``, ``F#m7b5``, ``Bbmaj7/D``, ``G13``, ``Csus4``, ``N.C.``

Written here because the one small, kept library for it (pychord, MIT) refuses much of what musicians type: ``N.C.``,
``C-7``, ``CΔ``, ``C°7``, ``Cø``, ``C7alt``, ``C7(b9,#11)``, ``A♭``. Of a thirteenth chord with a major third the
eleventh is left out, and of an eleventh chord the major third, as they are played (Levine 1995).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from livemuse.errors import ControlError
from livemuse.music.theory import PITCH_CLASS_NAMES, pitch_class_of

_SEMITONES: Final = {2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 10, 9: 14, 11: 17, 13: 21}  # above the root, of a dominant chord
_THIRDS: Final = {"": 4, "m": 3, "dim": 3, "hdim": 3, "aug": 4}
_FIFTHS: Final = {"dim": 6, "hdim": 6, "aug": 8}
_SIGN: Final = re.compile(
    r"(?P<maj>[Mm]ajor|[Mm]aj|[Mm]a(?!dd)|M(?!i)|(?P<seventh>[Δ△^]))"
    r"|(?P<m>[Mm]inor|[Mm]in|[Mm]i|m)|(?P<dim>dim|°|º|o(?!mit))|(?P<hdim>[øØ⌀])|(?P<aug>aug|\+(?!\d))"
    r"|(?P<sixnine>6/?9)|(?P<sus>sus(?:2/?4|[24])?)|(?P<alt>alt)|add(?P<add>[b#]?(?:13|11|[24679]))"
    r"|(?:no|omit)(?P<no>[35])|(?P<altered>[b#+-](?:13|11|[4569]))|(?P<number>13|11|[245679])|(?P<nothing>[(),\s])"
)
_ROOT: Final = r"[A-Ga-g](?:#{1,2}|b{1,2})?"
_SYMBOL: Final = re.compile(rf"({_ROOT})(.*?)(?:/({_ROOT}))?", re.DOTALL)
_LONGEST: Final = 30  # characters
_NO_CHORD: Final = frozenset({"n.c.", "n.c", "nc"})

Sign = tuple[str, str]
"""What a part of a symbol is, and how it is written: ("altered", "b9")."""


@dataclass(frozen=True, slots=True)
class Chord:
    """A root (0 = C to 11 = B), the pitch classes that belong to the chord, and its bass (mostly the root)."""

    root: int
    pitch_classes: frozenset[int]
    bass: int
    symbol: str

    def __str__(self) -> str:
        return self.symbol


@lru_cache(maxsize=512)
def parse_chord(symbol: str) -> Chord | None:
    """The chord of a symbol such as ``Ebm11``; None for ``N.C.``; ControlError for what is no symbol."""
    written = plain_signs(symbol)
    if written.lower() in _NO_CHORD:
        return None
    found = _SYMBOL.fullmatch(written) if len(written) <= _LONGEST else None
    steps = chord_steps(found[2]) if found else None
    root = pitch_class_of(found[1]) if found else None
    if found is None or steps is None or root is None:
        raise ControlError(f"{symbol[:40]!r} is no chord.", "Write symbols as 'Am F C G', or numerals as 'ii V7 I'.")
    bass = pitch_class_of(found[3]) if found[3] else root
    assert bass is not None
    return chord_on(root, steps, bass, written[0].upper() + written[1:])


def chord_on(root: int, steps: frozenset[int], bass: int, symbol: str = "") -> Chord:
    """A chord of some semitones above its root; its bass belongs to it."""
    classes = frozenset((root + step) % 12 for step in steps) | {bass}
    return Chord(root, classes, bass, symbol or PITCH_CLASS_NAMES[root])


def plain_signs(text: str) -> str:
    """With # and b for ♯ and ♭, and a hyphen for any dash."""
    return text.strip().translate(str.maketrans("♯♭−–—", "#b---"))


@lru_cache(maxsize=512)
def chord_steps(suffix: str) -> frozenset[int] | None:
    """Semitones (0-11) above its root that a chord has, from what is written after the root; None for nonsense."""
    if suffix[:1] in ("-", "+"):  # there it is the triad's: C-7 is Cm7, but C7-9 is C7b9
        suffix = ("m" if suffix[0] == "-" else "aug") + suffix[1:]
    signs: list[Sign] = []
    at = 0
    while at < len(suffix):
        sign = _SIGN.match(suffix, at)
        if sign is None:
            return None
        signs += [(kind, word) for kind, word in sign.groupdict().items() if word is not None and kind != "nothing"]
        at = sign.end()
    degrees = _degrees(signs)
    return None if degrees is None else frozenset(semitones % 12 for semitones in degrees.values())


def _degrees(signs: list[Sign]) -> dict[int, int] | None:
    """{degree: semitones}: the triad and its extensions first, then what is altered, added or left out."""
    kinds = [kind for kind, _ in signs]
    triads, numbers = [kind for kind in kinds if kind in _THIRDS], [int(w) for kind, w in signs if kind == "number"]
    if len(triads) > 1 or len(numbers) > 1 or kinds.count("maj") > 1:
        return None
    triad, number, major = "".join(triads), sum(numbers), "maj" in kinds
    degrees = {1: 0, 3: _THIRDS[triad], 5: _FIFTHS.get(triad, 7)}
    seventh = "seventh" in kinds or triad == "hdim" or "alt" in kinds or (major and triad != "")
    _extend(degrees, number or (7 if seventh else 0), 11 if major else 9 if triad == "dim" else 10)
    for kind, word in signs:
        _change(degrees, kind, word)
    return degrees


def _extend(degrees: dict[int, int], number: int, seventh: int) -> None:
    """The number of a chord, as the 9 of ``Cm9``: thirds up to it; 6 and 2 are added, 4 is a suspension."""
    match number:
        case 5:
            del degrees[3]
        case 2 | 6:
            degrees[number] = _SEMITONES[number]
        case 4:
            _change(degrees, "sus", "sus4")
        case 7 | 9 | 11 | 13:
            degrees |= {7: seventh} | {degree: _SEMITONES[degree] for degree in (9, 11, 13) if degree <= number}
            if number >= 11 and degrees[3] == 4:
                del degrees[3 if number == 11 else 11]


def _change(degrees: dict[int, int], kind: str, word: str) -> None:
    """What one sign after the triad does to the degrees."""
    match kind:
        case "sixnine":
            degrees |= {6: 9, 9: 14}
        case "sus":
            degrees.pop(3, None)
            degrees |= ({4: 5} if word != "sus2" else {}) | ({2: 2} if "2" in word else {})
        case "alt":
            degrees |= {5: 6, 9: 13, -9: 15, 13: 20}  # b5 b9 #9 b13
        case "no":
            degrees.pop(int(word), None)
        case "add" | "altered":
            degree, shift = int(word.lstrip("b#+-")), (word[0] in "#+") - (word[0] in "b-")
            plain = degrees.get(degree) == _SEMITONES[degree] and kind == "altered"
            # what is altered gives way; where it stands altered already, as in C7b9#9, the chord has both
            degrees[degree if plain or degree not in degrees else -degree] = _SEMITONES[degree] + shift

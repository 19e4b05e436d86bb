"""Progressions: chords and how long each lasts, over and over.

    Am F C G              a bar each
    Am:2 F:2 C G          beats after a colon
    | Am F | C | G:3 E7 | bars; the chords of one share it; % is the bar before once more
    ii7 V7 I   ii-V-I     numerals, in the key of the moment
    pop   blues in Bb     a progression by name; `in` a key of its own

A bar has four beats. ``N.C.`` is a stretch without a chord.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from livemuse.errors import ControlError
from livemuse.music.chords import Chord, parse_chord, plain_signs
from livemuse.music.numerals import parse_numeral
from livemuse.music.theory import Key, parse_key, pitch_class_of

BEATS_A_BAR: Final = 4
C_MAJOR: Final = Key(0, "major")
_D_MAJOR: Final = Key(2, "major")
_MOST_CHORDS: Final = 128
_LONGEST: Final = 1000  # characters: what a value may have on the control socket
_LONGEST_CHORD_BEATS: Final = 64.0
# name: (what it is, the mode of the keys it is written for: in one of the other mode, it is that of its relative)
NAMED: Final[dict[str, tuple[str, str]]] = {
    "pop": ("I V vi IV", "major"),
    "axis": ("vi IV I V", "major"),
    "doo-wop": ("I vi IV V", "major"),
    "canon": ("| I V | vi iii | IV I | IV V |", "major"),
    "royal road": ("IV V iii vi", "major"),
    "circle": ("I IV vii° iii vi ii V I", "major"),
    "ii-V-I": ("ii7 V7 Imaj7 Imaj7", "major"),
    "minor ii-V-i": ("iiø7 V7b9 im7 im7", "minor"),
    "andalusian": ("i bVII bVI V", "minor"),
    "folia": ("i V i bVII bIII bVII i V", "minor"),
    "blues": ("I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7", ""),
    "quick blues": ("I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7", ""),
    "minor blues": ("im7 im7 im7 im7 ivm7 ivm7 im7 im7 bVI7 V7 im7 V7", ""),
    "jazz blues": ("| I7 | IV7 | I7 | vm7 I7 | IV7 | #iv°7 | I7 | VI7 | ii7 | V7 | I7 VI7 | ii7 V7 |", ""),
    "rhythm changes A": ("| I VI7 | ii7 V7 | I VI7 | ii7 V7 | v7 I7 | IV #iv°7 | I VI7 | ii7 V7 |", "major"),
    "rhythm changes B": ("III7 % VI7 % II7 % V7 %", "major"),
    "coltrane": ("| Imaj7 bIII7 | bVImaj7 VII7 | IIImaj7 V7 | Imaj7 |", "major"),
}
"""Progressions by name, in numerals."""
_BY_NAME: Final = {
    "12 bar blues": "blues", "twelve bar blues": "blues", "fifties": "doo-wop", "50s": "doo-wop", "pachelbel": "canon",
    "doo wop": "doo-wop", "rhythm changes": "rhythm changes A", "giant steps": "coltrane",
} | {name.lower(): name for name in NAMED if name != "ii-V-I"}  # fmt: skip
_IN_KEY: Final = re.compile(r"(.+?)\s+in\s+(\S.*)", re.IGNORECASE | re.DOTALL)
_HYPHENS: Final = re.compile(r"(?<=\S)-(?=[b#]{0,2}[A-GIViv])|->|→")  # that stand between chords: C-F, but not C-7
_BEATS: Final = re.compile(r"(.+):(\d{1,3}(?:\.\d{1,3})?)")


@dataclass(frozen=True, slots=True)
class Span:
    """A chord (None: no chord) and the beats from which and until which it holds."""

    chord: Chord | None
    from_beats: float
    until_beats: float


@dataclass(frozen=True, slots=True)
class Progression:
    """Chords, the beat on which each begins (the first on 0), and the beats after which they begin again."""

    chords: tuple[Chord | None, ...]
    starts_beats: tuple[float, ...]
    length_beats: float

    def at(self, beats: float) -> Span:
        """The chord at a beat counted from the first, and how long it has held and will; before beat 0, the first."""
        if len(self.chords) == 1:
            return Span(self.chords[0], 0.0, float("inf"))
        rounds, within = divmod(max(beats, 0.0), self.length_beats)
        here = bisect_right(self.starts_beats, within) - 1
        first_s = rounds * self.length_beats  # the beat on which this round began
        begin = first_s + self.starts_beats[here]
        end = first_s + (self.starts_beats[here + 1] if here + 1 < len(self.chords) else self.length_beats)
        if not _differ(self.chords[0], self.chords[-1]):  # the last goes on into the next round
            if here == 0:
                begin += self.starts_beats[-1] - self.length_beats
            elif here + 1 == len(self.chords):
                end += self.starts_beats[1]
        return Span(self.chords[here], max(begin, 0.0), end)

    @property
    def pitch_classes(self) -> frozenset[int]:
        """All that belong to any of its chords."""
        return frozenset().union(*(chord.pitch_classes for chord in self.chords if chord is not None))


def tidy_progression(text: str) -> str:
    """A progression as it is kept, in the words it was written in; ControlError for what is none."""
    written = " ".join(text.split())
    progression(written)
    name, key = _named(written)
    return written if name is None else f"{name} in {key}" if key else name


def needs_key(text: str) -> bool:
    """Whether a progression is written in numerals, or is one by name, whose chords another key changes."""
    return progression(text, C_MAJOR) != progression(text, _D_MAJOR)


@lru_cache(maxsize=64)
def progression(text: str, key: Key = C_MAJOR) -> Progression:
    """The chords that a musician wrote, numerals and names in ``key`` where the text names none; ControlError."""
    if len(text) > _LONGEST:
        raise ControlError("That is too long a progression.", f"Write at most {_MOST_CHORDS} chords.")
    written = " ".join(text.split())
    name, own = _named(written)
    if name is not None:
        written, mode = NAMED[name]
        key = _in_mode(parse_key(own) if own else key, mode, bare=pitch_class_of(own) is not None)
    elif in_key := _IN_KEY.fullmatch(written):
        written, key = in_key[1], parse_key(in_key[2])
    rows = [(_chord(symbol, key), beats) for symbol, beats in _lengths(_HYPHENS.sub(" ", plain_signs(written)))]
    if len(rows) > _MOST_CHORDS:
        raise ControlError("That is too long a progression.", f"Write at most {_MOST_CHORDS} chords.")
    chords: list[Chord | None] = []
    starts_beats: list[float] = []
    at_beats = 0.0
    for chord, beats in rows:
        if not chords or _differ(chord, chords[-1]):  # the same chord twice is one that is longer
            chords.append(chord)
            starts_beats.append(at_beats)
        at_beats += beats
    return Progression(tuple(chords), tuple(starts_beats), at_beats)


def _differ(one: Chord | None, other: Chord | None) -> bool:
    if one is None or other is None:
        return one is not other
    return (one.root, one.bass, one.pitch_classes) != (other.root, other.bass, other.pitch_classes)


def _named(written: str) -> tuple[str | None, str]:
    """(the name of a progression or None, the key that is written after it or nothing)."""
    in_key = _IN_KEY.fullmatch(written)
    words = plain_signs(in_key[1] if in_key else written).replace("_", " ")
    name = words if words in NAMED else _BY_NAME.get(words.lower()) or _BY_NAME.get(words.lower().replace("-", " "))
    return name, in_key[2] if in_key and name else ""


def _in_mode(key: Key, mode: str, *, bare: bool) -> Key:
    """The key for a progression of a mode: a bare tonic is in that mode; of a key in the other one, its relative."""
    if bare or not mode or key.is_minor == (mode == "minor"):
        return Key(key.tonic, mode or "major") if bare else key
    return Key((key.tonic + (3 if mode == "major" else 9)) % 12, mode)


def _chord(symbol: str, key: Key) -> Chord | None:
    return parse_numeral(symbol, key) or parse_chord(symbol)


def _lengths(written: str) -> list[tuple[str, float]]:
    """(symbol, beats) of each chord; ControlError for lengths that cannot be."""
    if "|" in written:
        bars = [bar.replace(",", " ").split() for bar in written.split("|") if bar.strip(" :,")]
    else:
        bars = [[symbol] for symbol in written.replace(",", " ").split()]
    rows: list[tuple[str, float]] = []
    before: list[tuple[str, float]] = []
    for bar in bars:
        before = before if bar == ["%"] else _bar(bar, whole="|" in written)
        rows += before
    if not rows:
        raise ControlError("There is no chord in that.", "Write symbols as 'Am F C G', or numerals as 'ii V7 I'.")
    return rows


def _bar(symbols: list[str], *, whole: bool) -> list[tuple[str, float]]:
    """The chords of a bar: those without a length share what the others leave of it."""
    found = [(match[1], float(match[2])) if (match := _BEATS.fullmatch(s)) else (s, None) for s in symbols]
    left = BEATS_A_BAR - sum(beats or 0.0 for _, beats in found)
    unsaid = sum(1 for _, beats in found if beats is None)
    share = left / unsaid if unsaid else 0.0
    written = " ".join(symbols)[:60]
    if whole and (share <= 0.0 if unsaid else left != 0.0):
        raise ControlError(
            f"The bar '{written}' has not four beats.", "Its chords share a bar, as '| Am:3 F:1 | C G |'."
        )
    rows = [(symbol, share if beats is None else beats) for symbol, beats in found]
    if any(not 0.125 <= beats <= _LONGEST_CHORD_BEATS for _, beats in rows):
        raise ControlError(f"A length in '{written}' cannot be.", "A chord lasts an eighth of a beat to 64 beats.")
    return rows

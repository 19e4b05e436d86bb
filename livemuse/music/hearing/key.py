"""The key heard in playing: note by note, from the first one on.

Each note speaks for or against each of the 24 keys by its degree there: the profiles below, in tenths of a nat. They are
the weights of a logistic regression, learned as `python -m training hearing-key --learn` does it, from the train split's
pieces that state a key (beginnings and ends) and from POP909's train songs with the keys of its authors. Two
averages of what the notes say are kept, over the last few bars and over minutes, and the key heard is the best of both
together: so a modulation is followed, and a passing dominant is not. A key must lead by a margin to take another's place.

The evidence has the form of the probe-tone profiles of Krumhansl and Kessler 1982, taken as log-likelihoods as in
Temperley, Music and Probability, 2007; that their numbers are better taken from music than from listeners was shown by
Albrecht and Shanahan 2013. On the train pieces their profile is right 75, 77 and 79 times in a hundred after
10, 20 and 40 notes, Temperley's 74, 74 and 75, Krumhansl's 63, 68 and 67, this one 78, 80 and 82.

A note counts one, however long or loud: weighing by duration or velocity was tried, and is right no more often; so a note is
heard in full when its key goes down.
"""

from __future__ import annotations

import math
from typing import Final

from livemuse.music.theory import SCALES, Key

PROFILES: Final[dict[str, tuple[float, ...]]] = {
    "major": (4.6, -2.6, 1.4, -2.6, 3.6, 1.1, -3.8, 4.3, -2.0, 0.5, -5.8, 0.1),
    "minor": (4.8, -5.2, 1.0, 3.3, -1.8, 1.3, -2.2, 4.1, 0.0, -5.3, 0.4, 0.9),
}
"""Tenths of a nat that a note speaks for a key, by its semitones above the tonic, where notes speak by GROWTH."""
GROWTH: Final = 0.3  # n notes are worth as much as n ** 0.3 that knew nothing of each other
SURENESS: Final = 0.6  # makes the confidence what it says: of keys heard with 0.7, seven in ten are right
RECENT_NOTES: Final = 32  # after so many notes one counts half in what is heard now
HOME_NOTES: Final = 640  # and so many in what is heard all along
SCALE_NOTES: Final = 48  # and so many in which degrees are in use
LEAD: Final = 1.3  # so many times as likely must a key be to take the place of the one heard
FORGET_S: Final = 20.0  # silence beyond REST_S makes everything heard count half in so many seconds
REST_S: Final = 2.0
CONFIDENT: Final = 0.4  # from this confidence on a key is heard at all

_FAMILY: Final = {
    "major": ("major", "mixolydian", "lydian", "major pentatonic", "blues"),
    "minor": (
        "minor", "harmonic minor", "dorian", "phrygian", "melodic minor", "minor pentatonic", "blues", "locrian",
    ),
}  # fmt: skip
_STRAY: Final = 0.05  # of the notes lie outside the scale
_CLEAR_NATS: Final = 5.0  # so much better must a finer scale explain the notes than plain major or minor
_STAY_NATS: Final = 1.5  # and so much worse the one heard may do before it is given up
_IN_USE: Final = 0.3  # notes, faded: a degree so little heard is not in use, and a scale needs all of its own
_MODES: Final = ("major", "minor")
_EVIDENCE: Final = tuple(
    tuple(PROFILES[mode][(pitch_class - tonic) % 12] for mode in _MODES for tonic in range(12))
    for pitch_class in range(12)
)
_RECENT, _HOME, _DEGREES = (0.5 ** (1.0 / notes) for notes in (RECENT_NOTES, HOME_NOTES, SCALE_NOTES))
_INSIDE: Final = {name: math.log((1.0 - _STRAY) / len(steps)) for name, steps in SCALES.items()}
_OUTSIDE: Final = {name: math.log(_STRAY / (12 - len(steps))) if len(steps) < 12 else 0.0 for name, steps in SCALES.items()}
_CLASSES: Final = {
    (tonic, name): tuple((tonic + step) % 12 for step in steps) for name, steps in SCALES.items() for tonic in range(12)
}


class KeyHearing:
    """Hears the key of what is played, how sure that is, and where it goes; each note costs some ten microseconds."""

    __slots__ = ("_all_along", "_counted", "_degrees", "_last_s", "_locked", "_number", "_recent", "_scale", "_weight")

    def __init__(self) -> None:
        self._locked: Key | None = None
        self.forget()

    def forget(self) -> None:
        """Hear as if nothing had been played; a lock stays."""
        self._recent = [0.0] * 24  # what the notes say for each key, faded: 12 major ones from C, 12 minor ones
        self._all_along = [0.0] * 24
        self._weight = self._counted = 0.0  # how many notes, faded, are in these two
        self._degrees = [0.0] * 12  # notes of each pitch class, faded
        self._number: int | None = None  # the key heard, 0-23
        self._scale = "major"
        self._last_s: float | None = None

    def hear(self, at_s: float, pitch: int, weight: float = 1.0) -> None:
        """A key was struck: ``at_s`` in seconds, in order; ``pitch`` 0-127; ``weight`` as so many notes (more than 0)."""
        if self._last_s is not None and at_s - self._last_s > REST_S:
            self._fade(0.5 ** ((at_s - self._last_s - REST_S) / FORGET_S))
        self._last_s = at_s
        said = _EVIDENCE[pitch % 12]
        if weight != 1.0:
            said = tuple(nats * weight for nats in said)
        self._recent = [old * _RECENT + new for old, new in zip(self._recent, said, strict=True)]
        self._all_along = [old * _HOME + new for old, new in zip(self._all_along, said, strict=True)]
        self._weight = self._weight * _RECENT + weight
        self._counted = self._counted * _HOME + weight
        self._degrees = [old * _DEGREES for old in self._degrees]
        self._degrees[pitch % 12] += weight
        self._choose()

    @property
    def key(self) -> Key | None:
        """The key to play in: the locked one, else the one heard where that is clear enough, else None."""
        if self._locked is not None:
            return self._locked
        return self.heard if self.confidence >= CONFIDENT else None

    @property
    def heard(self) -> Key | None:
        """The likeliest key and its finest clear scale, locked or not and however unsure; None before the first note."""
        return None if self._number is None else Key(self._number % 12, self._scale)

    @property
    def plain(self) -> Key | None:
        """The likeliest key as major or minor alone."""
        return None if self._number is None else Key(self._number % 12, _MODES[self._number // 12])

    @property
    def confidence(self) -> float:
        """How likely the key heard is right, 0 to 1; 0 before the first note."""
        return 0.0 if self._number is None else self.likelihoods()[self._number]

    @property
    def home(self) -> Key | None:
        """The key of all that was played, as major or minor: where a piece that has modulated comes from."""
        if self._number is None:
            return None
        number = self._all_along.index(max(self._all_along))
        return Key(number % 12, _MODES[number // 12])

    def likelihoods(self) -> list[float]:
        """How likely each of the 24 keys is (they sum to 1): the major ones from C up, then the minor ones."""
        nats = self._nats()
        most = max(nats)
        odds = [math.exp(value - most) for value in nats]
        total = sum(odds)
        return [value / total for value in odds]

    @property
    def locked(self) -> bool:
        """Whether the key stays as it is, whatever is played."""
        return self._locked is not None

    def lock(self, key: Key | None = None) -> None:
        """Stay in ``key``, or in the one heard now; nothing happens where there is none yet."""
        self._locked = key if key is not None else self.heard

    def unlock(self) -> None:
        """Follow what is heard again."""
        self._locked = None

    def copy(self) -> KeyHearing:
        """Another hearing that has heard the same, to try what a note would change."""
        other = KeyHearing()
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(other, name, value[:] if isinstance(value, list) else value)
        return other

    # --- how it decides ------------------------------------------------------------------------------------------

    def _fade(self, factor: float) -> None:
        self._recent = [value * factor for value in self._recent]
        self._all_along = [value * factor for value in self._all_along]
        self._degrees = [value * factor for value in self._degrees]
        self._weight *= factor
        self._counted *= factor

    def _nats(self) -> list[float]:
        """What all that was heard says for each key, up to a constant."""
        if self._weight <= 0.0:
            return [0.0] * 24
        worth = SURENESS * self._weight**GROWTH
        now, ever = worth / self._weight, worth / self._counted
        return [a * now + b * ever for a, b in zip(self._recent, self._all_along, strict=True)]

    def _choose(self) -> None:
        nats = self._nats()
        best = nats.index(max(nats))
        if self._number is None or nats[best] > nats[self._number] + math.log(LEAD):
            if self._number != best:
                self._scale = _MODES[best // 12]
            self._number = best
        self._choose_scale(self._number % 12, _MODES[self._number // 12])

    def _choose_scale(self, tonic: int, mode: str) -> None:
        degrees = self._degrees
        total = sum(degrees)
        best, best_nats = mode, -math.inf
        for name in _FAMILY[mode]:
            heard = [degrees[pitch_class] for pitch_class in _CLASSES[tonic, name]]
            if name != mode and min(heard) < _IN_USE:
                continue
            inside = sum(heard)
            nats = inside * _INSIDE[name] + (total - inside) * _OUTSIDE[name]
            nats += (_CLEAR_NATS if name == mode else 0.0) + (_STAY_NATS if name == self._scale else 0.0)
            if nats > best_nats:
                best, best_nats = name, nats
        self._scale = best

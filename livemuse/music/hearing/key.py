"""The key heard in playing: note by note, from the first one on.

Each note speaks for or against every key by its degree there (livemuse.music.hearing.key_profiles). Averages of what
the notes say are kept, over the last few bars and over minutes, and the key heard is the one they speak for most
together: so a modulation is followed, and a passing dominant is not. Music mostly begins in its key, so the first
notes speak once more. A key must lead by a margin to take another's place; where the last notes speak much more for
another key, what was heard before them fades faster. Against the local keys annotated of the Mozart sonatas
(Hentschel, Neuwirth and Rohrmeier 2021) this was right more often than a hidden Markov model.

A note counts one, however long or loud: weighing by duration or velocity was tried and is right no more often; so a
note is heard in full when its key goes down.
"""

from __future__ import annotations

import math
from typing import Final

from livemuse.music.hearing.key_profiles import BEFORE, CLASSES, FINER, INSIDE, OUTSIDE, SPEAKS, STATES
from livemuse.music.theory import Key

GROWTH: Final = 0.3  # n notes are worth as much as n ** 0.3 that knew nothing of each other
WORTH: Final = 0.75  # of what they say
SURENESS: Final = 0.5  # makes the confidence what it says: of keys heard with 0.7, seven in ten are right or more
SURER: Final = 0.35  # for it grows with the number of notes to this power
RECENT_NOTES: Final = 32  # so many notes ago one counts half in what is heard now
HOME_NOTES: Final = 640  # and so many in what is heard all along
ALL_ALONG: Final = 0.3  # what was heard all along weighs so much beside what is heard now
OPENING_NOTES: Final = 4  # so many notes after the first one counts half in how it began
OPENING: Final = 0.2  # each of them says so much again
OPENING_FADES: Final = 20  # in what is heard now that weighs the less the more notes than these were played
FRESH_NOTES: Final = 12  # and so many in whether it goes somewhere else
TURNS: Final = 15.0  # so much more must these speak for another key
FASTER: Final = 0.85  # for what was heard recently to fade so much with each note
SCALE_NOTES: Final = 48  # and so many in which degrees are in use
LEAD: Final = 1.3  # so many times as likely must a key be to take the place of the one heard
REST_S: Final = 2.0
FORGET_S: Final = 20.0  # in so much silence beyond REST_S all that was heard comes to count half
CONFIDENT: Final = 0.6  # from this confidence on there is a key to play in

_CLEAR_NATS: Final = 5.0  # so much better must a finer scale explain the notes than plain major or minor
_STAY_NATS: Final = 1.5  # and so much worse the one heard may do before it is given up
_IN_USE: Final = 0.3  # notes, faded: a degree so little heard is not in use, and a finer scale needs all of its own
_MODES: Final = ("major", "minor")
_LEAD_NATS: Final = math.log(LEAD)
_OPENS: Final = 0.5 ** (1.0 / OPENING_NOTES)
_OPENING_LASTS: Final = 10 * OPENING_NOTES  # a thousandth is left
_RECENT, _HOME, _DEGREES, _FRESH = (
    0.5 ** (1.0 / notes) for notes in (RECENT_NOTES, HOME_NOTES, SCALE_NOTES, FRESH_NOTES)
)


class KeyHearing:
    """Hears the key of what is played, how sure that is, and where it goes; each note costs some 30 microseconds.

    Ask ``home`` for the key of a piece, after a few notes as at its end; ``heard`` for the key of the moment, in a
    piece that modulates; ``key`` for one to play in.
    """

    __slots__ = (
        "_all_along",
        "_begun",
        "_counted",
        "_degrees",
        "_fresh",
        "_last_s",
        "_locked",
        "_opening",
        "_recent",
        "_scale",
        "_state",
        "_weight",
    )

    def __init__(self) -> None:
        self._locked: Key | None = None
        self.forget()

    def forget(self) -> None:
        """Hear as if nothing had been played; a lock stays."""
        self._recent = [0.0] * len(STATES)  # what the notes say for each of STATES, faded
        self._fresh = [0.0] * len(STATES)  # as in the last few notes alone
        self._opening = [0.0] * len(STATES)  # in its first notes
        self._all_along = [0.0] * len(STATES)
        self._weight = self._counted = 0.0  # how many notes, faded, are in the first of these and in the last
        self._degrees = [0.0] * 12  # notes of each pitch class, faded
        self._begun = 1.0  # so much of its beginning still counts in what is heard now
        self._state: int | None = None  # the number of the state heard
        self._scale = "major"
        self._last_s: float | None = None

    def hear(self, at_s: float, pitch: int, weight: float = 1.0) -> None:
        """A key was struck: ``at_s`` in seconds, in order; ``pitch`` 0-127; ``weight`` in notes, more than 0."""
        if self._last_s is not None and at_s - self._last_s > REST_S:
            self._fade(0.5 ** ((at_s - self._last_s - REST_S) / FORGET_S))
        self._last_s = at_s
        said = SPEAKS[pitch % 12]
        if weight != 1.0:
            said = tuple(nats * weight for nats in said)
        if self._counted < _OPENING_LASTS:
            share = _OPENS**self._counted
            self._opening = [old + new * share for old, new in zip(self._opening, said, strict=True)]
        self._recent = [old * _RECENT + new for old, new in zip(self._recent, said, strict=True)]
        self._all_along = [old * _HOME + new for old, new in zip(self._all_along, said, strict=True)]
        self._weight = self._weight * _RECENT + weight
        self._fresh = [old * _FRESH + new for old, new in zip(self._fresh, said, strict=True)]
        self._counted = self._counted * _HOME + weight
        self._degrees = [old * _DEGREES for old in self._degrees]
        self._degrees[pitch % 12] += weight
        self._choose()
        self._turn()

    @property
    def key(self) -> Key | None:
        """The key to play in: the locked one, else the one heard where that is clear enough, else None."""
        if self._locked is not None:
            return self._locked
        return self.heard if self.confidence >= CONFIDENT else None

    @property
    def heard(self) -> Key | None:
        """The likeliest key of the moment with its finest clear scale, locked or not; None before the first note."""
        return None if self._state is None else Key(STATES[self._state][0], self._scale)

    @property
    def plain(self) -> Key | None:
        """The likeliest key of the moment as major or minor alone."""
        return None if self._state is None else _plain_key(self._plain(self._state))

    @property
    def confidence(self) -> float:
        """How likely the tonic and its mode are right, 0 to 1; 0 before the first note."""
        return 0.0 if self._state is None else self.likelihoods()[self._plain(self._state)]

    @property
    def home(self) -> Key | None:
        """The key of the piece so far, as major or minor: what its title would state; None before the first note."""
        if self._state is None or self._counted <= 0.0:
            return None
        worth = (1.0 + ALL_ALONG) * WORTH * self._counted ** (GROWTH - 1.0)
        nats = self._sum(0.0, worth, OPENING)
        return _plain_key(self._plain(nats.index(max(nats))))

    def likelihoods(self) -> list[float]:
        """How likely each of the 24 keys is (they sum to 1): the major ones from C up, then the minor ones."""
        nats = self._nats()
        most = max(nats)
        sure = SURENESS * max(self._weight, 1.0) ** SURER
        found = [0.0] * 24
        for number, value in enumerate(nats):
            found[self._plain(number)] += math.exp((value - most) * sure)
        total = sum(found)
        return [value / total for value in found]

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

    def _plain(self, number: int) -> int:
        """A state as one of the 24 keys; a blues goes by the third that is heard in it."""
        tonic, family = STATES[number]
        if family == "blues":
            minor = self._degrees[(tonic + 3) % 12] > self._degrees[(tonic + 4) % 12]
        else:
            minor = family in ("minor", "dorian")
        return tonic + 12 if minor else tonic

    def _fade(self, factor: float) -> None:
        self._recent = [value * factor for value in self._recent]
        self._all_along = [value * factor for value in self._all_along]
        self._opening = [value * factor for value in self._opening]
        self._degrees = [value * factor for value in self._degrees]
        self._weight *= factor
        self._counted *= factor

    def _nats(self) -> list[float]:
        """What all that was heard says for each of STATES, up to a constant."""
        if self._weight <= 0.0 or self._counted <= 0.0:
            return list(BEFORE)
        worth = WORTH * self._weight**GROWTH
        began = OPENING * self._begun * min(1.0, OPENING_FADES / self._counted)
        return self._sum(worth / self._weight, ALL_ALONG * worth / self._counted, began)

    def _sum(self, now: float, ever: float, began: float) -> list[float]:
        """Nats for each of STATES: what was heard recently, all along and first, by these weights."""
        heard = zip(self._recent, self._all_along, self._opening, BEFORE, strict=True)
        return [a * now + b * ever + c * began + d for a, b, c, d in heard]

    def _choose(self) -> None:
        nats = self._nats()
        most = max(nats)
        if self._state is None or most > nats[self._state] + _LEAD_NATS:
            self._state = nats.index(most)
        plain = self._plain(self._state)
        self._choose_scale(plain % 12, _MODES[plain // 12], STATES[self._state][1])

    def _turn(self) -> None:
        """Where the last few notes speak much more for another key, what was heard before them counts less."""
        if self._state is not None and max(self._fresh) - self._fresh[self._state] > TURNS:
            self._recent = [value * FASTER for value in self._recent]
            self._weight *= FASTER
            self._begun *= FASTER

    def _choose_scale(self, tonic: int, mode: str, family: str) -> None:
        degrees = self._degrees
        total = sum(degrees)
        best, best_nats = mode, -math.inf
        for name in FINER[mode]:
            heard = [degrees[pitch_class] for pitch_class in CLASSES[tonic, name]]
            expected = name in (mode, family)
            if not expected and min(heard) < _IN_USE:
                continue
            inside = sum(heard)
            nats = inside * INSIDE[name] + (total - inside) * OUTSIDE[name]
            nats += (_CLEAR_NATS if expected else 0.0) + (_STAY_NATS if name == self._scale else 0.0)
            if nats > best_nats:
                best, best_nats = name, nats
        self._scale = best


def _plain_key(number: int) -> Key:
    return Key(number % 12, _MODES[number // 12])

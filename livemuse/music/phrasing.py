"""The shape of an answer: where in its phrase a note stands, how high and how daring it is there, and how it closes.

A phrase rises a little and falls again (Huron 1996, "The melodic arch in Western folksongs"). In 1,878 phrases of
pianists of the training split, the first tenth lies 0.9 semitones below the mean of its phrase, the last 0.7 below,
and all between on one height: that is ``auto``. It begins near the call, dares more in the middle, and grows calm
towards its close.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from livemuse.music.context import BeatGrid
from livemuse.music.schedule import Plan

OCTAVE: Final = 12
_EDGE: Final = 0.15  # of a phrase: so long `auto` rises, and falls
_AUTO_NATS, _SET_NATS = 0.25, 0.9  # an octave, at the height of a contour

_WARMTH: Final = ((0.0, -0.25), (0.2, 0.0), (0.45, 0.15), (0.7, 0.05), (1.0, -0.5))
"""(place, logarithm of the factor on the temperature) at `phrasing` 1; straight lines between."""
_LOOPS_NATS, _MOST_LOOPS = 0.2, 2.0  # warmer by so much for each time a figure stands in a row beyond the second
_CALM, _WILD = 0.6, 1.1  # surprise beside the player's: within these it is neither lost nor stuck
_TO_BRING_BACK: Final = 0.6  # logarithm of the factor for each doubling beyond
_FARTHEST: Final = 0.3

_LATELY_NOTES, _PLAYER_NOTES = 8, 32  # that count half in how surprising the music is

_SHORTEST_LAST, _LONGEST_LAST = 0.08, 0.16  # of an answer: how long its last notes are at least, and at most
_SHORTEST_LAST_S, _LONGEST_LAST_S = (0.4, 0.65), (0.7, 1.25)  # within these
_LATEST_CLOSE: Final = 0.5  # of an answer: no beat before that is one to close on
_CLEAR_OF_S: Final = 0.08  # the notes before the last ones are struck no later than so long before
_LAST_OF_NOTES_S: Final = 1.0  # how long the last of so many notes sounds, where the answer is as long as it is


@dataclass(frozen=True, slots=True)
class Phrase:
    """One answer: when it begins and is over, and of how many notes it is; None where these do not end it."""

    from_s: float
    until_s: float
    notes: int | None = None

    @classmethod
    def of(cls, plan: Plan) -> Phrase | None:
        """The whole of the answer that a plan is for, or is the rest of; None for playing without an end."""
        if math.isinf(plan.end_s):
            return None
        from_s = plan.not_before_s if plan.first_beat_s is None else plan.first_beat_s
        notes = None if plan.notes_left is None else plan.first_index + plan.notes_left
        return cls(from_s, plan.end_s, notes)

    def place(self, at_s: float, index: int) -> float:
        """How far it has come, 0 to 1, at a time and with note ``index``."""
        by_time = (at_s - self.from_s) / max(self.until_s - self.from_s, 1e-3)
        by_note = 0.0 if self.notes is None else index / max(self.notes - 1, 1)
        return min(max(by_time, by_note, 0.0), 1.0)


def tilt(contour: str, place: float) -> float:
    """Nats by which a pitch an octave above the middle of the register is likelier there than one in the middle."""
    match contour:
        case "auto":
            return _AUTO_NATS * (2.0 * min(place / _EDGE, (1.0 - place) / _EDGE, 1.0) - 1.0)
        case "arch":
            return _SET_NATS * (2.0 * math.sin(math.pi * place) - 1.0)
        case "rise":
            return _SET_NATS * (2.0 * place - 1.0)
        case "fall":
            return _SET_NATS * (1.0 - 2.0 * place)
    return 0.0


def warmth(amount: float, place: float | None, rounds: float, surprise: Surprise) -> float:
    """The factor on the temperature at a place of a phrase (None: of none), at `phrasing` ``amount`` (0-1).

    ``rounds`` is how many times a figure has just stood in a row: more than twice is warmer. Where the music has been
    more surprising than the player's, it is colder, and where far less, warmer (as Mirostat does, Basu et al. 2021,
    with the player's own playing for a target).
    """
    if amount <= 0.0:
        return 1.0
    nats = 0.0 if place is None else _between(_WARMTH, place)
    nats += _LOOPS_NATS * min(max(rounds - 2.0, 0.0), _MOST_LOOPS)
    ratio = surprise.ratio
    beyond = math.log2(_CALM / ratio) if ratio < _CALM else -math.log2(ratio / _WILD) if ratio > _WILD else 0.0
    nats += min(max(_TO_BRING_BACK * beyond, -_FARTHEST), _FARTHEST)
    return math.exp(amount * nats)


def _between(points: tuple[tuple[float, float], ...], at: float) -> float:
    k = min(max(bisect_right(points, (at, math.inf)), 1), len(points) - 1)
    (low, one), (high, other) = points[k - 1], points[k]
    return one + (other - one) * (at - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Surprise:
    """How surprising pitches are to the network, in nats and on average: the player's, and all of them lately."""

    player: float | None = None
    lately: float | None = None

    @property
    def ratio(self) -> float:
        """How surprising the music has been lately, beside the player's; 1 where nothing is known."""
        if self.player is None or self.lately is None or self.player < 0.1:
            return 1.0
        return max(self.lately, 0.05) / self.player

    def heard(self, nats: float) -> Surprise:
        """The player struck a pitch so surprising; an answer to it begins as surprising as this player is."""
        player = _faded(self.player, nats, _PLAYER_NOTES)
        return Surprise(player, player)

    def played(self, nats: float) -> Surprise:
        """livemuse did."""
        return Surprise(self.player, _faded(self.lately, nats, _LATELY_NOTES))


NO_SURPRISE: Final = Surprise()


def _faded(mean: float | None, value: float, notes: int) -> float:
    return value if mean is None else mean + (value - mean) * (1.0 - 0.5 ** (1.0 / notes))


@dataclass(frozen=True, slots=True)
class Close:
    """How an answer closes: its last onset lies within these, and sounds until ``until_s``."""

    from_s: float
    to_s: float
    until_s: float
    on_beat: bool = False

    def onset_s(self, at_s: float, previous_s: float, *, tune: bool = False) -> float | None:
        """The last onset, where the next note would be struck at ``at_s`` (infinity: too late); None: it is not yet.

        A note that belongs to the chord struck at ``previous_s`` is no onset of its own, and a ``tune`` that is under
        way is played to its end, if there is time.
        """
        if tune and at_s <= self.to_s and not self.on_beat:
            return None
        if at_s < self.from_s - (_CLEAR_OF_S if self.on_beat else 0.0) or at_s - previous_s < _CLEAR_OF_S:
            return None
        if at_s > self.to_s:
            at_s = (self.from_s + self.to_s) / 2
        return max(at_s, self.from_s, previous_s + _CLEAR_OF_S)


def close_of(from_s: float, until_s: float, beats: BeatGrid | None) -> Close:
    """Where to close what begins and ends then; on a beat of ``beats`` that are clear, the first of a bar if may be."""
    length_s = until_s - from_s
    shortest_s = min(max(_SHORTEST_LAST * length_s, _SHORTEST_LAST_S[0]), _SHORTEST_LAST_S[1], length_s / 2)
    longest_s = min(max(_LONGEST_LAST * length_s, _LONGEST_LAST_S[0]), _LONGEST_LAST_S[1], length_s / 2)
    earliest_s, latest_s = until_s - longest_s, until_s - shortest_s
    if beats is not None and beats.clear:
        bar_s = beats.next_bar_s(earliest_s)
        beat_s = beats.next_beat_s(latest_s - beats.period_s * (1.0 - 1e-6))  # the last one until then
        at_s = bar_s if bar_s is not None and bar_s <= latest_s else beat_s
        if at_s >= from_s + _LATEST_CLOSE * length_s:
            return Close(at_s, at_s, until_s, on_beat=True)
    return Close(earliest_s, latest_s, until_s)


def close_of_notes(at_s: float, until_s: float, beats: BeatGrid | None) -> Close:
    """Where to strike the last of so many notes, which would be struck at ``at_s``."""
    if beats is not None and beats.clear:
        beat_s = beats.next_beat_s(at_s, _CLEAR_OF_S)
        at_s = beat_s if beat_s <= until_s - _LAST_OF_NOTES_S else at_s
    return Close(at_s, at_s, min(at_s + _LAST_OF_NOTES_S, until_s), on_beat=True)

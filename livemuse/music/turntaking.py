"""When is a phrase over? How long a silence must be before livemuse takes the turn.

Pure. Three things are weighed against each other for each silence, and the sum grows with it:

- how surprising it is to the network: the negative logarithm of the share it gives to steps longer than the time since
  the last onset (the survival function of the step, over the likeliest pitches);
- how long it is, by the clock and beside the longest silence of this player's lately;
- how the phrase sounded at its end (``Ending``): a long last note, a chord, the pedal, how busy it was, a ritardando.

Where the sum passes a threshold the phrase is over. ``patience`` sets the threshold; what happens on stage corrects it
(``TurnTaking``). Without a network's word, or where it is late, this player's pauses alone decide.

The weights are fitted so that there are as few answers too early as can be for the same waiting, on performances of
the training split, by ``python -m training turns models/concert --data MIDI --manifest manifest.csv --fit``. The degree
of the last notes in the key, a falling line and a diminuendo were tried too, and told nothing beside these.

Why a silence alone says little: Skantze 2021, "Turn-taking in conversational systems and human-robot interaction".
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from livemuse.music.phrases import CHORD_S, Listener
from livemuse.music.vocabulary import STEP_EDGES_S

SILENCES_S: Final = STEP_EDGES_S[27::2]
"""19 times since the last onset, 0.09 to 5.4 s, for which a network says how likely nothing more is struck."""

ASK_AFTER_S: Final = 0.05  # a silence so long is worth asking the network about; between two notes most are shorter
KNOWN_WITHIN_S: Final = 0.1  # its word is waited for no longer than this after the last release
TOO_EARLY_S: Final = 1.0  # a player who comes back in so soon had not finished
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.3, 2.0  # the bounds of a wait at patience 0.5
HASTIEST_WAIT_S, PATIENTEST_WAIT_S = 0.1, 6.0  # and at 0 and 1

LOG_SILENCE: Final = 2.73
WEIGHTS: Final = (-1.30, 1.82, -0.12, 0.10, -0.54, 0.97, -0.25)
"""Of the values of an ``Ending``, in its order; the surprise weighs 1."""
THRESHOLDS: Final = (3.13, 8.02, 10.00, 12.47, 15.73)
"""At patience 0, 0.25, 0.5, 0.75 and 1; between them it goes in a straight line."""

_STEP: Final = 1.0  # how far one correction moves the threshold: from a wait of 0.6 s to about one of 0.75 s
_FARTHEST: Final = 4.0  # it never moves farther than this
_FADES: Final = 0.95  # each answer that is let be leaves so much of what was learned
_NATS_A_DOUBLING: Final = 3.3  # of the threshold, where the pauses alone decide
_LEAST_SHARE: Final = 1e-4  # no silence is a greater surprise than this
_FROM_S: Final = 0.03  # up to here nobody is surprised
_MOST_CHORD: Final = 6
_LONGEST_LAST_S: Final = 2.0
_GAPS: Final = 16  # between chords, that say how fast the music goes


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a phrase when its last key is let go."""

    since_s: float  # when it was
    longest_s: float  # of this player's silences lately
    held_s: float  # from the last onset to the last release
    length: float  # of the last notes beside that of all of them: log2 of the ratio, -3 to 3
    chord: int  # notes struck together last
    pedal: bool
    onsets_per_s: float
    slower: float  # the last two gaps beside those before: log2 of the ratio, 0 to 3

    @property
    def values(self) -> tuple[float, ...]:
        """What ``WEIGHTS`` weigh."""
        return (
            math.log(self.longest_s + 0.1),
            min(self.held_s, _LONGEST_LAST_S),
            self.length,
            min(self.chord, _MOST_CHORD),
            float(self.pedal),
            math.log(self.onsets_per_s),
            self.slower,
        )


def ending_of(listener: Listener) -> Ending | None:
    """How the phrase ended; None while a key is down, or before the first."""
    since_s, struck = listener.silent_since_s, list(listener.struck)
    if since_s is None or not struck:
        return None
    lengths_s = [(since_s if key.up_s is None else key.up_s) - key.onset_s for key in struck]
    chords: list[list[int]] = [[0]]
    for k in range(1, len(struck)):
        if struck[k].onset_s - struck[k - 1].onset_s > CHORD_S:
            chords.append([])
        chords[-1].append(k)
    onsets_s = [struck[chord[0]].onset_s for chord in chords]
    gaps_s = [b - a for a, b in pairwise(onsets_s)]
    held_s = since_s - struck[-1].onset_s
    busy_s = sum(min(gap_s, _LONGEST_LAST_S) for gap_s in gaps_s) + min(held_s, _LONGEST_LAST_S)
    last_s, usual_s = max(lengths_s[k] for k in chords[-1]), median(lengths_s)
    slower = _ratio(sum(gaps_s[-2:]) / 2, median(gaps_s[-_GAPS:])) if len(gaps_s) > 2 else 0.0
    return Ending(
        since_s, listener.pauses.longest_s, held_s, _ratio(last_s, usual_s), len(chords[-1]), listener.pedal_down,
        len(struck) / max(busy_s, 0.2), max(slower, 0.0),
    )  # fmt: skip


def _ratio(one_s: float, other_s: float) -> float:
    return min(max(math.log2(max(one_s, 0.02) / max(other_s, 0.02)), -3.0), 3.0)


def surprise(silence: tuple[float, ...], since_onset_s: float) -> float:
    """Nats that it is worth to a network that nothing was struck for so long after the last onset.

    ``silence`` are the shares for ``SILENCES_S``; between them it goes straight over the logarithm of the time.
    """
    if since_onset_s <= _FROM_S:
        return 0.0
    k = bisect_left(SILENCES_S, since_onset_s)
    if k == len(SILENCES_S):
        return _nats(silence[-1])
    low_s, low = (SILENCES_S[k - 1], _nats(silence[k - 1])) if k else (_FROM_S, 0.0)
    part = math.log(since_onset_s / low_s) / math.log(SILENCES_S[k] / low_s)
    return low + part * (_nats(silence[k]) - low)


def _nats(share: float) -> float:
    return -math.log(max(share, _LEAST_SHARE))


def over_after_s(silence: tuple[float, ...], ending: Ending, threshold: float, bounds_s: tuple[float, float]) -> float:
    """The silence after the last release with which a phrase is over."""
    missing = threshold - sum(weight * value for weight, value in zip(WEIGHTS, ending.values, strict=True))

    def over(wait_s: float) -> bool:
        return surprise(silence, ending.held_s + wait_s) + LOG_SILENCE * math.log(wait_s) >= missing

    low_s, high_s = bounds_s
    if over(low_s):
        return low_s
    for _ in range(12):  # to 2 ms at most
        middle_s = math.sqrt(low_s * high_s)
        low_s, high_s = (low_s, middle_s) if over(middle_s) else (middle_s, high_s)
    return high_s


def threshold_at(patience: float) -> float:
    """The threshold at a patience from 0 to 1."""
    place = patience * (len(THRESHOLDS) - 1)
    k = min(int(place), len(THRESHOLDS) - 2)
    return THRESHOLDS[k] + (place - k) * (THRESHOLDS[k + 1] - THRESHOLDS[k])


def bounds_at(patience: float) -> tuple[float, float]:
    """The shortest and the longest wait: the more patient, the longer; from 0.3 to 2 s in the middle."""
    if patience < 0.5:
        return HASTIEST_WAIT_S * (SHORTEST_WAIT_S / HASTIEST_WAIT_S) ** (2 * patience), LONGEST_WAIT_S
    return SHORTEST_WAIT_S, LONGEST_WAIT_S * (PATIENTEST_WAIT_S / LONGEST_WAIT_S) ** (2 * patience - 1)


class TurnTaking:
    """How long livemuse waits for this player, and what it learns on stage: it is hurried, put off, played over."""

    def __init__(self, listener: Listener) -> None:
        self.learned = 0.0  # added to the threshold; bounded
        self._listener = listener
        self._word: tuple[float, ...] = ()  # the network's on the silence that began at ``_word_on_s``
        self._word_on_s: float | None = None
        self._put_off: tuple[float, float] | None = None  # (which silence, until when)

    @property
    def has_word(self) -> bool:
        """Whether the network has told what it makes of this silence."""
        return self._word_on_s is not None and self._word_on_s == self._listener.silent_since_s

    def take_word(self, silence: tuple[float, ...]) -> None:
        """The network tells what it makes of this silence: how likely it is for each of ``SILENCES_S``."""
        self._word, self._word_on_s = silence, self._listener.silent_since_s

    def wait_s(self, patience: float, learned: float | None = None) -> float:
        """The silence that ends the phrase now; with what was learned on stage, or ``learned`` in its place."""
        learned = self.learned if learned is None else learned
        bounds_s, threshold = bounds_at(patience), threshold_at(patience) + learned
        ending = ending_of(self._listener) if self.has_word else None
        if ending is not None:
            return over_after_s(self._word, ending, threshold, bounds_s)
        longer = math.exp(math.log(2.0) * (threshold - threshold_at(0.5)) / _NATS_A_DOUBLING)
        return min(max(self._listener.pauses.wait_s * longer, bounds_s[0]), bounds_s[1])

    def over_s(self, wait_s: float) -> float | None:
        """When this silence has lasted so long, and no sooner than it was put off to; None while there is none."""
        since_s = self._listener.silent_since_s
        if since_s is None:
            return None
        put_off_s = self._put_off[1] if self._put_off is not None and self._put_off[0] == since_s else since_s
        return max(since_s + wait_s, put_off_s)

    def put_off(self, until_s: float) -> None:
        """The player has not finished: no answer to this silence before ``until_s``, and more patience from now on."""
        if self._listener.silent_since_s is not None:
            self._put_off = (self._listener.silent_since_s, until_s)
        self.too_early()

    def came_back(self, at_s: float, answered_s: float | None) -> None:
        """The player went on: soon after livemuse came in, they had not finished; wait longer next time."""
        since_s = self._listener.silent_since_s
        if answered_s is not None and since_s is not None and at_s - answered_s < TOO_EARLY_S:
            self._listener.pauses.silence(at_s - since_s)
            self.too_early()

    def too_early(self) -> None:
        """The player had not finished, and went on right after livemuse came in."""
        self.learned = min(self.learned + _STEP, _FARTHEST)

    def too_late(self) -> None:
        """The player did not want to wait for the answer."""
        self.learned = max(self.learned - _STEP, -_FARTHEST)

    def let_be(self) -> None:
        """An answer was heard to its end: what was learned fades a little."""
        self.learned *= _FADES

"""The beat of free playing: tempo, where the next beat lies, where the bar begins, and how sure that is.

Fed key by key, asked at any time. Pure: the same keys give the same answers, however often and whenever it is asked.

    hearing = BeatHearing()
    hearing.hear(at_s, pitch, velocity)      # each key that goes down, in the order of time
    grid = hearing.grid(now_s)               # None until two events were heard
    if grid and grid.confidence >= CLEAR:
        begin_s = hearing.next_beat_s(now_s)
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from livemuse.music.hearing.beat_tables import CONFIDENCE
from livemuse.music.hearing.lattice import PER_BEAT
from livemuse.music.hearing.metre import clearest
from livemuse.music.hearing.pulse import FASTEST_S, Feel, Pulse, Pulses
from livemuse.music.hearing.struck import TOGETHER_S, Gathering

CLEAR: Final = 0.75  # a beat is called clear from this confidence on
NEAR_S: Final = 0.03  # a beat that comes so near to where it was foretold was foretold rightly
_VOTING_S: Final = 0.05  # hypotheses whose next beat lies so near the best one's have a say in where it is
_MOST_WEIGHTS: Final = 30.0
_LONGEST_TAP_S: Final = 2.0
_FASTEST_SET_S, _SLOWEST_SET_S = 0.2, 3.0  # 300 and 20 bpm
_EXTRA: Final = 0.3  # of the variance of what is foretold; the rest is told by how late events were
_SOONEST: Final = 1e-6  # of a period: a beat asked for after itself is the one after it


class Grid(NamedTuple):
    """The beat at some moment."""

    beat_s: float  # the last beat that is not after it
    period_s: float  # from there to the next
    beats_a_bar: int | None  # 2, 3 or 4, where that is clear
    bar_s: float | None  # when the bar began in which the moment lies, where that is clear
    confidence: float  # 0 to 1: how likely the next beat comes within NEAR_S of where it is foretold

    @property
    def tempo_bpm(self) -> float:
        """Beats a minute."""
        return 60.0 / self.period_s


class BeatHearing:
    """Hears the beat in the keys a player strikes."""

    def __init__(self, feel: Feel | None = None) -> None:
        self._feel = feel or Feel()
        self._gathering = Gathering()
        self._pulses = Pulses(self._feel)
        self._ahead: Pulses | None = None  # as it will be when the event that is open is over
        self._last_s = -math.inf
        self._tapped_s = -math.inf

    # --- what happens --------------------------------------------------------------------------------------------

    def hear(self, at_s: float, pitch: int, velocity: int) -> None:
        """A key went down (seconds, 0-127, 1-127); one that comes out of order counts as if struck with the last."""
        if not math.isfinite(at_s):
            return
        self._last_s = at_s = max(at_s, self._last_s)
        self._ahead = None
        event = self._gathering.strike(at_s, pitch, velocity)
        if event:
            self._pulses.hear(event)

    def tap(self, at_s: float) -> None:
        """The musician gave a beat; two in a row give the tempo too, unless one is set."""
        if not math.isfinite(at_s):
            return
        self._ahead = None
        gap_s = at_s - self._tapped_s
        self._tapped_s = at_s
        given = FASTEST_S <= gap_s <= _LONGEST_TAP_S and self._pulses.fixed_s is None
        self._pulses.tap(at_s, gap_s if given else None)

    def set_tempo(self, bpm: float | None) -> None:
        """Fix the tempo (20 to 300 bpm, else the nearest): only the phase is followed; None: hear it again."""
        self._ahead = None
        fixed_s = None if bpm is None or not bpm > 0.0 else min(max(60.0 / bpm, _FASTEST_SET_S), _SLOWEST_SET_S)
        before, self._pulses = self._pulses, Pulses(self._feel, fixed_s)
        if fixed_s is None:
            self._pulses = before.copy()
            self._pulses.fixed_s = None
        else:
            self._pulses.fix(before)

    # --- what can be asked ---------------------------------------------------------------------------------------

    def tempo_bpm(self, at_s: float) -> float | None:
        """Beats a minute, over the last beats; None until something was heard."""
        pulses = self._at(at_s).all
        return 60.0 / pulses[0].usual_s if pulses else None

    def next_beat_s(self, after_s: float) -> float | None:
        """When the first beat after this moment comes; None until something was heard."""
        pulses = self._at(after_s)
        return self._next(pulses, after_s)[0] if pulses.all else None

    def grid(self, at_s: float) -> Grid | None:
        """The beat at a moment, no earlier than the last key; None until something was heard."""
        pulses = self._at(at_s)
        if not pulses.all:
            return None
        next_s, number = self._next(pulses, at_s)
        best, sure = pulses.all[0], self._confidence(pulses, next_s, at_s)
        beat_s = min(next_s - best.period_s, at_s)
        metre = clearest(best.metres) if sure >= CLEAR else None
        if metre is None:
            return Grid(beat_s, best.period_s, None, None, sure)
        beats, first = metre
        into = (best.beat + number - 1 - first) % beats
        return Grid(beat_s, best.period_s, beats, beat_s - into * best.period_s, sure)

    def signs(self, at_s: float) -> tuple[float, ...]:
        """What confidence is made of at a moment, for whoever learns its weights; () where nothing was heard."""
        pulses = self._at(at_s)
        return _signs(pulses, self._next(pulses, at_s)[0], at_s) if pulses.all else ()

    # --- how -----------------------------------------------------------------------------------------------------

    def _at(self, at_s: float) -> Pulses:
        """All hypotheses at a moment: what was struck last is counted as soon as it is over, and not for good."""
        since_s = self._gathering.open_since_s
        if since_s is None or at_s - since_s <= TOGETHER_S:
            return self._pulses
        if self._ahead is None:
            event = self._gathering.copy().due(at_s)
            self._ahead = self._pulses.copy()
            if event:
                self._ahead.hear(event)
        return self._ahead

    def _next(self, pulses: Pulses, after_s: float) -> tuple[float, int]:
        """(the first beat after a moment, how many beats that is after the last event's), where the likely ones agree.

        Only the best says which beat it is; where it lies is the mean of all that mean the same one.
        """
        best = pulses.all[0]
        next_s, number = _beat_after(best, after_s)
        total = told = 0.0
        for pulse in pulses.all:
            if pulse.weight < -6.0:
                break
            at_s = _nearest_beat(pulse, next_s)
            if abs(at_s - next_s) < _VOTING_S:
                weight = math.exp(pulse.weight)
                total += weight
                told += weight * (at_s - next_s)
        mean_s = next_s + told / total
        return (mean_s if mean_s > after_s else next_s), number

    def _confidence(self, pulses: Pulses, next_s: float, at_s: float) -> float:
        z = CONFIDENCE[0] + sum(map(float.__mul__, CONFIDENCE[1:], _signs(pulses, next_s, at_s)))
        return 1.0 / (1.0 + math.exp(-min(max(z, -_MOST_WEIGHTS), _MOST_WEIGHTS)))


def _beat_after(pulse: Pulse, after_s: float) -> tuple[float, int]:
    """(the first beat of a hypothesis after a moment, how many beats after the one its last event lies in)."""
    beats = (after_s - pulse.at_s) / pulse.period_s + pulse.place / PER_BEAT
    number = math.floor(beats + _SOONEST) + 1
    return pulse.at_s + (number - pulse.place / PER_BEAT) * pulse.period_s, number


def _nearest_beat(pulse: Pulse, at_s: float) -> float:
    place = pulse.place / PER_BEAT
    number = math.floor((at_s - pulse.at_s) / pulse.period_s + place + 0.5)
    return pulse.at_s + (number - place) * pulse.period_s


def _signs(pulses: Pulses, next_s: float, at_s: float) -> tuple[float, ...]:
    """Signs of a clear beat, each about 0 to 4."""
    best = pulses.all[0]
    total = agreed = alike = 0.0
    for pulse in pulses.all:
        weight = math.exp(pulse.weight)
        total += weight
        if abs(_nearest_beat(pulse, next_s) - next_s) < NEAR_S:
            agreed += weight
        if abs(pulse.period_s / best.period_s - 1.0) < 0.04:
            alike += weight
    ahead = (next_s - best.at_s) / best.period_s
    drift = (pulses.feel.drift * best.period_s) ** 2 * best.unsteady * abs(ahead)
    variance = _EXTRA * (best.a + ahead * (2.0 * best.b + ahead * (best.c + 0.333 * drift))) + best.late_s**2
    return (
        agreed / total,
        math.erf(NEAR_S / math.sqrt(2.0 * max(variance, 1e-6))),
        min(max(pulses.sense, -2.0), 4.0),
        min(math.log1p(pulses.events), 4.0),
        min(math.log1p(max(at_s - pulses.last_s[-1], 0.0) / best.period_s), 4.0),
        min(best.late_s / NEAR_S, 3.0),
        min(math.log1p(pulses.reign), 4.0),
        alike / total,
        min(abs(math.log(best.period_s) - pulses.centre) / 0.3, 4.0),
        best.unsteady,
    )

"""Hypotheses of the beat, kept side by side and weighed by every event: a switching Kalman filter.

Each hypothesis says on which place of a beat the last event lies, and follows phase and period by a Kalman filter
(Cemgil and Kappen 2003, "Monte Carlo methods for tempo tracking and rhythm quantization"; Raphael 2001, "Automated
rhythm transcription"). An event may lie on any near place of the lattice; each is a hypothesis of its own, and the
likely ones are kept. Unlike the agents of Dixon 2001 they are weighed as one distribution, so that it can be said how
sure they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Final

from livemuse.music.hearing.beat_tables import LOAD_SHARES, STEPS, WEIGHTS
from livemuse.music.hearing.lattice import FIRST_ROWS, FIRST_TRIPLE, LOADS, PER_BEAT, ROW_PLACE, next_row, steps_near
from livemuse.music.hearing.metre import AT_FIRST, CYCLE, Metres, Signs, after_beats, signs_of
from livemuse.music.hearing.struck import Struck

FASTEST_S: Final = 0.22  # the shortest period of a beat
SLOWEST_S: Final = 2.2
LONGEST_GAP_S: Final = 4.5  # after a longer silence the tempo is remembered, the beat is not
_FEWEST_BEATS: Final = 0.02  # events nearer than this to the last are one with it
_FIRST_GAP_S: Final = 0.28  # as if a few gaps of this length had been heard
_SAME_S: Final = 0.03  # hypotheses on one place with nearly one period and so near are one
_LATELY: Final = 0.12  # how fast late_s follows, a share an event
_SENSE: Final = 0.08  # how fast sense follows
_FINENESS: Final = 40.0  # to the logarithm of a period: how near is nearly one


@dataclass(frozen=True, slots=True)
class Feel:
    """What is taken for granted of playing; found on the training pieces of POP909 and piano-midi.de."""

    timing_s: float = 0.0144  # how far keys fall beside where they are meant
    drift: float = 0.063  # how far the period changes within a beat, as a share of it
    learn_drift: float = 0.12  # how fast this player's own steadiness is learned
    typical_s: float = 1.22  # the likeliest period where one event comes each second
    pace: float = 0.5  # and how it follows the usual gap between events: as its square root
    spread: float = 0.19  # of the period's logarithm
    keep: int = 22  # hypotheses
    memory: float = 0.96  # what an event says counts less by this with each one after it
    accents: float = 0.5  # how much weight accents have, against rhythm
    rhythm: float = 0.874
    beside: float = -4.5  # log likelihood of an event beside the lattice (a grace note)
    other_level: float = -3.7  # the weight at which a beat twice as fast, say, is thought of again
    usual: float = 0.58  # how fast the tempo that is told follows the period: a share a beat


class Pulse:
    """One hypothesis."""

    __slots__ = ("a", "at_s", "b", "beat", "c", "late_s", "metres", "period_s", "row", "unsteady", "usual_s", "weight")

    def __init__(self, weight: float, at_s: float, period_s: float, row: int) -> None:
        self.weight = weight  # log, the best of all has 0
        self.at_s = at_s  # where the place of the last event lies
        self.period_s = period_s
        self.usual_s = period_s  # the period over the last beats
        self.a = self.b = self.c = 0.0  # variance of at_s, covariance, variance of period_s: s^2
        self.row = row  # the place, and how beats are divided
        self.beat = 0  # beats gone by, modulo 12
        self.metres: Metres = AT_FIRST
        self.unsteady = 1.0  # how much the tempo drifts, as a factor
        self.late_s = 0.03  # how far events came from where they were expected, lately

    @property
    def place(self) -> int:
        """Of the last event, in 24ths of a beat."""
        return ROW_PLACE[self.row]


_Candidate = tuple[float, Pulse, int, int, float]
"""Weight, the hypothesis it comes from, the step in 24ths (0: beside the lattice), the row after it, how late it is."""

_weight = itemgetter(0)
_pulse_weight = attrgetter("weight")

_LEVELS: Final = (
    (2.0, 0), (0.5, 0), (2.0, 12), (1.0, 12), (3.0, 0), (1 / 3, 0), (1.5, 0), (2 / 3, 0), (3.0, 8), (3.0, 16),
    (1.0, 6), (1.0, 18),
)  # fmt: skip
"""What else the beat may be: so many times as long, and so many 24ths (of the new beat) further on."""


def _sum(pulses: list[Pulse]) -> float:
    """The log of what their weights add up to."""
    top = max([pulse.weight for pulse in pulses], default=0.0)
    return top + math.log(sum([math.exp(pulse.weight - top) for pulse in pulses]) or 1.0)


def _same_beat(one: Pulse, other: Pulse) -> bool:
    """Whether two hypotheses mean one beat, more or less: its period and where it lies."""
    beats = (other.at_s - one.at_s) / one.period_s + (one.place - other.place) / PER_BEAT
    return abs(other.period_s / one.period_s - 1.0) < 0.1 and abs(beats - math.floor(beats + 0.5)) < 0.2


class Pulses:
    """All hypotheses, the likeliest first. ``fixed_s``: the period that was set, if one was."""

    def __init__(self, feel: Feel, fixed_s: float | None = None) -> None:
        self.feel = feel
        self.fixed_s = fixed_s
        self.all: list[Pulse] = []
        self.last_s: tuple[float, ...] = ()  # the last events
        self.events = 0  # heard since the first or the last silence
        self.reign = 0  # events for which the best hypothesis has meant the same beat
        self.sense = 0.0  # how much better a beat explains the last events than chance would, nats an event
        self._first_loads: list[float] = []
        self._usual_gap_s, self._gaps = _FIRST_GAP_S, 3.0
        self.centre = 0.0  # log of the likeliest period, by the number of events a second alone
        self._signs: Signs = (0.0, 0.0, 0.0)

    def copy(self) -> Pulses:
        """The same again; hearing changes only one of them."""
        other = Pulses(self.feel, self.fixed_s)
        other.all, other.last_s, other.events = list(self.all), self.last_s, self.events
        other.sense, other.reign = self.sense, self.reign
        other._first_loads, other._signs, other.centre = self._first_loads, self._signs, self.centre
        other._usual_gap_s, other._gaps = self._usual_gap_s, self._gaps
        return other

    def hear(self, event: Struck) -> None:
        """Weigh every hypothesis by an event, and go on with the likely ones."""
        at_s, loads = event.at_s, self._loads(event.accents)
        gap_s = at_s - self.last_s[-1] if self.last_s else math.inf
        if gap_s < LONGEST_GAP_S:
            self._gaps = min(self._gaps + 1.0, 24.0)
            self._usual_gap_s += (gap_s - self._usual_gap_s) / self._gaps
        usual_s = max(self._usual_gap_s, 1e-3)
        self.centre = math.log(self.feel.typical_s) + self.feel.pace * math.log(usual_s)
        if not self.all:
            self._begin(at_s, gap_s, loads)
        elif gap_s >= LONGEST_GAP_S:
            self._resume(at_s, loads)
        else:
            self._signs = signs_of(event.accents)
            before, best = _sum(self.all), self.all[0]
            made = self._choose(self._candidates(at_s, loads))
            chance = -math.log(usual_s) - gap_s / usual_s
            self.sense += _SENSE * (made - before - chance - self.sense)
            self.reign = self.reign + 1 if _same_beat(best, self.all[0]) else 0
            self._think_again(at_s)
        self.last_s = (*self.last_s[-7:], at_s)
        self.events += 1

    def tap(self, at_s: float, period_s: float | None) -> None:
        """A beat was given at this time, and the period if it was the second one: what fits it is likelier by far."""
        noise = 2.0 * self.feel.timing_s**2
        told = period_s or (self.all[0].period_s if self.all else 0.6)
        new = Pulse(0.0, at_s, self.fixed_s or min(max(told, FASTEST_S), SLOWEST_S), next_row(0, 0))
        new.a, new.c = noise, 0.0 if self.fixed_s else ((0.03 if period_s else 0.15) * told) ** 2
        fitting = [new]
        for pulse in self.all:
            beats = (at_s - pulse.at_s) / pulse.period_s + pulse.place / PER_BEAT
            beside_s = (beats - math.floor(beats + 0.5)) * pulse.period_s
            other = 0.0 if period_s is None else math.log(pulse.period_s / period_s) / 0.05
            pulse_weight = pulse.weight + 1.0 - min(0.5 * (beside_s / 0.03) ** 2 + 0.5 * other * other, 30.0)
            if pulse_weight > -8.0:
                pulse.weight = pulse_weight
                fitting.append(pulse)
        self.all = fitting
        self.last_s = self.last_s or (at_s,)
        self._keep()

    def fix(self, before: Pulses) -> None:
        """Keep where these hypotheses have the beat, at the tempo that is set."""
        assert self.fixed_s is not None
        self.last_s, self.events, self.sense = before.last_s, before.events, before.sense
        self._usual_gap_s, self._gaps = before._usual_gap_s, before._gaps
        for old in before.all:
            other = math.log(old.period_s / self.fixed_s) / 0.1
            place = old.place if abs(other) < 3.0 else 0
            new = Pulse(old.weight - min(0.5 * other * other, 4.0), old.at_s, self.fixed_s, next_row(old.row, place))
            new.a, new.beat = old.a, old.beat
            self.all.append(new)
        self._keep()

    # --- beginning -----------------------------------------------------------------------------------------------

    def _loads(self, accents: tuple[float, ...]) -> list[float]:
        """For what a place bears (as in LOADS), how well the accents fit it: log likelihoods."""
        found = [row[0] + sum(map(float.__mul__, row[1:], accents)) for row in WEIGHTS]
        norm = math.log(sum([share * math.exp(f) for share, f in zip(LOAD_SHARES, found, strict=True)]))
        return [self.feel.accents * (f - norm) for f in found]

    def _prior(self, period_s: float) -> float:
        z = (math.log(period_s) - self.centre) / self.feel.spread
        return -0.5 * z * z

    def _begin(self, at_s: float, gap_s: float, loads: list[float]) -> None:
        """The first event says nothing of the period; the second says many things."""
        if self.fixed_s is not None:
            self.all = [self._placed(share, at_s, self.fixed_s, row, loads) for row, share in FIRST_ROWS]
            return self._keep()
        first, self._first_loads = self._first_loads, loads
        if not first or gap_s >= LONGEST_GAP_S or gap_s * PER_BEAT < FASTEST_S:
            return None
        noise = self.feel.timing_s**2
        for row, share in FIRST_ROWS:
            place = ROW_PLACE[row]
            for step, cents in STEPS[row]:
                per = PER_BEAT / step
                period_s = gap_s * per
                if FASTEST_S < period_s < SLOWEST_S:
                    weight = share + first[LOADS[place]] - self.feel.rhythm * cents / 100.0 + math.log(per)
                    weight += self._prior(period_s)
                    pulse = self._placed(weight, at_s, period_s, next_row(row, place + step), loads)
                    pulse.beat = (place + step) // PER_BEAT % CYCLE
                    pulse.b, pulse.c = noise * per, 2.0 * noise * per * per
                    self.all.append(pulse)
        return self._keep()

    def _placed(self, weight: float, at_s: float, period_s: float, row: int, loads: list[float]) -> Pulse:
        """A hypothesis whose last event lies on the place of this row."""
        pulse = Pulse(weight + loads[LOADS[ROW_PLACE[row]]], at_s, period_s, row)
        pulse.a = self.feel.timing_s**2
        return pulse

    def _resume(self, at_s: float, loads: list[float]) -> None:
        """After a silence: the tempo is as it was, more or less; where the beat lies is anyone's guess."""
        before, self.all, self.events, self.reign = self.all, [], 0, 0
        for pulse in before[:8]:
            for row, share in FIRST_ROWS:
                new = self._placed(pulse.weight + share, at_s, pulse.period_s, row, loads)
                new.c = 0.0 if self.fixed_s else (0.06 * pulse.period_s) ** 2
                self.all.append(new)
        self._keep()

    def _keep(self) -> None:
        """The likeliest of all, each once."""
        kept: dict[tuple[int, int], Pulse] = {}
        for pulse in sorted(self.all, key=_pulse_weight, reverse=True):
            kept.setdefault((pulse.row, int(math.log(pulse.period_s) * _FINENESS)), pulse)
        self.all = list(kept.values())[: self.feel.keep]
        self._level()

    def _level(self) -> None:
        top = self.all[0].weight if self.all else 0.0
        for pulse in self.all:
            pulse.weight -= top

    # --- going on ------------------------------------------------------------------------------------------------

    def _candidates(self, at_s: float, loads: list[float]) -> list[_Candidate]:
        """Everything the event can mean, to every hypothesis."""
        feel = self.feel
        noise, drift, beside, rhythm = feel.timing_s**2, feel.drift**2, feel.beside, feel.rhythm
        found: list[_Candidate] = []
        for pulse in self.all:
            gap_s, period_s, weight = at_s - pulse.at_s, pulse.period_s, pulse.weight
            found.append((weight + beside, pulse, 0, pulse.row, 0.0))
            beats = gap_s / period_s
            if beats < _FEWEST_BEATS:
                continue
            drifted = drift * period_s * period_s * beats * pulse.unsteady
            variance = noise + pulse.a + beats * (2.0 * pulse.b + beats * (pulse.c + 0.333 * drifted))
            scale = -0.5 / variance
            weight -= 0.5 * math.log(variance) + 0.919
            unit_s = period_s / PER_BEAT
            for step, share, row, load in steps_near(pulse.row, int(beats * PER_BEAT + 0.5)):
                late_s = gap_s - step * unit_s
                fit = scale * late_s * late_s
                if fit > -8.0:
                    found.append((weight + rhythm * share + loads[load] + fit, pulse, step, row, late_s))
        return found

    def _choose(self, found: list[_Candidate]) -> float:
        """Go on with the likeliest of these, those that came to be one added up; the log likelihood of them all."""
        found.sort(key=_weight, reverse=True)
        kept: list[Pulse] = []
        seen: dict[tuple[int, int], Pulse] = {}
        top = found[0][0]
        for candidate in found:
            if candidate[0] < top - 14.0 or len(kept) == self.feel.keep:
                break
            new = self._moved(candidate)
            if new is None:
                continue
            key = (new.row, int(math.log(new.period_s) * _FINENESS))
            same = seen.get(key)
            if same is not None and abs(same.at_s - new.at_s) < _SAME_S:
                same.weight += math.log1p(math.exp(new.weight - same.weight))
            else:
                seen[key] = new
                kept.append(new)
        made = _sum(kept)
        memory = self.feel.memory
        for new in kept:
            new.weight = memory * (new.weight - top) + (1.0 - memory) * self._prior(new.period_s)
        kept.sort(key=_pulse_weight, reverse=True)
        self.all = kept or self.all
        self._level()
        return made

    def _moved(self, candidate: _Candidate) -> Pulse | None:
        """The hypothesis as it is after the event; None where its period would be none of a beat."""
        weight, old, step, row, late_s = candidate
        new = Pulse(weight, old.at_s, old.period_s, row)
        new.unsteady, new.usual_s, new.late_s = old.unsteady, old.usual_s, old.late_s
        new.beat, new.metres = old.beat, old.metres
        if not step:
            new.a, new.b, new.c = old.a, old.b, old.c
            return new
        beats, period_s = step / PER_BEAT, old.period_s
        drift = self.feel.drift**2 * period_s * period_s * beats * old.unsteady
        if self.fixed_s is not None:  # the phase drifts a little, the period does not
            b = c = 0.0
            a = old.a + 0.01 * drift
        else:
            c = old.c + drift
            b = old.b + beats * (old.c + 0.5 * drift)
            a = old.a + beats * (2.0 * old.b + beats * (old.c + 0.333 * drift))
        share = 1.0 / (a + self.feel.timing_s**2)
        new.at_s = old.at_s + beats * period_s + a * share * late_s
        new.period_s = period_s = period_s + b * share * late_s
        if not FASTEST_S < period_s < SLOWEST_S and self.fixed_s is None:
            return None
        new.usual_s += (period_s - new.usual_s) * min(beats * self.feel.usual, 0.8)
        new.a, new.b, new.c = a * (1.0 - a * share), b * (1.0 - a * share), c - b * b * share
        new.late_s += _LATELY * (abs(late_s) - old.late_s)
        surprise = min(late_s * late_s * share, 6.0) - 1.0
        new.unsteady = min(max(old.unsteady * (1.0 + self.feel.learn_drift * surprise), 0.05), 4.0)
        gone = (ROW_PLACE[old.row] + step) // PER_BEAT
        if gone:
            new.beat = (old.beat + gone) % CYCLE
            new.metres = after_beats(old.metres, old.beat, gone, None if ROW_PLACE[row] else self._signs)
        return new

    # --- thinking again ------------------------------------------------------------------------------------------

    def _think_again(self, at_s: float) -> None:
        """One by one, what is not thought of any more is thought of again: another level, another beat altogether."""
        best, weight = self.all[0], self.feel.other_level
        times, shift = _LEVELS[self.events % len(_LEVELS)]
        if self.fixed_s is None or times == 1.0:
            place = best.place / times + shift
            exact = times in (0.5, 1.0, 2.0, 3.0) or best.place == 0
            if exact and place % PER_BEAT in LOADS:
                self._think_of(weight, best.at_s, best.period_s * times, int(place % PER_BEAT))
        ago = 1 + self.events % 5
        if self.fixed_s is None and ago < len(self.last_s):
            gap_s = at_s - self.last_s[-ago]
            while gap_s > 1.0:
                gap_s /= 2.0
            if gap_s > 0.3:
                self._think_of(weight - 1.0, at_s, gap_s, 0)

    def _think_of(self, weight: float, at_s: float, period_s: float, place: int) -> None:
        """Take in this hypothesis, unless there is one like it."""
        best = self.all[0]
        if not FASTEST_S < period_s < SLOWEST_S:
            return
        for pulse in self.all:
            if pulse.place == place and abs(pulse.period_s / period_s - 1.0) < 0.03:
                return
        times = period_s / best.period_s
        division = FIRST_TRIPLE if abs(times - 1.5) < 0.01 or times > 2.5 else 0 if times < 0.7 else best.row
        new = Pulse(weight, at_s, period_s, next_row(division, place))
        new.unsteady = best.unsteady
        if at_s == best.at_s:
            new.a, new.b, new.c = best.a, best.b * times, best.c * times * times
            new.usual_s, new.late_s = best.usual_s * times, best.late_s
        else:
            new.a = new.b = self.feel.timing_s**2
            new.c = 2.0 * new.a
        self.all.append(new)

"""The shape of one take, as nats on pitches, a factor on the temperature, and where it closes on what.

It knows the controls ``contour``, ``phrasing``, ``loops`` and ``cadence``; each costs and changes nothing where it is
off. What closes is a plan with an end: its last onset is on a beat that is clear, of notes of the tonic triad (or of
the chord of the moment), and sounds to the end; just before it, the dominant is a little likelier than else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from statistics import median
from typing import Final

import numpy as np

from livemuse.model.chordpull import ChordPull
from livemuse.model.pitches import UNSET, Nats, Reach
from livemuse.music.context import BeatGrid
from livemuse.music.following import Proposal
from livemuse.music.loops import FORBIDDEN, Line, loop_costs, most_times
from livemuse.music.phrasing import OCTAVE, Close, Phrase, Surprise, close_of, close_of_notes, tilt, warmth
from livemuse.music.sampling import Floats
from livemuse.music.schedule import Plan
from livemuse.music.theory import Key, parse_key

MOST_IN_CHORD: Final = 4  # notes of the last onset
_FARTHEST: Final = 1.5  # octaves from the middle of the register, from which on a contour pulls no more
_DOMINANT: Final = (7, 11, 2, 5)  # semitones above the tonic: the chord that leads to it
_APPROACH_NATS: Final = 0.7
_APPROACH_S: Final = 0.8  # before the close, without a beat
_THIRD_NATS, _FIFTH_NATS = 0.2, 0.5  # off the last note, beside the root
_LOW_NATS: Final = 1.0  # more off both where they would be the bass
_LATELY: Final = 24  # notes that say where the voices lie
_TWO_HANDS: Final = 7  # semitones from the middle of them down to the bass, if there is one
_BASS_REACH: Final = 4  # above where the lower voices lie
_APART_S: Final = 0.1  # the last of so many notes is struck at least so long after the one before
_TUNES_STOP_S: Final = 0.3  # before the end that is told them, tunes are over
_LEAST_CLOSING_S: Final = 0.15  # no note is struck later than so long before the end


class Shaping:
    """The shape of one take's answer."""

    def __init__(
        self, plan: Plan, reach: Reach | None, chords: ChordPull | None, beats: BeatGrid | None = None
    ) -> None:
        """``beats`` are those it is bound to, whatever is heard."""
        controls = plan.controls
        self._phrase = Phrase.of(plan)
        self._phrasing = controls.number("phrasing")
        self._contour = controls.text("contour")
        self._middle = None if reach is None else (reach[0] + reach[1]) / 2
        loops = controls["loops"]
        self._most_times = None if isinstance(loops, str) else int(loops)
        self._known: tuple[Line | None, dict[int, float]] = (None, {})  # the costs of the line looked at last
        self._chords, self._key = chords, key_of(plan)
        if beats is None:
            beats = plan.context.beats
        if chords is not None:
            beats = BeatGrid(chords.from_s, chords.beat_s, clear=True)
        self._beats, self._until_s = beats, plan.end_s
        self._last_index: int | None = None  # of an answer that closes with so many notes
        self.close: Close | None = None
        if plan.closing:
            onset_s = _last_onset_s(plan, beats)
            self.close = Close(onset_s, onset_s, plan.end_s, on_beat=True)
        elif self._phrase is not None and controls.text("cadence") == "on":
            self._last_index = None if self._phrase.notes is None else self._phrase.notes - 1
            close = close_of(self._phrase.from_s, plan.end_s, beats)
            from_s = max(close.from_s, plan.not_before_s)
            if from_s <= plan.end_s - _LEAST_CLOSING_S:
                self.close = replace(close, from_s=from_s, to_s=max(close.to_s, from_s))

    # --- where it closes -----------------------------------------------------------------------------------------

    def closing_s(self, index: int, at_s: float, line: Line, *, tune: bool) -> tuple[float, float] | None:
        """(onset, end) of the notes it closes with, where the next one is of them; ``at_s`` is when else it would be
        struck, infinity for no more; ``tune`` says that one is under way.
        """
        if index == self._last_index and at_s < math.inf:
            beats = self._beats if line.struck else None  # a first note has its place
            at_s = max(at_s, line.struck[-1][0] + _APART_S) if line.struck else at_s
            close = close_of_notes(at_s, self._until_s, beats)
            return close.from_s, close.until_s
        if self.close is None or index == 0 or not line.struck:
            return None
        previous_s = line.struck[-1][0]
        onset_s = self.close.onset_s(at_s, previous_s, tune=tune)
        return None if onset_s is None else (onset_s, self.close.until_s)

    def closes(self, index: int, frame: tuple[float, float], line: Line) -> bool:
        """Whether the music closes with a sixteenth, (its beginning, its length), on the beats that bind it."""
        at_s, length_s = frame
        if index == self._last_index and self._beats is not None:
            return self._beats.next_beat_s(at_s, length_s / 2) < at_s + length_s / 2
        return self.close is not None and bool(line.struck) and at_s >= self.close.from_s - length_s / 2

    def left_before_closing(self, left: int | None) -> int | None:
        """How many notes may be struck before those it closes with, where ``left`` are in all (None: any number)."""
        return left if left is None or self._last_index is None else max(left - 1, 0)

    def close_until_s(self, at_s: float) -> float:
        """When the notes end with which it closed at a time."""
        return self._until_s if self._last_index is None else close_of_notes(at_s, self._until_s, None).until_s

    @property
    def tunes_end_s(self) -> float:
        """When a tune that is taken up is to be over."""
        return self._until_s if self.close is None else min(self.close.to_s + _TUNES_STOP_S, self._until_s)

    def home(self, at_s: float) -> frozenset[int] | None:
        """The pitch classes to end on then; None where no key and no chord is known."""
        root = self._root_and_classes(at_s)
        return None if root is None else root[1]

    def only_home(self, nats: Nats, at_s: float, line: Line) -> Nats:
        """(128,) nats that leave nothing but notes to close with, if any may be played."""
        only = self._at_home(-nats, at_s, line)
        return nats if only is None else np.asarray(-only, np.float64)

    def closing(self, logits: Floats, nats: Nats, at_s: float, line: Line, *, alone: bool) -> Floats:
        """(128,) logits of a note to close with, where the rules take ``nats`` (128,) off; of nothing else, if any may
        be played. Under two hands it is the bass, unless it is to be ``alone``.
        """
        found = np.asarray(logits, np.float64) - nats
        only = self._at_home(found, at_s, line)
        if only is None:
            return found
        low, middle = _hands(line)
        if not alone and low < middle - _TWO_HANDS:
            bass = np.where(np.arange(128) <= low + _BASS_REACH, only, -np.inf)
            return bass if np.isfinite(bass).any() else only
        return only

    def also_closing(self, logits: Floats, nats: Nats, at_s: float, line: Line) -> Floats | None:
        """(128,) logits of one that is struck with the last, above it; None where there is none."""
        found = np.asarray(logits, np.float64) - nats
        only = self._at_home(found, at_s, line)
        above = np.array(found if only is None else only)
        above[: line.struck[-1][1] + 1] = -np.inf
        if self.wants_more(line):
            upper = np.where(np.arange(128) >= _hands(line)[1], above, -np.inf)
            above = upper if np.isfinite(upper).any() else above
        return above if np.isfinite(above).any() else None

    def _at_home(self, found: Floats, at_s: float, line: Line) -> Floats | None:
        known = self._root_and_classes(at_s)
        if known is None:
            return None
        only = found - _home_nats(*known, _hands(line)[1] - OCTAVE // 2)
        return only if np.isfinite(only).any() else None

    def wants_more(self, line: Line) -> bool:
        """Whether the last onset is so far a bass alone, below a music that lies higher."""
        low, middle = _hands(line)
        return low < middle - _TWO_HANDS and line.struck[-1][1] <= low + _BASS_REACH

    def _root_and_classes(self, at_s: float) -> tuple[int, frozenset[int]] | None:
        chord = None if self._chords is None else self._chords.chord_at(at_s)
        if chord is not None:
            return chord.root, chord.pitch_classes
        return None if self._key is None else (self._key.tonic, self._key.tonic_triad)

    # --- how it goes there ---------------------------------------------------------------------------------------

    def warmth(self, at_s: float, index: int, line: Line, surprise: Surprise) -> float:
        """The factor on the temperature of note ``index``, some time after ``at_s``."""
        if self._phrasing <= 0.0:
            return 1.0
        place = None if self._phrase is None else self._phrase.place(at_s, index)
        return warmth(self._phrasing, place, most_times(line), surprise)

    def shaped(self, nats: Nats, at_s: float, index: int, line: Line) -> Nats:
        """(128,) nats off each pitch of note ``index``: those of the rules, and those of the shape."""
        found = nats
        if self._phrase is not None and self._middle is not None and self._contour != "off":
            place = self._phrase.place(at_s, index)
            found = found - tilt(self._contour, place) * _octaves_from(self._middle)
        if self.close is not None and self._key is not None and self._chords is None:
            lead_s = _APPROACH_S if self._beats is None else self._beats.period_s
            if self.close.from_s - lead_s <= at_s < self.close.from_s:
                found = found + _approach_nats(self._key.tonic)
        costs = self._loop_costs(line)
        if not costs:
            return found
        guarded = np.array(found)
        for pitch, cost in costs.items():
            guarded[pitch] += cost
        return guarded if np.isfinite(guarded).any() else found

    def goes_round(self, line: Line, at_s: float, struck: Iterable[int]) -> int | None:
        """The first of some pitches struck together that has a figure go round once too often; None where none does."""
        for pitch in sorted(struck) if self._most_times is not None else ():
            if self._loop_costs(line).get(pitch) == FORBIDDEN:
                return pitch
            line = line.after(at_s, pitch)
        return None

    def spared(self, proposal: Proposal, line: Line) -> Proposal:
        """What the player's material would play, but for a figure that would go round once too often."""
        costs = self._loop_costs(line) if proposal.weights else {}
        weights = {pitch: w for pitch, w in proposal.weights.items() if costs.get(pitch) != FORBIDDEN}
        return proposal if len(weights) == len(proposal.weights) else replace(proposal, weights=weights)

    def _loop_costs(self, line: Line) -> dict[int, float]:
        if self._most_times is None:
            return {}
        if self._known[0] is not line:  # one note asks twice
            self._known = (line, loop_costs(line, self._most_times))
        return self._known[1]


def _hands(line: Line) -> tuple[int, int]:
    """Where the lower voices lie in what led to the close, and the middle of all; 0 and 0 where there was nothing."""
    before = [p for onset_s, p in line.struck if line.closed_s is None or onset_s < line.closed_s]
    pitches = sorted(before[-_LATELY:])
    return (pitches[len(pitches) // 5], round(median(pitches))) if pitches else (0, 0)


def key_of(plan: Plan) -> Key | None:
    """The key an answer closes in: the one that is set, else the one that is heard."""
    key = plan.controls.text("key")
    return plan.context.key if key in UNSET else parse_key(key)


def surprise_nats(logits: Floats, pitch: int) -> float:
    """How surprising a pitch is, of (128,) logits."""
    values = np.asarray(logits, np.float64)
    top = float(values.max())
    return top + math.log(float(np.exp(values - top).sum())) - float(values[pitch])


@lru_cache(maxsize=64)
def _octaves_from(middle: float) -> Nats:
    return np.clip((np.arange(128) - middle) / OCTAVE, -_FARTHEST, _FARTHEST)


@lru_cache(maxsize=12)
def _approach_nats(tonic: int) -> Nats:
    return np.array([0.0 if (p - tonic) % OCTAVE in _DOMINANT else _APPROACH_NATS for p in range(128)])


@lru_cache(maxsize=256)
def _home_nats(root: int, classes: frozenset[int], low: int) -> Nats:
    """(128,) nats of each pitch to end on, infinite for all that are none; below ``low`` it would be the bass."""
    found = np.full(128, np.inf)
    for pitch in _of(classes):
        step = (pitch - root) % OCTAVE
        nats = 0.0 if step == 0 else _FIFTH_NATS if step == 7 else _THIRD_NATS
        found[pitch] = nats + (_LOW_NATS if step and pitch < low else 0.0)
    return found


def _of(classes: Iterable[int]) -> list[int]:
    return [pitch for pitch in range(128) if pitch % OCTAVE in classes]


def _last_onset_s(plan: Plan, beats: BeatGrid | None) -> float:
    """Where the last notes of a closing take are struck: with a bar, or else on a beat, where these are clear."""
    if beats is None or not beats.clear:
        return plan.last_onset_s
    bar_s = beats.next_bar_s(plan.not_before_s + _APART_S)
    if bar_s is not None and bar_s <= plan.end_s - _LEAST_CLOSING_S:
        return bar_s
    beat_s = beats.next_beat_s(plan.last_onset_s) - beats.period_s
    return beat_s if beat_s >= plan.not_before_s + _APART_S else plan.last_onset_s

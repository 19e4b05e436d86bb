"""What the player's left hand just did, as a progression to play over: the round of chords, from where it is now.

A round is heard where chords came back: by the beat, where one is clear, so that a passing chord does no harm; else
chord by chord. Chords that have not come back yet make one too where they fill the last four bars evenly.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median, median_low
from typing import Final

from livemuse.music.context import BeatGrid
from livemuse.music.hearing.chord import Change, HeardChord
from livemuse.music.hearing.chord_tables import QUALITIES
from livemuse.music.theory import PITCH_CLASS_NAMES

FEWEST_CHORDS: Final = 2
MOST_CHORDS: Final = 16  # of a round
SHORTEST_BEATS: Final = 0.5  # of a chord; what changes faster is no accompaniment
LONGEST_BEATS: Final = 64  # of a round, and the longest chord that the control understands
ALIKE: Final = 0.7  # so much of its changes must be where they were a round ago
BARS: Final = 4  # make a round that was not gone twice; and so long a rest parts what was played from what is
BEATS_A_BAR: Final = 4  # where nothing else is heard, and in what the control understands

_REMEMBERED: Final = 3  # rounds
_LEAN: Final = 0.3  # of how far a chord is from the beat, so much is a tempo that gave way
_ON_IT: Final = 0.25  # beats: whoever begins so near a beat begins on it
_PASSING: Final = 0.4  # where there is no beat, a chord of less than so much of the usual length is none
_DUE: Final = 0.75  # of a chord: then, without a beat, the next one follows
_PARTS: Final = 8  # of a beat, in which lengths are written

Kind = tuple[int, bool]
"""Root, and whether the third is minor: what makes two chords the same here."""


@dataclass(frozen=True, slots=True)
class _Round:
    """Chords and their lengths in beats, from the one that began last; when that was; and whether beats go on."""

    chords: list[tuple[str, float]]
    since_beats: float
    in_time: bool


def played_over(
    changes: Sequence[Change], begins_s: float, tempo_bpm: float, beats: BeatGrid | None = None
) -> str | None:
    """The chords that went round, as the control ``chords`` understands them, to go on with from a moment on.

    ``changes``: as `ChordHearing.progression` has them; ``begins_s``: when the answer begins, on the same clock;
    ``tempo_bpm``: in which the text will be read, where no beat is clear. ``Am F C G`` is a bar each and begins with
    Am; a chord that is half over stands at both ends (``C:2 G Am F C:2``). None where nothing clear goes round.
    """
    clear = beats if beats is not None and beats.clear else None
    known = [change for change in changes if change.onset_s <= begins_s]
    found = None if clear is None else _by_the_beat(known, begins_s, clear)
    if found is None:
        found = _chord_by_chord(
            known, begins_s, 60.0 / tempo_bpm if clear is None else clear.period_s, clear is not None
        )
    if found is None or any(not SHORTEST_BEATS <= length <= LONGEST_BEATS for _, length in found.chords):
        return None
    return _written(found)


def _kind(chord: HeardChord) -> Kind:
    steps = QUALITIES[chord.quality]
    return chord.root, 3 in steps and 4 not in steps


def _named(chords: Sequence[HeardChord]) -> str:
    """What chords of one kind are mostly called; the last of them where two names are as common."""
    quality, _ = Counter(chord.quality for chord in reversed(chords)).most_common(1)[0]
    return f"{PITCH_CLASS_NAMES[chords[0].root]}{quality}"


def _written(found: _Round) -> str:
    """A round from now on: the chord that sounds for as long as it will, and what is over of it at the end."""
    chords, spent = found.chords, found.since_beats
    if found.in_time and abs(spent - round(spent)) <= _ON_IT:
        spent = float(round(spent))
    length = chords[0][1]
    if spent >= (length if found.in_time else _DUE * length):
        chords = [*chords[1:], chords[0]]
        spent = (spent - length) % chords[0][1] if found.in_time else 0.0
    symbol, length = chords[0]
    spent = round(spent * _PARTS) / _PARTS
    parts = [(symbol, length - spent), *chords[1:], (symbol, spent)]
    written = [(symbol, round(beats * _PARTS) / _PARTS) for symbol, beats in parts]
    return " ".join(name if beats == BEATS_A_BAR else f"{name}:{beats:g}" for name, beats in written if beats > 0.0)


# --- by the beat -----------------------------------------------------------------------------------------------------


def _by_the_beat(changes: Sequence[Change], begins_s: float, beats: BeatGrid) -> _Round | None:
    """The round of what was just played, counted in beats."""
    counted = _counted(changes, beats)
    if len(counted) < FEWEST_CHORDS:
        return None
    (first, _), (last, chord) = counted[0], counted[-1]
    each: list[HeardChord] = []  # what sounds on each beat from the first change to the last
    for (place, before), (until, _) in pairwise(counted):
        each += [before] * (until - place)
    each.append(chord)
    length = _length_of_round([_kind(chord) for chord in each])
    if length is not None:
        heard = [_elected(each[phase::length][-_REMEMBERED:]) for phase in range(length)]
    else:
        length = BARS * (beats.beats_a_bar or BEATS_A_BAR)
        each += [chord] * (last - counted[-2][0] - 1)  # as long as the one before it
        if not _are_bars(each, length):
            return None
        heard = [each[-length:][(phase - len(each)) % length] for phase in range(length)]
    since = (begins_s - beats.beat_s) / beats.period_s - last
    return _turned(heard, (last - first) % length, max(since, 0.0))


def _counted(changes: Sequence[Change], beats: BeatGrid) -> list[tuple[int, HeardChord]]:
    """The beat on which each chord began, back to a rest of four bars; the later of two that began on the same.

    Counted backwards from the beat that is known, and leaning to the changes, for a tempo gives way.
    """
    found: list[tuple[int, HeardChord]] = []
    beat_s, place = beats.beat_s, 0
    for change in reversed(changes):
        exact = place + (change.onset_s - beat_s) / beats.period_s
        here = math.floor(exact + 0.5)  # half a beat early is an anticipation
        if found and (found[-1][0] - here > BARS * BEATS_A_BAR or found[0][0] - here > _REMEMBERED * LONGEST_BEATS):
            break
        beat_s, place = change.onset_s - (exact - here) * (1.0 - _LEAN) * beats.period_s, here
        if not found or here < found[-1][0]:
            found.append((here, change.chord))
    return found[::-1]


def _length_of_round(kinds: Sequence[Kind]) -> int | None:
    """After how many beats the same chords begin again, for half a round at least; None where they do not."""
    begun = [(place, kind) for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind]
    for length in range(FEWEST_CHORDS, min(LONGEST_BEATS, 2 * len(kinds) // 3) + 1):
        from_place = max(length, len(kinds) - 2 * length)
        now = {(place, kind) for place, kind in begun if place >= from_place}
        before = {(place + length, kind) for place, kind in begun if from_place <= place + length < len(kinds)}
        again = len(now & before)
        if again >= max(FEWEST_CHORDS, ALIKE * len(now | before)):
            return length
    return None


def _elected(chords: Sequence[HeardChord]) -> HeardChord:
    """The kind of chord that most rounds have on a beat; the last of them where none has a majority."""
    kind, _ = Counter(_kind(chord) for chord in reversed(chords)).most_common(1)[0]
    return next(chord for chord in reversed(chords) if _kind(chord) == kind)


def _are_bars(each: Sequence[HeardChord], length: int) -> bool:
    """Whether chords of half a bar or more fill the last four, the first of them from its beginning."""
    if len(each) < length:
        return False
    kinds = [_kind(chord) for chord in each]
    begun = [place for place in range(1, len(kinds)) if kinds[place - 1] != kinds[place]]
    first = len(each) - length
    half = length // BARS // 2 if length // BARS % 2 == 0 else length // BARS
    inside = [place - first for place in begun if place > first]
    return bool(inside) and (first == 0 or first in begun) and all(place % half == 0 for place in inside)


def _turned(heard: Sequence[HeardChord], here: int, since_beats: float) -> _Round | None:
    """A round with one chord a beat as chords with lengths, from the one that sounds on beat ``here`` of it."""
    runs = [list(run) for _, run in groupby([*heard[here:], *heard[:here]], key=_kind)]
    if len(runs) > 1 and _kind(runs[0][0]) == _kind(runs[-1][0]):  # it began before that beat
        since_beats += len(runs[-1])
        runs[0] = [*runs.pop(), *runs[0]]
    if not FEWEST_CHORDS <= len(runs) <= MOST_CHORDS:
        return None
    return _Round([(_named(run), float(len(run))) for run in runs], since_beats, in_time=True)


# --- chord by chord --------------------------------------------------------------------------------------------------


def _chord_by_chord(changes: Sequence[Change], begins_s: float, period_s: float, in_time: bool) -> _Round | None:
    """The round of the chords alone, each as long as it was; in whole beats where there is a beat."""
    lasted = _that_last(changes[-(_REMEMBERED + 1) * MOST_CHORDS :], begins_s)
    kinds = [_kind(chord) for chord, _ in lasted]
    length = next((count for count in range(FEWEST_CHORDS, MOST_CHORDS + 1) if _goes_round(kinds, count)), None)
    if length is None:
        return None
    chords = []
    for back in (0, *range(length - 1, 0, -1)):  # from the last one on
        times = lasted[len(lasted) - 1 - back :: -length][:_REMEMBERED]
        beats = median_low(long_s for _, long_s in times[1 if back == 0 else 0 :]) / period_s  # a rest is longer
        chords.append((_named([chord for chord, _ in times]), max(round(beats), 1.0) if in_time else beats))
    return _Round(chords, lasted[-1][1] / period_s, in_time)


def _that_last(changes: Sequence[Change], begins_s: float) -> list[tuple[HeardChord, float]]:
    """(chord, seconds) without those that pass; what passes lengthens the one before."""
    if not changes:
        return []
    lasting = [later.onset_s - change.onset_s for change, later in pairwise(changes)]
    least_s = _PASSING * median(lasting) if lasting else 0.0
    found: list[tuple[HeardChord, float]] = []
    for change, long_s in zip(changes, [*lasting, begins_s - changes[-1].onset_s], strict=True):
        passes = long_s < least_s and change is not changes[-1]
        if found and (passes or _kind(found[-1][0]) == _kind(change.chord)):
            found[-1] = found[-1][0], found[-1][1] + long_s
        elif not passes:
            found.append((change.chord, long_s))
    return found


def _goes_round(kinds: Sequence[Kind], length: int) -> bool:
    """Whether the last so many chords, or half of them and two at least, are those of a round ago."""
    again = min(length, len(kinds) - length)
    return again >= max(FEWEST_CHORDS, length / 2) and list(kinds[-again:]) == list(kinds[-again - length : -length])

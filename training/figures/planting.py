"""Calls into which a motif was put, so that it is known what could be taken up; and whether it came back.

A motif of five to eight notes stands once in the call, and later again, in another key and a fifth slower: alone, while
the pianist's own playing waits for it (as somebody plays who means it), or as the upper voice of what goes on below.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from livemuse.music.notes import Note

How = Literal["alone", "above"]
FEWEST, MOST = 5, 8  # notes of a motif
SLOWER: Final = 1.2
STEPS: Final = (-7, -5, -4, -3, -2, -2, -1, -1, 1, 1, 2, 2, 3, 4, 5, 7)  # semitones: as tunes go, mostly by step
SHIFTS: Final = (-5, -4, -3, -2, 2, 3, 4, 5)
TIMES_S: Final = (0.2, 0.2, 0.3, 0.4, 0.4, 0.6)
REST_S: Final = 0.5  # before and after a motif that stands alone
CHORD_S: Final = 0.04  # onsets closer than this are one chord
WITHIN: Final = 8  # notes, of which the next one of a voice must be one


@dataclass(frozen=True, slots=True)
class Planted:
    """A call with a motif in it, known by its intervals."""

    call: tuple[Note, ...]
    intervals: tuple[int, ...]
    how: How


def motif(rng: np.random.Generator, pitch: int) -> list[Note]:
    """Some motif that begins with a pitch, stays within an octave and strikes three pitches or more."""
    while True:
        count = int(rng.integers(FEWEST, MOST + 1))
        pitches = [pitch, *(pitch + int(p) for p in np.cumsum(rng.choice(STEPS, count - 1)))]
        if max(pitches) - min(pitches) <= 12 and len(set(pitches)) >= 3:
            break
    times = rng.choice(TIMES_S, count)
    onsets = np.concatenate([[0.0], np.cumsum(times)[:-1]])
    return [Note(float(at), p, float(time) * 0.9, 90) for at, p, time in zip(onsets, pitches, times, strict=True)]


def planted(call: Sequence[Note], rng: np.random.Generator, how: How) -> Planted:
    """The call with a motif at its third, and again, moved and slower, at four fifths of it."""
    top = int(np.quantile([note.pitch for note in call], 0.9))
    begin = motif(rng, min(max(top, 60), 84) + (5 if how == "above" else 0))
    shift = int(rng.choice(SHIFTS))
    again = [
        replace(n, onset_s=n.onset_s * SLOWER, duration_s=n.duration_s * SLOWER, pitch=n.pitch + shift) for n in begin
    ]
    length_s = call[-1].onset_s - call[0].onset_s
    notes = list(call)
    put = _alone if how == "alone" else _above
    for tones, share in ((again, 0.8), (begin, 1 / 3)):  # the later one first, so that places stay where they are
        notes = put(notes, tones, call[0].onset_s + share * length_s)
    return Planted(tuple(sorted(notes, key=lambda n: (n.onset_s, n.pitch))), intervals_of(begin), how)


def intervals_of(notes: Sequence[Note]) -> tuple[int, ...]:
    """The semitones from each note to the next."""
    return tuple(b.pitch - a.pitch for a, b in itertools.pairwise(notes))


def _alone(notes: Sequence[Note], tones: Sequence[Note], at_s: float) -> list[Note]:
    """What follows is played later; what still sounds there ends."""
    length_s = tones[-1].end_s + 2 * REST_S
    before = [replace(n, duration_s=min(n.duration_s, at_s - n.onset_s)) for n in notes if n.onset_s < at_s]
    after = [replace(n, onset_s=n.onset_s + length_s) for n in notes if n.onset_s >= at_s]
    return [*before, *(replace(n, onset_s=n.onset_s + at_s + REST_S) for n in tones), *after]


def _above(notes: Sequence[Note], tones: Sequence[Note], at_s: float) -> list[Note]:
    """What would lie above it, or close below, is left out."""
    ends_s, low = at_s + tones[-1].end_s, min(n.pitch for n in tones)
    kept = [n for n in notes if n.end_s <= at_s or n.onset_s >= ends_s or n.pitch < low - 2]
    return [*kept, *(replace(n, onset_s=n.onset_s + at_s) for n in tones)]


# --- did it come back? -------------------------------------------------------------------------------------------


def in_skyline(notes: Sequence[Note], intervals: Sequence[int]) -> bool:
    """Whether the intervals stand, one after the other, in the upper voice or in all notes.

    The upper voice is the highest note of each chord; or of them those alone that nothing higher still covers.
    """
    ordered, tops = sorted(notes, key=lambda n: (n.onset_s, n.pitch)), tops_of(notes)
    bare = [n for k, n in enumerate(tops) if not any(covers(other, n) for other in tops[max(k - WITHIN, 0) : k])]
    return any(_stands(intervals_of(voice), tuple(intervals)) for voice in (tops, bare, ordered))


def tops_of(notes: Sequence[Note]) -> list[Note]:
    """The highest note of each chord; a note alone is one."""
    tops: list[Note] = []
    for note in sorted(notes, key=lambda n: (n.onset_s, n.pitch)):
        if tops and note.onset_s - tops[-1].onset_s < CHORD_S:
            if note.pitch > tops[-1].pitch:
                tops[-1] = note
        else:
            tops.append(note)
    return tops


def covers(higher: Note, note: Note) -> bool:
    """Whether a higher note that was struck before still sounds."""
    return higher.pitch > note.pitch and higher.end_s > note.onset_s + CHORD_S / 2


def in_a_voice(notes: Sequence[Note], intervals: Sequence[int]) -> bool:
    """Whether the intervals stand in some voice: each note the top of one of the 8 chords after the one before."""
    pitches = [note.pitch for note in tops_of(notes)]
    places = set(range(len(pitches)))
    for interval in intervals:
        places = {
            later
            for place in places
            for later in range(place + 1, min(place + 1 + WITHIN, len(pitches)))
            if pitches[later] == pitches[place] + interval
        }
    return bool(places)


def goes_round(notes: Sequence[Note], figure: int = 4, times: int = 4) -> bool:
    """Whether some figure of so many pitches stands more often than that in a row."""
    pitches = [note.pitch for note in sorted(notes, key=lambda n: (n.onset_s, n.pitch))]
    same = [a == b for a, b in zip(pitches, pitches[figure:], strict=False)]
    longest = max((sum(1 for _ in run) for is_same, run in itertools.groupby(same) if is_same), default=0)
    return longest >= figure * times


def _stands(text: tuple[int, ...], words: tuple[int, ...]) -> bool:
    return any(text[k : k + len(words)] == words for k in range(len(text) - len(words) + 1))

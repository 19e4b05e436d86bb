"""Music on a grid of sixteenths: what sounds and what is struck in each, and one voice as a row of events.

A frame is one sixteenth. Times are seconds, counted from ``first_s``, the beginning of frame 0; where the grid lies
(its tempo) is an argument.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Final

from livemuse.music.notes import PIANO_HIGH, PIANO_LOW, Note

PER_BEAT: Final = 4
PER_BAR: Final = 16
KEYS: Final = PIANO_HIGH - PIANO_LOW + 1  # 88: of a piano, from A0
HOLD: Final = 128  # the voice goes on sounding
REST: Final = 129  # the voice is silent
BEGIN: Final = 130  # stands before the first event of a piece; it is fed, never drawn
EVENTS: Final = 130  # what an event is drawn from: 128 pitches, hold, rest
KEYS_DONE: Final = 2 * KEYS  # the token that completes a frame; 0-87 strike a key, 88-175 hold one over
NO_KEY_YET: Final = 2 * KEYS  # stands for the token drawn last, before any was
MOST_FRAMES: Final = 1 << 20  # some 36 hours at 120 bpm: keeps what one odd note can cost in bounds

Frame = tuple[frozenset[int], frozenset[int]]
"""The MIDI pitches (21-108) that sound in a sixteenth, and those of them that are struck in it."""

EMPTY: Final[Frame] = (frozenset(), frozenset())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


GRID_SHA256: Final[dict[str, str]] = {
    "melody": _sha256(f"melody|{PER_BEAT}|{PER_BAR}|notes 0-127|hold {HOLD}|rest {REST}|begin {BEGIN}"),
    "pianoroll": _sha256(
        f"pianoroll|{PER_BEAT}|{PER_BAR}|keys {PIANO_LOW}-{PIANO_HIGH}|sounding then struck|done {KEYS_DONE}"
    ),
}
"""By family, a name for exactly this grid: a model made for another one is refused."""


def sixteenth_s(bpm: float) -> float:
    """How long one sixteenth lasts at a tempo in beats a minute."""
    return 60.0 / bpm / PER_BEAT


def frame_at(time_s: float, sixteenth_s: float, first_s: float = 0.0) -> int:
    """The frame whose beginning lies nearest to a time (the later one where two are equally near).

    Raises ValueError for a time that is no number or more than MOST_FRAMES away, and for a sixteenth of no length.
    """
    if not 0.0 < sixteenth_s < math.inf:
        raise ValueError(f"a sixteenth cannot last {sixteenth_s} s")
    frames = (time_s - first_s) / sixteenth_s
    if not abs(frames) < MOST_FRAMES:
        raise ValueError(f"{time_s} s is too far from the beginning of the grid")
    return math.floor(frames + 0.5)


def _laid(notes: Iterable[Note], sixteenth_s: float, first_s: float) -> list[tuple[int, int, int]]:
    """(first frame, frame after the last, pitch) of each note, by onset.

    A note lasts a sixteenth at least, and ends where its pitch is struck again; of two that strike the same pitch in
    the same sixteenth, the longer counts.
    """
    longest: dict[tuple[int, int], int] = {}
    for note in notes:
        begin = frame_at(note.onset_s, sixteenth_s, first_s)
        end = max(frame_at(note.end_s, sixteenth_s, first_s), begin + 1)
        longest[note.pitch, begin] = max(end, longest.get((note.pitch, begin), end))
    laid: list[tuple[int, int, int]] = []
    struck = sorted(longest)  # by pitch, then by frame
    for k, (pitch, begin) in enumerate(struck):
        end = longest[pitch, begin]
        if k + 1 < len(struck) and struck[k + 1][0] == pitch:
            end = min(end, struck[k + 1][1])
        laid.append((begin, end, pitch))
    return sorted(laid)


def frames_of(
    notes: Iterable[Note], sixteenth_s: float, first_s: float = 0.0, *, count: int | None = None
) -> list[Frame]:
    """What a pianist's notes are on the grid: ``count`` frames from ``first_s`` on, or as many as anything sounds in.

    Onsets and ends go to the nearest sixteenth. Notes beyond the keys of a piano are left out; a note struck before
    ``first_s`` that still sounds is held over. Raises ValueError as ``frame_at``.
    """
    laid = [row for row in _laid(notes, sixteenth_s, first_s) if PIANO_LOW <= row[2] <= PIANO_HIGH and row[1] > 0]
    length = max((end for _, end, _ in laid), default=0) if count is None else count
    sounding: list[set[int]] = [set() for _ in range(length)]
    struck: list[set[int]] = [set() for _ in range(length)]
    for begin, end, pitch in laid:
        if 0 <= begin < length:
            struck[begin].add(pitch)
        for frame in range(max(begin, 0), min(end, length)):
            sounding[frame].add(pitch)
    return [(frozenset(s), frozenset(k)) for s, k in zip(sounding, struck, strict=True)]


def notes_of_frames(
    frames: Sequence[Frame], sixteenth_s: float, first_s: float = 0.0, velocity: int = 80
) -> list[Note]:
    """The notes of these frames, by onset and pitch; a key that sounds without having been struck counts as struck."""
    begun: dict[int, int] = {}  # pitch -> the frame in which it was struck
    rows: list[tuple[int, int, int]] = []
    for k, (sounding, struck) in enumerate((*frames, EMPTY)):
        for pitch in [p for p in begun if p in struck or p not in sounding]:
            rows.append((begun.pop(pitch), pitch, k))
        for pitch in sounding | struck:
            begun.setdefault(pitch, k)
    return [_note(begin, end, pitch, velocity, (sixteenth_s, first_s)) for begin, pitch, end in sorted(rows)]


def melody_of(
    notes: Iterable[Note], sixteenth_s: float, first_s: float = 0.0, *, count: int | None = None
) -> list[int]:
    """One voice of these notes as events: a pitch where it begins, then HOLD, and REST where nothing begins or holds.

    Where several sound it is the highest: a lower one is not heard while a higher one lasts, and what is left of it
    after that is a rest. ``count`` events from ``first_s`` on, or as many as anything sounds in. A note struck before
    ``first_s`` that still sounds is held over. Raises ValueError as ``frame_at``.
    """
    laid = [row for row in _laid(notes, sixteenth_s, first_s) if row[1] > 0]
    length = max((end for _, end, _ in laid), default=0) if count is None else count
    highest: list[tuple[int, int]] = [(-1, 0)] * length  # (pitch, the frame in which it was struck)
    for begin, end, pitch in laid:
        for frame in range(max(begin, 0), min(end, length)):
            highest[frame] = max(highest[frame], (pitch, begin))
    events: list[int] = []
    followed: tuple[int, int] | None = None  # the note that the voice is on
    for frame, top in enumerate(highest):
        if top[0] >= 0 and top[1] == frame:
            events.append(top[0])
            followed = top
        elif top[0] >= 0 and (top == followed or (frame == 0 and top[1] < 0)):
            events.append(HOLD)
            followed = top
        else:
            events.append(REST)
            followed = None
    return events


def notes_of_melody(events: Sequence[int], sixteenth_s: float, first_s: float = 0.0, velocity: int = 80) -> list[Note]:
    """The notes of a voice; a HOLD where nothing sounds is a rest. Raises ValueError for what is no event."""
    notes: list[Note] = []
    pitch, begin = -1, 0
    for k, event in enumerate((*events, REST)):
        if not 0 <= event < EVENTS:
            raise ValueError(f"{event} is no event of a voice")
        if event == HOLD:
            continue
        if pitch >= 0:
            notes.append(_note(begin, k, pitch, velocity, (sixteenth_s, first_s)))
        pitch, begin = (event, k) if event < HOLD else (-1, k)
    return notes


def _note(begin: int, end: int, pitch: int, velocity: int, grid: tuple[float, float]) -> Note:
    sixteenth_s, first_s = grid
    return Note(first_s + begin * sixteenth_s, pitch, (end - begin) * sixteenth_s, velocity)

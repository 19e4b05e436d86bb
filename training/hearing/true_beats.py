"""The beats of a piece, as its file's tempo map tells them, and what kind of map that is.

A beat is what the time signature counts: a quarter in 4/4, a dotted quarter in 6/8. The map of piano-midi.de's files is
a performance: someone bent it until the score sounded played, and the notes lie on it. POP909's maps hold the true
tempo, but in nearly all files the notes lie beside the map by a constant time (the songs were cut at their beginning):
the tempo of such a file is known, and where its beats lie is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.midi.smf import Song, note_rows
from training.beatgrid import TIME_SIGNATURE, agreement_of, beats_at

Array = npt.NDArray[Any]
PER_BEAT: Final = 4
LEAST_AGREEMENT: Final = 0.6  # notes that lie on no sixteenth of the map say that it is none
MOST_BESIDE_S: Final = 0.002  # that the notes may lie beside the map on the whole, for the beats to be known
_BASS: Final = 55  # notes below it lie on the beat rather than beside it
_DUMMY_BPM: Final = 120.0  # the tempo of a file that states none


@dataclass(frozen=True)
class TrueBeats:
    """A piece: its notes (onset_s, pitch, velocity) by onset, and its beats from before the first to after the last."""

    notes: tuple[tuple[float, int, int], ...]
    beats_s: Array  # (beats,) float64
    downbeats: Array  # (beats,) bool: whether a bar begins there; all False where no bars are stated
    bar_beats: Array  # (beats,) int64: how many beats the bar has; 0 where no bars are stated
    phase_known: bool  # the notes lie on the beats; else the tempo alone is true, and the beats are moved to the bass

    def beat_at(self, at_s: Array) -> Array:
        """Where times lie among the beats: 3.5 is half way from the beat numbered 3 to the next."""
        found: Array = np.interp(at_s, self.beats_s, np.arange(len(self.beats_s), dtype=np.float64))
        return found

    def period_at(self, at_s: float, beats: int = 4) -> float:
        """The seconds a beat lasted, on the whole, over the last beats before a time."""
        k = min(max(int(self.beat_at(np.array([at_s]))[0]), 1), len(self.beats_s) - 1)
        first = max(k - beats, 0)
        return float((self.beats_s[k] - self.beats_s[first]) / (k - first))


def true_beats(song: Song) -> TrueBeats:
    """The notes and beats of a song; ValueError, one sentence, where its map is no true one."""
    if not song.ticks_per_beat:
        raise ValueError("it counts time in film frames, not in beats")
    notes = sorted((row[0], row[1], row[3]) for row in note_rows(song, pedal=False))
    if len(notes) < 2:
        raise ValueError("it has no notes")
    if all(abs(bpm - _DUMMY_BPM) < 0.01 for _, bpm in song.tempos):
        raise ValueError("it states no tempo but the dummy one")
    quarters = beats_at(song, np.array([note[0] for note in notes]))
    agreement, beside = agreement_of(quarters * PER_BEAT)
    agreement = max(agreement, agreement_of(quarters * 3)[0])  # triplets
    if agreement < LEAST_AGREEMENT and len(song.tempos) < 20:  # many changes of tempo: made by hand, note by note
        raise ValueError(f"its notes do not follow its beat (agreement {agreement:.2f})")
    at, bar, felt = _felt(song, quarters[0] - 8.0, quarters[-1] + 8.0)
    beats_s = _seconds_at(song, at)
    shift_s = beside / PER_BEAT * 60.0 / float(np.median([bpm for _, bpm in song.tempos]))
    if abs(shift_s) < MOST_BESIDE_S:
        return TrueBeats(tuple(notes), beats_s, bar, felt, True)
    moved = beside / PER_BEAT + _sixteenth_of_the_bass(notes, quarters - beside / PER_BEAT) / PER_BEAT
    return TrueBeats(tuple(notes), _seconds_at(song, at + moved), bar & False, felt * 0, False)


def _sixteenth_of_the_bass(notes: list[tuple[float, int, int]], quarters: Array) -> int:
    """On which sixteenth of the beat, 0-3, most of the bass is struck: the best guess at where the beat lies."""
    low = np.array([note[1] for note in notes]) < _BASS
    chosen = quarters[low] if low.sum() > len(notes) // 10 else quarters
    places = np.floor(chosen * PER_BEAT + 0.5).astype(np.int64) % PER_BEAT
    return int(np.bincount(places, minlength=PER_BEAT).argmax())


def _felt(song: Song, first: float, last: float) -> tuple[Array, Array, Array]:
    """(quarters at which the beats lie, whether a bar begins there, beats of its bar), by the time signatures."""
    stated = {0.0: (4, 4, False)}
    for at_s, _, message in song.events:
        if message[:2] == bytes((0xFF, TIME_SIGNATURE)) and len(message) >= 4 and message[2] and message[3] <= 5:
            at = round(float(beats_at(song, np.array([at_s]))[0]) * 8) / 8
            stated[at] = (message[2], 1 << message[3], True)
    rows: list[tuple[float, bool, int]] = []
    places = sorted(stated)
    for k, begin in enumerate(places):
        end = places[k + 1] if k + 1 < len(places) else max(last, begin)
        upper, lower, known = stated[begin]
        compound = upper % 3 == 0 and upper > 3 and lower >= 8
        long, beats = 4.0 / lower * (3 if compound else 1), upper // 3 if compound else upper
        known = known and beats > 1  # bars of one beat: beats are known, bars are not
        count = 0 if k else min(int(np.floor((first - begin) / long)), 0)
        while begin + count * long < end - 1e-6:
            rows.append((begin + count * long, known and count % beats == 0, beats if known else 0))
            count += 1
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), np.array([r[2] for r in rows])


def _seconds_at(song: Song, quarters: Array) -> Array:
    """Where quarters lie, in seconds; before the beginning and after the end, at the tempo there."""
    from_s = np.array([tempo[0] for tempo in song.tempos])
    s_each = np.array([60.0 / tempo[1] for tempo in song.tempos])
    begin = beats_at(song, from_s)
    k = np.clip(np.searchsorted(begin, quarters, side="right") - 1, 0, len(begin) - 1)
    found: Array = from_s[k] + (quarters - begin[k]) * s_each[k]
    return found

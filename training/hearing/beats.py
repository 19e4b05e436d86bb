"""How well the beat of free playing is heard: on pieces whose files tell their beats; their notes alone are told.

Tempo: share of pieces in which the tempo that is told right after 4, 8, 16 beats is within 4 % of the one of the last
four beats; a tempo twice, thrice, one and a half times as fast or slow is counted apart. Beats: F-measure at 70 ms of
the beats as they are foretold one after the other (Davies et al. 2009; the same as mir_eval's), from the fifth beat on.
Next beat: asked every half second, share that comes within 30 ms of a true one, where the beat is called clear.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from livemuse.errors import LivemuseError
from livemuse.midi.smf import read_song
from livemuse.music.hearing.beat import CLEAR, NEAR_S, BeatHearing
from training.hearing.beat_baseline import pretty_midi_bpm
from training.hearing.true_beats import TrueBeats, true_beats
from training.prepare.listing import Input, listed, manifest_of

SOURCES: Final = ("POP909", "piano-midi.de")
AFTER_BEATS: Final = (4, 8, 16)
WITHIN: Final = 0.04
F_WINDOW_S: Final = 0.07
ASKED_EACH_S: Final = 0.5
_SETTLED_S: Final = 0.05
_SOONEST_BEAT: Final = 0.4  # of a beat: two beats foretold nearer than this are one
MOST_BEATS: Final = 64  # of each piece
LEVELS: Final = {"x2": 2.0, "x1/2": 0.5, "x3": 3.0, "x1/3": 1 / 3, "x3/2": 1.5, "x2/3": 2 / 3}
"""How much too fast: octave errors."""

Array = npt.NDArray[Any]


class Ear(Protocol):
    """Whoever hears a beat."""

    def hear(self, at_s: float, pitch: int, velocity: int) -> None:
        """A key went down."""

    def tempo_bpm(self, at_s: float) -> float | None:
        """Beats a minute."""

    def next_beat_s(self, after_s: float) -> float | None:
        """The first beat after a moment."""

    def confidence(self, at_s: float) -> float:
        """How sure, 0 to 1."""


class Livemuse(BeatHearing):
    """Ours, with its confidence apart."""

    def confidence(self, at_s: float) -> float:
        """How sure, 0 to 1."""
        grid = self.grid(at_s)
        return grid.confidence if grid else 0.0


@dataclass(frozen=True)
class Piece:
    """A piece with true beats."""

    name: str
    source: str
    true: TrueBeats


def load_pieces(data: Path, manifest: Path | None, split: str, say: Callable[[str], None]) -> list[Piece]:
    """The pieces of a split whose beats are known; it is said how many are not, and why."""
    given = Input(data, data.resolve().name, "own files")
    pieces, refused = [], Counter[str]()
    for row, found in listed(given, manifest_of(given, manifest, SOURCES)):
        if row.split != split or found.reason:
            continue
        try:
            pieces.append(Piece(row.file, row.source, true_beats(read_song(found.data))))
        except (ValueError, LivemuseError) as problem:
            refused[str(problem).partition(" (")[0]] += 1
    for reason, count in refused.items():
        say(f"{count} left out: {reason}")
    return sorted(pieces, key=lambda piece: piece.name)


def level_of(told_bpm: float | None, true_bpm: float) -> str:
    """``right``, an octave error of LEVELS, or ``wrong``."""
    if told_bpm is None:
        return "wrong"
    for name, times in {"right": 1.0, **LEVELS}.items():
        if abs(told_bpm / true_bpm / times - 1.0) <= WITHIN:
            return name
    return "wrong"


def f_measure(told_s: Sequence[float], true_s: Sequence[float], window_s: float = F_WINDOW_S) -> float:
    """F-measure of beats, each true one matched by at most one told within the window; both in order."""
    hits = j = 0
    for beat_s in told_s:
        while j < len(true_s) and true_s[j] < beat_s - window_s:
            j += 1
        if j < len(true_s) and true_s[j] <= beat_s + window_s:
            hits, j = hits + 1, j + 1
    return 2.0 * hits / max(len(told_s) + len(true_s), 1)


@dataclass(frozen=True)
class Heard:
    """What an ear made of a piece."""

    levels: dict[int, str]  # by number of beats
    beats_f: float
    asked: tuple[tuple[float, bool], ...]  # (confidence, whether the next beat came where it was foretold)
    bars: tuple[int, ...]  # times a bar was told, it was right, it began with a true bar or half of one of four


def listen(piece: TrueBeats, ear: Ear) -> Heard:
    """Play a piece to an ear, its first MOST_BEATS beats, and ask."""
    first = float(piece.beat_at(np.array([piece.notes[0][0]]))[0])
    marks = {n: float(np.interp(first + n, np.arange(len(piece.beats_s)), piece.beats_s)) for n in AFTER_BEATS}
    end_s = float(np.interp(first + MOST_BEATS, np.arange(len(piece.beats_s)), piece.beats_s))
    end_s = min(end_s, piece.notes[-1][0])
    begin_s = marks[AFTER_BEATS[0]]
    levels: dict[int, str] = {}
    asked: list[tuple[float, bool]] = []
    bars = [0, 0, 0]
    told: list[float] = []
    last_s = piece.notes[0][0]
    for at_s, kind in _moments(piece, marks, end_s):
        if kind is None:
            sure, next_s = ear.confidence(at_s), ear.next_beat_s(at_s)
            near = next_s is not None and float(np.abs(piece.beats_s - next_s).min()) <= NEAR_S
            asked.append((sure, near))
            _ask_bar(piece, ear, at_s, bars)
        elif isinstance(kind, int):
            if at_s <= piece.notes[-1][0]:
                levels[kind] = level_of(ear.tempo_bpm(at_s), 60.0 / piece.period_at(at_s))
        else:
            if at_s > last_s:
                _foretold(ear, told, last_s, at_s)
            ear.hear(*kind)
            last_s = at_s
    counted = [beat for beat in told if begin_s < beat <= end_s]
    true = [float(beat) for beat in piece.beats_s if begin_s < beat <= end_s]
    return Heard(levels, f_measure(counted, true), tuple(asked), tuple(bars))


def _moments(
    piece: TrueBeats, marks: dict[int, float], end_s: float
) -> Iterator[tuple[float, tuple[float, int, int] | int | None]]:
    """In the order of time: notes, numbers of beats that are over, and, as None, times at which to ask."""
    rows: list[tuple[float, int, Any]] = [(note[0], 0, note) for note in piece.notes if note[0] <= end_s]
    rows += [(at_s, 1, number) for number, at_s in marks.items()]
    rows += [(float(at_s), 2, None) for at_s in np.arange(marks[AFTER_BEATS[0]], end_s, ASKED_EACH_S)]
    return ((at_s, what) for at_s, _, what in sorted(rows, key=lambda row: row[:2]))


def _foretold(ear: Ear, told: list[float], from_s: float, until_s: float) -> None:
    """Beats that came between two keys, as the ear foretold them."""
    tempo = ear.tempo_bpm(from_s)
    if tempo is None:
        return
    after_s = from_s
    while True:
        if told:
            after_s = max(after_s, told[-1] + _SOONEST_BEAT * 60.0 / tempo)
        next_s = ear.next_beat_s(after_s)
        if next_s is not None and after_s < from_s + _SETTLED_S < next_s:  # by then the last keys have been counted
            after_s = from_s + _SETTLED_S
            next_s = ear.next_beat_s(after_s)
        if next_s is None or next_s >= until_s:
            return
        told.append(next_s)


def _ask_bar(piece: TrueBeats, ear: Ear, at_s: float, bars: list[int]) -> None:
    grid = ear.grid(at_s) if isinstance(ear, BeatHearing) else None
    k = int(piece.beat_at(np.array([at_s]))[0])
    if grid is None or grid.bar_s is None or not piece.bar_beats[k]:
        return
    begin = int(np.floor(piece.beat_at(np.array([grid.bar_s]))[0] + 0.5))
    bar = int(np.flatnonzero(piece.downbeats[: k + 1])[-1])
    bars[0] += 1
    bars[1] += grid.beats_a_bar == piece.bar_beats[k] and begin == bar
    bars[2] += (begin - bar) % piece.bar_beats[k] in ((0, 2) if piece.bar_beats[k] == 4 else (0,))


def measured(pieces: Sequence[Piece], make: Callable[[], Ear]) -> dict[str, Any]:
    """The figures of an ear on pieces."""
    heard = [listen(piece.true, make()) for piece in pieces]
    known = [h for h, piece in zip(heard, pieces, strict=True) if piece.true.phase_known]
    found: dict[str, Any] = {"pieces": len(pieces), "tempo": {}}
    for number in AFTER_BEATS:
        levels = Counter(h.levels[number] for h in heard if number in h.levels)
        total = sum(levels.values())
        found["tempo"][number] = {name: levels[name] / max(total, 1) for name in ("right", *LEVELS, "wrong")}
    found["beats_f"] = _mean([h.beats_f for h in known])
    asked = [pair for h in known for pair in h.asked]
    clear = [near for sure, near in asked if sure >= CLEAR]
    bars = np.array([h.bars for h in known]).reshape(-1, 3).sum(0)
    found |= {
        "pieces_with_beats": len(known),
        "repeated": _mean([_repeated(piece.true) for piece in pieces if piece.true.phase_known]),
        "near": _mean([float(near) for _, near in asked]),
        "clear": len(clear) / max(len(asked), 1),
        "near_when_clear": _mean([float(near) for near in clear]),
        "bars_told": int(bars[0]) / max(len(asked), 1),
        "bars_right": int(bars[1]) / max(int(bars[0]), 1),
        "bars_begin": int(bars[2]) / max(int(bars[0]), 1),
    }
    return found


def _repeated(true: TrueBeats) -> float:
    """The share of beats that come within NEAR_S of where one who knows all beats before repeats the last period."""
    return float(np.mean(np.abs(np.diff(true.beats_s[:MOST_BEATS], 2)) <= NEAR_S))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def by_pretty_midi(pieces: Sequence[Piece]) -> dict[str, Any]:
    """The tempo as pretty_midi estimates it from the notes up to each mark."""
    tempo: dict[int, dict[str, float]] = {}
    for number in AFTER_BEATS:
        levels: Counter[str] = Counter()
        for piece in pieces:
            true = piece.true
            first = float(true.beat_at(np.array([true.notes[0][0]]))[0])
            at_s = float(np.interp(first + number, np.arange(len(true.beats_s)), true.beats_s))
            if at_s <= true.notes[-1][0]:
                bpm = pretty_midi_bpm([note for note in true.notes if note[0] <= at_s])
                levels[level_of(bpm, 60.0 / true.period_at(at_s))] += 1
        total = max(sum(levels.values()), 1)
        tempo[number] = {name: levels[name] / total for name in ("right", *LEVELS, "wrong")}
    return {"pieces": len(pieces), "tempo": tempo}


def by_chance(players: int = 12, keys: int = 200) -> float:
    """The share of the time in which a beat is called clear where keys go down at random times."""
    rng = np.random.default_rng(1)
    clear = asked = 0
    for _ in range(players):
        ear, at_s = Livemuse(), 0.0
        for gap_s in rng.exponential(1.0 / rng.uniform(1.5, 9.0), keys):
            at_s += float(gap_s)
            ear.hear(at_s, int(rng.integers(40, 85)), int(rng.integers(40, 100)))
            asked += 1
            clear += ear.confidence(at_s + 0.05) >= CLEAR
    return clear / asked


def cost_us(pieces: Sequence[Piece]) -> float:
    """Microseconds a note, in the mean, of hearing alone."""
    notes = 0
    begin_s = time.perf_counter()
    for piece in pieces:
        ear = BeatHearing()
        for note in piece.true.notes:
            ear.hear(*note)
        notes += len(piece.true.notes)
    return (time.perf_counter() - begin_s) * 1e6 / max(notes, 1)

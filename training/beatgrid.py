"""MIDI files on their own beat: notes counted in sixteenths, and where in the bar each sixteenth lies.

The file's tempo map decides what a sixteenth is, never a fixed time. Many files have no beat to go by (a recital that
was recorded at a dummy tempo): there, notes begin anywhere between two sixteenths. They are told by that and refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.errors import LivemuseError
from livemuse.midi.smf import Song, note_rows, read_song
from livemuse.music.grid import PER_BAR, PER_BEAT
from livemuse.music.notes import Note
from training.prepare.listing import Input, Row, listed, manifest_of, with_splits

LEAST_AGREEMENT: Final = 0.6
"""Of notes that begin anywhere it is 0; of a score it is 1, or little less where it has triplets."""
MOST_DRIFT: Final = 0.125  # sixteenths that onsets may lie beside the grid on the whole
TIME_SIGNATURE: Final = 0x58
MOST_SIXTEENTHS: Final = 100_000  # some three hours; nothing longer is one piece
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Metre:
    """From this sixteenth on, bars of so many sixteenths; the sixteenth is where one of them begins."""

    at: int
    sixteenths: int


@dataclass(frozen=True)
class GridPiece:
    """A piece on its own grid.

    `notes` are in sixteenths, by onset: a Note's `onset_s` and `duration_s` count sixteenths here, as if each lasted a
    second, so that livemuse.music.grid reads them with `sixteenth_s=1.0`. They are as written or played, not rounded.
    """

    notes: tuple[Note, ...]
    length: int  # sixteenths, whole bars
    metres: tuple[Metre, ...]  # the first at 0 or before it
    metre_stated: bool  # the file says so; else bars of four beats are assumed from its beginning on
    agreement: float  # how well the notes begin on sixteenths, from 0 to 1

    def positions(self) -> Array:
        """(length,) int64: the place in its bar of each sixteenth, 0-15; a longer bar goes on at 0 after 15."""
        places = np.zeros(self.length, np.int64)
        for k, metre in enumerate(self.metres):
            end = self.metres[k + 1].at if k + 1 < len(self.metres) else self.length
            begin = max(metre.at, 0)
            places[begin:end] = (np.arange(begin, max(end, begin)) - metre.at) % metre.sixteenths % PER_BAR
        return places

    def common_time(self) -> bool:
        """Whether every bar has four beats of four sixteenths."""
        return all(metre.sixteenths == PER_BAR for metre in self.metres)


def beats_at(song: Song, at_s: Array) -> Array:
    """Seconds as beats from the beginning of the song, by its tempo map; same shape, float64."""
    from_s = np.array([tempo[0] for tempo in song.tempos])
    per_s = np.array([tempo[1] / 60.0 for tempo in song.tempos])
    beats = np.concatenate([[0.0], np.cumsum(np.diff(from_s) * per_s[:-1])])
    k = np.clip(np.searchsorted(from_s, at_s, side="right") - 1, 0, len(from_s) - 1)
    found: Array = beats[k] + (at_s - from_s[k]) * per_s[k]
    return found


def agreement_of(onsets: Array) -> tuple[float, float]:
    """How well onsets (in sixteenths) lie on whole sixteenths, and how far beside them they lie on the whole.

    The first is the length of the mean of the onsets as points of a circle that is one sixteenth round, from 0 to 1
    (Mardia and Jupp 2000, "Directional statistics", 2.2); the second its direction, -0.5 to 0.5 sixteenths.
    """
    mean = np.exp(2j * np.pi * onsets).mean() if len(onsets) else 0.0
    return float(abs(mean)), float(np.angle(mean) / (2 * np.pi))


def grid_piece(song: Song, tracks: Sequence[int] | None = None) -> GridPiece:
    """A song on its own grid, of these tracks (all unless told); notes end when the key does, whatever the pedal says.

    Raises ValueError, one sentence, where the file has no beat to go by, or nothing to play.
    """
    if not song.ticks_per_beat:
        raise ValueError("it counts time in film frames, not in beats")
    parts = [None] if tracks is None else list(tracks)
    rows = sorted(row for part in parts for row in note_rows(song, pedal=False, track=part))
    if not rows:
        raise ValueError("it has no notes")
    table = np.array(rows, np.float64)  # onset_s, pitch, duration_s, velocity
    begin = beats_at(song, table[:, 0]) * PER_BEAT
    end = beats_at(song, table[:, 0] + table[:, 2]) * PER_BEAT
    if end.max() > MOST_SIXTEENTHS:
        raise ValueError("it is too long for one piece")
    agreement, beside = agreement_of(begin)
    if agreement < LEAST_AGREEMENT:
        raise ValueError(f"its notes do not follow its beat (agreement {agreement:.2f}, {LEAST_AGREEMENT} is needed)")
    if abs(beside) > MOST_DRIFT:
        raise ValueError(f"its notes lie beside its beat, by {abs(beside):.2f} of a sixteenth on the whole")
    metres, stated = _metres(song)
    return GridPiece(
        tuple(Note(b, row[1], e - b, row[3]) for b, e, row in zip(begin.tolist(), end.tolist(), rows, strict=True)),
        _whole_bars(metres, int(np.floor(end.max() + 0.5))),
        metres,
        stated,
        agreement,
    )


def _metres(song: Song) -> tuple[tuple[Metre, ...], bool]:
    """The bars by the file's time signatures; one that comes inside a bar begins a new one there."""
    found: dict[int, int] = {}
    for at_s, _, message in song.events:
        if message[:2] == bytes((0xFF, TIME_SIGNATURE)) and len(message) >= 4 and message[2] and message[3] <= 4:
            at = int(np.floor(beats_at(song, np.array([at_s]))[0] * PER_BEAT + 0.5))
            found[at] = max(message[2] * PER_BAR >> message[3], 1)
    if len(set(found.values())) == 1 and found.get(0) == PER_BEAT:  # bars of one beat: beats are known, bars are not
        found = {}
    metres = [Metre(at, long) for at, long in sorted(found.items()) if at <= MOST_SIXTEENTHS]
    if not metres or metres[0].at > 0:
        metres.insert(0, Metre(0, PER_BAR))
    return tuple(metres), bool(found)


def _whole_bars(metres: Sequence[Metre], sixteenths: int) -> int:
    last = [metre for metre in metres if metre.at < max(sixteenths, 1)][-1]
    return last.at + -(-(sixteenths - last.at) // last.sixteenths) * last.sixteenths


@dataclass(frozen=True, slots=True)
class Score:
    """One file of a collection: what is said of it, and its song, or why there is none ("" where there is)."""

    row: Row
    song: Song | None
    reason: str = ""


def scores_of(
    given: Input, manifest: Path | None = None, sources: Sequence[str] = (), *, split: bool = True
) -> Iterator[Score]:
    """Every wanted file of a folder or archive with its split, in the manifest's order; damaged ones with the reason.

    `sources` are matched by how a source's name begins. Files without a split get one by piece, a tenth held out; where
    `split` is false it stays empty, for whoever leaves out files first. Raises ValueError as the reader of the manifest
    does.
    """
    found = sorted(listed(given, manifest_of(given, manifest, sources)), key=lambda pair: pair[0].place)
    rows = [row for row, _ in found]
    rows = with_splits(rows) if split else rows
    for row, (_, file) in zip(rows, found, strict=True):
        if file.reason:
            yield Score(row, None, file.reason)
            continue
        try:
            yield Score(row, read_song(file.data))
        except LivemuseError as problem:
            yield Score(row, None, str(problem))

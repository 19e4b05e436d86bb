"""The tunes that a network learns from and is tested on, and the file that keeps them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.music.grid import EVENTS, HOLD
from training.beatgrid import scores_of
from training.checkpoint import digest_of
from training.corpus import SPLITS
from training.melody.reading import voices_of
from training.prepare.listing import Input

Array = npt.NDArray[Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tune:
    """Where a tune came from, and how many notes it has."""

    file: str
    source: str
    licence: str
    track: str
    notes: int


@dataclass(frozen=True)
class Tunes:
    """All tunes of one split, one after the other in one array."""

    about: tuple[Tune, ...]
    starts: Array  # (tunes + 1,) int64: where each begins, and the end of the last
    events: Array  # (events,) int16: 0-127 a note begins, HOLD, REST

    @property
    def count(self) -> int:
        """How many events there are in all, holds and rests included."""
        return int(self.starts[-1])

    @property
    def notes(self) -> int:
        """How many of them begin a note."""
        return int((self.events < HOLD).sum())

    def tune(self, number: int) -> Array:
        """The events of one tune."""
        return self.events[self.starts[number] : self.starts[number + 1]]

    def select(self, numbers: Sequence[int]) -> Tunes:
        """The same with only these tunes, in this order."""
        return tunes_from([(self.about[k], self.tune(k)) for k in numbers])


def tunes_from(rows: Sequence[tuple[Tune, Array]]) -> Tunes:
    """Tunes and their events together."""
    starts = np.concatenate([[0], np.cumsum([len(events) for _, events in rows])]).astype(np.int64)
    flat = np.concatenate([events for _, events in rows]) if rows else np.zeros(0)
    return Tunes(tuple(about for about, _ in rows), starts, flat.astype(np.int16))


def read_tunes(given: Input, manifest: Path | None, sources: Sequence[str], say: Say) -> dict[str, Tunes]:
    """The tunes of a folder or archive by split; what has none is counted and told, with the reason of the first.

    The split is the manifest's (the folder's manifest.csv unless one is named), else a tenth of the pieces is held out.
    Raises ValueError where a split has no tune at all, and as the reader of the manifest does.
    """
    rows: dict[str, list[tuple[Tune, Array]]] = {split: [] for split in SPLITS}
    skipped: dict[str, list[str]] = {}
    for score in scores_of(given, manifest, sources):
        try:
            if score.song is None:
                raise ValueError(score.reason)
            voices = voices_of(score.song)
        except ValueError as problem:
            skipped.setdefault(str(problem), []).append(score.row.file)
            continue
        for voice in voices:
            events = np.array(voice.events, np.int16)
            row, notes = score.row, int((events < HOLD).sum())
            rows[row.split].append((Tune(row.file, row.source, row.licence, voice.track, notes), events))
    for why, files in sorted(skipped.items(), key=lambda item: -len(item[1])):
        say(f"left out {len(files)} files, {files[0]} the first: {why}")
    found = {split: tunes_from(of_split) for split, of_split in rows.items()}
    for split, tunes in found.items():
        if not tunes.about:
            raise ValueError(f"{given.path} holds no tune for the split {split}")
        say(f"{split}: {len(tunes.about):,} tunes, {tunes.notes:,} notes, {tunes.count:,} sixteenths")
    return found


def write_tunes(path: Path, tunes: dict[str, Tunes]) -> None:
    """Keep the tunes of every split in one .npz file."""
    about = {split: [asdict(tune) for tune in each.about] for split, each in tunes.items()}
    arrays = {f"{split}_events": each.events for split, each in tunes.items()}
    arrays |= {f"{split}_starts": each.starts for split, each in tunes.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as stream:
        np.savez_compressed(stream, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    os.replace(partial, path)


def load_tunes(path: Path) -> dict[str, Tunes]:
    """The tunes that `write_tunes` kept; ValueError, one sentence, where the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            found = {
                split: Tunes(tuple(Tune(**row) for row in rows), file[f"{split}_starts"], file[f"{split}_events"])
                for split, rows in about.items()
            }
        for tunes in found.values():
            _check(tunes)
    except (KeyError, TypeError, AttributeError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise ValueError(f"{path} holds no tunes: {problem}") from problem
    return found


def digest_of_tunes(tunes: dict[str, Tunes]) -> str:
    """What tells these very tunes from others, by their events alone."""
    return digest_of(array for split in SPLITS for array in (tunes[split].starts, tunes[split].events))


def _check(tunes: Tunes) -> None:
    starts, events = tunes.starts, tunes.events
    if starts.ndim != 1 or events.ndim != 1 or len(starts) != len(tunes.about) + 1:
        raise ValueError("its arrays are of another shape")
    if starts[0] != 0 or starts[-1] != len(events) or (np.diff(starts) < 1).any():
        raise ValueError("its tunes do not follow one another")
    if len(events) and (events.min() < 0 or events.max() >= EVENTS):
        raise ValueError("it has events that are none")

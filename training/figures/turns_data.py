"""Performances as keys and pedals, as a stage would hear them, from MIDI files or from prepared notes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.errors import LivemuseError
from livemuse.midi.messages import SUSTAIN
from livemuse.midi.smf import DRUM_CHANNEL, Song, notes_of
from livemuse.music.notes import Heard, KeyDown, KeyUp, Note, Pedal
from livemuse.recording.midifile import read_midi_file
from training.corpus import Corpus, load_corpus

LONGEST: Final = 1000  # notes of a performance that are heard
FEWEST: Final = 80
NO_SOURCE: Final = "files"
_ORDER: Final = {Pedal: 0, KeyUp: 1, KeyDown: 2}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Performance:
    """What one player did, in order, on channel 0."""

    name: str
    source: str
    events: tuple[Heard, ...]

    @property
    def seconds(self) -> float:
        """From the first to the last of it."""
        return self.events[-1].at_s - self.events[0].at_s


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training turns` was asked for."""

    model: Path
    data: Path
    pieces: int = 60
    seed: int = 0  # of the choice
    manifest: Path | None = None  # says which files of `data` are of which split; one performance of a composition
    split: str = "validation"
    sources: tuple[str, ...] = ()  # of these alone, where any are named


def events_of(notes: list[Note], song: Song | None = None) -> tuple[Heard, ...]:
    """Keys as they go down and up, with the sustain pedal of the song they are from; the first ``LONGEST`` notes."""
    notes = notes[:LONGEST]
    found: list[Heard] = []
    for note in notes:
        found += [KeyDown(note.onset_s, 0, note.pitch, note.velocity), KeyUp(note.end_s, 0, note.pitch)]
    for at_s, _, message in song.events if song else ():
        if (
            message[0] & 0xF0 == 0xB0
            and message[0] & 0x0F != DRUM_CHANNEL
            and message[1] == SUSTAIN
            and at_s <= notes[-1].onset_s
        ):
            found.append(Pedal(at_s, 0, message[2] >= 64))
    return tuple(sorted(found, key=lambda event: (event.at_s, _ORDER[type(event)])))


def performances(asked: Asked, say: Say) -> Iterator[Performance]:
    """So many performances, as evenly from all sources as they last; ValueError where there are none."""
    if not asked.data.exists():
        raise ValueError(f"{asked.data} is not there; --data is a folder of MIDI files, or of prepared notes")
    if (asked.data / "index.json").is_file():
        say("prepared notes are as long as they sound: a pedal is heard as keys that are held")
        found = _prepared(load_corpus(asked.data, asked.split), asked)
    else:
        found = _files(asked, say)
    count = 0
    for performance in found:
        yield performance
        count += 1
        if count == asked.pieces:
            return
    if not count:
        raise ValueError(f"{asked.data} holds no performance of at least {FEWEST} notes")


def _prepared(corpus: Corpus, asked: Asked) -> Iterator[Performance]:
    rows = [(piece.source, str(k), piece.composition or piece.file) for k, piece in enumerate(corpus.pieces)]
    for source, number in _evenly(rows, asked):
        own = corpus.select([int(number)])
        onsets_s = np.cumsum(own.step_s, dtype=np.float64)
        table = zip(onsets_s.tolist(), own.pitch.tolist(), own.duration_s.tolist(), own.velocity.tolist(), strict=True)
        notes = [Note(*row) for row in table]
        if len(notes) >= FEWEST:
            yield Performance(own.pieces[0].file, source, events_of(notes))


def _files(asked: Asked, say: Say) -> Iterator[Performance]:
    for source, name in _evenly(_listed(asked), asked):
        path = asked.data / name if asked.data.is_dir() else asked.data
        try:
            song = read_midi_file(path)
        except LivemuseError as problem:
            say(f"skipped {name}: {problem}")
            continue
        notes = notes_of(song, pedal=False)
        if len(notes) >= FEWEST:
            yield Performance(name, source, events_of(notes, song))


def _listed(asked: Asked) -> list[tuple[str, str, str]]:
    """(source, file, composition) of every file that there is."""
    if asked.manifest is None:
        paths = sorted(asked.data.rglob("*.mid*")) if asked.data.is_dir() else [asked.data]
        return [(NO_SOURCE, str(p.relative_to(asked.data)) if asked.data.is_dir() else p.name, str(p)) for p in paths]
    with asked.manifest.open(encoding="utf-8", newline="") as stream:
        rows: list[dict[str, Any]] = [row for row in csv.DictReader(stream) if row["split"] == asked.split]
    return [
        (row["source"], row["file"], row["composition_group"] or row["file"])
        for row in rows
        if (asked.data / row["file"]).is_file()
    ]


def _evenly(rows: list[tuple[str, str, str]], asked: Asked) -> Iterator[tuple[str, str]]:
    """(source, file), one of each source in turn, in an order drawn by chance; no composition twice."""
    generator, left = np.random.default_rng(asked.seed), dict[str, list[tuple[str, str]]]()
    for k in generator.permutation(len(rows)).tolist():
        source, name, composition = rows[k]
        if not asked.sources or source in asked.sources:
            left.setdefault(source, []).append((name, composition))
    seen: set[str] = set()
    while left:
        for source in sorted(left):
            name, composition = left[source].pop()
            if not left[source]:
                del left[source]
            if composition not in seen:
                seen.add(composition)
                yield source, name

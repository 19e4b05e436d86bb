"""How fast files are read here, beside plain pretty_midi, in one command."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from training.prepare.listing import Input, Manifest, listed
from training.prepare.reading import Reading, read_midi


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same files read both ways by one process: notes and seconds of each, and what each could not read."""

    files: int
    notes: int
    seconds: float
    failed: int
    plain_notes: int
    plain_seconds: float
    plain_failed: int

    @property
    def notes_per_s(self) -> float:
        """Notes a second here."""
        return self.notes / max(self.seconds, 1e-9)

    @property
    def plain_notes_per_s(self) -> float:
        """Notes a second with pretty_midi."""
        return self.plain_notes / max(self.plain_seconds, 1e-9)

    @property
    def ratio(self) -> float:
        """How many times as many notes a second are read here."""
        return self.notes_per_s / max(self.plain_notes_per_s, 1e-9)


def compare(inputs: Sequence[tuple[Input, Manifest | None]], reading: Reading, files: int) -> Comparison:
    """Read up to so many files both ways, in turn; ValueError where there is none.

    They are spread over all there are: every file is listed, every k-th is kept (a file at a time where k grows).
    """
    chosen = _spread([each for each in inputs], files)
    if not chosen:
        raise ValueError("there is no MIDI file to compare with")
    notes = failed = plain_notes = plain_failed = 0
    seconds = plain_seconds = 0.0
    for data in chosen:
        began_s = time.perf_counter()
        read = read_midi(data, reading)
        seconds += time.perf_counter() - began_s
        failed += isinstance(read, str)
        notes += 0 if isinstance(read, str) else sum(player.notes for player in read)
        began_s = time.perf_counter()
        plain = _plain(data)
        plain_seconds += time.perf_counter() - began_s
        plain_failed += plain < 0
        plain_notes += max(plain, 0)
    return Comparison(len(chosen), notes, seconds, failed, plain_notes, plain_seconds, plain_failed)


def _spread(inputs: Sequence[tuple[Input, Manifest | None]], files: int) -> list[bytes]:
    """Some files' bytes, evenly spread; whenever twice as many are at hand every second one is dropped."""
    kept: list[bytes] = []
    step, place = 1, 0
    for given, manifest in inputs:
        for _, found in listed(given, manifest):
            if found.reason:
                continue
            if place % step == 0:
                kept.append(found.data)
                if len(kept) == 2 * files:
                    kept, step = kept[::2], step * 2
            place += 1
    return kept[:files] if len(kept) < 2 * files else kept[::2]


def _plain(data: bytes) -> int:
    """How many notes pretty_midi finds, -1 where it fails: some files make it raise whatever Python can raise."""
    import pretty_midi

    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        song = pretty_midi.PrettyMIDI(io.BytesIO(data))
        return len([(n.start, n.pitch, n.end, n.velocity) for i in song.instruments if not i.is_drum for n in i.notes])
    return -1

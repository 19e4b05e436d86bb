"""How much of the time the chord heard is the annotated one, on songs with chords beside them as in POP909.

A folder a song: ``NNN.mid`` and ``chord_midi.txt``, lines ``begin end F#:min7/b7`` in seconds (Wang et al. 2020). The
chord heard holds until the next key is struck. Shares of time as in MIREX: of the root where a chord is annotated,
and of root and third together where that is major or minor. Nothing is heard in advance: being late costs as being
wrong does.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from livemuse.midi.smf import note_rows, read_song
from livemuse.music.hearing.chord import ChordHearing, HeardChord
from livemuse.music.hearing.chord_tables import QUALITIES
from livemuse.music.notes import Heard, KeyDown, KeyUp
from training.hearing.titles import key_of_annotation

Labels = list[tuple[float, float, int, bool | None]]
"""(begin_s, end_s, root, whether the third is minor or None where there is none), one a chord."""

_LABEL: Final = re.compile(r"([A-G][#b]?):(.*)")


def songs(data: Path, manifest: Path | None = None, split: str | None = None) -> Iterator[tuple[str, Path, Labels]]:
    """(name, MIDI file, chords) of the songs of a folder; of one split of a manifest that names their files."""
    wanted = None if manifest is None or split is None else _names_of(manifest, split)
    for path in sorted(data.glob("*/chord_midi.txt")):
        name = path.parent.name
        midi = path.parent / f"{name}.mid"
        if midi.exists() and (wanted is None or midi.name in wanted):
            yield name, midi, labels(path.read_text(encoding="utf-8"))


def _names_of(manifest: Path, split: str) -> set[str]:
    with manifest.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        return {Path(r["file"]).name for r in rows if r["split"] == split and r["source"].startswith("POP909")}


def labels(text: str) -> Labels:
    """The chords of an annotation, without the times that have none."""
    found: Labels = []
    for line in text.splitlines():
        words = line.split()
        match = _LABEL.fullmatch(words[2]) if len(words) == 3 else None
        root = key_of_annotation(f"0 0 {match[1]}:maj") if match else None
        if match and root:
            kind = match[2]
            third = None if kind.startswith("sus") else kind.startswith(("min", "dim", "hdim"))
            plain = kind.startswith(("maj", "min", "7", "9")) or kind == ""
            found.append((float(words[0]), float(words[1]), root.tonic, third if plain else None))
    return found


def events(midi: Path) -> list[Heard]:
    """The keys of a file as they sound, in the order of time; releases come first where they fall together."""
    found: list[Heard] = []
    for onset_s, pitch, duration_s, velocity in note_rows(read_song(midi.read_bytes())):
        found += [KeyDown(onset_s, 0, pitch, velocity), KeyUp(onset_s + duration_s, 0, pitch)]
    return sorted(found, key=lambda event: (event.at_s, isinstance(event, KeyDown)))


Guess = tuple[float, int, bool | None, float]
"""(from when on, root, minor third or None, confidence)."""


def heard_chords(played: Sequence[Heard]) -> list[Guess]:
    """What livemuse hears after each key."""
    hearing, found = ChordHearing(), []
    for event in played:
        hearing.hear(event)
        if isinstance(event, KeyDown) and hearing.heard is not None:
            found.append((event.at_s, *_root_and_third(hearing.heard), hearing.confidence))
    return found


def progression(played: Sequence[Heard]) -> list[Guess]:
    """What livemuse says of it afterwards: the chords as they followed each other."""
    hearing = ChordHearing()
    for event in played:
        hearing.hear(event)
    return [(change.onset_s, *_root_and_third(change.chord), 1.0) for change in hearing.progression]


def _root_and_third(chord: HeardChord) -> tuple[int, bool | None]:
    steps = QUALITIES[chord.quality]
    return chord.root, True if 3 in steps else False if 4 in steps else None


def held_chords(played: Sequence[Heard]) -> list[Guess]:
    """To compare with: the lowest key that is down as the root, and the third that is down above it."""
    down: dict[int, int] = defaultdict(int)
    found: list[Guess] = []
    for event in played:
        if isinstance(event, KeyUp):
            down[event.pitch] = 0
        elif isinstance(event, KeyDown):
            down[event.pitch] = 1
            held = sorted(pitch for pitch, is_down in down.items() if is_down)
            classes = {(pitch - held[0]) % 12 for pitch in held}
            found.append((event.at_s, held[0] % 12, 3 in classes and 4 not in classes, 1.0))
    return found


def agreement(guesses: Sequence[Guess], chords: Labels) -> dict[str, float]:
    """Seconds: annotated, root right, with a plain third, root and third right; and the confidence over the former."""
    sums: dict[str, float] = defaultdict(float)
    ends = [*(guess[0] for guess in guesses[1:]), chords[-1][1] if chords else 0.0]
    place = 0
    for (begin_s, root, minor, confidence), end_s in zip(guesses, ends, strict=True):
        while place < len(chords) and chords[place][1] <= begin_s:
            place += 1
        for from_s, to_s, true_root, third in chords[place:]:
            if from_s >= end_s:
                break
            overlap_s = min(to_s, end_s) - max(from_s, begin_s)
            sums["annotated"] += overlap_s
            sums["root"] += overlap_s * (root == true_root)
            sums["confidence"] += overlap_s * confidence
            if third is not None:
                sums["plain"] += overlap_s
                sums["majmin"] += overlap_s * (root == true_root and minor == third)
    return sums


_HEARERS: Final = {"livemuse": heard_chords, "progression": progression, "keys down": held_chords}


def measure(found: Iterator[tuple[str, Path, Labels]], say: Callable[[str], None]) -> dict[str, Any]:
    """Shares of time right over all songs: livemuse at once, its progression afterwards, and the keys that are down."""
    totals: dict[str, dict[str, float]] = {hearer: defaultdict(float) for hearer in _HEARERS}
    count = 0
    for _, midi, chords in found:
        played = events(midi)
        for hearer, listen in _HEARERS.items():
            for name, seconds in agreement(listen(played), chords).items():
                totals[hearer][name] += seconds
        count += 1
        if count % 20 == 0:
            say(f"{count} songs heard")
    if not count:
        raise ValueError("There are no songs with a chord_midi.txt beside them.")
    return {"songs": count} | {hearer: _shares(sums) for hearer, sums in totals.items()}


def _shares(sums: dict[str, float]) -> dict[str, float]:
    return {
        "root": sums["root"] / sums["annotated"],
        "majmin": sums["majmin"] / sums["plain"],
        "confidence": sums["confidence"] / sums["annotated"],
    }


def table(found: dict[str, Any]) -> str:
    """Lines for a person."""
    lines = [f"{found['songs']} songs       root  root and third  confidence"]
    for hearer in _HEARERS:
        shares = found[hearer]
        lines.append(
            f"{hearer:11}{100 * shares['root']:9.1f}{100 * shares['majmin']:16.1f}{shares['confidence']:12.2f}"
        )
    return "\n".join(lines)

"""The pieces whose key is known, from a manifest or a folder of MIDI files: their notes, their key, and who says so.

Three say so. The title (training.hearing.titles). The key signature, of files that have one and no other, where the
source keeps the mode: Mutopia does, others write every signature as a major one. A file ``key_audio.txt`` beside the
MIDI file, as in the data set POP909 (Wang et al. 2020), with one line in it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livemuse.errors import FileError
from livemuse.midi.smf import Song, note_rows, read_song
from training.hearing.titles import Stated, key_in_title, key_of_annotation, key_of_signature

KEEP_THE_MODE: Final = ("mutopia",)
NUMBER_MOVEMENTS: Final = ("piano-midi.de",)
ANNOTATED: Final = "POP909"
ANNOTATION: Final = "key_audio.txt"
_KEY_SIGNATURE: Final = 0x59
FEWEST_NOTES: Final = 10


@dataclass(frozen=True, slots=True)
class KeyedPiece:
    """A piece with a key: its (pitch, seconds it sounds) in the order of their onsets, and its onsets in seconds."""

    file: str
    split: str
    composition: str
    key: Stated
    source: str
    said_by: str  # title, signature or annotation
    pitches: tuple[int, ...]
    durations_s: tuple[float, ...]
    onsets_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    title: str
    source: str
    split: str
    composition: str


def keyed_pieces(
    data: Path,
    root: Path | None = None,
    sources: Sequence[str] = (),
    split: str | None = None,
    annotations: Path | None = None,
) -> Iterator[KeyedPiece]:
    """The pieces of a manifest (its files below ``root``, else beside it) or of a folder that have a known key.

    ``sources`` keeps those whose source begins with one of these, ``split`` those of one split of the manifest. Files
    that are missing or damaged are left out; ValueError where there is nothing to read at all.
    ``annotations`` is the folder of POP909 itself, for a manifest whose copies of its songs stand alone.
    """
    for file in _files(data, root):
        if split not in (None, file.split):
            continue
        if sources and not any(file.source.lower().startswith(source.lower()) for source in sources):
            continue
        title = key_in_title(file.title, _is_one_of(file.source, NUMBER_MOVEMENTS))
        annotation = file.path.parent / ANNOTATION
        if annotations is not None and file.source == ANNOTATED:
            annotation = annotations / file.path.stem / ANNOTATION
        signed = _is_one_of(file.source, KEEP_THE_MODE)
        if title is None and not signed and not annotation.exists():
            continue
        try:
            song = read_song(file.path.read_bytes())
        except (OSError, FileError):
            continue
        key, said_by = title, "title"
        if key is None and annotation.exists():
            key, said_by = key_of_annotation(annotation.read_text(encoding="utf-8", errors="replace")), "annotation"
        if key is None and signed:
            key, said_by = _key_signature(song), "signature"
        rows = note_rows(song)
        if key is not None and len(rows) >= FEWEST_NOTES:
            onsets_s, pitches, durations_s, _ = zip(*rows, strict=True)
            yield KeyedPiece(
                str(file.path), file.split, file.composition, key, file.source, said_by, pitches, durations_s, onsets_s
            )


def _files(data: Path, root: Path | None) -> Iterator[_File]:
    if data.is_dir():
        paths = sorted(
            p for p in data.rglob("*") if p.suffix.lower() in (".mid", ".midi") and "versions" not in p.parts
        )
        if not paths:
            raise ValueError(f"{data} holds no MIDI files")
        for path in paths:
            source = str(path.relative_to(data.parent)).lower()
            yield _File(path, path.stem, source, "", str(path))
        return
    if not data.is_file():
        raise ValueError(f"{data} is neither a manifest nor a folder")
    below = root if root is not None else data.parent
    with data.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            name = row.get("file") or row.get("midi_filename") or ""
            title = row.get("title") or row.get("canonical_title") or Path(name).stem
            composition = row.get("composition_group") or title
            yield _File(below / name, title, row.get("source") or "", row.get("split") or "", composition)


def _is_one_of(source: str, names: Sequence[str]) -> bool:
    return any(name in source.lower() for name in names)


def _key_signature(song: Song) -> Stated | None:
    """The one key signature of a song; None where it has none or several."""
    found = {
        key_of_signature(int.from_bytes(data[2:3], "big", signed=True), data[3] == 1)
        for _, _, data in song.events
        if data[:2] == bytes((0xFF, _KEY_SIGNATURE)) and len(data) >= 4
    }
    return found.pop() if len(found) == 1 else None

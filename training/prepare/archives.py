"""MIDI files in folders and archives, found and read so that no archive can hurt.

Rules for whoever edits this file: nothing is unpacked to disk, so no name in an archive is ever a path; every read has
a limit; what is damaged becomes a `Found` with a reason, and what was read before it counts.
"""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self, cast

LARGEST_FILE: Final = 64 << 20  # bytes of one MIDI file; the largest of public collections has under 4 MiB
LARGEST_TABLE: Final = 256 << 20  # bytes of a manifest
LARGEST_NAME: Final = 1 << 20  # bytes of a tar header's long name: tarfile would read it whole into memory
LEAST_UNPACKED: Final = 4 << 30  # an archive may always unpack to so many bytes,
MOST_EXPANSION: Final = 200  # or to so many times its own size
MIDI: Final = (".mid", ".midi")
ARCHIVES: Final = (".zip", ".tar.xz", ".tar.gz", ".tgz", ".txz")
_NAMES: Final = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip
_BROKEN: Final = (
    OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, NotImplementedError,
    RuntimeError, ValueError, OverflowError,
)  # fmt: skip

Wanted = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A MIDI file that was found: its name below the folder or archive, and its bytes, or why it cannot be read."""

    name: str
    data: bytes
    reason: str = ""


def is_midi(name: str) -> bool:
    """Whether a name ends like a MIDI file's, in capitals too; what macOS adds to archives is none."""
    return name.lower().endswith(MIDI) and not name.rpartition("/")[2].startswith("._")


def is_archive(path: Path) -> bool:
    """Whether a name ends like that of an archive that can be read."""
    return path.name.lower().endswith(ARCHIVES)


def shown(name: str) -> str:
    """A name as it may be printed and kept: no control characters, nothing that is no Unicode."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)


def found_in(path: Path, wanted: Wanted) -> Iterator[Found]:
    """Every wanted MIDI file of a folder (archives in it too), an archive, or the one file `path` is."""
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and (is_midi(p.name) or is_archive(p)))
        for each in inside:
            if is_archive(each):
                yield from _unpacked(each, wanted)
            elif wanted(name := shown(each.relative_to(path).as_posix())):
                yield _read(each, name)
    elif not path.is_file():
        raise ValueError(f"{path} is no file, no folder and no collection known by name")
    elif is_archive(path):
        yield from _unpacked(path, wanted)
    elif not is_midi(path.name):
        raise ValueError(f"{path} is no MIDI file and no archive; archives are {', '.join(ARCHIVES)}")
    elif wanted(shown(path.name)):
        yield _read(path, shown(path.name))


def member(path: Path, name: str) -> bytes:
    """The bytes of the member of a zip archive whose name ends so; empty where there is none."""
    if path.suffix.lower() != ".zip":
        return b""
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.rpartition("/")[2] == name:
                    with archive.open(info) as stream:
                        return stream.read(LARGEST_TABLE)
    except _BROKEN as problem:
        raise ValueError(f"{path} is damaged: {problem}") from None
    return b""


def _read(path: Path, name: str) -> Found:
    try:
        with path.open("rb") as stream:
            return _bounded(name, stream.read(LARGEST_FILE + 1))
    except OSError as problem:
        return Found(name, b"", problem.strerror or "it cannot be read")


def _bounded(name: str, data: bytes) -> Found:
    if len(data) > LARGEST_FILE:
        return Found(name, b"", f"it has more than {LARGEST_FILE >> 20} MiB")
    return Found(name, data)


def _unpacked(path: Path, wanted: Wanted) -> Iterator[Found]:
    """The wanted MIDI files of an archive; where it is damaged, a last `Found` says so."""
    members = _zip_members if path.suffix.lower() == ".zip" else _tar_members
    try:
        yield from members(path, wanted)
    except _BROKEN as problem:
        yield Found(shown(path.name), b"", f"the archive is damaged or cannot be read from here on: {problem}")


def _zip_members(path: Path, wanted: Wanted) -> Iterator[Found]:
    room = _room(path)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = shown(info.filename.removeprefix("./"))
            if info.is_dir() or not is_midi(name) or not wanted(name):
                continue
            try:
                with archive.open(info) as stream:
                    found = _bounded(name, stream.read(LARGEST_FILE + 1))
            except _BROKEN as problem:
                found = Found(name, b"", f"it is damaged inside its archive: {problem}")
            room -= max(len(found.data), info.compress_size)
            if room < 0:
                raise OSError("it unpacks to more than is believable")
            yield found


def _tar_members(path: Path, wanted: Wanted) -> Iterator[Found]:
    opener: Callable[[Path], lzma.LZMAFile | gzip.GzipFile]
    opener = lzma.LZMAFile if path.name.lower().endswith("xz") else gzip.GzipFile
    with opener(path) as plain:
        limited = cast("BinaryIO", _Limited(cast("BinaryIO", plain), _room(path)))
        with tarfile.open(fileobj=limited, mode="r|", tarinfo=_Member) as archive:
            for info in archive:
                name = shown(info.name.removeprefix("./"))
                if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or not is_midi(name) or not wanted(name):
                    continue
                stream = archive.extractfile(info)
                yield _bounded(name, stream.read(LARGEST_FILE + 1) if stream else b"")


def _room(path: Path) -> int:
    return max(LEAST_UNPACKED, path.stat().st_size * MOST_EXPANSION)


class _Limited(io.RawIOBase):
    """A stream that gives out so many bytes and then ends in an error."""

    def __init__(self, stream: BinaryIO, room: int) -> None:
        super().__init__()
        self._stream, self._room = stream, room

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._room -= len(data)
        if self._room < 0:
            raise OSError("it unpacks to more than is believable")
        return data


class _Member(tarfile.TarInfo):
    """A tar header that does not announce more of a name than any file system allows."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _NAMES and header.size > LARGEST_NAME:
            raise tarfile.ReadError("a header is forged")
        return header

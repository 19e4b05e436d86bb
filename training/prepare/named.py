"""Public collections by name: where they are, what they must hash to, and under which terms they stand."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.prepare.archives import ARCHIVES

LARGEST_DOWNLOAD: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Collection:
    """One archive of a public collection."""

    source: str
    licence: str
    url: str
    sha256: str  # "" where no checksum is published: whoever downloads it must state or accept one
    mebibytes: int
    keep: str = ""  # regular expression of the members that are its pieces; "" is every MIDI file
    piece: str = ""  # regular expression whose first group names the piece: all its versions go to one split
    table: str = ""  # the CSV inside that says composer, title and split
    genre: str = ""


_COLUMBIA: Final = "http://hog.ee.columbia.edu/craffel/lmd/"
COLLECTIONS: Final = {
    # SHA-256 as https://magenta.withgoogle.com/datasets/maestro states it
    "maestro": Collection(
        "MAESTRO v3.0.0",
        "CC BY-NC-SA 4.0",
        "https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/maestro-v3.0.0-midi.zip",
        "70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
        56,
        table="maestro-v3.0.0.csv",
        genre="classical",
    ),
    # SHA-256 as several projects that keep this archive record it; none is published with it
    "lakh": Collection(
        "Lakh MIDI (full)",
        "CC BY 4.0 (the files; most songs are in copyright)",
        _COLUMBIA + "lmd_full.tar.gz",
        "6fcfe2ac49ca08f3f214cec86ab138d4fc4dabcd7f27f491a838dae6db45a12b",
        1686,
    ),
    "lakh-clean": Collection(
        "Lakh MIDI (clean)",
        "CC BY 4.0 (the files; most songs are in copyright)",
        _COLUMBIA + "clean_midi.tar.gz",
        "de1bb64cbc0cf35545a05b5c3e786aa6890cfa144edffc4b827ff41bf8c33dc5",
        223,
        piece=r"([^/]+/[^/]+?)(?:\.\d+)?\.midi?$",
    ),
    "pop909": Collection(
        "POP909",
        "MIT (the files; the songs are in copyright)",
        "https://codeload.github.com/music-x-lab/POP909-Dataset/zip/d83e6edba6872a704f5d3b8b32f5cb540088dae6",
        "fe3d861f6eeaee6b40987e64ae26552b4c7b824f6fa40d29b0c5e5ebd62b03ea",
        48,
        # one project's record of what GitHub packed; GitHub may pack it anew, and then --sha256 says the new one
        keep=r"/POP909/\d+/\d+\.mid$",
        genre="pop",
    ),
}
BY_HAND: Final = {
    "giantmidi": "GiantMIDI-Piano is handed out through a cloud drive: follow the link in disclaimer.md of "
    "github.com/bytedance/GiantMIDI-Piano and give the path of midis_v1.2.zip in place of the name",
}
"""Collections that cannot be fetched by a program, and what to do instead."""


def collection_of(text: str) -> Collection | None:
    """The collection of this name, or what lies at this http(s) address; None for anything else.

    ValueError, with what to do, for a name that only a person can fetch.
    """
    if text.lower() in BY_HAND:
        raise ValueError(BY_HAND[text.lower()])
    if text.startswith(("https://", "http://")):
        name = urllib.parse.urlsplit(text).path.rpartition("/")[2]
        if not name.lower().endswith(ARCHIVES):
            raise ValueError(f"{text} is no address of an archive; archives are {', '.join(ARCHIVES)}")
        return Collection(name.partition(".")[0], "", text, "", 0)
    return COLLECTIONS.get(text.lower())


def downloaded(collection: Collection, folder: Path, sha256: str, trust: bool, say: Callable[[str], None]) -> Path:
    """The archive of a collection, in `folder`, downloaded once and checked every time.

    ValueError where there is no network, where the checksum is another, and where none is known and neither `sha256`
    (64 hexadecimal digits) nor `trust` is given; the checksum that was found stands in the sentence.
    """
    expected = (sha256 or collection.sha256).lower()
    path = folder / _file_name(collection)
    if not path.is_file():
        size = f"about {collection.mebibytes:,} MiB " if collection.mebibytes else ""
        say(f"{collection.source}: {size}from {collection.url}")
        _download(collection.url, path)
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if expected and found != expected:
        raise ValueError(f"{path} has the SHA-256 {found}, not {expected}: delete it, or find out why it differs")
    if not expected and not trust:
        raise ValueError(
            f"no checksum of {collection.url} is known; {path} has the SHA-256 {found}: run again with "
            f"--sha256 {found}, or with --trust to take it as it is"
        )
    return path


def _file_name(collection: Collection) -> str:
    name = urllib.parse.urlsplit(collection.url).path.rpartition("/")[2]
    stem = re.sub(r"[^A-Za-z0-9]+", "-", collection.source).strip("-").lower()
    place = hashlib.sha256(collection.url.encode()).hexdigest()[:8]
    return f"{stem}-{place}{next((e for e in ARCHIVES if name.lower().endswith(e)), '.zip')}"


def _download(url: str, path: Path) -> None:
    """Fetch to a .part beside `path` and rename it: a broken download leaves nothing that looks whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    size = 0
    try:
        with urllib.request.urlopen(url, timeout=30.0) as answer, part.open("wb") as target:
            while block := answer.read(1 << 20):
                size += len(block)
                if size > LARGEST_DOWNLOAD:
                    raise ValueError(f"{url} gives more than {LARGEST_DOWNLOAD >> 30} GiB")
                target.write(block)
        os.replace(part, path)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as problem:
        reason = getattr(problem, "reason", problem)
        raise ValueError(
            f"{url} cannot be reached ({reason}): download it elsewhere and give its path in place of the name"
        ) from None
    finally:
        part.unlink(missing_ok=True)

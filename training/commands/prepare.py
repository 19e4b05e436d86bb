"""`python -m training prepare`: MIDI files to notes.

python -m training prepare ~/Music/midi --out notes
python -m training prepare maestro pop909 more.zip --out notes
python -m training prepare /data/midi --out notes --scheduler tcp://192.168.0.2:8786
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from training.talk import say

if TYPE_CHECKING:
    from training.prepare.compare import Comparison
    from training.prepare.listing import Input

HELP = "MIDI files to notes"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("inputs", nargs="*", metavar="INPUT",
        help="folders, MIDI files, archives (.zip, .tar.xz, .tar.gz), their web addresses, or collections by name: "
             "maestro, lakh, lakh-clean, pop909")  # fmt: skip
    add("--root", help="one more INPUT")
    add("--out", type=Path, help="the folder the notes go to")
    add("--manifest", type=Path, help="which files there are; without it manifest.csv of a folder, or all files")
    add("--sources", nargs="*", default=[], help="how the names of the wanted sources begin")
    add("--licence", default="own files", help="terms of the files, where no manifest states them")
    add("--drums", choices=("drop", "keep"), default="drop", help="channel 10 (default: drop)")
    add("--instruments", choices=("merged", "apart"), default="merged",
        help="all as one player, or one piece an instrument (default: merged)")  # fmt: skip
    add("--cache", type=Path, help="folder of the file store and the downloads (default: the folder of --out)")
    add("--jobs", type=int, default=0, help="processes (default: one a core)")
    add("--scheduler", default="", metavar="ADDRESS", help="read on the Dask cluster with this scheduler")
    add("--sha256", default="", metavar="HEX", help="the checksum a download must have")
    add("--trust", action="store_true", help="take a download although no checksum of it is known")
    add("--compare", type=int, default=0, metavar="N", help="only time N files, read here and by plain pretty_midi")
    add("--json", action="store_true", help="one JSON value on stdout")


def run(args: argparse.Namespace) -> None:
    """Read the files."""
    from training.prepare.build import Request, prepare_notes
    from training.prepare.compare import compare
    from training.prepare.listing import manifest_of
    from training.prepare.reading import Reading

    if args.jobs < 0 or args.compare < 0:
        raise ValueError("--jobs and --compare are numbers of at least 0")
    if args.out is None and not args.compare:
        raise ValueError("--out says where the notes go; it is missing")
    inputs = _inputs(args)
    reading = Reading(args.drums == "keep", args.instruments == "apart")
    if args.compare:
        pairs = [(each, manifest_of(each, args.manifest, args.sources)) for each in inputs]
        _say_comparison(compare(pairs, reading, args.compare), args.json)
        return
    request = Request(
        tuple(inputs), args.out, args.manifest, tuple(args.sources), reading, args.cache, args.jobs, args.scheduler
    )
    done = prepare_notes(request, say)
    if done.notes_read:
        rate = done.notes_read / max(done.elapsed_s, 1e-9) * 60.0
        say(
            f"read {done.files_read:,} files, {done.notes_read:,} notes in {done.elapsed_s:.1f} s: {rate:,.0f} a minute"
        )
    say(
        ", ".join(f"{count:,} notes of {done.pieces[split]:,} pieces to {split}" for split, count in done.notes.items())
    )
    if args.json:
        sys.stdout.write(json.dumps(asdict(done)) + "\n")


def _inputs(args: argparse.Namespace) -> list[Input]:
    """What was named: an existing path first, else a collection, downloaded."""
    from training.prepare.listing import Input
    from training.prepare.named import collection_of, downloaded

    names = [*args.inputs, *([args.root] if args.root else [])]
    if not names:
        raise ValueError("nothing to prepare: name a folder, MIDI files, an archive or a collection")
    inputs = []
    for name in names:
        path = Path(name).expanduser()
        collection = None if path.exists() else collection_of(name)
        if collection is None:
            inputs.append(Input(path, path.resolve().name, args.licence))
        else:
            folder = (args.cache or args.out or Path(".")) / "downloads"
            archive = downloaded(collection, folder, args.sha256, args.trust, say)
            inputs.append(Input(archive, collection.source, collection.licence or args.licence, collection))
    return inputs


def _say_comparison(found: Comparison, as_json: bool) -> None:
    here = (found.notes, found.seconds, found.notes_per_s)
    plain = (found.plain_notes, found.plain_seconds, found.plain_notes_per_s)
    for name, (notes, seconds, rate) in (("here:", here), ("pretty_midi:", plain)):
        say(f"{name:12} {notes:,} notes in {seconds:.2f} s, {rate:,.0f} a second")
    say(f"{found.ratio:.1f} times as fast over {found.files} files, one process each")
    if as_json:
        sys.stdout.write(json.dumps({**asdict(found), "ratio": found.ratio}) + "\n")

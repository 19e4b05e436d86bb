"""`python -m training hearing-chord`: the chord heard, beside the chords annotated of the songs of POP909."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import islice
from pathlib import Path

from training.talk import say

HELP = "how much of the time the chord heard is the annotated one"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True, metavar="POP909", help="a folder a song, as in POP909")
    parser.add_argument("--manifest", type=Path, help="says which split a song belongs to")
    parser.add_argument("--split", choices=("train", "validation"), help="the songs of this split alone")
    parser.add_argument("--songs", type=int, help="so many, the first ones (all)")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Measure it and print a table."""
    from training.hearing.chords import measure, songs, table

    if args.split and not args.manifest:
        raise ValueError("--split needs --manifest, which says what the splits are")
    found = measure(islice(songs(args.data, args.manifest, args.split), args.songs), say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

"""`python -m training hearing-key`: the key heard, beside the keys that pieces state and beside music21.

DATA is a manifest (a CSV with the columns file, title, source, split, composition_group, or MAESTRO's own) or a
folder of MIDI files; keys are taken from titles, Mutopia's key signatures, and a key_audio.txt beside a file
(POP909).
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import chain
from pathlib import Path

from training.talk import say

HELP = "how often the key heard is the one a piece states, beside music21"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DATA")
    parser.add_argument("--root", type=Path, help="where the files of the manifest are (beside it)")
    parser.add_argument("--split", choices=("train", "validation"), help="the pieces of this split alone")
    parser.add_argument("--source", nargs="+", default=(), help="sources that begin so alone")
    parser.add_argument("--annotations", type=Path, metavar="POP909", help="the folder of POP909, with its keys")
    parser.add_argument("--alone", action="store_true", help="without music21 beside it")
    parser.add_argument("--learn", action="store_true", help="print profiles learned from these pieces instead")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Measure it and print a table; or learn."""
    from training.hearing.keys import measure, table
    from training.hearing.pieces import keyed_pieces
    from training.hearing.profiles import learned

    pieces = chain.from_iterable(
        keyed_pieces(data, args.root, args.source, args.split, args.annotations) for data in args.data
    )
    if args.learn:
        sys.stdout.write(json.dumps(learned(list(pieces), say)) + "\n")
        return
    shares = measure(pieces, not args.alone, say)
    sys.stdout.write((json.dumps(shares) if args.json else table(shares)) + "\n")

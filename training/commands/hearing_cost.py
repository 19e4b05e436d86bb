"""`python -m training hearing-cost`: what it costs to hear key, chord, beat and touch of a key that is struck."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HELP = "microseconds a key for each thing that is heard"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True, metavar="DATA", help="a MIDI file, or a folder of them")
    parser.add_argument("--files", type=int, default=20, help="so many, spread evenly (%(default)s)")
    parser.add_argument("--notes", type=int, default=500, help="the first ones of each file (%(default)s)")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Measure it and print a table."""
    from training.hearing.cost import costs_us, table

    paths = [args.data] if args.data.is_file() else sorted(args.data.rglob("*.mid*"))
    if not paths:
        raise ValueError(f"{args.data} holds no MIDI files")
    found = costs_us(paths[:: max(len(paths) // args.files, 1)][: args.files], args.notes)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

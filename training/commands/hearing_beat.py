"""`python -m training hearing-beat`: how well tempo, beat and bar are heard, on pieces whose files tell their beats.

python -m training hearing-beat --data DATA --manifest manifest.csv
python -m training hearing-beat --data DATA --manifest manifest.csv --learn tables
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "score the hearing of tempo, beat and bar"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of POP909 and piano-midi.de")
    parser.add_argument("--manifest", type=Path, help="their splits (a CSV table); DATA/manifest.csv unless given")
    parser.add_argument("--split", default="validation", choices=("train", "validation"))
    parser.add_argument("--pieces", type=int, default=0, help="of each source, at most, spread evenly; 0 is all")
    parser.add_argument("--timing-ms", type=float, default=0.0, help="move each key by so much, in the mean (0)")
    parser.add_argument("--no-others", action="store_true", help="livemuse alone, without what it is compared with")
    parser.add_argument(
        "--learn", choices=("tables", "clear"), help="on the training pieces: count the tables anew, or weigh the signs"
    )
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Listen and print a table."""
    if args.learn:
        from training.hearing.beat_learning import relearn, relearn_clear

        (relearn if args.learn == "tables" else relearn_clear)(args.data, args.manifest, say)
        return
    from training.hearing.beat_report import Asked, figures, table

    asked = Asked(args.data, args.manifest, args.split, args.pieces, args.timing_ms / 1000.0, not args.no_others)
    found = figures(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

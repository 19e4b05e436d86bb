"""`python -m training baselines`: the ancestor designs, trained on the same notes and judged in one table.

1 muselstm, 2 positive-pressure, 3 bidirectional, 4 three-heads, 5 piano-roll, 6 markov-5.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "train the ancestor designs on the same notes, and judge all in one table"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="where they are kept; what is there stays")
    parser.add_argument("--only", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6], metavar="N", help="these alone")
    parser.add_argument("--model", type=Path, action="append", default=[], help="a row for this model too; repeatable")
    parser.add_argument("--minutes", type=float, default=5.0, help="each trains no longer than this")
    parser.add_argument("--further", action="store_true", help="train those on that were ended by the clock before")
    parser.add_argument("--split", default="validation", choices=("train", "validation"))
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Train what is missing and print the table."""
    from training.baselines.table import Split, Teaching, baselines, table

    if args.minutes <= 0:
        raise ValueError(f"--minutes is a time longer than 0, not {args.minutes:g}")
    split = Split.read(args.data, args.split)
    found = baselines(split, args.run, Teaching(args.only, args.minutes, args.further), args.model, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

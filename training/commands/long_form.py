"""`python -m training long-form`: 16 and 32 bars from a seed, beside what the pianists played there."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "improvise 16 and 32 bars from a seed, and see whether form holds"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path, nargs="+", help="one model, or several to compare")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=10, help="from the openings of so many pieces")
    parser.add_argument("--bars", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--bar-seconds", type=float, default=2.0, help="how long a bar is; free playing has none")
    parser.add_argument("--seed", type=int, default=0, help="which pieces")
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Improvise and print the figures."""
    from training.figures.longform import Long, long_form, table

    asked = Long(tuple(args.model), args.data, args.pieces, tuple(args.bars), args.bar_seconds, args.seed,
                 tuple(args.sets))  # fmt: skip
    found = long_form(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

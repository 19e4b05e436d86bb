"""`python -m training duet`: playing beside pianists of unseen pieces, and never where they are."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "playing at the same time: how much, and never where the player is"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--pieces", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0, help="which pieces")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each piece; default: 60")
    parser.add_argument("--speeds", type=float, nargs="+", default=[0.5, 1.0, 2.0], help="default: 0.5 1 2")
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Play along and print the figures."""
    from training.figures.along import Asked, along, table

    asked = Asked(
        args.model, args.data, args.pieces, args.seed, args.seconds, tuple(args.speeds), args.split, tuple(args.sets)
    )
    found = along(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

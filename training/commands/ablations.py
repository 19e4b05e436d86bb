"""`python -m training ablations`: what depth, units, heads, losses, augmentation and dropout are worth, in one table.

What is already there in DIR is not trained again, so a command that was cut off goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "train the same network with one thing changed each time, in one table"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True, metavar="NOTES_DIR")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="where the runs and results are kept")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="the base, in place of ours")
    parser.add_argument("--epochs", type=float, default=3.0, help="passes over the notes of each run (3)")
    parser.add_argument("--minutes", type=float, default=0.0, help="minutes of each run, in place of --epochs")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these alone, such as base '3 layers'")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Train what is missing and print the table."""
    from training.ablations import CONFIG, Asked, ablations, table
    from training.train import limit_threads

    limit_threads(1)
    asked = Asked(args.data, args.run, args.config or CONFIG, args.epochs, args.minutes, tuple(args.only), True)
    found = ablations(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

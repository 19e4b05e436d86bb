"""`python -m training sampling`: the same calls answered at many settings, in one table.

Each row changes one control and leaves the others at their defaults (or as --set has them).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "a table of temperature, top_k, top_p, repetition and key"
_DEFAULTS = {
    "temperature": ["0.6", "0.8", "1.0", "1.2"],
    "top_k": ["8", "24"],
    "top_p": ["0.85", "1.0"],
    "repetition": ["0.3", "1.0"],
    "key": ["own"],
}


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="which calls")
    for name, values in _DEFAULTS.items():
        words = " ('own': the key of each call)" if name == "key" else ""
        parser.add_argument(f"--{name.replace('_', '-')}", nargs="*", default=values, metavar="VALUE",
                            help=f"rows of {name}{words}; default: {' '.join(values)}")  # fmt: skip
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="in every row")
    parser.add_argument("--jobs", type=int, default=1, help="answer in so many processes; the table is the same")
    parser.add_argument("--no-copying", action="store_true", help="do not look for runs in the training set")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Answer the calls at each setting and print the table."""
    from training.figures.sampling import Grid, sampling, table

    values = {name: getattr(args, name) for name in _DEFAULTS}
    grid = Grid(args.model, args.data, args.calls, args.seed, tuple(args.sets), values, not args.no_copying, args.jobs)
    found = sampling(grid, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

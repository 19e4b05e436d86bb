"""`python -m training motifs`: whether a motif of the player's comes back, at several settings of `imitate`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "plant motifs in calls, and see whether the answers take them up"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--imitate", type=float, nargs="+", default=[0.0, 0.25, 0.5, 1.0], help="settings to compare")
    parser.add_argument("--seed", type=int, default=0, help="which pieces, and which motifs")
    parser.add_argument("--split", default="validation", help="where the calls are from")
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Answer the calls and print the figures."""
    from training.figures.motifs import Asked, motifs, table

    asked = Asked(args.model, args.data, args.calls, args.seed, args.split, tuple(args.imitate), tuple(args.sets))
    found = motifs(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

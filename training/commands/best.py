"""`python -m training best`: the best of several answers, beside the first of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "whether the best of several answers is better than the first"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="MIDI files, or prepared notes")
    parser.add_argument("--manifest", type=Path, help="the table that says which MIDI files are held out")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="which calls")
    parser.add_argument("--split", choices=("train", "validation"), default="validation")
    parser.add_argument("--candidates", type=int, default=8, help="so many answers to each call; default: 8")
    words = "default: 0.9 and 1.2; repeatable"
    parser.add_argument("--temperature", action="append", type=float, dest="temperatures", default=[], help=words)
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Answer the calls and print the figures."""
    from training.figures.best import TEMPERATURES, Asked, best, table

    asked = Asked(args.model, args.data, args.manifest, args.calls, args.seed, args.split, args.candidates,
                  tuple(args.temperatures) or TEMPERATURES, tuple(args.sets))  # fmt: skip
    found = best(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

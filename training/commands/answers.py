"""`python -m training answers`: answers to calls from unseen pieces, judged."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.talk import say

HELP = "answer calls from unseen pieces, and judge the answers"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="which pieces")
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--whole", type=int, default=0, help="so many whole pieces as calls too, for the register")
    parser.add_argument("--judge", type=Path, help="the model that says how likely a note is; else the one that plays")
    parser.add_argument("--no-copying", action="store_true", help="do not look for runs in the training set")
    words = "this ancestor answers too, by name or number; repeatable; all is every trained one"
    parser.add_argument("--baseline", action="append", dest="baselines", default=[], metavar="NAME", help=words)
    parser.add_argument("--run", type=Path, help="where `baselines` has kept them")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Answer the calls and print the figures."""
    from training.answers import Asked, answers, as_json, table

    asked = Asked(args.model, args.data, args.pieces, tuple(args.sets), args.seed, args.whole,
                  not args.no_copying, args.judge, baselines=tuple(args.baselines), ancestors=args.run)  # fmt: skip
    found = answers(asked, say)
    sys.stdout.write((as_json(found) if args.json else table(found)) + "\n")

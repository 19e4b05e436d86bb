"""`python -m training phrases`: whether answers are phrases that end, stay in the key and do not go round."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "how answers end, whether they go round or leave the key, and what their shape costs"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, help="the table of pieces, whose titles state keys")
    parser.add_argument("--annotations", type=Path, metavar="POP909", help="the folder of POP909, with its keys")
    parser.add_argument("--only", nargs="+", default=[], metavar="SECTION", help="cadence, loops, key or shape alone")
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="which calls")
    parser.add_argument("--split", default="validation", help="where the calls are from")
    parser.add_argument("--temperature", type=float, nargs="+", default=[0.0, 0.3, 0.6, 0.9, 1.2, 1.5],
                        help="at which answers may go round")  # fmt: skip
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Answer the calls and print the figures."""
    from training.figures.phrases import SECTIONS, Asked, phrases, table

    asked = Asked(args.model, args.data, args.manifest, args.annotations, args.calls, args.seed, args.split,
                  tuple(args.only) or SECTIONS, tuple(args.temperature), tuple(args.sets))  # fmt: skip
    found = phrases(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

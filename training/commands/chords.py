"""`python -m training chords`: whether answers follow a chord progression, beside the same answers without one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "whether answers follow chords, and what that costs"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="which calls")
    parser.add_argument("--chords", default="Am F C G", help="as the control has them; default: Am F C G")
    parser.add_argument("--tempo", type=float, default=100.0, help="beats a minute; default: 100")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each answer is; default: 20")
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Answer the calls and print the figures."""
    from training.figures.chords import Asked, following, table

    asked = Asked(args.model, args.data, args.calls, args.seed, args.chords, args.tempo, args.seconds, tuple(args.sets))
    found = following(asked, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

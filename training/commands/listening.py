"""`python -m training listening`: a blind listening test; `make` its sheets, and `score` what people answered.

python -m training listening make --model models/concert --data NOTES_DIR --out listening --run ancestors
python -m training listening score answers/*.csv --key listening/key/key.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "a blind listening test: make its sheets, or score the answers"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parts = parser.add_subparsers(required=True, metavar="make | score", dest="part")
    make = parts.add_parser("make", help="sound, forms and key")
    make.add_argument("--model", type=Path, required=True)
    make.add_argument("--data", type=Path, required=True)
    make.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    make.add_argument("--run", type=Path, help="where `baselines` has kept them; without it none is heard")
    make.add_argument("--baseline", action="append", default=[], metavar="NAME", help="repeatable; else all there are")
    make.add_argument("--items", type=int, default=20)
    make.add_argument("--bars", type=int, default=16)
    make.add_argument("--bar-seconds", type=float, default=2.0, help="how long a bar is; free playing has none")
    make.add_argument("--seed", type=int, default=0, help="which pieces, which order, which improvisations")
    make.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    score = parts.add_parser("score", help="what people answered")
    score.add_argument("forms", type=Path, nargs="*", help="the answers, a CSV file a person")
    score.add_argument("--key", type=Path, required=True)
    score.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Make the sheets, or print what the answers say."""
    if args.part == "make":
        from training.listening.items import Asked
        from training.listening.sheets import FOR_LISTENERS, KEY, make

        asked = Asked(args.model, args.data, args.out, args.run, tuple(args.baseline), args.items, args.bars,
                      args.bar_seconds, args.seed, tuple(args.sets))  # fmt: skip
        key = make(asked, say)
        say(f"{len(key['items'])} items, {key['loudness_lufs']:g} LUFS each: hand out {args.out / FOR_LISTENERS}, "
            f"and keep {args.out / KEY} to yourself")  # fmt: skip
        return
    from training.listening.scoring import score, table

    found = score(args.forms, args.key)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

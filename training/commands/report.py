"""`python -m training report`: one page with all that was measured of some models, pictures included.

python -m training report --model models/open models/concert --data NOTES_DIR --out report --run RUN_DIR
python -m training evaluate models/open --data NOTES_DIR --json > evaluate.json
python -m training report --model models/open --data NOTES_DIR --out report --table evaluate.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training.talk import say

HELP = "one page of figures and pictures"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", type=Path, nargs="+", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder, or a name that ends in .html")
    parser.add_argument("--run", type=Path, nargs="+", default=[], action="extend", help="runs, for their histories")
    parser.add_argument("--table", type=Path, nargs="+", default=[], action="extend", metavar="FILE.json",
                        help="what another command printed with --json")  # fmt: skip
    parser.add_argument("--calls", type=int, default=30, help="answers for the histograms and for copying")
    parser.add_argument("--rolls", type=int, default=4, help="so many of them drawn as piano rolls")
    parser.add_argument("--pieces", type=int, default=10, help="openings for the long form; 0 leaves it out")
    parser.add_argument("--bars", type=int, nargs="+", default=[16, 32], help="lengths of the long form, bars of 2 s")
    parser.add_argument("--seed", type=int, default=0, help="which calls and openings")
    parser.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    parser.add_argument("--no-copying", action="store_true", help="do not look for runs in the training set")


def run(args: argparse.Namespace) -> None:
    """Make the page."""
    from training.report.page import Asked, report

    asked = Asked(
        models=tuple(args.model), data=args.data, out=args.out, runs=tuple(args.run), tables=tuple(args.table),
        calls=args.calls, rolls=args.rolls, pieces=args.pieces, bars=tuple(dict.fromkeys(args.bars)), seed=args.seed,
        settings=tuple(args.sets), copying=not args.no_copying,
    )  # fmt: skip
    report(asked, say)

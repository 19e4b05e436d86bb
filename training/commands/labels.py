"""`python -m training labels`: do pieces fit best under their own genre, composer and mood?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "score pieces under their own label, none, and every other one"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="validation", choices=("train", "validation"))
    parser.add_argument("--pieces", type=int, default=30, help="of each label, at most (30); 0 is all")
    parser.add_argument("--notes", type=int, default=600, help="of each piece, from its beginning (600); 0 is all")
    parser.add_argument("--seed", type=int, default=0, help="which pieces")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Score them and print the table."""
    from training.figures.labelled import Asked, labels_table, table

    found = labels_table(Asked(args.model, args.data, args.split, args.pieces, args.notes, args.seed), say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

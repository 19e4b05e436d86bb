"""`python -m training turns`: how often livemuse comes in too early, and how long it lets a player wait."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "when a phrase is over: answers too early, against the wait, on unseen performances"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="MIDI files (keys and pedals), or prepared notes")
    parser.add_argument("--manifest", type=Path, help="the table that says which MIDI files are held out")
    parser.add_argument("--pieces", type=int, default=60, help="so many performances, evenly from all sources")
    parser.add_argument("--source", action="append", dest="sources", default=[], metavar="NAME", help="from these only")
    parser.add_argument("--seed", type=int, default=0, help="which performances")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the curves too")
    parser.add_argument("--fit", action="store_true", help="fit the weights, on performances of the training split")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Listen, and print the figures."""
    from training.figures import turns, turns_fit
    from training.figures.turns_data import Asked

    split = "train" if args.fit else "validation"
    asked = Asked(args.model, args.data, args.pieces, args.seed, args.manifest, split, tuple(args.sources))
    if args.fit:
        found = turns_fit.fitted(asked, say)
        sys.stdout.write((json.dumps(found) if args.json else turns_fit.table(found)) + "\n")
        return
    found = turns.turns(asked, say)
    if args.picture is not None:
        turns.picture(found, args.picture)
    sys.stdout.write((turns.as_json(found) if args.json else turns.table(found)) + "\n")

"""`python -m training step-time`: how long a model takes to make one whole note."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "time one whole note of a model, as it is played"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path, help="the folder of a model")
    parser.add_argument("--notes", type=int, default=2000, help="notes timed one after the other")
    parser.add_argument("--cold-notes", type=int, default=200, help="notes timed with 60 ms of rest before each")
    parser.add_argument(
        "--no-keras", action="store_true", help="leave out Keras' predict, which takes a while to start"
    )
    parser.add_argument("--keep", action="store_true", help="write the times into the model's manifest and card")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Time it and print a table."""
    from training.step_time import keep, step_time, table

    found = step_time(args.model, args.notes, args.cold_notes, not args.no_keras, say)
    if args.keep:
        keep(args.model, found)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")

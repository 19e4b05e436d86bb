"""`python -m training history`: a picture of how a run went."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from training.talk import say

HELP = "draw how a training run went"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument("--out", type=Path, help="the picture, .png, .svg or .pdf (RUN_DIR/history.png)")
    parser.add_argument("--json", action="store_true", help="the history as one JSON value, and no picture")


def run(args: argparse.Namespace) -> None:
    """Draw it, or print it."""
    from training.history import plot_history, read_history

    if args.json:
        rows = [
            {name: value if math.isfinite(value) else None for name, value in row.items()}
            for row in read_history(args.run)
        ]
        sys.stdout.write(json.dumps(rows) + "\n")
    else:
        say(f"{plot_history(args.run, args.out)} is drawn")

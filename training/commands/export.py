"""`python -m training export`: weights to a model that plays."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.talk import say

HELP = "weights to a model that plays"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--run", type=Path, required=True, help="the folder of a training run")
    parser.add_argument("--data", type=Path, required=True, help="the notes it learned from, as `prepare` left them")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the model")
    parser.add_argument("--weights", choices=("best", "last"), default="best", help="of the run; the best where kept")
    parser.add_argument("--pieces", type=int, default=0, help="score on so many validation pieces; 0 is all")


def run(args: argparse.Namespace) -> None:
    """Export the weights of a run."""
    from training.export import export

    export(args.run, args.data, args.out, args.pieces, say, args.weights)

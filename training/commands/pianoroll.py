"""`python -m training pianoroll`: train and test the piano-roll networks on the benchmark sets.

A run that was interrupted goes on; one that is over is only told.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.pianoroll.benchmark import SETS
from training.pianoroll.config import CONFIGS, HEADS
from training.talk import say

HELP = "train and test piano-roll networks on the benchmark sets"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True, help="the folder of the benchmark's .npz files")
    parser.add_argument("--set", nargs="+", choices=SETS, default=list(SETS), help="which sets; both unless given")
    parser.add_argument("--head", nargs="+", choices=HEADS, default=list(HEADS), help="which heads; both unless given")
    parser.add_argument("--run", type=Path, default=Path("runs/pianoroll"), help="where checkpoints and results go")
    parser.add_argument(
        "--configs", type=Path, default=CONFIGS, help="a folder with SET_HEAD.toml files, in place of ours"
    )
    parser.add_argument("--json", action="store_true", help="the table as JSON")


def run(args: argparse.Namespace) -> None:
    """Train what is not trained, test it once, and print the table."""
    from training.pianoroll.report import Places, as_json, run_one, table

    places = Places(args.data, args.run, args.configs)
    results = [run_one(places, name, head, say) for name in args.set for head in args.head]
    sys.stdout.write((json.dumps(as_json(results), indent=1) if args.json else table(results)) + "\n")

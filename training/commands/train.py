"""`python -m training train`: notes to weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.talk import say

HELP = "notes to weights"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--resume", action="store_true", help="go on from RUN_DIR's last checkpoint")


def run(args: argparse.Namespace) -> None:
    """Train to the planned end."""
    from training.config import load_config
    from training.train import limit_threads, train

    config = load_config(args.config)
    limit_threads(config.threads)
    train(args.data, args.run, config, args.resume, say)

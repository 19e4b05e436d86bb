"""`python -m training train`: notes to weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.talk import say

HELP = "notes to weights"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True, metavar="NOTES_DIR", help="what `prepare` made")
    parser.add_argument("--run", type=Path, required=True, metavar="RUN_DIR", help="the folder of this run")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="what differs from the defaults")
    parser.add_argument("--resume", action="store_true", help="go on from RUN_DIR's last checkpoint, with its config")
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="processes that share the work (see docs/training/backends.md)")  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Train to the planned end."""
    from training.config import load_config

    if args.workers < 1:
        raise ValueError(f"--workers is at least 1, not {args.workers}")
    config = None if args.resume and not args.config else load_config(args.config)
    from training.distributed import joined
    from training.run import LAST, config_of
    from training.train import limit_threads, train

    limit_threads((config or config_of(args.run / LAST)).threads)
    with (
        joined(args.workers, sys.argv[1:]) as workers,
        workers.scope(),
        workers.folder(args.run, args.resume) as folder,
    ):
        train(args.data, folder, config, args.resume, say if workers.chief else _unheard, bar=workers.chief)


def _unheard(_: str) -> None:
    """What the other workers would say, the first one says."""

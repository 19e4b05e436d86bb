"""`python -m training finetune`: a model made one's own, from one's own sessions.

MODEL is the name or folder of a model, the folder of a training run, or a checkpoint (.npz).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from training.talk import say

HELP = "a model made your own, kept only where it knows you better"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--sessions", type=Path, required=True, metavar="DIR", help="recorded sessions, or MIDI files")
    parser.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="the folder of your own model")
    parser.add_argument("--updates", type=int, default=600, metavar="N", help="learn no longer than this (600)")
    parser.add_argument("--run", type=Path, metavar="RUN_DIR", help="keep the training itself in this folder")
    parser.add_argument("--json", action="store_true", help="the verdict as one JSON value")


def run(args: argparse.Namespace) -> None:
    """Fine-tune, judge, and keep it or not."""
    if args.updates < 1:
        raise ValueError(f"--updates is at least 1, not {args.updates}")
    from training.finetune import Asked, finetune
    from training.update import limit_threads

    limit_threads(1)
    verdict = finetune(Asked(args.model, args.sessions, args.out, args.run, args.updates, bar=True), say)
    if args.json:
        sys.stdout.write(json.dumps({"kept": verdict.kept, **asdict(verdict)}) + "\n")

"""`python -m training evaluate`: a model beside an order-5 Markov model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.talk import say

HELP = "score a model beside an order-5 Markov model"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="validation", choices=("train", "validation"))
    parser.add_argument("--pieces", type=int, default=0, help="so many pieces, drawn with --seed; 0 is all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--evening", action="store_true", help="the state carried on from piece to piece, or not")
    words = "answer N calls too, and judge the answers (30; none with --evening; 0 is off)"
    parser.add_argument("--answers", type=int, metavar="N", help=words)
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Score it and print a table."""
    from training.evaluate import as_json, evaluate, in_the_evening, table

    if args.evening:
        found = in_the_evening(args.model, args.data, args.split, say)
    else:
        found = evaluate(args.model, args.data, args.split, args.pieces, args.seed, say)
    text = "" if args.json else table(found)
    calls = args.answers if args.answers is not None else 0 if args.evening else 30
    if calls:
        from training import answers

        asked = answers.Asked(args.model, args.data, calls, seed=args.seed, split=args.split)
        found["answers"] = answers.answers(asked, say)
        text += "" if args.json else "\n\n" + answers.table(found["answers"])
    sys.stdout.write((as_json(found) if args.json else text) + "\n")

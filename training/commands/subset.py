"""`python -m training subset`: whole pieces, drawn by chance, that all networks of a comparison can afford."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.talk import say

HELP = "draw a smaller set of whole pieces"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--data", type=Path, required=True, help="the folder that prepare made")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the smaller set")
    parser.add_argument("--train", type=int, default=400_000, help="at least so many training notes")
    parser.add_argument("--validation", type=int, default=120_000, help="at least so many validation notes")
    parser.add_argument("--longest", type=int, default=12_000, help="pieces with more notes are left out")
    parser.add_argument("--seed", type=int, default=4, help="which pieces are drawn")


def run(args: argparse.Namespace) -> None:
    """Draw and write."""
    from training.corpus import INDEX, load_corpus, some_of, write_corpora

    if min(args.train, args.validation, args.longest) < 1 or args.seed < 0:
        raise ValueError("--train, --validation and --longest are 1 or more, --seed 0 or more")
    if (args.out / INDEX).exists():
        raise ValueError(f"{args.out} holds notes already; choose another --out")
    if args.out.exists() and not args.out.is_dir():
        raise ValueError(f"{args.out} is a file; --out is a folder")
    least = {"train": args.train, "validation": args.validation}
    chosen = {split: some_of(load_corpus(args.data, split), n, args.longest, args.seed) for split, n in least.items()}
    for split, corpus in chosen.items():
        if not corpus.notes:
            raise ValueError(f"{args.data} has no piece of the split {split} with {args.longest:,} notes or fewer")
    write_corpora(args.out, chosen)
    for split, corpus in chosen.items():
        say(f"{split}: {corpus.notes:,} notes of {len(corpus.pieces)} pieces")

"""Make a model: read MIDI files, train, export, and measure.

python -m training prepare --manifest manifest.csv --root MIDI_DIR --out NOTES_DIR
python -m training train --data NOTES_DIR --run RUN_DIR [--config training/configs/concert.toml] [--resume]
python -m training export --run RUN_DIR --data NOTES_DIR --out models/NAME
python -m training evaluate models/NAME --data NOTES_DIR --split validation [--json]
python -m training answers models/NAME --data NOTES_DIR [--pieces 50] [--set NAME=VALUE] [--json]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from livemuse.errors import LivemuseError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def say(line: str) -> None:
    """Talk goes to stderr; data alone goes to stdout."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _prepare(args: argparse.Namespace) -> None:
    from training.corpus import own_manifest, prepare

    manifest = args.manifest or own_manifest(args.root, args.out, args.licence)
    notes = prepare(manifest, args.root, args.out, args.sources, say)
    say(", ".join(f"{count:,} notes to {split}" for split, count in notes.items()))


def _train(args: argparse.Namespace) -> None:
    from training.config import load_config
    from training.train import train

    train(args.data, args.run, load_config(args.config), args.resume, say)


def _export(args: argparse.Namespace) -> None:
    from training.export import export

    export(args.run, args.data, args.out, args.pieces, say)


def _evaluate(args: argparse.Namespace) -> None:
    from training.evaluate import as_json, evaluate, in_the_evening, table

    if args.evening:
        found = in_the_evening(args.model, args.data, args.split, say)
    else:
        found = evaluate(args.model, args.data, args.split, args.pieces, args.seed, say)
    sys.stdout.write((as_json(found) if args.json else table(found)) + "\n")


def _answers(args: argparse.Namespace) -> None:
    from training.answers import answers, as_json, table

    report = answers(args.model, args.data, args.pieces, args.sets, args.seed, say)
    sys.stdout.write((as_json(report) if args.json else table(report)) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    prepare = commands.add_parser("prepare", help="MIDI files to notes")
    prepare.add_argument("--manifest", type=Path, help="which files there are; without it, all under --root")
    prepare.add_argument("--root", type=Path, required=True)
    prepare.add_argument("--out", type=Path, required=True)
    prepare.add_argument("--sources", nargs="*", default=[], help="how the names of the wanted sources begin")
    prepare.add_argument("--licence", default="own files", help="terms of the files, where there is no manifest")
    prepare.set_defaults(run_command=_prepare)
    train = commands.add_parser("train", help="notes to weights")
    train.add_argument("--data", type=Path, required=True)
    train.add_argument("--run", type=Path, required=True)
    train.add_argument("--config", type=Path)
    train.add_argument("--resume", action="store_true", help="go on from RUN_DIR's last checkpoint")
    train.set_defaults(run_command=_train)
    export = commands.add_parser("export", help="weights to a model that plays")
    export.add_argument("--run", type=Path, required=True)
    export.add_argument("--data", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True)
    export.add_argument("--pieces", type=int, default=0, help="score on so many validation pieces; 0 is all")
    export.set_defaults(run_command=_export)
    evaluate = commands.add_parser("evaluate", help="score a model beside an order-5 Markov model")
    evaluate.add_argument("model", type=Path)
    evaluate.add_argument("--data", type=Path, required=True)
    evaluate.add_argument("--split", default="validation", choices=("train", "validation"))
    evaluate.add_argument("--pieces", type=int, default=0, help="so many pieces, drawn with --seed; 0 is all")
    evaluate.add_argument("--seed", type=int, default=0)
    evaluate.add_argument("--evening", action="store_true", help="the state carried on from piece to piece, or not")
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run_command=_evaluate)
    answers = commands.add_parser("answers", help="answer calls from unseen pieces, and judge the answers")
    answers.add_argument("model", type=Path)
    answers.add_argument("--data", type=Path, required=True)
    answers.add_argument("--pieces", type=int, default=50)
    answers.add_argument("--seed", type=int, default=0, help="which pieces")
    answers.add_argument("--set", action="append", dest="sets", default=[], metavar="NAME=VALUE", help="a control")
    answers.add_argument("--json", action="store_true")
    answers.set_defaults(run_command=_answers)
    return parser


def main() -> int:
    """Run one command; exit status 0 when it is done, 1 with a sentence when it cannot be."""
    args = _parser().parse_args()
    try:
        args.run_command(args)
    except (LivemuseError, ValueError, OSError) as problem:
        say(f"{problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

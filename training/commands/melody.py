"""`python -m training melody`: one voice, from MIDI files to a model that plays.

python -m training melody train --data MIDI --run RUN_DIR
python -m training melody export --run RUN_DIR --out models/NAME
python -m training melody answers models/NAME --run RUN_DIR --out ANSWERS_DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from training.melody.config import CONFIGS
from training.talk import say

if TYPE_CHECKING:
    from training.melody.tunes import Tunes

HELP = "one voice on the grid: tunes to a model that plays"
TUNES = "tunes.npz"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    todo = parser.add_subparsers(dest="todo", required=True, metavar="train|export|answers")
    train = todo.add_parser("train", help="MIDI files to weights; a run that was cut off goes on")
    train.add_argument("--data", type=Path, help="a folder, archive or MIDI file; needed once for each RUN_DIR")
    train.add_argument("--run", type=Path, required=True, help="where the tunes, the checkpoints and the history go")
    train.add_argument("--manifest", type=Path, help="a table with file, source, licence, split (DATA/manifest.csv)")
    train.add_argument("--sources", nargs="*", default=[], help="only these sources of the manifest")
    train.add_argument("--licence", default="not stated", help="the terms of the files, where no manifest says them")
    train.add_argument("--config", type=Path, default=CONFIGS / "lead.toml", help="a TOML file, in place of ours")
    export = todo.add_parser("export", help="weights to a model that plays, with its scores")
    export.add_argument("--run", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True)
    answers = todo.add_parser("answers", help="answers to validation tunes, and figures of them")
    answers.add_argument("model", type=Path)
    answers.add_argument("--run", type=Path, required=True, help="the RUN_DIR whose tunes are meant")
    answers.add_argument("--out", type=Path, required=True, help="where the calls and answers go, as MIDI files")
    answers.add_argument("--count", type=int, default=20, help="how many calls")
    answers.add_argument("--seed", type=int, default=1, help="of the choice of calls, and of the answers")
    answers.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a control, as livemuse has it"
    )
    answers.add_argument("--json", action="store_true", help="the figures as JSON")


def run(args: argparse.Namespace) -> None:
    """Train, export, or answer."""
    {"train": _train, "export": _export, "answers": _answers}[args.todo](args)


def _train(args: argparse.Namespace) -> None:
    from training.melody.config import load_settings
    from training.melody.train import train
    from training.melody.tunes import load_tunes, read_tunes, write_tunes
    from training.prepare.listing import Input

    kept, settings = args.run / TUNES, load_settings(args.config)
    if kept.exists():
        if args.data or args.manifest or args.sources:
            raise ValueError(f"{args.run} holds its tunes already: leave out --data, --manifest and --sources")
    else:
        if args.data is None:
            raise ValueError(f"{args.run} holds no tunes yet: say --data, where the MIDI files are")
        given = Input(args.data, args.data.stem, args.licence)
        write_tunes(kept, read_tunes(given, args.manifest, args.sources, say))
    say(f"the best weights are in {train(load_tunes(kept), args.run, settings, say)}")


def _export(args: argparse.Namespace) -> None:
    from training.melody.export import export

    export(args.run, _tunes(args.run), args.out, say)


def _answers(args: argparse.Namespace) -> None:
    from training.melody.answers import answers, table

    found = answers(args.model, _tunes(args.run), (args.count, args.set, args.seed), args.out, say)
    sys.stdout.write((json.dumps(found) if args.json else table(found)) + "\n")


def _tunes(run: Path) -> dict[str, Tunes]:
    from training.melody.tunes import load_tunes

    if not (run / TUNES).is_file():
        raise ValueError(f"{run} holds no tunes yet: train first")
    return load_tunes(run / TUNES)

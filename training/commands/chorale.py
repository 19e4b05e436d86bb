"""`python -m training chorale`: files with a beat to a piano-roll model that plays.

python -m training chorale permissive-js-fake-chorales.tar.xz --manifest manifest.csv --out models/chorale
python -m training chorale ~/Music/hymns --name hymns --out models/hymns
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from training.talk import say

HELP = "files with a beat to a piano-roll model that plays in chords"
CONFIG = Path(__file__).parents[1] / "pianoroll" / "configs" / "chorale.toml"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("inputs", nargs="+", type=Path, metavar="INPUT", help="folders, archives or MIDI files, in four-four time")
    add("--manifest", type=Path, help="which files there are and their splits and terms (a CSV table, as of prepare)")
    add("--sources", nargs="*", default=[], help="how the names of the manifest's wanted sources begin")
    add("--licence", default="own files", help="terms of the files, where no manifest states them")
    add("--config", type=Path, default=CONFIG, help="a TOML file of settings, in place of ours")
    add("--name", default="", help="what the model is called (the config's name unless given)")
    add("--run", type=Path, default=Path("runs/chorale"), help="where checkpoints go; a run found there goes on")
    add("--out", type=Path, required=True, help="the folder of the model")
    add("--json", action="store_true", help="the manifest as JSON")


def run(args: argparse.Namespace) -> None:
    """Read, train, export."""
    from training.bundles import room_for_a_model
    from training.pianoroll.config import load_settings
    from training.pianoroll.scores import load_scores, say_skipped
    from training.prepare.listing import Input

    out = room_for_a_model(args.out)
    missing = [path for path in args.inputs if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{missing[0]} is not there")
    settings = load_settings(args.config)
    settings = replace(settings, name=args.name or settings.name)
    inputs = [Input(path, path.resolve().name, args.licence) for path in args.inputs]
    scores = load_scores(inputs, args.manifest, args.sources)
    say_skipped(scores, say)
    for split, pieces in scores.pieces.items():
        say(f"{split}: {len(pieces):,} pieces, {scores.frames(split):,} sixteenths")

    from training.pianoroll.export import export
    from training.pianoroll.graphs import check_shape
    from training.pianoroll.train import load_best, train

    check_shape(settings.shape)
    best = train({"train": scores.pieces["train"], "valid": scores.pieces["validation"]}, args.run, settings, say)
    notes = sum(file.notes for file in scores.files["train"])
    found = export(best, scores, out, notes * (load_best(best)[1]["progress"]["epoch"] + 1), say)
    if args.json:
        sys.stdout.write(json.dumps(found) + "\n")

"""Make a model: read MIDI files, train, export, and measure.

Each command explains itself with -h; the four that lead from a folder of MIDI files to a model that plays:

python -m training prepare --root MIDI_DIR --out NOTES_DIR
python -m training train --data NOTES_DIR --run RUN_DIR
python -m training export --run RUN_DIR --data NOTES_DIR --out models/NAME
livemuse --model NAME
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import zlib

from livemuse.errors import LivemuseError
from training import commands
from training.talk import say

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def command_names() -> list[str]:
    """Every command there is: a file of `training/commands` each."""
    return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in command_names():
        module = importlib.import_module(f"training.commands.{name}")
        command = group.add_parser(name.replace("_", "-"), help=module.HELP, description=module.__doc__)
        module.options(command)
        command.set_defaults(run_command=module.run)
    return parser


def main() -> int:
    """Run one command; exit status 0 when it is done, 1 with a sentence when it cannot be."""
    args = _parser().parse_args()
    try:
        args.run_command(args)
    except (LivemuseError, ValueError, OSError) as problem:
        say(f"{problem}")
        return 1
    except (ArithmeticError, MemoryError, RecursionError, zlib.error) as problem:  # of numbers that nobody thought of
        say(f"That is more than can be done here: {type(problem).__name__} {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

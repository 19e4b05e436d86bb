"""`python -m training baseline-answer`: a call answered by an ancestor design, as `livemuse answer` does it with ours.

NAME is one of muselstm, positive-pressure, bidirectional, three-heads, piano-roll, markov-5, or its number from 1 to 6.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.talk import say

HELP = "let an ancestor design answer a call, to hear the difference"


def options(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("call", type=Path, metavar="CALL.mid")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="ANSWER.mid")
    parser.add_argument("--run", type=Path, required=True, help="where `baselines` has kept them")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long it answers (8)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> None:
    """Answer the call."""
    from training.baselines.answer import answer_file

    if not 0 < args.seconds <= 600:
        raise ValueError(f"--seconds is more than 0 and at most 600, not {args.seconds:g}")
    if args.seed < 0:
        raise ValueError(f"--seed is 0 or more, not {args.seed}")
    found = answer_file(args.name, args.run, (args.call, args.out), args.seconds, args.seed)
    if args.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        say(f"{found['baseline']} heard {found['notes_heard']} notes and answered with {found['notes_answered']}")

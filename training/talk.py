"""What a command says while it works."""

import sys


def say(line: str) -> None:
    """Talk goes to stderr; data alone goes to stdout."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()

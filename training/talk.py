"""What a command says while it works."""

import sys


def say(line: str) -> None:
    """Talk goes to stderr; data alone goes to stdout. What a stranger's file brings is shown, never obeyed."""
    sys.stderr.write("".join(c if c.isprintable() or c == "\n" else "?" for c in line) + "\n")
    sys.stderr.flush()

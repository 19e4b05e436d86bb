"""On what terms a model may be played: those of what it was trained on, in full, in short, and said aloud once."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Final

FREE: Final = "free to use"
NONCOMMERCIAL: Final = "non-commercial"
UNCLEAR: Final = "see its terms"
TOLD: Final = "terms-told.txt"  # in the folder where livemuse keeps its own: a line for each model that was told of
_NC: Final = re.compile(r"(?<![A-Za-z])NC(?![A-Za-z])|\b(non|not for|no)[-\s\u2010-\u2015]*commercial", re.IGNORECASE)
_FREE: Final = re.compile(
    r"(CC0|CC[- ]BY([- ]SA)?|Creative Commons (Attribution|Zero)([- ]Share ?Alike)?|Public Domain|PDM|MIT|Apache|BSD|"
    r"PDDL|ODC-By|Unlicense)([- ]\d(\.\d)?|-Clause| [A-Z]{2}| International| Unported| Licen[sc]e| Dedication| Mark)*"
    r"( - typeset by [^,;]*)?",
    re.IGNORECASE,
)
_NO_CHANGES: Final = re.compile(r"(?<![A-Za-z])ND(?![A-Za-z])|no[- ]?deriv", re.IGNORECASE)
_LARGEST: Final = 1 << 16
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # a pipe of that name is nobody's reader


def is_noncommercial(licence: str) -> bool:
    """Whether these terms (one licence, or several between semicolons) keep a model from a paid evening."""
    return _NC.search(licence) is not None


def use_of(licence: str) -> str:
    """The terms in two or three words: ``free to use``, ``non-commercial``, or where to look."""
    if is_noncommercial(licence):
        return NONCOMMERCIAL
    parts = [part.strip() for part in licence.split(";") if part.strip()]
    free = parts and all(_FREE.fullmatch(part) and not _NO_CHANGES.search(part) for part in parts)
    return FREE if free else UNCLEAR


def first_told(folder: Path, model: str, licence: str) -> str:
    """The sentence that is said when someone first chooses a non-commercial model; empty ever after, and for others.

    ``folder`` remembers it. Where that cannot be written, the sentence comes again next time.
    """
    if not is_noncommercial(licence):
        return ""
    line = f"{model}\t{licence}".replace("\n", " ") + "\n"
    path = folder / TOLD
    with contextlib.suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                if line.encode() in file.read(_LARGEST).splitlines(keepends=True):
                    return ""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_WAIT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    return f"The model {model} is for non-commercial use only: it was trained on music under {_listed(licence)}."


def _listed(licence: str) -> str:
    """Only those of the licences that forbid it, as a person says them."""
    found = [part.strip() for part in licence.split(";") if is_noncommercial(part)]
    return " and ".join([", ".join(found[:-1]), found[-1]] if found[1:] else found)

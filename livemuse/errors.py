"""What a person can act on: one sentence that says what happened, one that says what to do.

Any other exception that leaves livemuse is a bug.
"""


class LivemuseError(Exception):
    """Something the person at the keyboard can put right; shown as at most two sentences."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class ControlError(LivemuseError):
    """A control or an action that does not exist, or a value outside its range."""


class FileError(LivemuseError):
    """A file that cannot be read or written, or does not hold what it should."""


class ModelError(LivemuseError):
    """A model folder that is missing, damaged, or made for another version."""


class PortError(LivemuseError):
    """A MIDI interface or port that cannot be had."""


class LinkError(LivemuseError):
    """Another livemuse process (stage, engine, console) that does not answer or talks nonsense."""

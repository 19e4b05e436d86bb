"""A pedal, pad or key of the player's that means an action: ``cc:67=answer``, ``note:21=panic``."""

from dataclasses import dataclass

from livemuse.errors import ControlError
from livemuse.music.controls import parse_action

_EXAMPLE = "Write --map cc:67=answer for a pedal, or --map note:21=stop for a key."


@dataclass(frozen=True, slots=True)
class MapEntry:
    """Exactly one of ``cc`` (a controller, pressed from 64 on) and ``note`` (a pitch) is given."""

    action: str
    cc: int | None = None
    note: int | None = None

    def json(self) -> dict[str, int]:
        """As the stage's rules have it."""
        return {"cc": self.cc} if self.cc is not None else {"note": self.note or 0}


def parse_map(text: str) -> MapEntry:
    """One entry as a person writes it; ControlError for what is none."""
    source, equals, action = text.replace(" ", "").partition("=")
    kind, colon, digits = source.lower().partition(":")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else -1
    if not equals or not colon or kind not in ("cc", "note") or not 0 <= number <= 127:
        raise ControlError(f"{text[:60]!r} maps nothing.", _EXAMPLE)
    action = parse_action(action)
    return MapEntry(action, cc=number) if kind == "cc" else MapEntry(action, note=number)

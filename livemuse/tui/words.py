"""Text that came from outside (ports, models, files), made fit for a screen."""

import unicodedata
from typing import Final

from rich.cells import cell_len, set_cell_size

# control, format (right-to-left marks), surrogates, private use, unassigned: they move the cursor, or nobody sees them
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LONGEST: Final = 2000


def plain(text: object) -> str:
    """``text`` with everything that is no visible character shown as a dot; never markup, never a control code."""
    shown = text[:_LONGEST] if isinstance(text, str) else str(text)[:_LONGEST]
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join("·" if unicodedata.category(c) in _UNSEEN else c for c in shown)


def fitted(text: object, width: int) -> str:
    """``text`` in exactly ``width`` cells: cut with an ellipsis or filled with blanks."""
    shown = plain(text)
    if width <= 0:
        return ""
    if cell_len(shown) > width:
        shown = set_cell_size(shown, width - 1).rstrip() + "…"
    return set_cell_size(shown, width)


def label(name: str) -> str:
    """A control's name as it stands on the screen."""
    return plain(name).replace("temperature_", "temp. ").replace("_per_s", "/s").replace("_", " ")


def number(value: object) -> str:
    """A control's value in few characters: 0.9, 24, Eb dorian."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:.4g}"
    return plain(value)


def milliseconds(value: object) -> str:
    """A latency as a person reads it; a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return "–"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"

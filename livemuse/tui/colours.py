"""The palette: the player is amber, livemuse is blue, everything else keeps quiet."""

from functools import lru_cache
from typing import Final, Literal

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from livemuse.tui.words import fitted

PLAYER: Final = "#ffb454"
LIVEMUSE: Final = "#59c2ff"
GROUND: Final = "#0e1016"
PANEL: Final = "#151923"
RAISED: Final = "#1f2533"  # what has the focus
RULE: Final = "#2b3244"
INK: Final = "#d9dde7"
FAINT: Final = "#7d869c"
GOOD: Final = "#8fd06b"
BAD: Final = "#f26d78"

# names for the style sheet
VARIABLES: Final = {
    "player": PLAYER, "livemuse": LIVEMUSE, "ground": GROUND, "raised": RAISED, "rule": RULE, "ink": INK,
    "faint": FAINT, "good": GOOD, "bad": BAD, "side": PANEL,
}  # fmt: skip
OF: Final = {"player": PLAYER, "livemuse": LIVEMUSE}

Part = tuple[str, Style]


@lru_cache(maxsize=2048)
def ink(colour: str = INK, ground: str = GROUND, weight: Literal["", "bold", "italic"] = "") -> Style:
    """A style, made once."""
    return Style(color=colour, bgcolor=ground, bold=weight == "bold", italic=weight == "italic")


@lru_cache(maxsize=512)
def blend(colour: str, ground: str, share: float) -> str:
    """``share`` of ``colour`` on ``ground``, as #rrggbb."""
    mixed = (round(int(colour[i : i + 2], 16) * share + int(ground[i : i + 2], 16) * (1 - share)) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def line(width: int, left: list[Part], ground: Style, right: list[Part] | None = None) -> Strip:
    """One line of exactly ``width`` cells: parts at the right edge, and from the left what fits beside them."""
    tail, tail_width = _fit(right or [], width)
    segments, used = _fit(left, width - tail_width - (1 if tail else 0))
    gap = width - used - tail_width
    if gap > 0:
        segments.append(Segment(" " * gap, ground))
    return Strip([*segments, *tail], width)


def _fit(parts: list[Part], width: int) -> tuple[list[Segment], int]:
    segments: list[Segment] = []
    used = 0
    for text, style in parts:
        segment = Segment(text, style)
        size = segment.cell_length
        if used + size > width:
            if width - used > 2:
                segments.append(Segment(fitted(text, width - used), style))
                used = width
            break
        segments.append(segment)
        used += size
    return segments, used

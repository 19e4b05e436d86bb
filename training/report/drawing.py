"""How every picture of the page is drawn: one size of letters, colours that anyone can tell apart, day and night.

Pictures are SVG that stands in the page itself. What they are drawn with here are stand-in colours, which the page's
own style sheet then sets, once for a light and once for a dark screen. Colours: Okabe and Ito 2008, "Color universal
design"; no picture says anything by colour alone.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GRID = "#010203", "#010204"
CALL, ANSWER, REAL = "#010205", "#010206", "#010207"
SERIES: Final = ("#010208", "#010209", "#01020a", "#01020b", "#01020c", "#01020d")
VARIABLES: Final = {
    INK: "ink", GRID: "grid", CALL: "call", ANSWER: "answer", REAL: "real",
    **{colour: f"series-{k}" for k, colour in enumerate(SERIES)},
}  # fmt: skip
"""Stand-in colour: the variable of the style sheet (page.html)."""
WIDTH_IN: Final = 10.0  # of every picture; the page scales it to its own
LONGEST_LABEL: Final = 28  # letters of a name that somebody else gave


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture: the SVG, and in words what it shows."""

    svg: Markup
    says: str  # for those who cannot see it


def label(text: str) -> str:
    """A name as it may stand in a picture: short, printable, in letters that the picture's font has."""
    plain = unicodedata.normalize("NFKD", text)
    clean = "".join(c if " " <= c <= "~" else "?" for c in plain if not unicodedata.combining(c))
    return clean if len(clean) <= LONGEST_LABEL else clean[: LONGEST_LABEL - 3] + "..."


@contextmanager
def style(name: str) -> Iterator[None]:
    """The common look, while a picture is drawn and made into SVG; ValueError where there is no matplotlib."""
    try:
        import matplotlib
    except ImportError:
        raise ValueError("pictures need matplotlib: pip install matplotlib") from None
    look: Any = {
        "font.size": 9, "axes.titlesize": 9, "text.parse_math": False, "svg.fonttype": "path", "svg.hashsalt": name,
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
        "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True, "axes.spines.top": False,
        "axes.spines.right": False, "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
        "legend.frameon": False, "figure.constrained_layout.use": True,
    }  # fmt: skip
    with matplotlib.rc_context(look):
        yield


def new_figure(height_in: float) -> Figure:
    """A figure of the page's width; no window and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_IN, height_in))


def finished(figure: Figure, says: str) -> Picture:
    """The figure as SVG, in the colours of the page."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = stream.getvalue()
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    return Picture(Markup(text), says)  # matplotlib escapes what stands in it

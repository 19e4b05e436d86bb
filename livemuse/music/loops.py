"""Figures that go round: how often one has stood in a row, and what it costs to strike its next note once more.

Repetition is what music is made of, and a network that hears itself repeat expects more of the same, for ever (Holtzman
et al. 2020). So a figure may come twice for nothing; from its third time on each further note costs more, and the note
that would begin one time too many is forbidden. A figure of 1, 2 or 3 notes counts as one of 4: a trill of 16 notes or
one pitch 16 times stands four times.

What counts is the order in which a MIDI file has the notes: by onset, the notes of a chord from the lowest up. As two
notes that are all but together may come to stand in either order, both are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_FIGURE: Final = 16  # notes
SHORTEST_FIGURE: Final = 4  # a shorter one is taken as often as makes so many
KEPT: Final = 128  # notes of livemuse's that are looked at
TOGETHER_S: Final = 0.005  # struck within so much of each other, notes of a chord stand in either order
FREE: Final = 2.0  # times that cost nothing
MOST_NATS: Final = 3.0  # what a note costs just before it is forbidden
FORBIDDEN: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Line:
    """What livemuse has struck in this turn, oldest first, and whether it has come to its end; only ever replaced."""

    struck: tuple[tuple[float, int], ...] = ()  # (onset in seconds, pitch)
    closed_s: float | None = None  # the onset with which it has closed

    def after(self, onset_s: float, pitch: int, *, closes: bool = False) -> Line:
        """With one note more, struck no earlier than those before; ``closes`` says that it is one to end on."""
        closed_s = self.closed_s
        if closes and closed_s is None:
            closed_s = onset_s
        return Line((*self.struck, (onset_s, pitch))[-KEPT:], closed_s)


NOTHING_STRUCK: Final = Line()


def times(line: Sequence[int], figure: int) -> float:
    """How many times the figure of so many notes at the end of a line stands in a row; 1 at least."""
    return _notes(line, figure) / max(figure, SHORTEST_FIGURE)


def loop_costs(line: Line, most: int) -> dict[int, float]:
    """{pitch: nats} of those that cost anything where a figure may stand ``most`` times in a row (2 or more).

    At most a few pitches; ``FORBIDDEN`` is one of the nats. Costs some 50 microseconds.
    """
    played = [pitch for _, pitch in line.struck]
    first = len(line.struck)
    while first > 0 and line.struck[-1][0] - line.struck[first - 1][0] <= TOGETHER_S:
        first -= 1
    before, chord = ordered(line.struck[:first]), sorted(played[first:])
    found: dict[int, float] = {}
    together = before + chord
    for pitches in (played, together) if together != played else (played,):
        for figure in range(1, min(LONGEST_FIGURE, len(pitches)) + 1):
            if figure == 1 or pitches[-1:] == pitches[-1 - figure : -figure]:  # else this note begins it anew
                _add(found, pitches[-figure], _cost(_notes(pitches, figure) + 1, figure, most))
    for pitch in {p for p in together[-LONGEST_FIGURE - len(chord) :] if p < chord[-1]} if chord else ():
        grown = before + sorted([*chord, pitch])  # struck with the last ones, it would stand among them
        for figure in range(2, min(LONGEST_FIGURE, len(grown) - 1) + 1):
            if grown[-1] == grown[-1 - figure]:
                _add(found, pitch, _cost(_notes(grown, figure), figure, most))
    return found


def _add(found: dict[int, float], pitch: int, nats: float) -> None:
    if nats > found.get(pitch, 0.0):
        found[pitch] = nats


def most_times(line: Line) -> float:
    """How many times whatever figure the line ends with stands in a row, of that which does so most often."""
    pitches = ordered(line.struck)
    return max((times(pitches, figure) for figure in range(1, LONGEST_FIGURE + 1)), default=1.0)


def ordered(struck: Sequence[tuple[float, int]]) -> list[int]:
    """The pitches in the order of a MIDI file, notes that are all but together from the lowest up."""
    found: list[int] = []
    first, begins_s = 0, float("-inf")
    for onset_s, pitch in struck:
        if onset_s - begins_s > TOGETHER_S:
            found[first:] = sorted(found[first:])
            first, begins_s = len(found), onset_s
        found.append(pitch)
    found[first:] = sorted(found[first:])
    return found


def _notes(line: Sequence[int], figure: int) -> int:
    """How many notes at the end of a line belong to a figure that goes round."""
    at = len(line) - 1
    while at >= figure and line[at] == line[at - figure]:
        at -= 1
    return len(line) - 1 - at + min(figure, at + 1)


def _cost(notes: int, figure: int, most: int) -> float:
    length = max(figure, SHORTEST_FIGURE)
    if notes > length * most:
        return FORBIDDEN
    return MOST_NATS * max(notes / length - FREE, 0.0) / max(most - FREE, 1.0)

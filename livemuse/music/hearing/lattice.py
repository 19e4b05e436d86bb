"""Where within a beat events can fall: on 32nds and on triplets' sixteenths, in 24ths of a beat; and how they go on."""

from __future__ import annotations

from typing import Final

from livemuse.music.hearing.beat_tables import STEPS

PER_BEAT: Final = 24
REACH: Final = 97  # 24ths: farther than four beats ahead, steps are not told apart
DUPLE: Final = (0, 3, 6, 9, 12, 15, 18, 21)
TRIPLE: Final = (0, 4, 8, 12, 16, 20)
ROW_PLACE: Final = DUPLE + TRIPLE
"""A row is a place and how the beat was divided last: rows 0-7 are the places of DUPLE, 8-13 those of TRIPLE."""

LOADS: Final = {0: 0, 12: 1, 6: 2, 18: 2, 4: 3, 8: 3, 16: 3, 20: 3, 3: 4, 9: 4, 15: 4, 21: 4}
"""What a place bears: the beat, its half, its quarters, its thirds, or finer. The keys are all places there are."""

BEGINS: Final = {0: -0.3, 12: -2.5, 18: -3.1, 16: -3.8, 15: -3.8, 6: -4.2, 20: -4.2, 21: -4.0}
"""The log share of places where the training pieces begin."""

FIRST_TRIPLE: Final = len(DUPLE)  # rows from here on divide the beat in three
IN_THREE: Final = -1.6  # log share of music that divides its beats in three
IN_TWO: Final = -0.22

_DUPLE_ROW: Final = {place: row for row, place in enumerate(DUPLE)}
_TRIPLE_ROW: Final = {place: row + len(DUPLE) for row, place in enumerate(TRIPLE)}
_NEAR: Final = 4  # 24ths around the place where an event lies
_FAR_SHARE: Final = -5.5  # log share of a step beyond REACH, whichever

Step = tuple[int, float, int, int]
"""A step in 24ths, its log share, the row it leads to, and what the place there bears (as in LOADS)."""


def next_row(row: int, place: int) -> int:
    """The row after an event at ``place`` (24ths, any beat): at a beat or its half the division stays as it was."""
    within = place % PER_BEAT
    if within in _DUPLE_ROW and (within not in _TRIPLE_ROW or row < len(DUPLE)):
        return _DUPLE_ROW[within]
    return _TRIPLE_ROW[within]


def _steps_near() -> tuple[tuple[tuple[Step, ...], ...], ...]:
    rows = []
    for row, place in enumerate(ROW_PLACE):
        steps = [
            (step, -cents / 100.0, next_row(row, place + step), LOADS[(place + step) % PER_BEAT])
            for step, cents in STEPS[row]
        ]
        rows.append(tuple(tuple(s for s in steps if abs(s[0] - x) <= _NEAR) for x in range(REACH)))
    return tuple(rows)


def _first_rows() -> tuple[tuple[int, float], ...]:
    """Every row on which music may begin, with its log share."""
    duple = [(_DUPLE_ROW[p], share + IN_TWO) for p, share in BEGINS.items() if p in _DUPLE_ROW]
    return (*duple, *((_TRIPLE_ROW[p], share + IN_THREE) for p, share in BEGINS.items() if p in _TRIPLE_ROW))


FIRST_ROWS: Final = _first_rows()
NEAR: Final = _steps_near()
"""For each row and each number of 24ths up to REACH: the steps that may be meant."""


def steps_near(row: int, x: int) -> tuple[Step, ...]:
    """The steps that may be meant by an event ``x`` 24ths after the one in this row."""
    if x < REACH:
        return NEAR[row][x]
    found = []
    for step in range(x - _NEAR, x + _NEAR + 1):
        place = (ROW_PLACE[row] + step) % PER_BEAT
        if place in BEGINS:
            found.append((step, _FAR_SHARE + BEGINS[place], next_row(row, place), LOADS[place]))
    return tuple(found)

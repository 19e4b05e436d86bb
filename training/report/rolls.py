"""Piano rolls: a call with livemuse's answer, and on the same axes the call with what the pianist played next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from livemuse.music.notes import PIANO_HIGH, PIANO_LOW, Note
from training.figures.playing import ANSWER_S, CALL_S, Turn
from training.report.drawing import ANSWER, CALL, GRID, INK, REAL, Picture, finished, new_figure, style

SHOWN_CALL_S: Final = 12.0  # of the call's end
NOTE_HEIGHT: Final = 0.95  # of a semitone
_MARGIN: Final = 3  # semitones


def roll(turn: Turn, name: str) -> Picture:
    """Two rolls, one above the other, on the same axes: at 0 s begins the answer, or the pianist's next note."""
    begin_s = turn.call[0].onset_s + CALL_S  # the call is the 20 s before
    pitches = [n.pitch for n in (*turn.answer, *turn.next)] + [n.pitch for n in turn.call if _shown(n, begin_s)]
    low = max(min(pitches) - _MARGIN, PIANO_LOW - _MARGIN)
    high = min(max(pitches) + _MARGIN, PIANO_HIGH + _MARGIN)
    with style(f"roll-{name}"):
        figure = new_figure(1.6 + 2 * max(0.045 * (high - low), 1.2))
        rows = figure.subplots(2, 1, sharex=True, sharey=True)
        _panel(rows[0], turn.call, turn.answer, begin_s, (ANSWER, "answer"))
        _panel(rows[1], turn.call, turn.next, begin_s, (REAL, "what the pianist played"))
        octaves = [pitch for pitch in range(0, 128, 12) if low <= pitch <= high]
        rows[0].set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])
        rows[0].set_ylim(low, high)
        rows[0].set_xlim(-SHOWN_CALL_S, ANSWER_S)
        rows[0].set_xticks(range(-int(SHOWN_CALL_S), int(ANSWER_S) + 1, 2))
        rows[1].set_xlabel("seconds; at 0 begins the answer, or the pianist's next note")
        says = (f"Piano roll: the call's last {SHOWN_CALL_S:g} s, then {len(turn.answer)} notes of the answer; "
                f"below it the same call, then {len(turn.next)} notes of the pianist.")  # fmt: skip
        return finished(figure, says)


def _shown(note: Note, begin_s: float) -> bool:
    return note.end_s - begin_s > -SHOWN_CALL_S


def _panel(axes: Any, call: Sequence[Note], after: Sequence[Note], begin_s: float, what: tuple[str, str]) -> None:
    """One roll; ``what`` is the colour and the name of what comes after the call."""
    colour, name = what
    heard = [replace(n, duration_s=min(n.duration_s, begin_s - n.onset_s)) for n in call if _shown(n, begin_s)]
    _draw(axes, heard, begin_s, CALL)  # cut off where it ends, though strings may ring on
    _draw(axes, after, 0.0, colour)
    axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.grid(axis="both", color=GRID)
    axes.set_ylabel("pitch")
    axes.set_title("call", color=CALL, loc="left", weight="bold")
    axes.set_title(name, color=colour, loc="right", weight="bold")


def _draw(axes: Any, notes: Sequence[Note], from_s: float, colour: str) -> None:
    """Every note a bar from its onset to its end; the harder it was struck, the less it lets through."""
    for note in notes:
        bar = [(note.onset_s - from_s, max(note.duration_s, 0.03))]
        axes.broken_barh(bar, (note.pitch - NOTE_HEIGHT / 2, NOTE_HEIGHT), facecolor=colour, linewidth=0,
                         alpha=0.45 + 0.55 * note.velocity / 127)  # fmt: skip

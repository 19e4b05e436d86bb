"""Which of several answers to a call is played, and which is next when another is asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.schedule import Chosen, Discard, Expect, Roll
from livemuse.music.take import HORIZON_S, Take
from livemuse.music.turntaking import ASK_AFTER_S, KNOWN_WITHIN_S

MOST_CANDIDATES: Final = 16
ROLLED_WITHIN_S: Final = 0.25  # after the last release: so long an answer waits for candidates to be rolled ahead
SPARE_S: Final = 0.06  # before its first note nothing is rolled any more


@dataclass(slots=True)
class Choosing:
    """The answers to the call of one turn: in which order, how far down that order, and how long each is to be."""

    turn: int = 0
    length_s: float = 0.0
    notes: int | None = None
    place: int = 0
    chosen: Chosen | None = None  # of the turn whose answer sounded last
    offered: Chosen | None = None  # for the take that is begun; it may never sound

    def began(self, take: Take) -> None:
        """The first note of a turn's first answer sounded."""
        self.chosen = self.offered if self.offered is not None and self.offered.take == take.id else None
        if self.chosen is not None:
            take.candidate = self.chosen.ranking[0]
        self.turn, self.place = take.turn, 0
        self.length_s, self.notes = take.end_s - take.start_s, take.notes_left

    def another(self, turn: int, number: int, at_s: float) -> tuple[Take | None, list[Discard]]:
        """The next best answer of this turn as take ``number``, and what is to be forgotten for it.

        After the last of them it is the first once more; where none were ranked, it is just another one. None for a
        turn without an answer.
        """
        if turn != self.turn or not turn:
            return None, []
        self.place = (self.place + 1) % (MOST_CANDIDATES if self.chosen is None else len(self.chosen.ranking))
        take = Take(
            number, turn, 0, at_s, at_s + self.length_s, False, 0, self.notes, at_s + HORIZON_S, at_s,
            decided=True, asked_for=True, candidate=self.place,
        )  # fmt: skip
        if self.chosen is not None:
            take.candidate = self.chosen.ranking[self.place]
            take.path = self.chosen.paths[self.place] if self.chosen.paths else ()
        return take, [Discard(turn, at_s)]


def ask_ahead(take: Take, since_s: float, asks: bool, controls: Controls) -> None:
    """Set when a waiting take is worth thinking about, in a silence since ``since_s``: whether the network ``asks``
    to be heard about the silence, and whether candidates are rolled ahead.
    """
    rolls = controls.number("candidates") > 1
    if asks or rolls:
        take.ask_s = since_s + ASK_AFTER_S
        take.known_s = since_s + (ROLLED_WITHIN_S if rolls else KNOWN_WITHIN_S)
    if rolls:
        take.spare_s = SPARE_S


def asked_ahead(take: Take, tail: list[Note], asks: bool, controls: Controls) -> list[Expect | Roll]:
    """What is to be done when that time has come; the silence first."""
    found: list[Expect | Roll] = [Expect(take.id, tuple(tail))] if asks else []
    if take.plan is not None and controls.number("candidates") > 1:
        found.append(Roll(take.plan))
    return found


def asked_anew(take: Take, controls: Controls) -> list[Roll]:
    """What is to be rolled where a waiting take was moved: its candidates fill another time."""
    ahead = take.plan is not None and take.known_s > float("-inf") and controls.number("candidates") > 1
    return [Roll(take.plan)] if take.plan is not None and ahead else []

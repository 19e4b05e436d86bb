"""A take of the duet's: one answer, or one stretch of playing, from its announcement to the stage's last word on it."""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from livemuse.music.ceilings import LONGEST_ANSWER_S
from livemuse.music.context import BeatGrid, Context
from livemuse.music.controls import Controls
from livemuse.music.hearing.ear import BEATS_A_BAR
from livemuse.music.notes import Note
from livemuse.music.schedule import Begin, Extend, OpenTake, Plan, TakeBack

READY_BEFORE_S: Final = 0.25  # an answer is made so long before its first note: most silences are over sooner
READY_AT_LEAST_S: Final = 0.03  # and no later than this before it
HORIZON_S: Final = 2.0  # so far ahead notes lie ready; a stall of the engine shorter than half of it is not heard
SHORTEST_AUTO_S, LONGEST_AUTO_S = 3.0, 12.0  # an `auto` answer is as long as its call, within these

RELEASE_S: Final = 0.3  # sounding notes end within this when livemuse yields
NEVER, ALWAYS, UNTIL_FIRST = 0, 1, 2  # how a take yields, as in livemuse.midi.link

Closing = Literal["withdrawn", "put off", "yield", "rest", "revise", "trigger", "another", "stop", "mode", "finished"]


@dataclass(slots=True)
class Take:
    """What is to be played, and how far it has come."""

    id: int
    turn: int
    revision: int
    start_s: float
    end_s: float
    endless: bool
    first_index: int  # notes are counted through the revisions of a turn
    notes_left: int | None
    asked_until_s: float
    first_beat_s: float  # of the chords, through all revisions
    tempo_bpm: float | None = None  # in which they were counted so far
    decided: bool = False  # a note of this turn has sounded
    asked_for: bool = False  # by the player, who did not wait for it
    finishing: bool = False  # the music ends with it
    candidate: int = 0  # of the answers to the same call
    path: tuple[int, ...] = ()
    ask_s: float | None = None  # when the network is asked what it makes of this silence, and to roll ahead
    known_s: float = float("-inf")  # what it has to say is waited for so long
    spare_s: float = READY_AT_LEAST_S  # but no longer than until so long before the first note
    ready_s: float = float("-inf")  # when it is to be made
    last_sent: int | None = None
    plan: Plan | None = None  # not given to the improviser yet
    tail: int = 0  # notes of the call that were fed for this take alone
    done: bool = False  # planned to its end
    over_s: float = float("-inf")  # when the last planned note ends
    closing: Closing | None = None
    closing_at_s: float = 0.0

    def again(self, number: int, at_s: float) -> "Take | None":
        """The same turn as take ``number``, from its last note on; None where nothing of it is left."""
        played = 0 if self.last_sent is None else self.last_sent + 1 - self.first_index
        left = None if self.notes_left is None else self.notes_left - played
        if (left is not None and left <= 0) or at_s >= self.end_s:
            return None
        return Take(
            number, self.turn, self.revision + 1, at_s, self.end_s, self.endless, self.first_index + played, left,
            at_s + HORIZON_S, self.first_beat_s if self.decided else at_s, decided=self.decided,
            asked_for=self.asked_for, finishing=self.finishing, candidate=self.candidate, tempo_bpm=self.tempo_bpm,
        )  # fmt: skip

    def keep_place(self, tempo_bpm: float, beats: BeatGrid | None) -> None:
        """The place in the chords stays where it is as the tempo gives way, and on the beat where that is clear."""
        if self.decided and self.tempo_bpm is not None:
            place = (self.start_s - self.first_beat_s) * self.tempo_bpm / 60.0
            if beats is not None and beats.clear:
                ahead = (self.start_s - beats.beat_s) / beats.period_s - place
                place += ahead - round(ahead)
            self.first_beat_s = self.start_s - place * 60.0 / tempo_bpm
        self.tempo_bpm = tempo_bpm

    def opened(self, tail: list[Note], controls: Controls, context: Context, *, exact: bool) -> OpenTake:
        """Plan it after what was heard, the tail of which is not final; what tells the stage of it."""
        self.tail = len(tail)
        self.plan = Plan(
            self.id, self.turn, self.revision, tuple(tail),
            self.start_s if exact else None, self.start_s, self.end_s, self.notes_left, self.first_index, controls,
            self.first_beat_s, self.finishing, context, self.candidate, self.path,
        )  # fmt: skip
        if self.endless and controls["mode"] == "duet":  # the player's key drops what it may meet, and no more
            return OpenTake(self.id, ALWAYS, -1.0, self.turn, self.revision)
        yields = ALWAYS if controls["on_interrupt"] == "yield" else UNTIL_FIRST
        if self.endless or self.finishing or (yields == UNTIL_FIRST and self.decided):
            yields = NEVER
        return OpenTake(self.id, yields, RELEASE_S, self.turn, self.revision)

    def ready_by(self) -> None:
        """Set when it is made: so long before its first note, but not before what is waited for may be there."""
        self.ready_s = max(self.start_s - READY_BEFORE_S, min(self.known_s, self.start_s - self.spare_s))

    def made_ready(self) -> list[Begin | Extend]:
        """Give its plan to the improviser."""
        plan, self.plan = self.plan, None
        assert plan is not None
        return [Begin(plan, choose=self.revision == 0 and not self.decided), Extend(self.id, self.asked_until_s)]

    def movable(self, at_s: float) -> bool:
        """Whether nobody was given its plan: by the stamp, for whoever wakes late must decide as one on time does."""
        return self.waits and at_s < self.ready_s - 1e-3

    @property
    def waits(self) -> bool:
        """Whether it is to be made, and nobody was given its plan."""
        return self.plan is not None and self.closing is None

    def move(self, start_s: float) -> None:
        """Begin at another time, as long as it was to be; only while it is ``movable``."""
        self.end_s += start_s - self.start_s
        self.start_s, self.asked_until_s, self.first_beat_s = start_s, start_s + HORIZON_S, start_s
        self.ready_by()

    def planned_anew(self, tail: list[Note], controls: Controls, context: Context) -> None:
        """Plan it after what is heard by now, where it was moved."""
        assert self.plan is not None
        self.tail = len(tail)
        self.plan = replace(
            self.plan, tail=tuple(tail), start_s=self.start_s, not_before_s=self.start_s, end_s=self.end_s,
            first_beat_s=self.first_beat_s, controls=controls, context=context,
        )  # fmt: skip

    def finish(self, by_s: float, at_s: float) -> None:
        """Let the music end with it, by ``by_s`` at the latest, and not in a hurry."""
        self.finishing, self.endless, self.notes_left = True, False, None
        self.end_s = min(max(self.end_s, (at_s + by_s) / 2), by_s)

    def close(self, reason: Closing, at_s: float, release_s: float) -> list[TakeBack]:
        """Ask for its end. A stronger reason takes the place of a weaker one; the stage is asked again only to let go
        sooner.
        """
        asked = self.closing
        called_off = reason in ("yield", "rest", "withdrawn", "put off") and asked == "revise"
        if asked is None or reason in ("stop", "mode") or called_off:
            self.closing, self.closing_at_s = reason, at_s
        return [TakeBack(self.id, release_s)] if asked is None or release_s >= 0 else []


def answer_length(length: str, call_s: float, bar_s: float, beats: BeatGrid | None = None) -> tuple[float, int | None]:
    """(seconds, notes or None) of the answer to a call of ``call_s``, where `answer_length` is ``length``.

    ``auto`` is as long as the call, within bounds; in whole bars, or else whole beats, where ``beats`` are clear.
    """
    beat_s = bar_s / (BEATS_A_BAR if beats is None or beats.beats_a_bar is None else beats.beats_a_bar)
    if length == "auto":
        length_s = min(max(call_s, SHORTEST_AUTO_S), LONGEST_AUTO_S)
        if beats is None or not beats.clear:
            return length_s, None
        return _whole(length_s, bar_s) or _whole(length_s, beat_s) or length_s, None
    amount, _, unit = length.partition(" ")
    if unit == "notes":
        return LONGEST_ANSWER_S, int(float(amount))
    return min(float(amount) * {"bars": bar_s, "beats": beat_s}.get(unit, 1.0), LONGEST_ANSWER_S), None


def _whole(length_s: float, unit_s: float) -> float | None:
    """The nearest whole number of bars or beats that is long and short enough; None where there is none."""
    fewest, most = math.ceil(SHORTEST_AUTO_S / unit_s - 1e-9), math.floor(LONGEST_AUTO_S / unit_s + 1e-9)
    return None if fewest > most else min(max(round(length_s / unit_s), fewest), most) * unit_s

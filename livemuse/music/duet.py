"""The duet: who plays when. Events and stamps in, actions out; no clock, no ports, no model.

Rules for whoever edits this file.
- Everything that decides whose turn it is lives here, and nothing else does.
- Decisions are made on the stamps of events or on deadlines set from them, never on the time of being called.
- At most one take is open. It is closed by the stage's word alone (``taken``): asking to close it is ``_close``.
- What was sent is known from ``sent`` and ``taken``; a take of which nothing was sent never happened.

    listening --keys released--> waiting --first note sent--> answering --all ended--> listening
        ^                          |  ^ the player goes on        |  the player comes back in
        '--------------------------'                              '--> listening
    listening --trigger, or mode solo--> playing --stop--> listening
"""

from dataclasses import dataclass
from typing import Final, Literal

from livemuse.music.ceilings import LONGEST_ANSWER_S
from livemuse.music.controls import Controls
from livemuse.music.notes import Heard, KeyDown, PlannedNote
from livemuse.music.phrases import SHORTEST_NOTE_S, Listener
from livemuse.music.schedule import (
    Action,
    Begin,
    Extend,
    Listen,
    OpenTake,
    Plan,
    Play,
    Settle,
    Silence,
    TakeBack,
    TurnBegins,
    WakeAt,
)

State = Literal["listening", "waiting", "answering", "playing", "tacet"]

NEVER, ALWAYS, UNTIL_FIRST = 0, 1, 2  # how a take yields, as in livemuse.midi.link
READY_BEFORE_S: Final = 0.25  # an answer is made so long before its first note: most silences are over sooner
HORIZON_S: Final = 2.0  # so far ahead notes lie ready; a stall of the engine shorter than half of it is not heard
RELEASE_S: Final = 0.3  # sounding notes end within this when livemuse yields
TOO_EARLY_S: Final = 1.0  # a player who comes back in so soon had not finished
BEATS_A_BAR: Final = 4
BAR_S: Final = BEATS_A_BAR * 0.5  # at 120 bpm, until a tempo is known
SHORTEST_AUTO_S, LONGEST_AUTO_S = 3.0, 12.0  # an `auto` answer is as long as its call, within these
TYPICAL_NOTE_S: Final = 0.4  # a key still held counts as this long at least while livemuse plays along
_NOT_MUSIC: Final = frozenset({"thru"})  # controls that change nothing of what is planned

Closing = Literal["withdrawn", "yield", "revise", "trigger", "stop", "mode", "finished"]


@dataclass(slots=True)
class _Take:
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
    decided: bool = False  # a note of this turn has sounded
    last_sent: int | None = None
    plan: Plan | None = None  # not given to the improviser yet
    tail: int = 0  # notes of the call that were fed for this take alone
    done: bool = False  # planned to its end
    over_s: float = float("-inf")  # when the last planned note ends
    closing: Closing | None = None
    closing_at_s: float = 0.0


class Duet:
    """A player and livemuse taking turns; every input returns the actions that follow from it."""

    def __init__(self, controls: Controls) -> None:
        self.controls = controls
        self.listener = Listener()
        self.turn = 0  # answers begun
        self.tacet = False
        self.bar_s = BAR_S
        self._take: _Take | None = None
        self._takes = 0
        self._call_began_s: float | None = None
        self._answer_began_s: float | None = None  # and the player has not played since
        self._stage_there = True
        self._resume = False  # the stage was lost while playing on: play on when it is back

    # --- what can be asked ---------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What livemuse is doing."""
        if self._take is None:
            return "tacet" if self.tacet else "listening"
        if self._take.endless:
            return "playing"
        return "answering" if self._take.decided else "waiting"

    @property
    def deadline_s(self) -> float | None:
        """When the answer begins if the player stays silent."""
        return self._take.start_s if self._take is not None and self.state == "waiting" else None

    @property
    def wait_s(self) -> float:
        """The silence that ends a phrase now."""
        wait = self.controls["wait"]
        return self.listener.pauses.wait_s if isinstance(wait, str) else float(wait)

    # --- what happens --------------------------------------------------------------------------------------------

    def hear(self, event: Heard) -> list[Action]:
        """The player did something."""
        take = self._take
        actions: list[Action] = []
        if isinstance(event, KeyDown):
            if not self._takes_up():
                return []
            self._learn_from_interruption(event.at_s)
            if self._call_began_s is None and self.state != "playing":
                self._call_began_s = event.at_s
                actions.append(TurnBegins(self.turn + 1, "player", event.at_s))
            actions += self._make_room(event.at_s)
        self.listener.hear(event)
        if take is None:
            actions += self._listen() + self._consider(event.at_s)
        return actions

    def planned(
        self, take_id: int, notes: tuple[PlannedNote, ...], shortened: tuple[PlannedNote, ...], done: bool
    ) -> list[Action]:
        """The improviser made these notes of a take."""
        take = self._take
        if take is None or take.id != take_id or take.closing is not None:
            return []
        actions: list[Action] = []
        if notes or shortened:
            actions.append(Play(notes, shortened, int(self.controls.number("channel_out")) - 1))
            take.over_s = max([take.over_s, *(note.end_s for note in notes)])
        if done:
            take.done = True
            actions.append(WakeAt(max(take.over_s, take.start_s) + 0.02))
        return actions

    def sent(self, take_id: int, index: int, due_s: float) -> list[Action]:
        """The stage sent a note."""
        take = self._take
        if take is None or take.id != take_id:
            return []
        actions = self._sounded(take, index, due_s)
        if not take.done and take.closing is None and due_s + HORIZON_S / 2 > take.asked_until_s:
            take.asked_until_s = due_s + HORIZON_S
            actions.append(Extend(take.id, take.asked_until_s))
        return actions

    def taken(self, take_id: int, last_index: int | None, at_s: float) -> list[Action]:
        """The stage closed a take, of its own accord or when asked: ``last_index`` was the last note it sent."""
        take = self._take
        if take is None or take.id != take_id:
            return []
        actions = [] if last_index is None else self._sounded(take, last_index, at_s)
        self._take = None
        actions.append(Settle(take.id, last_index))
        if take.closing is None:  # the player's key did it, and is about to be heard
            return actions
        reason, at_s = take.closing, max(at_s, take.closing_at_s)
        if reason == "revise" and (take.decided or take.endless):
            return actions + self._go_on(take, take.closing_at_s)
        if reason in ("stop", "finished") and not take.decided:
            actions += self._drop_call(at_s)
        actions += self._listen()
        if reason == "trigger":
            return actions + self._start(at_s, take.closing_at_s, endless=self._endless)
        if reason == "mode":
            return actions + self._enter_mode(take.closing_at_s)
        return actions + self._consider(at_s)

    def wake(self, now_s: float) -> list[Action]:
        """A time asked for by ``WakeAt`` has come."""
        take = self._take
        if (
            take is not None and take.plan is not None and now_s >= take.start_s - READY_BEFORE_S - 1e-4
        ):  # timers are not exact
            return self._make_ready(take)
        if take is not None and take.done and take.closing is None and now_s >= take.over_s:
            return self._close("finished", now_s, -1.0)
        return []

    def control(self, controls: Controls, name: str, at_s: float) -> list[Action]:
        """A control was changed to what ``controls`` says: what lies ahead is taken back and made again."""
        self.controls = controls
        if name == "channel_in":  # releases on the old channel will not be heard any more
            self.listener.let_go(at_s)
            return [] if self._take else self._listen() + self._consider(at_s)
        if name in _NOT_MUSIC:
            return []
        if name == "mode":
            return self._close("mode", at_s, RELEASE_S) if self._take else self._enter_mode(at_s)
        if self._take is not None:
            return self._close("revise", at_s, -1.0)
        return self._consider(at_s)

    def do(self, action: str, at_s: float) -> list[Action]:
        """An action was asked for: answer, stop, tacet or panic; others are not the duet's."""
        if action != "answer":
            self._resume = False
        match action:
            case "answer" if not self._stage_there:
                self._resume = self._endless and not self.tacet
            case "answer":
                if self._take is None:
                    return [] if self.tacet else self._start(at_s, at_s, endless=self._endless)
                return self._close("trigger", at_s, -1.0) if self.state == "waiting" else []
            case "stop":
                return self._close("stop", at_s, RELEASE_S) if self._take else []
            case "tacet":
                self.tacet = not self.tacet
                if self.tacet:
                    return self._close("stop", at_s, RELEASE_S) if self._take else []
                return self._enter_mode(at_s)
            case "panic":
                self.listener.forget()
                self._call_began_s = None
                return [Silence(), *(self._close("stop", at_s, 0.0) if self._take else [])]
        return []

    def stage_lost(self, at_s: float) -> list[Action]:
        """The stage died: what it had not reported as sent was not; keys it would have reported as released are."""
        self._stage_there = False
        take = self._take
        self._resume = take is not None and take.endless
        self.listener.let_go(at_s)
        if take is None:
            return []
        take.closing = "yield"
        return self.taken(take.id, take.last_sent, at_s)

    def stage_back(self, at_s: float) -> list[Action]:
        """A stage is there again."""
        self._stage_there = True
        resume, self._resume = self._resume, False
        if resume and self._endless and not self.tacet:
            return self._start(at_s, at_s, endless=True)
        return self._enter_mode(at_s) if self._take is None else []

    # --- how it follows ------------------------------------------------------------------------------------------

    @property
    def _endless(self) -> bool:
        return self.controls["mode"] in ("continue", "solo")

    def _takes_up(self) -> bool:
        """Whether what the player strikes now is music to livemuse."""
        if self.state == "answering":
            return self.controls["on_interrupt"] != "ignore"
        return not (self.state == "playing" and self.controls["mode"] == "solo")

    def _learn_from_interruption(self, at_s: float) -> None:
        """A player who goes on right after livemuse came in had not finished: wait longer next time."""
        began_s, since_s = self._answer_began_s, self.listener.silent_since_s
        if began_s is not None and since_s is not None and at_s - began_s < TOO_EARLY_S:
            self.listener.pauses.silence(at_s - since_s)
        self._answer_began_s = None

    def _make_room(self, at_s: float) -> list[Action]:
        """The player struck a key: what becomes of the take."""
        match self.state:
            case "waiting":
                return self._close("withdrawn", at_s, RELEASE_S)
            case "answering" if self.controls["on_interrupt"] == "yield":
                return self._close("yield", at_s, RELEASE_S)
            case "playing":
                return self._close("revise", at_s, -1.0)
        return []

    def _close(self, reason: Closing, at_s: float, release_s: float) -> list[Action]:
        take = self._take
        if take is None:
            return []
        asked = take.closing
        # A stronger reason takes the place of a weaker one; the stage is asked again only to let go sooner.
        if asked is None or reason in ("stop", "mode") or (reason in ("yield", "withdrawn") and asked == "revise"):
            take.closing, take.closing_at_s = reason, at_s
        return [TakeBack(take.id, release_s)] if asked is None or release_s >= 0 else []

    def _sounded(self, take: _Take, index: int, at_s: float) -> list[Action]:
        """Note ``index`` has sounded. The first of a take makes its tail the past; the first of a turn decides it."""
        if take.last_sent is None:
            self.listener.consumed(take.tail)
        take.last_sent = index
        if take.decided:
            return []
        take.decided = True
        self.turn = take.turn
        self.listener.phrase_over()
        self._call_began_s = None
        self._answer_began_s = at_s
        return [TurnBegins(take.turn, "livemuse", at_s)]

    def _drop_call(self, at_s: float) -> list[Action]:
        """What was played gets no answer, but was heard."""
        notes = tuple(self.listener.tail(at_s))
        self.listener.consumed(len(notes))
        self.listener.phrase_over()
        self._call_began_s = None
        return [Listen(notes)] if notes else []

    def _listen(self) -> list[Action]:
        notes = tuple(self.listener.settled())
        return [Listen(notes)] if notes else []

    def _consider(self, now_s: float) -> list[Action]:
        """Whether silence has begun, and so an answer is to be made ready."""
        since_s = self.listener.silent_since_s
        if (
            self._take is not None
            or self.tacet
            or not self._stage_there
            or self.controls["mode"] != "answer"
            or self.listener.holding
            or not self.listener.silence_counts
            or since_s is None
        ):
            return []
        return self._start(now_s, max(since_s + self.wait_s, now_s), endless=False)

    def _enter_mode(self, at_s: float) -> list[Action]:
        if self.controls["mode"] == "solo" and not self.tacet and self._stage_there:
            return self._start(at_s, at_s, endless=True)
        return self._consider(at_s)

    def _answer_length(self, start_s: float) -> tuple[float, int | None]:
        """(seconds, notes or None) of the answer to the call just heard."""
        length = self.controls.text("answer_length")
        if length == "auto":
            call_s = start_s - self.wait_s - (self._call_began_s if self._call_began_s is not None else start_s)
            return min(max(call_s, SHORTEST_AUTO_S), LONGEST_AUTO_S), None
        amount, _, unit = length.partition(" ")
        if unit == "notes":
            return LONGEST_ANSWER_S, int(float(amount))
        return min(float(amount) * (self.bar_s if unit == "bars" else 1.0), LONGEST_ANSWER_S), None

    def _start(self, now_s: float, start_s: float, *, endless: bool) -> list[Action]:
        """A new turn, its first note at ``start_s``."""
        length_s, notes = (float("inf"), None) if endless else self._answer_length(start_s)
        self._takes += 1
        self._take = _Take(
            self._takes, self.turn + 1, 0, start_s, start_s + length_s, endless, 0, notes, start_s + HORIZON_S, start_s
        )
        return self._open(self._take, now_s, exact=True)

    def _go_on(self, old: _Take, at_s: float) -> list[Action]:
        """The same turn, made again from its last sounding note on."""
        played = 0 if old.last_sent is None else old.last_sent + 1 - old.first_index
        left = None if old.notes_left is None else old.notes_left - played
        if (left is not None and left <= 0) or at_s >= old.end_s:
            return self._listen() + self._consider(at_s)
        self._takes += 1
        self._take = _Take(
            self._takes, old.turn, old.revision + 1, at_s, old.end_s, old.endless, old.first_index + played, left,
            at_s + HORIZON_S, old.first_beat_s if old.decided else at_s, decided=old.decided,
        )  # fmt: skip
        return self._open(self._take, at_s, exact=not old.decided)

    def _open(self, take: _Take, now_s: float, *, exact: bool) -> list[Action]:
        if take.endless:
            yields = NEVER
        else:
            yields = ALWAYS if self.controls["on_interrupt"] == "yield" else UNTIL_FIRST
            yields = NEVER if yields == UNTIL_FIRST and take.decided else yields
        actions = self._listen()
        tail = self.listener.tail(take.start_s, TYPICAL_NOTE_S if take.endless else SHORTEST_NOTE_S)
        take.tail = len(tail)
        plan = Plan(
            take.id, take.turn, take.revision, tuple(tail),
            take.start_s if exact else None, take.start_s, take.end_s, take.notes_left, take.first_index, self.controls,
            take.first_beat_s,
        )  # fmt: skip
        actions.append(OpenTake(take.id, yields, RELEASE_S, take.turn, take.revision))
        take.plan = plan
        if take.start_s - READY_BEFORE_S > now_s:
            return [*actions, WakeAt(take.start_s - READY_BEFORE_S)]
        return actions + self._make_ready(take)

    def _make_ready(self, take: _Take) -> list[Action]:
        plan, take.plan = take.plan, None
        assert plan is not None
        return [Begin(plan), Extend(take.id, take.asked_until_s)]

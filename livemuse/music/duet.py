"""The duet: who plays when. Events and stamps in, actions out; no clock, no ports, no model.

Rules for whoever edits this file.
- Everything that decides whose turn it is lives here and in ``turntaking``, and nothing else does.
- Decisions are made on the stamps of events or on deadlines set from them, never on the time of being called.
- At most one take is open. It is closed by the stage's word alone (``taken``): asking to close it is ``_close``.
- How long a silence ends a phrase is decided in ``livemuse.music.turntaking``. What the network says of it
  (``expected``) counts by its stamp: once an answer is to be made it is late, and the pauses alone have decided.
- What was sent is known from ``sent`` and ``taken``; a take of which nothing was sent never happened.

    listening --keys released--> waiting --first note sent--> answering --all ended--> listening
        ^                          |  ^ the player goes on        |  the player comes back in
        '--------------------------'                              '--> listening
    listening --trigger, or mode solo--> playing --stop--> listening
    listening --a few notes, in mode duet--> playing --the player is busy, or fills the keyboard--> listening
"""

from typing import Final, Literal

from livemuse.music.attending import Attending
from livemuse.music.choosing import Choosing, ask_ahead, asked_ahead, asked_anew
from livemuse.music.controls import Controls
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Heard, KeyDown, PlannedNote
from livemuse.music.phrases import SHORTEST_NOTE_S
from livemuse.music.schedule import Action, Extend, Play, Remember, Settle, Silence, TurnBegins, WakeAt
from livemuse.music.take import HORIZON_S, RELEASE_S, Closing, Take, answer_length

State = Literal["listening", "waiting", "answering", "playing", "tacet"]

WAITED_LONG_S: Final = 0.2  # whoever asks for an answer that is so far off finds it late
PUT_OFF_S: Final = 1.0  # `later` puts an answer off by another wait, but no less than this
TYPICAL_NOTE_S: Final = 0.4  # a key still held counts as this long at least while livemuse plays along


class Duet(Attending):
    """A player and livemuse taking turns; every input returns the actions that follow from it."""

    def __init__(self, controls: Controls) -> None:
        super().__init__(controls)
        self.choosing = Choosing()
        self.turn = 0  # answers begun
        self.tacet = False
        self._take: Take | None = None
        self._takes = 0
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

    # --- what happens --------------------------------------------------------------------------------------------

    def hear(self, event: Heard) -> list[Action]:
        """The player did something."""
        take = self._take
        actions = self.companion.hear(event, self.controls)
        if isinstance(event, KeyDown):
            if not self._takes_up():
                return []
            self.turns.came_back(event.at_s, self._answer_began_s)
            self._answer_began_s = None
            if self._call_began_s is None and self.state != "playing" and self.companion.resting is None:
                self._call_began_s = event.at_s
                actions.append(TurnBegins(self.turn + 1, "player", event.at_s))
            actions += self._make_room(event.at_s)
        self._attend(event)
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
            actions.append(Play(notes, self.companion.planned(notes, shortened)))
            take.over_s = max([take.over_s, *(note.end_s for note in notes)])
        if done:
            take.done = True
            actions.append(WakeAt(max(take.over_s, take.start_s) + 0.02))
        return actions

    def expected(self, take_id: int, silence: tuple[float, ...], at_s: float) -> list[Action]:
        """The network said what it makes of the silence in which a take waits: it may be over sooner or later."""
        take = self._take
        if take is None or take.id != take_id or not take.movable(at_s):
            return []
        self.turns.take_word(silence)
        return self._move(take, at_s)

    def sent(self, take_id: int, index: int, due_s: float) -> list[Action]:
        """The stage sent a note."""
        take = self._take
        if take is None or take.id != take_id:
            return []
        actions = self.companion.sent(take_id, index, due_s, self.controls) + self._sounded(take, index, due_s)
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
        self.companion.taken(take, self.controls)
        actions.append(Settle(take.id, last_index))
        if take.closing is None:  # the player's key did it, and is about to be heard
            return actions
        reason, at_s = take.closing, max(at_s, take.closing_at_s)
        if reason == "finished" and take.decided:
            self.turns.let_be()
        if self.companion.resting is not None:
            return actions + self._listen() + self._join(take.closing_at_s)
        if reason == "revise" and (take.decided or take.endless):
            return actions + self._go_on(take, take.closing_at_s)
        if reason in ("stop", "finished") and not take.decided:
            actions += self._drop_call(at_s)
        actions += self._listen()
        if reason == "trigger":
            return actions + self._start(at_s, take.closing_at_s, asked_for=True)
        if reason == "another":
            return actions + self._another(at_s)
        if reason == "mode":
            return actions + self._enter_mode(take.closing_at_s)
        return actions + self._consider(at_s)

    def wake(self, now_s: float) -> list[Action]:
        """A time asked for by ``WakeAt`` has come."""
        take = self._take
        now_s += 1e-4  # timers are not exact
        if take is None:
            return self._join(now_s) if self._along else []
        if take.plan is not None and now_s >= take.ready_s:
            return list(take.made_ready())
        if take.ask_s is not None and now_s >= take.ask_s:
            asked_s, take.ask_s = take.ask_s, None
            return list(asked_ahead(take, self.listener.tail(asked_s), self._asks, self.controls)) if take.waits else []
        if take.done and take.closing is None and now_s >= take.over_s:
            return self._close("finished", now_s, -1.0)
        return self._join(now_s) if self._along else []

    def control(self, controls: Controls, name: str, at_s: float) -> list[Action]:
        """A control was changed to what ``controls`` says: what lies ahead is taken back and made again."""
        self.controls = controls
        if name == "channel_in":  # releases on the old channel will not be heard any more
            self._let_go(at_s)
            return [] if self._take else self._listen() + self._consider(at_s)
        if name == "thru":  # changes nothing of what is planned
            return []
        if name == "tempo":
            self.ear.set_tempo(controls["tempo"])
        if name == "mode":
            self.companion.resting = None
            return self._close("mode", at_s, RELEASE_S) if self._take else self._enter_mode(at_s)
        return self._consider(at_s) if self._take is None else self._close("revise", at_s, -1.0)

    def remember(self, earlier: MotifMemory, at_s: float) -> list[Action]:
        """What was played in an earlier session may be taken up too."""
        return [Remember(earlier, at_s), *self._close("revise", at_s, -1.0)]

    def do(self, action: str, at_s: float) -> list[Action]:
        """An action was asked for; those that are not the duet's change nothing."""
        if action != "answer":
            self._resume = False
        match action:
            case "answer":
                return self._answer(self._take, at_s)
            case "tap" | "lock" | "forget":
                self.ear.do(action, at_s)
                forgets = [Remember(None, at_s)] if action == "forget" else []
                return [*forgets, *self._close("revise", at_s, -1.0)]
            case "another":
                return self._another(at_s)
            case "later":
                return self._put_off(self._take, at_s) if self._take else []
            case "stop":
                self.companion.dismiss()
                return self._close("stop", at_s, RELEASE_S)
            case "finish":
                self.tacet = True
                return self._finish(self._take, at_s) if self._take else []
            case "tacet":
                self.tacet = not self.tacet
                if self.tacet:
                    return self._close("stop", at_s, RELEASE_S)
                return self._enter_mode(at_s) if self._take is None else []
            case "panic":
                self._forget_call(at_s)
                return [Silence(), *self._close("stop", at_s, 0.0)]
        return []

    def stage_lost(self, at_s: float) -> list[Action]:
        """The stage died: what it had not reported as sent was not; keys it would have reported as released are."""
        self._stage_there = False
        take = self._take
        self._resume = take is not None and take.endless and not self._along
        self._let_go(at_s)
        if take is None:
            return []
        take.closing = "yield"
        return self.taken(take.id, take.last_sent, at_s)

    def stage_back(self, at_s: float) -> list[Action]:
        """A stage is there again."""
        self._stage_there = True
        resume, self._resume = self._resume, False
        if resume and self._endless and not self.tacet:
            return self._start(at_s, at_s)
        return self._enter_mode(at_s) if self._take is None else []

    # --- how it follows ------------------------------------------------------------------------------------------

    def _takes_up(self) -> bool:
        """Whether what the player strikes now is music to livemuse."""
        if self.state == "answering" and not self._along:
            return self.controls["on_interrupt"] != "ignore"
        return not (self.state == "playing" and self.controls["mode"] == "solo")

    def _answer(self, take: Take | None, at_s: float) -> list[Action]:
        """The player does not want to wait."""
        if not self._stage_there:
            self._resume = self._endless and not self.tacet
            return []
        if self._along:
            self.companion.welcome(at_s)
            return self._join(at_s)
        if take is None:
            return [] if self.tacet else self._start(at_s, at_s, asked_for=True)
        if self.state != "waiting":
            return []
        if take.start_s - at_s > WAITED_LONG_S:
            self.turns.too_late()
        return self._close("trigger", at_s, -1.0)

    def _another(self, at_s: float) -> list[Action]:
        """The next best answer to the call of this turn, from its end on, as if the one before had never been."""
        if self.state == "answering" and not self.tacet:
            return self._close("another", at_s, RELEASE_S)
        if self.state != "listening" or self._endless or self._call_began_s is not None or not self._stage_there:
            return []
        self._take, actions = self.choosing.another(self.turn, self._takes + 1, at_s)
        if self._take is None:
            return []
        self._takes += 1
        return [*actions, *self._open(self._take, at_s, exact=True)]

    def _put_off(self, take: Take, at_s: float) -> list[Action]:
        """The player has not finished: an answer that waits waits longer, one that has begun ends."""
        if self.state == "playing" or take.finishing:
            return []
        if take.decided:
            self.turns.too_early()
            self._answer_began_s = None
            return self._close("yield", at_s, RELEASE_S)
        self.turns.put_off(at_s + max(self.wait_s, PUT_OFF_S))
        if take.movable(at_s):
            return self._move(take, at_s)
        return self._close("put off", at_s, RELEASE_S)

    def _move(self, take: Take, at_s: float) -> list[Action]:
        """A take that nobody was given yet begins at another time: when this silence is over, as it is known now."""
        over_s = self.turns.over_s(self.wait_s)
        if over_s is not None:
            take.move(self._begins_s(over_s, at_s))
            take.planned_anew(self.listener.tail(take.start_s), *self._meant(take))
        ready = [WakeAt(take.ready_s)] if take.ready_s > at_s else take.made_ready()
        return [*asked_anew(take, self.controls), *ready]

    def _finish(self, take: Take, at_s: float) -> list[Action]:
        """Close within a bar what is being played; what has not begun does not begin."""
        if not take.decided:
            return self._close("stop", at_s, RELEASE_S)
        self._answer_began_s = None
        take.finish(at_s + self.ear.bar_s(self.controls, at_s), at_s)
        return self._close("revise", at_s, take.end_s - at_s)

    def _make_room(self, at_s: float) -> list[Action]:
        """The player struck a key: what becomes of the take."""
        if self._take is not None and self._along:
            return self.companion.give_way(self._take, at_s, self.controls)
        match self.state:
            case "waiting":
                return self._close("withdrawn", at_s, RELEASE_S)
            case "answering" if self.controls["on_interrupt"] == "yield" and not (self._take and self._take.finishing):
                return self._close("yield", at_s, RELEASE_S)
            case "playing":
                return self._close("revise", at_s, -1.0)
        return []

    def _close(self, reason: Closing, at_s: float, release_s: float) -> list[Action]:
        take = self._take
        return [] if take is None else [*self.companion.fade(at_s, release_s), *take.close(reason, at_s, release_s)]

    def _sounded(self, take: Take, index: int, at_s: float) -> list[Action]:
        """Note ``index`` has sounded. The first of a take makes its tail the past; the first of a turn decides it."""
        if take.last_sent is None:
            self.listener.consumed(take.tail)
        take.last_sent = index
        if take.decided:
            return []
        take.decided = True
        self.turn = take.turn
        self.choosing.began(take)
        self.listener.phrase_over()
        self._call_began_s = None
        self._answer_began_s = None if take.asked_for or take.finishing else at_s
        return [TurnBegins(take.turn, "livemuse", at_s)]

    def _consider(self, now_s: float) -> list[Action]:
        """Whether silence has begun, and so an answer is to be made ready."""
        if self._along:
            return self._join(now_s)
        if (
            self._take is not None
            or self.tacet
            or not self._stage_there
            or self.controls["mode"] != "answer"
            or not self.listener.phrase_let_go
        ):
            return []
        over_s = self.turns.over_s(self.wait_s)
        return self._start(now_s, now_s if over_s is None else self._begins_s(over_s, now_s))

    def _join(self, at_s: float) -> list[Action]:
        """In mode duet: whether there is room and company for livemuse, or no company any more."""
        take = self._take
        if self.tacet or not self._stage_there or (take is not None and not take.endless):
            return []
        wish, actions = self.companion.look(at_s, self.controls)
        if take is not None:
            return actions + (self._finish(take, at_s) if wish == "end" and take.closing is None else [])
        if wish != "play":
            return actions
        resting, self.companion.resting = self.companion.resting, None
        return actions + (self._start(at_s, at_s, asked_for=True) if resting is None else self._go_on(resting, at_s))

    def _enter_mode(self, at_s: float) -> list[Action]:
        if self.controls["mode"] == "solo" and not self.tacet and self._stage_there:
            return self._start(at_s, at_s)
        return self._consider(at_s)

    def _start(self, now_s: float, start_s: float, *, asked_for: bool = False) -> list[Action]:
        """A new turn, its first note at ``start_s``; or at once, and whatever the silence, where it was asked for."""
        since_s, began_s = self.listener.silent_since_s, self._call_began_s
        call_s = 0.0 if began_s is None else (start_s if since_s is None else since_s) - began_s
        bar_s = self.ear.bar_s(self.controls, start_s)
        length_s, notes = answer_length(self.controls.text("answer_length"), call_s, bar_s, self.ear.beats(start_s))
        if self._endless:
            length_s, notes = float("inf"), None
        self._takes += 1
        take = self._take = Take(
            self._takes, self.turn + 1, 0, start_s, start_s + length_s, self._endless, 0, notes, start_s + HORIZON_S,
            start_s, asked_for=asked_for,
        )  # fmt: skip
        if not asked_for and not self._endless and since_s is not None and start_s > now_s:
            ask_ahead(take, since_s, self._asks, self.controls)
        take.ready_by()
        return self._open(take, now_s, exact=not self._along)

    def _go_on(self, old: Take, at_s: float) -> list[Action]:
        """The same turn, made again from its last sounding note on."""
        take = old.again(self._takes + 1, at_s)
        if take is None:
            return self._listen() + self._consider(at_s)
        self._takes, self._take = take.id, take
        return self._open(take, at_s, exact=not old.decided and not self._along)

    def _open(self, take: Take, now_s: float, *, exact: bool) -> list[Action]:
        actions = self._listen()
        tail = self.listener.tail(take.start_s, TYPICAL_NOTE_S if take.endless else SHORTEST_NOTE_S)
        actions.append(take.opened(tail, *self._meant(take), exact=exact))
        if take.ready_s <= now_s:
            return actions + list(take.made_ready())
        return actions + [WakeAt(at_s) for at_s in (take.ask_s, take.ready_s) if at_s is not None]

"""Playing at the same time: where there is room beside the player, and when there is none for company.

Pure: decisions are made on the stamps of events, and on times that follow from them. ``wish`` and ``room`` change
nothing and may be asked at any time: what livemuse goes by later is settled as something is heard or a take is opened.

- A pitch is free if it lies more than an octave from every key that is down, rings under the pedal or was struck a
  moment ago: so it is never in the player's octave, whichever way octaves are counted. Free pitches count in stretches
  of at least a fifth. livemuse stays in the stretch where it is as long as that is there, and goes where most room is.
- The player is busy from the key on that makes more onsets in a second than the control ``busy``, a chord counted as
  one, until there have been clearly fewer for a beat.
- It joins in when a few notes were heard, and comes to rest when nothing was struck or held for long.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final, Literal

from livemuse.music.context import Context, Room
from livemuse.music.controls import Controls
from livemuse.music.hearing.ear import Ear
from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Pedal, PlannedNote
from livemuse.music.phrases import CHORD_S, LONGEST_HOLD_S
from livemuse.music.schedule import Action, Play, WakeAt
from livemuse.music.take import RELEASE_S, Take

APART: Final = 13  # semitones from the player's pitches: more than an octave
RECENT_S: Final = 4.0  # a key struck so long ago still is where the player is
LOWEST, HIGHEST = 24, 103  # where livemuse plays along unless a register is set
NARROWEST: Final = 7  # semitones: a stretch that is smaller is no room
SECOND_S: Final = 1.0 - 1e-6  # what lies a second back is out of it, whatever rounding says
CALM: Final = 0.7  # of `busy`: below that the player is busy no more
FEW_NOTES, FEW_BEATS = 4, 2.0  # so many notes, or beats, are listened to before it joins in
GONE_S: Final = 8.0  # after the last key a player who strikes and holds nothing is gone
GONE_HOLDING_S: Final = 30.0  # and one who only holds what was struck
PAUSE_S: Final = 2.0  # a player who strikes nothing for so long begins anew

Wish = Literal["play", "rest", "end"]
Register = tuple[int, int]
_Key = tuple[int, int]  # take, index


class Companion:
    """Knows what the player does, as far as it bears on playing at the same time, and what of livemuse's sounds."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self.resting: Take | None  # what it goes on with when there is room and company again
        self._ahead: dict[_Key, PlannedNote] = {}
        self._sounding: dict[_Key, PlannedNote] = {}
        self._home: Register | None = None
        self._wake_s: float | None = None  # asked for, and not come yet
        self.forget()

    def forget(self) -> None:
        """As if nothing had been heard."""
        self._down: dict[tuple[int, int], list[float]] = {}  # (channel, pitch) of keys -> when they were struck
        self._ringing: set[tuple[int, int]] = set()  # let go, under the pedal
        self._pedals: set[int] = set()  # channels
        self._struck: deque[tuple[float, int]] = deque()  # (time, pitch) of the last RECENT_S
        self._onsets_s: deque[float] = deque(maxlen=64)
        self._calm_s: float | None = None  # the player was busy, and is so no more from a beat after this on
        self._last_s = float("-inf")  # the last key, or release of the last key
        self._dismissed = False
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Listen to a few notes before joining in."""
        self.resting = None
        self._first_s: float | None = None  # of what it listens to before it joins in
        self._count = 0
        self._joined = False

    # --- what happens --------------------------------------------------------------------------------------------

    def hear(self, event: Heard, controls: Controls) -> list[Action]:
        """The player did something; in mode `duet`, what sounds where a key is struck ends at once."""
        self._notice_gone(event.at_s)
        match event:
            case KeyDown():
                self._strike(event, controls)
                if controls["mode"] == "duet":
                    return self._ended([n for n in self._sounding.values() if _near(n, event.pitch)], event.at_s)
            case KeyUp(_, channel, pitch):
                self._let_go([(channel, pitch)], event.at_s)
            case Pedal(down=True):
                self._pedals.add(event.channel)
            case Pedal():
                self._lift(event.channel)
            case AllNotesOff():
                self._lift(event.channel)
                self._let_all_go(event.at_s, event.channel)
        return []

    def _notice_gone(self, at_s: float) -> None:
        if at_s >= self._gone_s:
            self._begin_anew()

    def _strike(self, event: KeyDown, controls: Controls) -> None:
        at_s = event.at_s
        if at_s - self._last_s > PAUSE_S and not self._down:
            self._dismissed = False
        for key in [key for key, struck_s in self._down.items() if at_s - struck_s[-1] > LONGEST_HOLD_S]:
            del self._down[key]  # it has lost its release on the way
        self._down.setdefault((event.channel, event.pitch), []).append(at_s)
        self._ringing.discard((event.channel, event.pitch))
        self._struck.append((at_s, event.pitch))
        while self._struck[0][0] <= at_s - RECENT_S:
            self._struck.popleft()
        self._last_s = at_s
        if self._onsets_s and at_s - self._onsets_s[-1] <= CHORD_S:
            return
        self._onsets_s.append(at_s)
        self._count += 1
        self._first_s = at_s if self._first_s is None else self._first_s
        if self._busy_until_s(at_s, controls) is None:
            self._calm_s = None
        busy = controls.number("busy")
        count, calm = sum(1 for onset_s in self._onsets_s if onset_s > at_s - SECOND_S), int(CALM * busy)
        if count > busy or (self._calm_s is not None and count > calm):
            self._calm_s = self._onsets_s[-1 - calm] + 1.0

    def _lift(self, channel: int) -> None:
        self._pedals.discard(channel)
        self._ringing = {key for key in self._ringing if key[0] != channel}

    def _let_go(self, keys: list[tuple[int, int]], at_s: float) -> None:
        for key in keys:
            if key in self._down:
                self._down[key].pop(0)
                if self._down[key]:  # struck again before it was let go, as two keyboards may
                    continue
                del self._down[key]
                if key[0] in self._pedals:
                    self._ringing.add(key)
                if not self._down:
                    self._last_s = at_s

    def _let_all_go(self, at_s: float, channel: int | None = None) -> None:
        self._let_go([k for k in self._down if channel in (None, k[0]) for _ in self._down[k]], at_s)

    def let_go(self, at_s: float) -> None:
        """The keyboard is gone: every key and pedal counts as released."""
        self._notice_gone(at_s)
        self._pedals.clear()
        self._ringing.clear()
        self._let_all_go(at_s)

    def dismiss(self) -> None:
        """Play no more until the player has paused."""
        self._begin_anew()
        self._dismissed = True

    def welcome(self, at_s: float) -> None:
        """Join in now, whatever was heard."""
        self._notice_gone(at_s)
        self._dismissed, self._joined, self._calm_s = False, True, None
        self._last_s = max(self._last_s, at_s)

    # --- what livemuse plays -------------------------------------------------------------------------------------

    def planned(self, notes: tuple[PlannedNote, ...], shortened: tuple[PlannedNote, ...]) -> tuple[PlannedNote, ...]:
        """These notes lie ahead; of those that are to end sooner, the ones that have not given way already."""
        self._ahead.update(((note.take, note.index), note) for note in notes)
        sooner = []
        for note in shortened:
            key = (note.take, note.index)
            table = self._ahead if key in self._ahead else self._sounding
            if key in table and note.end_s < table[key].end_s:
                sooner.append(note)
                table[key] = note
        return tuple(sooner)

    def sent(self, take: int, index: int, at_s: float, controls: Controls) -> list[Action]:
        """A note sounds; it ends at once if the player has just come to where it is."""
        self._sounding = {key: n for key, n in self._sounding.items() if n.end_s > at_s}
        note = self._ahead.pop((take, index), None)
        if note is None:
            return []
        self._sounding[take, index] = note
        met = controls["mode"] == "duet" and any(_near(note, pitch) for _, pitch in self._down)
        return self._ended([note], at_s) if met else []

    def taken(self, take: Take, controls: Controls) -> None:
        """A take is over; it is gone on with if only the player's keys, or what they leave no room for, ended it."""
        self._ahead = {key: note for key, note in self._ahead.items() if key[0] != take.id}
        goes_on = controls["mode"] == "duet" and take.endless and take.closing in (None, "revise", "rest")
        self.resting = take if goes_on else None

    def fade(self, at_s: float, release_s: float) -> list[Action]:
        """All that sounds ends within ``release_s``, of whatever take it is; as planned where that is negative."""
        return self._ended(list(self._sounding.values()), at_s + release_s) if release_s >= 0.0 else []

    def _ended(self, notes: list[PlannedNote], at_s: float) -> list[Action]:
        shortened = tuple(replace(n, duration_s=max(at_s - n.onset_s, 0.0)) for n in notes if n.end_s > at_s)
        self.planned((), shortened)
        return [Play((), shortened)] if shortened else []

    # --- what becomes of it --------------------------------------------------------------------------------------

    def give_way(self, take: Take, at_s: float, controls: Controls) -> list[Action]:
        """The player struck a key while a take is open: it is made again beside that key, or rests."""
        wish, actions = self.look(at_s, controls)
        if take.finishing and self._joined and self.room(at_s, controls) is not None:
            wish = "play"
        if wish == "play":
            return [*take.close("revise", at_s, -1.0), *actions]
        return [*self.fade(at_s, RELEASE_S), *take.close("rest", at_s, RELEASE_S), *actions]

    def look(self, at_s: float, controls: Controls) -> tuple[Wish, list[Action]]:
        """What livemuse does now, and when to look again if the player does nothing."""
        wish, change_s = self.wish(at_s, controls)
        actions: list[Action] = []
        if wish != "play" and self.resting is not None and self.resting.closing is None:
            self.resting.closing = "rest"
            actions += self.fade(at_s, RELEASE_S)
        if change_s is not None and (self._wake_s is None or not at_s < self._wake_s <= change_s):
            self._wake_s = change_s
            actions.append(WakeAt(change_s))
        return wish, actions

    def wish(self, at_s: float, controls: Controls) -> tuple[Wish, float | None]:
        """What livemuse does at a moment; and when that may change if the player does nothing, None for never."""
        if self._dismissed or not self._heard_enough(at_s, controls):
            return "rest", None
        if at_s >= self._gone_s:
            return "end", None
        busy_until_s = self._busy_until_s(at_s, controls)
        if busy_until_s is not None:
            return "rest", busy_until_s
        if self.room(at_s, controls) is None:
            struck_s = min((struck_s for struck_s, _ in self._recent(at_s)), default=None)
            return "rest", self._gone_s if struck_s is None else struck_s + RECENT_S
        return "play", self._gone_s

    def opened(self, heard: Context, at_s: float, controls: Controls) -> Context:
        """A take is opened: what was heard, and in mode `duet` where there is room beside it, and livemuse at home."""
        if controls["mode"] != "duet":
            return heard
        self._joined = True
        if self._busy_until_s(at_s, controls) is None:
            self._calm_s = None
        room = self.room(at_s, controls)
        self._home = self._home if room is None else room.home
        return replace(heard, room=room)

    def room(self, at_s: float, controls: Controls) -> Room | None:
        """Where there is room at a moment, in the register that is set; None where there is none."""
        low, high = LOWEST, HIGHEST
        if controls["register"] != "auto":
            low, high = (int(pitch) for pitch in controls.text("register").split("-"))
        pitches = {pitch for _, pitch in (*self._recent(at_s), *self._down, *self._ringing)}
        stretches = _stretches(pitches, low, high)
        if not stretches:
            return None
        stays = [s for s in stretches if self._home is not None and _shared(s, self._home) >= NARROWEST]
        home = max(stays or stretches, key=lambda s: s[1] - s[0])
        return Room(frozenset(p for s in stretches for p in range(s[0], s[1] + 1)), home)

    def _recent(self, at_s: float) -> list[tuple[float, int]]:
        return [row for row in self._struck if row[0] > at_s - RECENT_S]

    def _busy_until_s(self, at_s: float, controls: Controls) -> float | None:
        """Until when the player leaves no time for company, a beat after it was calm; None where it does."""
        if self._calm_s is None:
            return None
        until_s = self._calm_s + self._ear.beat_s(controls, at_s)
        return until_s if at_s < until_s else None

    def _heard_enough(self, at_s: float, controls: Controls) -> bool:
        if self._joined or self._count >= FEW_NOTES:
            return True
        if self._first_s is None or self._count < 2:
            return False
        return at_s - self._first_s >= FEW_BEATS * self._ear.beat_s(controls, at_s)

    @property
    def _gone_s(self) -> float:
        return self._last_s + (GONE_HOLDING_S if self._down else GONE_S)


def _near(note: PlannedNote, pitch: int) -> bool:
    return abs(note.pitch - pitch) < APART


def _shared(one: Register, other: Register) -> int:
    return min(one[1], other[1]) - max(one[0], other[0]) + 1


def _stretches(pitches: set[int], low: int, high: int) -> list[Register]:
    """The stretches from ``low`` to ``high`` that lie APART from all these pitches, those that are wide enough."""
    found = []
    begin = low
    for pitch in [*sorted(pitches), high + APART]:
        end = min(pitch - APART, high)
        if end - begin + 1 >= NARROWEST:
            found.append((begin, end))
        begin = max(begin, pitch + APART)
    return found

"""Listening: keys and pedal become notes, and silence becomes the end of a phrase.

Pure: everything is decided by the stamps of the events, never by the time of asking.
"""

from collections import deque
from dataclasses import dataclass, replace
from statistics import quantiles
from typing import Final

from livemuse.music.notes import AllNotesOff, Heard, KeyDown, KeyUp, Note, Pedal

SHORTEST_WAIT_S: Final = 0.3
LONGEST_WAIT_S: Final = 2.0
SHORTEST_NOTE_S: Final = 0.01
LONGEST_TAIL: Final = 24  # notes whose end is not known yet; older ones are taken as long as they have sounded
MOST_NOTES_PER_S: Final = 200  # more is no playing but a flood: recorded, not listened to
LONGEST_HOLD_S: Final = 60.0  # a key down for longer, while others are struck, has lost its release on the way
CHORD_S: Final = 0.03  # onsets closer than this are one chord
STRUCK_KEPT: Final = 40  # keys that say what a note of this phrase is like
_REMEMBERED: Final = 32  # pauses and onsets that say how this player plays now


class Pauses:
    """How long this player's silences are within a phrase, and so how long to wait before answering."""

    def __init__(self) -> None:
        # Until something was heard, as if a few silences of a third of a second had been.
        self._silences_s: deque[float] = deque([0.33] * 6, maxlen=_REMEMBERED)
        self._onsets_s: deque[float] = deque([0.3] * 4, maxlen=_REMEMBERED)

    def silence(self, silence_s: float) -> None:
        """The player was silent for so long (0: not at all) and went on: that was no end of a phrase."""
        self._silences_s.append(min(silence_s, LONGEST_WAIT_S))

    def between_onsets(self, gap_s: float) -> None:
        """So much time lay between two onsets of a phrase."""
        self._onsets_s.append(min(gap_s, LONGEST_WAIT_S))

    @property
    def longest_s(self) -> float:
        """The longest of them lately."""
        return max(self._silences_s)

    @property
    def wait_s(self) -> float:
        """Half as long again as nearly all silences and nine in ten gaps between onsets, from 0.3 to 2 s."""
        silence = quantiles(self._silences_s, n=10, method="inclusive")[8]
        onsets = quantiles(self._onsets_s, n=10, method="inclusive")[8]
        return min(max(1.5 * silence + 0.1, 1.5 * onsets, SHORTEST_WAIT_S), LONGEST_WAIT_S)


@dataclass(slots=True)
class Struck:
    """A key that was struck, and when it was let go (None: not yet)."""

    onset_s: float
    pitch: int
    up_s: float | None = None


@dataclass(slots=True)
class _Open:
    """A note whose end is not known yet, or waits for an earlier one whose end is not known."""

    note: Note
    key: tuple[int, int]  # (channel, pitch)
    held: bool  # the key is down
    ended: bool  # its duration is final


class Listener:
    """Turns the player's keys and pedal into notes as they sounded: one under the pedal lasts until the pedal lifts."""

    def __init__(self) -> None:
        self._open: list[_Open] = []  # in the order of their onsets
        self._down: set[int] = set()  # channels whose pedal is down
        self._held: dict[tuple[int, int], float] = {}  # key -> since when
        self.pauses = Pauses()
        self.silent_since_s: float | None = None  # the last release, while no key is held
        self.last_onset_s: float | None = None
        self.struck: deque[Struck] = deque(maxlen=STRUCK_KEPT)  # the last keys, oldest first
        self._onsets_s: deque[float] = deque(maxlen=MOST_NOTES_PER_S)
        self._fresh = True  # the next key starts a phrase: the silence before it says nothing

    @property
    def holding(self) -> bool:
        """Whether a key is down (the pedal alone does not count)."""
        return bool(self._held)

    @property
    def pedal_down(self) -> bool:
        """Whether a pedal keeps what was played sounding."""
        return bool(self._down)

    @property
    def held(self) -> frozenset[int]:
        """The pitches whose keys are down."""
        return frozenset(pitch for _, pitch in self._held)

    def hear(self, event: Heard) -> bool:
        """Take in one event; False where it is part of a flood, and not listened to."""
        match event:
            case KeyDown():
                return self._strike(event)
            case KeyUp():
                self._release((event.channel, event.pitch), event.at_s)
            case Pedal(down=True):
                self._down.add(event.channel)
            case Pedal():
                self._down.discard(event.channel)
                for open_ in self._open:
                    if open_.key[0] == event.channel and not open_.held and not open_.ended:
                        self._end(open_, event.at_s)
            case AllNotesOff():
                self._down.discard(event.channel)
                for key in sorted(k for k in self._held if k[0] == event.channel):
                    self._release(key, event.at_s)
        return True

    def _strike(self, event: KeyDown) -> bool:
        key = (event.channel, event.pitch)
        if len(self._onsets_s) == MOST_NOTES_PER_S and event.at_s - self._onsets_s[0] < 1.0:
            return False
        self._onsets_s.append(event.at_s)
        if not self._fresh:
            gap_s = event.at_s - (self.last_onset_s if self.last_onset_s is not None else event.at_s)
            if gap_s > CHORD_S:
                self.pauses.between_onsets(gap_s)
                self.pauses.silence(0.0 if self.silent_since_s is None else event.at_s - self.silent_since_s)
        for open_ in self._open:
            if open_.key == key and not open_.ended:
                self._end(open_, event.at_s)
        self._fresh = False
        for lost in [k for k, since_s in self._held.items() if event.at_s - since_s > LONGEST_HOLD_S]:
            self._release(lost, event.at_s)
        self._held[key] = event.at_s
        self.silent_since_s = None
        self.last_onset_s = event.at_s
        self.struck.append(Struck(event.at_s, event.pitch))
        self._open.append(_Open(Note(event.at_s, event.pitch, 0.0, event.velocity), key, held=True, ended=False))
        return True

    def _release(self, key: tuple[int, int], at_s: float) -> None:
        if key not in self._held:
            return
        del self._held[key]
        for struck in reversed(self.struck):
            if struck.pitch == key[1] and struck.up_s is None:
                struck.up_s = at_s
                break
        for open_ in self._open:
            if open_.key == key and open_.held:
                open_.held = False
                if key[0] not in self._down and not open_.ended:
                    self._end(open_, at_s)
        if not self._held:
            self.silent_since_s = at_s

    def _end(self, open_: _Open, at_s: float) -> None:
        open_.note = replace(open_.note, duration_s=max(at_s - open_.note.onset_s, SHORTEST_NOTE_S))
        open_.ended = True
        open_.held = False

    @property
    def silence_counts(self) -> bool:
        """Whether a phrase is in the air: something was struck since the last answer."""
        return not self._fresh

    @property
    def phrase_let_go(self) -> bool:
        """Whether a phrase is in the air and every key is up."""
        return self.silence_counts and self.silent_since_s is not None and not self.holding

    def settled(self) -> list[Note]:
        """Notes whose lengths are known, in the order of their onsets, each handed out once."""
        count = 0
        while count < len(self._open) and self._open[count].ended:
            count += 1
        overflow = len(self._open) - LONGEST_TAIL
        if overflow > count:
            for open_ in self._open[count:overflow]:
                if not open_.ended:
                    self._end(open_, self._open[-1].note.onset_s)
            count = overflow
        done, self._open = self._open[:count], self._open[count:]
        return [open_.note for open_ in done]

    def tail(self, now_s: float, least_s: float = SHORTEST_NOTE_S) -> list[Note]:
        """The notes not yet handed out, those still sounding taken as long as they have (at least ``least_s``)."""
        return [
            o.note if o.ended else replace(o.note, duration_s=max(now_s - o.note.onset_s, least_s)) for o in self._open
        ]

    def consumed(self, count: int) -> None:
        """The first ``count`` notes of the tail were handed on; their releases say nothing more."""
        del self._open[:count]

    def phrase_over(self) -> None:
        """The phrase had its answer; keys still held belong to it and start no new one."""
        self._fresh = True

    def let_go(self, at_s: float) -> None:
        """The keyboard is gone: every key and pedal counts as released."""
        for channel in sorted({key[0] for key in self._held} | self._down):
            self.hear(AllNotesOff(at_s, channel))
            self.hear(Pedal(at_s, channel, down=False))

    def forget(self) -> None:
        """Drop the phrase and all that is held, as after a panic."""
        self._open.clear()
        self._held.clear()
        self._down.clear()
        self.struck.clear()
        self.silent_since_s = None
        self._fresh = True

"""Our own messages coming back on the input are not the player's.

Pure. One message sent hides at most one identical message received, within ``ECHO_S``. For livemuse's own messages
that is the whole rule. For what thru sent it would also swallow a player who truly says the same thing twice, so there
a loop must be known first. Of notes the hand tells: a key that is down cannot be struck, so a strike of it is an echo
and proves a loop; a key-up that ends nothing is hidden, one that ends a held key never is. Anything else that seems to
have gone round ``TURNS_AT_MOST`` times is withheld once, to see: a loop falls silent, a player goes on.
"""

from collections import deque
from typing import Final

from livemuse.midi.messages import RELEASE_VELOCITY, is_note_off, is_note_on

ECHO_S: Final = 0.050  # a loop through a DAW takes two of its buffers; 1024 frames are 21 ms
TURNS_AT_MOST: Final = 6
PATIENT_TURNS: Final = 24  # the same for a kind of message of which the player was seen to repeat himself
TIMING: Final = 0xF8  # from here on: clock, start, stop, active sensing
STORM_TURNS: Final = 16  # so many identical timing bytes in a row ...
STORM_S: Final = 0.008  # ... closer than this go round: a clock at 300 beats a minute ticks every 8.3 ms


class _Sent:
    """A message on its way: when, what, by whom, whether it is back, how often it may have gone round, since when."""

    __slots__ = ("at_s", "back", "data", "own", "since_s", "turns")

    def __init__(self, at_s: float, data: bytes, own: bool, before: "_Sent | None") -> None:
        self.at_s, self.data, self.own = at_s, data, own
        self.turns: int = before.turns + 1 if before else 0
        self.since_s: float = before.since_s if before else at_s
        self.back = False


class Echo:
    """Knows what was sent lately, and tells an echo from the player."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque()  # in order of sending, none older than ECHO_S after a look
        self._same: dict[bytes, deque[_Sent]] = {}  # the same entries, by their bytes, that are not back yet
        self._comes_back: dict[int, bool] = {}  # status byte -> whether such messages were seen to come back
        self._last_came_back: bool | None = None  # the same for the last message of any kind
        self._withheld: tuple[float, bytes] | None = None  # kept back to see whether it comes again
        self._before: _Sent | None = None  # what the message last let through may be the echo of

    def sent(self, at_s: float, data: bytes, *, own: bool) -> None:
        """``data`` went out at ``at_s``; ``own`` is livemuse's, the rest is the player's passed by thru."""
        self._forget_before(at_s - ECHO_S)
        entry = _Sent(at_s, data, own, None if own else self._before)
        self._before = None
        self._sent.append(entry)
        same = self._same.get(data)
        if same is None:
            self._same[data] = deque((entry,))
        else:
            same.append(entry)

    def hides(self, at_s: float, data: bytes, *, held: bool = False) -> bool:
        """Whether ``data``, received at ``at_s``, is one of ours come back; each sent message answers once.

        ``held``: the player has struck this key and not let it go (for notes).
        """
        self._forget_before(at_s - ECHO_S)
        self._before = None
        same = self._same.get(data)
        if not same:
            if self._withheld is not None and self._withheld[1] == data:
                self._withheld = None
                self._learn(data, comes_back=False)  # it was withheld and came all the same: the player's
            return False
        entry = same[0]
        # a player's key-up that was withheld goes out with livemuse's: that does not make it livemuse's
        own = entry.own and not (held and is_note_off(data) and data[2] != RELEASE_VELOCITY)
        hidden = own or self._believed(entry, at_s, held=held)
        if not hidden:
            self._before = entry
        entry.back = True
        self._answered(data, same)
        return hidden

    def _believed(self, entry: _Sent, at_s: float, *, held: bool) -> bool:
        """Whether a message of thru's may be taken for its echo."""
        status, turns = entry.data[0], entry.turns + 1
        if status >= TIMING:  # alike by nature, so only where a loop is known, or in a storm
            storm = turns >= STORM_TURNS and at_s - entry.since_s < turns * STORM_S
            if storm:
                self._comes_back[status] = True
            return storm or self._comes_back.get(status, self._last_came_back) is True
        if is_note_on(entry.data) and held:
            self._learn(entry.data, comes_back=True)
            return True
        if is_note_off(entry.data):
            return not held
        known = self._comes_back.get(status, self._last_came_back)
        if known:
            return True
        if turns < (TURNS_AT_MOST if known is None else PATIENT_TURNS):
            return False
        self._withheld = (at_s, entry.data)
        return True

    def _learn(self, data: bytes, *, comes_back: bool) -> None:
        self._comes_back[data[0]] = self._last_came_back = comes_back

    def _forget_before(self, oldest_s: float) -> None:
        if self._withheld is not None and self._withheld[0] < oldest_s:
            self._learn(self._withheld[1], comes_back=True)  # silence since then: it did go round
            self._withheld = None
        while self._sent and self._sent[0].at_s < oldest_s:
            entry = self._sent.popleft()
            if not entry.back:
                self._learn(entry.data, comes_back=False)
                self._answered(entry.data, self._same[entry.data])

    def _answered(self, data: bytes, same: deque[_Sent]) -> None:
        same.popleft()
        if not same:
            del self._same[data]

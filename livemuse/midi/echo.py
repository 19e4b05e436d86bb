"""Our own messages coming back on the input are not the player's.

Pure. One message sent hides at most one identical message received, within ``ECHO_S``. For livemuse's own messages
that is the whole rule. For what thru sent it would also hide a controller that truly says the same thing twice, so
there the order decides: a loop brings everything back in the order it was sent, and a message that seems to come
back before an older one did is the player's. Whether a kind of message comes back is remembered (a DAW may loop
notes and keep the rest), and a message that has gone round ``TURNS_AT_MOST`` times is stopped whatever was believed.
"""

from collections import deque
from typing import Final

ECHO_S: Final = 0.050  # a loop through a DAW takes two of its buffers; 1024 frames are 21 ms
TURNS_AT_MOST: Final = 6
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

    def hides(self, at_s: float, data: bytes) -> bool:
        """Whether ``data``, received at ``at_s``, is one of ours come back; each sent message answers once."""
        self._forget_before(at_s - ECHO_S)
        self._before = None
        same = self._same.get(data)
        if not same:
            return False
        entry = same[0]
        hidden = entry.own or self._believed(entry, at_s)
        if hidden:
            self._learn(data, comes_back=True)
        else:
            self._before = entry
        entry.back = True
        self._answered(data, same)
        return hidden

    def _believed(self, entry: _Sent, at_s: float) -> bool:
        """Whether a message of thru's may be taken for its echo."""
        status, turns = entry.data[0], entry.turns + 1
        if status >= TIMING:  # alike by nature, so only where a loop is known, or in a storm
            storm = turns >= STORM_TURNS and at_s - entry.since_s < turns * STORM_S
            return storm or self._last_came_back is True
        if turns >= TURNS_AT_MOST:
            return True
        known = self._comes_back.get(status, self._last_came_back)
        if known is not None:
            return known
        oldest_missing = next(sent for sent in self._sent if not sent.back)
        return oldest_missing is entry

    def _learn(self, data: bytes, *, comes_back: bool) -> None:
        self._comes_back[data[0]] = self._last_came_back = comes_back

    def _forget_before(self, oldest_s: float) -> None:
        while self._sent and self._sent[0].at_s < oldest_s:
            entry = self._sent.popleft()
            if not entry.back:
                self._learn(entry.data, comes_back=False)
                self._answered(entry.data, self._same[entry.data])

    def _answered(self, data: bytes, same: deque[_Sent]) -> None:
        same.popleft()
        if not same:
            del self._same[data]

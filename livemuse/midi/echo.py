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
TURNS_AT_MOST: Final = 3
TIMING: Final = 0xF8  # from here on: clock, start, stop, active sensing
REALTIME_STORM: Final = 16  # so many identical timing bytes within ECHO_S are 320 a second: faster than any clock


class _Sent:
    """A message on its way: when, what, by whom, how often it has already gone round, whether it is back."""

    __slots__ = ("at_s", "back", "data", "own", "turns")

    def __init__(self, at_s: float, data: bytes, own: bool, turns: int) -> None:
        self.at_s, self.data, self.own, self.turns = at_s, data, own, turns
        self.back = False


class Echo:
    """Knows what was sent lately, and tells an echo from the player."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque()  # in order of sending, none older than ECHO_S after a look
        self._same: dict[bytes, deque[_Sent]] = {}  # the same entries, by their bytes, that are not back yet
        self._comes_back: dict[int, bool] = {}  # status byte -> whether such messages were seen to come back
        self._turns = 0  # how often the message last let through had gone round

    def sent(self, at_s: float, data: bytes, *, own: bool) -> None:
        """``data`` went out at ``at_s``; ``own`` is livemuse's, the rest is the player's passed by thru."""
        self._forget_before(at_s - ECHO_S)
        entry = _Sent(at_s, data, own, 0 if own else self._turns)
        self._turns = 0
        self._sent.append(entry)
        same = self._same.get(data)
        if same is None:
            self._same[data] = deque((entry,))
        else:
            same.append(entry)

    def hides(self, at_s: float, data: bytes) -> bool:
        """Whether ``data``, received at ``at_s``, is one of ours come back; each sent message answers once."""
        self._forget_before(at_s - ECHO_S)
        self._turns = 0
        same = self._same.get(data)
        if not same:
            return False
        entry = same[0]
        turns = same[-1].turns + 1
        if not entry.own and not self._believed(entry, len(same), turns):
            self._turns = turns
            return False
        entry.back = True
        self._comes_back[data[0]] = True
        self._answered(data, same)
        return True

    def _believed(self, entry: _Sent, alike: int, turns: int) -> bool:
        """Whether a message of thru's may be taken for its echo."""
        status = entry.data[0]
        if status >= TIMING:  # alike by nature, so only where a loop is known, or in a storm
            return alike >= REALTIME_STORM or any(self._comes_back.values())
        if turns >= TURNS_AT_MOST:
            return True
        known = self._comes_back.get(status)
        if known is not None:
            return known
        oldest_missing = next(sent for sent in self._sent if not sent.back)
        return oldest_missing is entry

    def _forget_before(self, oldest_s: float) -> None:
        while self._sent and self._sent[0].at_s < oldest_s:
            entry = self._sent.popleft()
            if entry.back:
                continue
            self._comes_back[entry.data[0]] = False
            self._answered(entry.data, self._same[entry.data])

    def _answered(self, data: bytes, same: deque[_Sent]) -> None:
        same.popleft()
        if not same:
            del self._same[data]

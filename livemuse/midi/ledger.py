"""The ledger of one wire: which notes sound on it, and who started each.

Pure. Every message that goes out passes through here first, so that at any moment the ledger can say which bytes end
all that sounds. Two who sound the same pitch on the same channel are counted: a note-off of one is withheld while
the other still sounds, and sent when the last lets go, so that on the wire note-ons and note-offs stay equal.
Nothing of the player's is ever swallowed: a note-off that ends nothing is passed on as it came.
"""

from typing import Final

from livemuse.midi.messages import (
    ALL_NOTES_OFF,
    ENDING_CONTROLLERS,
    HOLDING_PEDALS,
    SUSTAIN,
    control_change,
    is_controller,
    is_note_off,
    is_note_on,
    note_off,
)
from livemuse.music.notes import Who

_OTHER: Final[dict[Who, Who]] = {"player": "livemuse", "livemuse": "player"}
Key = int  # channel << 7 | pitch


class _Sounding:
    """One pitch of one channel: how often each has struck it and not let go, and the note-offs held back."""

    __slots__ = ("count", "withheld")

    def __init__(self) -> None:
        self.count: dict[Who, int] = {"player": 0, "livemuse": 0}
        self.withheld: list[bytes] = []


class Ledger:
    """What sounds on one wire."""

    def __init__(self) -> None:
        self._sounding: dict[Key, _Sounding] = {}
        self._pedals: dict[tuple[int, int], Who] = {}  # (channel, controller) of every pedal that is down
        self._channels: set[int] = set()  # every channel that ever had a note

    def sounding(self, who: Who | None = None) -> tuple[Key, ...]:
        """Every ``channel << 7 | pitch`` that sounds (of ``who``, or of anybody)."""
        if who is None:
            return tuple(self._sounding)
        return tuple(key for key, entry in self._sounding.items() if entry.count[who])

    def __contains__(self, key: Key) -> bool:
        return key in self._sounding

    @property
    def silent(self) -> bool:
        """Whether nothing sounds and no pedal is down."""
        return not self._sounding and not self._pedals

    def passed(self, who: Who, data: bytes) -> tuple[bytes, ...]:
        """``who`` sends ``data``: the messages that go on the wire now, in order (none if it is withheld)."""
        if is_note_on(data):
            key = (data[0] & 0x0F) << 7 | data[1]
            entry = self._sounding.get(key)
            if entry is None:
                entry = self._sounding[key] = _Sounding()
                self._channels.add(data[0] & 0x0F)
            entry.count[who] += 1
            return (data,)
        if is_note_off(data):
            return self._let_go(who, data)
        if is_controller(data):
            return self._controlled(who, data)
        return (data,)

    def release(self, who: Who) -> list[bytes]:
        """End all that ``who`` sounds here and lift the pedals they hold; what the other sounds goes on."""
        wire: list[bytes] = []
        for key in self.sounding(who):
            for _ in range(self._sounding[key].count[who]):
                wire += self._let_go(who, note_off(key >> 7, key & 0x7F))
        for place in [place for place, holder in self._pedals.items() if holder == who]:
            del self._pedals[place]
            wire.append(control_change(*place, 0))
        return wire

    def everything_off(self) -> list[bytes]:
        """The messages that end all that sounds: every note-off that is owed, then every pedal up."""
        return self.release("livemuse") + self.release("player")

    def panic(self) -> list[bytes]:
        """``everything_off``, and pedal up and "all notes off" on every channel that ever sounded."""
        wire = self.everything_off()
        for channel in sorted(self._channels):
            wire += (control_change(channel, SUSTAIN, 0), control_change(channel, ALL_NOTES_OFF, 0))
        return wire

    def _let_go(self, who: Who, data: bytes) -> tuple[bytes, ...]:
        key = (data[0] & 0x0F) << 7 | data[1]
        entry = self._sounding.get(key)
        if who == "livemuse" and (entry is None or not entry.count[who]):
            return ()  # struck on a wire that is gone; only the player's bytes are passed on whatever they are
        if entry is None:
            return (data,)
        count = entry.count
        if count[who]:
            count[who] -= 1
        if count[_OTHER[who]]:
            entry.withheld.append(data)
            return ()
        if count[who]:
            return (data,)
        del self._sounding[key]
        return (*entry.withheld, data)

    def _controlled(self, who: Who, data: bytes) -> tuple[bytes, ...]:
        channel, controller, value = data[0] & 0x0F, data[1], data[2]
        if controller in HOLDING_PEDALS:
            if value:  # any value above 0 holds on an instrument that knows half-pedalling
                self._pedals[channel, controller] = who
            else:
                self._pedals.pop((channel, controller), None)
        elif controller in ENDING_CONTROLLERS:
            return (data, *self._ended_by_controller(who, channel))
        return (data,)

    def _ended_by_controller(self, who: Who, channel: int) -> list[bytes]:
        """After an "all notes off" of ``who`` none of their keys counts; what was withheld for them is due."""
        due: list[bytes] = []
        for key in [key for key in self._sounding if key >> 7 == channel]:
            entry = self._sounding[key]
            entry.count[who] = 0
            if not entry.count[_OTHER[who]]:
                due += entry.withheld
                del self._sounding[key]
        return due

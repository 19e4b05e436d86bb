"""From the messages of a song to the notes a listener hears.

The rules are those of a piano: a key struck again ends its earlier sound, whoever struck it; a note whose key was
released sounds on for as long as the sustain pedal is down; what nobody releases ends with the song.
"""

from typing import Final

from livemuse.midi.smf_read import Song
from livemuse.music.notes import Note

DRUM_CHANNEL: Final = 9
SAME_KEY_S: Final = 0.001  # two strikes of one pitch nearer than this are one key: two tracks that double each other
SHORTEST_NOTE_S: Final = 0.001
LONGEST_NOTE_S: Final = 60.0  # no string sounds longer; a forgotten release must not last for hours

Row = tuple[float, int, float, int]
"""(onset in seconds, pitch, duration in seconds, velocity)."""


def notes_of(song: Song, *, drums: bool = False, pedal: bool = True, track: int | None = None) -> list[Note]:
    """The notes of a song as they sound, by onset, then pitch; all channels (or one ``track``) merged into one player.

    Without ``drums`` channel 10 is left out; without ``pedal`` a note ends when its key does.
    """
    return [Note(*row) for row in note_rows(song, drums=drums, pedal=pedal, track=track)]


def note_rows(song: Song, *, drums: bool = False, pedal: bool = True, track: int | None = None) -> list[Row]:
    """``notes_of`` as plain (onset_s, pitch, duration_s, velocity), for whoever reads millions of notes."""
    keys = _Keys(pedal)
    for at_s, number, message in song.events:
        status = message[0]
        if status >= 0xF0 or (track is not None and number != track) or (status & 15 == DRUM_CHANNEL and not drums):
            continue
        kind = status & 0xF0
        if kind == 0x90 and message[2]:
            keys.strike(at_s, status & 15, message[1], message[2])
        elif kind == 0x80 or kind == 0x90:
            keys.release(at_s, status & 15, message[1])
        elif kind == 0xB0:
            keys.control(at_s, status & 15, message[1], message[2])
    return keys.rows(song.length_s)


class _Keys:
    """Every key of every channel: what is held, what rings on under the pedal, what was heard of it."""

    __slots__ = (
        "_down", "_end_s", "_held", "_latest", "_off_s", "_onset_s", "_pedal", "_pitch", "_ringing", "_velocity",
    )  # fmt: skip

    def __init__(self, pedal: bool) -> None:
        self._pedal = pedal
        self._onset_s: list[float] = []
        self._pitch: list[int] = []
        self._velocity: list[int] = []  # 0: the strike was taken into another that doubles it
        self._end_s: list[float] = []  # negative: still sounding
        self._held: dict[int, list[int]] = {}  # channel << 7 | pitch -> notes, oldest first
        self._off_s: dict[int, float] = {}  # channel << 7 | pitch -> its last release
        self._latest = [-1] * 128  # the last note struck on each pitch
        self._down = [False] * 16
        self._ringing: list[list[int]] = [[] for _ in range(16)]

    def strike(self, at_s: float, channel: int, pitch: int, velocity: int) -> None:
        """A key goes down: its earlier sound ends here, or is one with this where they came together."""
        onset_s, before, number = at_s, self._latest[pitch], len(self._pitch)
        if before >= 0:
            if at_s - self._onset_s[before] < SAME_KEY_S:
                onset_s, velocity = self._onset_s[before], max(velocity, self._velocity[before])
                self._velocity[before] = 0
            if self._end_s[before] < 0.0:
                self._end_s[before] = at_s
        self._latest[pitch] = number
        self._onset_s.append(onset_s)
        self._pitch.append(pitch)
        self._velocity.append(velocity)
        self._end_s.append(-1.0)
        self._held.setdefault(channel << 7 | pitch, []).append(number)

    def release(self, at_s: float, channel: int, pitch: int) -> None:
        """A key comes up: the oldest of its strikes ends, or rings on under the pedal."""
        key = channel << 7 | pitch
        waiting = self._held.get(key)
        if waiting:
            self._off_s[key] = at_s
            self._let_go(at_s, channel, waiting.pop(0) if len(waiting) < 64 else self._last_of(waiting))

    def control(self, at_s: float, channel: int, controller: int, value: int) -> None:
        """The pedal, or a message that ends everything on the channel."""
        if controller == 64 and self._pedal:
            self._down[channel] = value >= 64
        elif controller == 121:  # reset all controllers
            self._down[channel] = False
        elif controller == 120 or controller >= 123:  # all sound off; all notes off and the mode messages
            for key, waiting in self._held.items():
                if key >> 7 == channel:
                    for number in waiting:
                        self._let_go(at_s, channel, number)
                    waiting.clear()
        if self._ringing[channel] and (controller == 120 or not self._down[channel]):
            for number in self._ringing[channel]:
                self._end(at_s, number)
            self._ringing[channel].clear()

    def rows(self, length_s: float) -> list[Row]:
        """Everything heard, what still sounds ended: by its key's last release, else with the song."""
        for key, waiting in self._held.items():
            for number in waiting:
                off_s = self._off_s.get(key, -1.0)
                self._end(off_s if off_s > self._onset_s[number] else length_s, number)
        rows = []
        heard = zip(self._onset_s, self._pitch, self._end_s, self._velocity, strict=True)
        for onset_s, pitch, end_s, velocity in heard:
            if velocity:
                duration_s = (end_s if end_s >= 0.0 else length_s) - onset_s
                rows.append((onset_s, pitch, min(max(duration_s, SHORTEST_NOTE_S), LONGEST_NOTE_S), velocity))
        rows.sort()
        return rows

    @staticmethod
    def _last_of(waiting: list[int]) -> int:
        """Of a heap of unreleased strikes only the latest still sounds; the others were ended by it."""
        number = waiting[-1]
        waiting.clear()
        return number

    def _let_go(self, at_s: float, channel: int, number: int) -> None:
        if self._down[channel]:
            self._ringing[channel].append(number)
        else:
            self._end(at_s, number)

    def _end(self, at_s: float, number: int) -> None:
        if self._end_s[number] < 0.0:
            self._end_s[number] = at_s

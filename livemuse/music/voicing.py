"""The voices of what livemuse plays: which of its notes is upper, middle or lower voice, and where each voice sounds.

Of what sounds together the highest note is the upper voice, the lowest the lower, and the rest the middle one. A note
that sounds alone stays in the voice that was last near its pitch (streams by register, after Bregman 1990), so that a
line keeps its sound when what accompanied it falls silent. What is struck together is known only when something is
struck later: where voices have channels of their own, a note is handed out once the next one is known. A note counts
as long as it was planned to be until the very onset at which it gives way, for how much is known beyond is chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from livemuse.music.controls import Controls, program_number
from livemuse.music.notes import PlannedNote
from livemuse.music.phrases import CHORD_S
from livemuse.music.schedule import Extension, Plan

Voice = Literal["upper", "middle", "lower"]
VOICES: Final[tuple[Voice, ...]] = ("lower", "middle", "upper")
LEGATO_S: Final = 0.1  # what sounds on for less than this beside a new note is the end of the note before it
SAME_S: Final = 1e-6  # ends this near to an onset are at it, whatever rounding says

Key = tuple[int, int]  # take, index
NONE_SOONER: Final[Mapping[Key, PlannedNote]] = {}


def channels_of(controls: Controls) -> dict[Voice, int]:
    """The channel (0-15) of each voice: its own, or that of all."""
    found: dict[Voice, int] = {}
    for voice in VOICES:
        own = controls[f"channel_{voice}"]
        found[voice] = int(controls.number("channel_out") if isinstance(own, str) else own) - 1
    return found


def programs_of(controls: Controls) -> dict[int, int]:
    """The General MIDI program (0-127) of each channel (0-15) that has one; the highest voice there decides."""
    asked = [(int(controls.number("channel_out")) - 1, "out")]
    asked += [(channel, voice) for voice, channel in channels_of(controls).items()
              if not isinstance(controls[f"channel_{voice}"], str)]  # fmt: skip
    numbers = [(channel, program_number(controls.text(f"program_{name}"))) for channel, name in asked]
    return {channel: number for channel, number in numbers if number is not None}


class Streams:
    """Tells voices apart, chord after chord."""

    def __init__(self) -> None:
        self._sounding: list[PlannedNote] = []  # as they were planned at first
        self._last: dict[Voice, int] = {}  # the last pitch of each voice, the latest voice last

    def copy(self) -> Streams:
        """Streams that can go their own way."""
        other = Streams()
        other._sounding, other._last = self._sounding.copy(), self._last.copy()
        return other

    def voices(self, struck: Sequence[PlannedNote], sooner: Mapping[Key, PlannedNote] = NONE_SOONER) -> list[Voice]:
        """The voice of each of these notes, which are struck together, after all that was told before.

        ``sooner``: notes that end sooner than they were planned to.
        """
        long_s, last_s = struck[0].onset_s + LEGATO_S, struck[-1].onset_s + SAME_S
        sounding = [n for n in self._sounding if n.end_s > long_s]
        self._sounding = [n for n in sounding if sooner.get((n.take, n.index), n).end_s > last_s]
        pitches = [n.pitch for n in (*struck, *self._sounding)]
        lowest, highest = min(pitches), max(pitches)
        found: list[Voice] = []
        for note in struck:
            if lowest == highest:
                voice = self._nearest(note.pitch)
            else:
                voice = "upper" if note.pitch == highest else "lower" if note.pitch == lowest else "middle"
            found.append(voice)
            self._last.pop(voice, None)
            self._last[voice] = note.pitch
            self._sounding.append(note)
        return found

    def _nearest(self, pitch: int) -> Voice:
        """The voice that was last near a pitch; of two that were equally near, the one that was heard later."""
        return min(reversed(self._last), key=lambda voice: abs(self._last[voice] - pitch), default="upper")


@dataclass(slots=True)
class _Take:
    first_index: int
    channels: Mapping[Voice, int]
    streams: Streams
    waiting: list[PlannedNote] = field(default_factory=list)  # for what may be struck together with them
    handed_out: list[PlannedNote] = field(default_factory=list)  # both as they were planned at first
    sooner: dict[Key, PlannedNote] = field(default_factory=dict)  # those that end sooner than that

    @property
    def one_channel(self) -> bool:
        return len(set(self.channels.values())) == 1


Extend = Callable[[int, float, int], Extension]


class Voicing:
    """Puts the notes of each take on their channels, as its plan says."""

    def __init__(self) -> None:
        self._streams = Streams()  # of what sounded
        self._takes: dict[int, _Take] = {}

    def begin(self, plan: Plan) -> None:
        """A take is to be made."""
        self._takes[plan.take] = _Take(plan.first_index, channels_of(plan.controls), self._streams.copy())

    def settle(self, take_id: int, last_index: int | None) -> None:
        """Notes up to ``last_index`` sounded; the rest never was."""
        take = self._takes.pop(take_id, None)
        if take is not None and last_index is not None and not take.one_channel:
            for group in _together(take.handed_out[: last_index + 1 - take.first_index]):
                self._streams.voices(group, take.sooner)

    def extend(self, extend: Extend, take_id: int, until_s: float, most: int) -> Extension:
        """What ``extend`` (of an improviser) makes of a take, each note on its channel; handed out chord by chord."""
        made = extend(take_id, until_s, most)
        take = self._takes.get(take_id)
        if take is None:
            return made
        if take.one_channel:
            channel = take.channels["upper"]
            return replace(made, notes=tuple(replace(n, channel=channel) for n in made.notes)) if channel else made
        notes: list[PlannedNote] = []
        shortened: list[PlannedNote] = []
        while True:
            shortened += self._took_in(take, made)
            notes += self._complete(take, made.done)
            if made.done or len(notes) >= most or (take.handed_out and take.handed_out[-1].onset_s > until_s):
                return Extension(take_id, tuple(notes), tuple(shortened), made.done)
            last_s = take.waiting[-1].onset_s if take.waiting else until_s
            made = extend(take_id, max(until_s, last_s + CHORD_S), most)

    @staticmethod
    def _took_in(take: _Take, made: Extension) -> list[PlannedNote]:
        """Keep what was made; notes already handed out that are to end sooner."""
        take.waiting += made.notes
        take.sooner.update(((n.take, n.index), n) for n in made.shortened)
        waiting = {(n.take, n.index) for n in take.waiting}
        return [n for n in made.shortened if (n.take, n.index) not in waiting]

    @staticmethod
    def _complete(take: _Take, done: bool) -> list[PlannedNote]:
        """The notes with which nothing more can be struck together, on their channels and as long as they are now."""
        groups = _together(take.waiting)
        take.waiting = [] if done or not groups else groups.pop()
        notes: list[PlannedNote] = []
        for group in groups:
            take.handed_out += group
            for note, voice in zip(group, take.streams.voices(group, take.sooner), strict=True):
                now = take.sooner.get((note.take, note.index), note)
                notes.append(replace(now, channel=take.channels[voice]))
        return notes


def _together(notes: Sequence[PlannedNote]) -> list[list[PlannedNote]]:
    """Notes in the order of their onsets, those that are struck together in one list."""
    groups: list[list[PlannedNote]] = []
    for note in notes:
        if groups and note.onset_s - groups[-1][0].onset_s <= CHORD_S:
            groups[-1].append(note)
        else:
            groups.append([note])
    return groups

"""What is heard of the player's music at some moment, as far as an answer goes by it: plain values, nothing to ask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from livemuse.music.theory import Key


@dataclass(frozen=True, slots=True)
class BeatGrid:
    """Where beats lie: one of them, how far apart they are, and the bars where they are clear."""

    beat_s: float
    period_s: float
    beats_a_bar: int | None = None
    bar_s: float | None = None  # where a bar begins
    clear: bool = False  # sure enough to begin on it

    @property
    def tempo_bpm(self) -> float:
        """Beats a minute."""
        return 60.0 / self.period_s

    def nearest_s(self, at_s: float, parts: int) -> float:
        """Where the nearest of so many equal parts of a beat begins."""
        part_s = self.period_s / parts
        return self.beat_s + math.floor((at_s - self.beat_s) / part_s + 0.5) * part_s

    def next_beat_s(self, at_s: float, slack_s: float = 0.0) -> float:
        """The first beat that is not more than ``slack_s`` before a time."""
        return self.beat_s + math.ceil((at_s - slack_s - self.beat_s) / self.period_s - 1e-9) * self.period_s

    def next_bar_s(self, at_s: float, slack_s: float = 0.0) -> float | None:
        """The first beginning of a bar that is not more than ``slack_s`` before a time; None where bars are unclear."""
        if self.bar_s is None or self.beats_a_bar is None:
            return None
        length_s = self.beats_a_bar * self.period_s
        return self.bar_s + math.ceil((at_s - slack_s - self.bar_s) / length_s - 1e-9) * length_s


@dataclass(frozen=True, slots=True)
class Room:
    """Where there is room beside the player: the pitches that are free, and those of them where livemuse is at home."""

    free: frozenset[int]
    home: tuple[int, int]  # lowest and highest of one stretch of them


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer may go by beside the notes themselves."""

    key: Key | None = None  # heard clearly enough to play in, or locked
    beats: BeatGrid | None = None  # of the tempo that is set or heard; None until a beat is
    held: frozenset[int] = frozenset()  # pitches whose keys are down
    density: float = 0.0  # the player's onsets a second, a chord counted as one
    likely_key: Key | None = None  # the major or minor key heard, however unsure that is
    room: Room | None = None  # to which it is to keep, playing at the same time; None: anywhere


NOTHING_HEARD: Final = Context()

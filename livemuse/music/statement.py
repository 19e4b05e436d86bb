"""A motif while it is being taken up: which of its notes is next, when it is due, and what leaves its tune alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from livemuse.music.motifs import Suggestion
from livemuse.music.openings import WELCOME, Opening
from livemuse.music.salience import Tone

MOST_BETWEEN: Final = 3  # notes of the network's between two of a tune
_LATE_S: Final = 0.05  # a tune whose next note is later than this was left


@dataclass(frozen=True, slots=True)
class Statement:
    """A motif that is being taken up: which of its notes comes next, and when its first note was struck."""

    opening: Opening
    stretch: float  # factor on its times, of the tempo and of how dense livemuse plays
    began_s: float
    next: int = 1
    led: int = 1  # notes of its line that were played
    between: int = 0  # notes of the network's since

    @property
    def tone(self) -> Tone:
        """Its next note."""
        return self.opening.motif.tones[self.next]

    @property
    def tune(self) -> Tone:
        """The next note of its line."""
        return self.opening.motif.tones[self.next_of_tune]

    @property
    def next_of_tune(self) -> int:
        """Which of its notes that is."""
        tones = self.opening.motif.tones
        return next(k for k in range(self.next, len(tones)) if tones[k].leads)

    @property
    def below(self) -> int:
        """What is played beside it leaves the tune alone below this pitch."""
        last = next(tone for tone in reversed(self.opening.motif.tones[: self.next]) if tone.leads)
        return min(last.pitch, self.tune.pitch) + self.opening.shift

    def due_s(self, tone: Tone) -> float:
        """When one of its notes is to be struck."""
        return self.began_s + tone.at_s * self.stretch

    def after(self, suggestion: Suggestion | None, onset_s: float, pitch: int) -> Statement | None:
        """What is left of it after a note that was its own (``suggestion``) or the network's; None where it is over."""
        tones = self.opening.motif.tones
        if suggestion is not None:
            played = self.next if tones[self.next].number == suggestion.number else self.next_of_tune
            tone = tones[played]
            if played + 1 == len(tones):
                return None
            if not tone.leads:
                return replace(self, next=played + 1)
            began_s = onset_s - tone.at_s * self.stretch
            return replace(self, began_s=began_s, next=played + 1, led=self.led + 1, between=0)
        if pitch >= self.below or self.between >= MOST_BETWEEN or onset_s > self.due_s(self.tune) + _LATE_S:
            return None  # the network leads elsewhere
        upcoming = self.next if tones[self.next].leads else self.next + 1  # the network's note was played in its place
        while not tones[upcoming].leads and self.due_s(tones[upcoming]) <= onset_s:
            upcoming += 1
        return replace(self, next=upcoming, between=self.between + 1)


def nearest_welcome(pitch: int, nats: Sequence[float]) -> int:
    """The pitch, or where the rules are against it the one within a whole tone that they mind least."""
    pitch = min(max(pitch, 0), len(nats) - 1)
    if nats[pitch] <= WELCOME:
        return pitch
    near = [pitch + step for step in (0, -1, 1, -2, 2) if 0 <= pitch + step < len(nats)]
    return min(near, key=lambda p: nats[p])

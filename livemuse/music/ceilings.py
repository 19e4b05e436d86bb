"""The ceilings: what no model, control or preset passes, checked in one place after the model.

A ``Hand`` knows what livemuse has played and means to play, and says for the next note: not before this time, not
louder, not longer, and who gives way. All of it is arithmetic on planned notes; times in seconds.
"""

from bisect import insort
from dataclasses import dataclass, replace
from typing import Final

from livemuse.music.controls import Controls
from livemuse.music.notes import HIGHEST_PITCH, LOWEST_PITCH, PlannedNote

LONGEST_ANSWER_S: Final = 120.0
LONGEST_REST_S: Final = 2.5  # between two onsets of livemuse's: longer sounds as if it had stopped
SHORTEST_SOUND_S: Final = 0.03
_WINDOW_S: Final = 1.01  # "in any second", with room for the ticks of a MIDI file


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The four ceilings a musician can set, as numbers."""

    notes_per_s: int
    voices: int
    velocity: int
    note_s: float

    @classmethod
    def of(cls, controls: Controls) -> "Ceilings":
        """Read from the table of controls; a fraction of a note a second is rounded down, never below one."""
        return cls(
            max(1, int(controls.number("max_notes_per_s"))),
            int(controls.number("max_voices")),
            int(controls.number("max_velocity")),
            controls.number("max_note_s"),
        )


class Hand:
    """What livemuse plays, as far as it bears on the next note."""

    def __init__(self) -> None:
        self._onsets_s: list[float] = []  # of the last second or so, in order
        self._sounding: list[PlannedNote] = []  # by onset; not yet ended at the last onset

    def copy(self) -> "Hand":
        """A hand that can go its own way."""
        other = Hand()
        other._onsets_s, other._sounding = self._onsets_s.copy(), self._sounding.copy()
        return other

    @property
    def last_onset_s(self) -> float:
        """When it struck last."""
        return self._onsets_s[-1] if self._onsets_s else float("-inf")

    def earliest_s(self, ceilings: Ceilings) -> float:
        """The next note may not be struck before this: there are only so many onsets in any second."""
        count, voices = ceilings.notes_per_s, ceilings.voices
        earliest_s = self._onsets_s[-count] + _WINDOW_S if len(self._onsets_s) >= count else float("-inf")
        if len(self._sounding) >= voices:  # the one that gives way is heard first
            earliest_s = max(earliest_s, self._sounding[-voices].onset_s + SHORTEST_SOUND_S)
        return earliest_s

    def sounding(self, take: int, at_s: float) -> list[PlannedNote]:
        """The notes of a take that are planned to sound on at a time, no earlier than the last onset."""
        return [n for n in self._sounding if n.take == take and n.end_s > at_s]

    def place(self, note: PlannedNote, ceilings: Ceilings) -> tuple[PlannedNote, list[PlannedNote]]:
        """``note`` within the ceilings, and the earlier notes that end sooner because of it, shortened.

        One pitch sounds once: a note still sounding on the same pitch ends where this one starts. Where too many
        would sound, the oldest give way.
        """
        note = PlannedNote(
            note.take,
            note.index,
            note.onset_s,
            min(max(note.pitch, LOWEST_PITCH), HIGHEST_PITCH),
            min(max(note.duration_s, SHORTEST_SOUND_S), ceilings.note_s),
            min(max(note.velocity, 1), ceilings.velocity),
        )
        self._sounding = [n for n in self._sounding if n.end_s > note.onset_s]
        give_way = [n for n in self._sounding if n.pitch == note.pitch]
        others = [n for n in self._sounding if n.pitch != note.pitch]
        excess = len(others) - (ceilings.voices - 1)
        if excess > 0:
            give_way, others = give_way + others[:excess], others[excess:]
        shortened = [replace(n, duration_s=max(note.onset_s - n.onset_s, 0.0)) for n in give_way]
        self._sounding = [*others, note]
        insort(self._onsets_s, note.onset_s)
        del self._onsets_s[:-64]
        return note, shortened

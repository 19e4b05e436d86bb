"""The ear: all that is heard in a player's music, together, and what it makes of the controls that say ``auto``.

Rules for whoever edits this file. What is heard depends on the events and their stamps alone: asking changes nothing,
and may be done at any time.
"""

from __future__ import annotations

import math
from typing import Any, Final

from livemuse.music.context import BeatGrid, Context
from livemuse.music.controls import TEMPO_BPM, Controls
from livemuse.music.hearing.beat import CLEAR, BeatHearing
from livemuse.music.hearing.chord import CONFIDENT, ChordHearing
from livemuse.music.hearing.key import KeyHearing
from livemuse.music.hearing.progress import played_over
from livemuse.music.hearing.touch import TouchHearing
from livemuse.music.notes import AllNotesOff, Heard, KeyDown
from livemuse.music.progressions import needs_key

BEATS_A_BAR: Final = 4  # where nothing else is clear
USABLE: Final = 0.5  # from this confidence on a tempo that is heard is played in
ON_BEAT_S: Final = 0.02  # whoever comes in so little after a beat is on it
_LOWEST_BPM, _HIGHEST_BPM = 20.0, 300.0
_SHOWN_CHORDS: Final = 8


class Ear:
    """Hears key, chords, beat and touch of what a player plays."""

    def __init__(self, tempo: object = "auto") -> None:
        self.key = KeyHearing()
        self.chord = ChordHearing()
        self.beat = BeatHearing()
        self.touch = TouchHearing()
        self._tempo_bpm = TEMPO_BPM  # the last that was usable when a key was struck
        self.set_tempo(tempo)

    # --- what happens --------------------------------------------------------------------------------------------

    def hear(self, event: Heard) -> None:
        """The player did something."""
        if isinstance(event, KeyDown):
            self.key.hear(event.at_s, event.pitch)
            self.beat.hear(event.at_s, event.pitch, event.velocity)
            self._tempo_bpm = self._played_in_bpm(event.at_s)
        self.chord.hear(event)
        self.touch.hear(event)

    def let_go(self, at_s: float, channels: range = range(16)) -> None:
        """The keyboard is gone, or all was silenced: what sounded does not any more."""
        for channel in channels:
            self.hear(AllNotesOff(at_s, channel))

    def set_tempo(self, tempo: object) -> None:
        """The control ``tempo`` says so: a number is kept to, ``auto`` is heard."""
        self.beat.set_tempo(float(tempo) if isinstance(tempo, int | float) else None)

    def tap(self, at_s: float) -> None:
        """The musician gave a beat."""
        self.beat.tap(at_s)

    def lock(self) -> None:
        """Stay in the key that is heard now; or follow what is heard again."""
        if self.key.locked:
            self.key.unlock()
        elif self.key.heard is not None:
            self.key.lock()

    def do(self, action: str, at_s: float) -> None:
        """An action was asked for: ``tap`` and ``lock`` are the ear's."""
        match action:
            case "tap":
                self.tap(at_s)
            case "lock":
                self.lock()

    # --- what can be asked ---------------------------------------------------------------------------------------

    def beats(self, at_s: float) -> BeatGrid | None:
        """The beat around a moment, no earlier than the last key; None until one is heard."""
        grid = self.beat.grid(at_s)
        if grid is None:
            return None
        return BeatGrid(grid.beat_s, grid.period_s, grid.beats_a_bar, grid.bar_s, grid.confidence >= CLEAR)

    def context(self, at_s: float, held: frozenset[int] = frozenset()) -> Context:
        """What an answer that begins at a moment may go by, while these keys are down."""
        return Context(self.key.key, self.beats(at_s), held, self.touch.density(at_s), self.key.plain)

    def meant(self, controls: Controls, at_s: float, chords_from_s: float | None = None) -> Controls:
        """The controls with what is heard in place of ``auto``: a key or off, beats a minute, chords or off.

        The chords are those to go on with from ``chords_from_s``, or from that moment. Where chords are set by their
        names, no key is heard beside them.
        """
        chords = controls.text("chords")
        if controls["key"] == "auto":
            told = chords not in ("off", "auto") and not needs_key(chords)  # the chords themselves say where it is
            key = None if told else self.key.key
            controls = controls.replaced("key", "off" if key is None else str(key))
        if controls["tempo"] == "auto":
            controls = controls.replaced("tempo", self._played_in_bpm(at_s))
        if chords == "auto":
            from_s = at_s if chords_from_s is None else chords_from_s
            found = played_over(self.chord.progression, from_s, controls.number("tempo"), self.beats(from_s))
            controls = controls.replaced("chords", found or "off")
        return controls

    def entry_s(self, at_s: float, start_on: str) -> float:
        """When to come in at a moment or soon after: where a beat is clear on the next one, or the next bar's first."""
        beats = None if start_on == "any" else self.beats(at_s)
        if beats is None or not beats.clear:
            return at_s
        bar_s = beats.next_bar_s(at_s, ON_BEAT_S) if start_on == "bar" else None
        return max(beats.next_beat_s(at_s, ON_BEAT_S) if bar_s is None else bar_s, at_s)

    def bar_s(self, controls: Controls, at_s: float) -> float:
        """How long a bar lasts, at the tempo that is set or heard."""
        beats = self.beats(at_s)
        count = BEATS_A_BAR if beats is None or beats.beats_a_bar is None else beats.beats_a_bar
        return count * self.beat_s(controls, at_s)

    def beat_s(self, controls: Controls, at_s: float) -> float:
        """How long a beat lasts, at the tempo that is set or heard."""
        tempo = controls["tempo"]
        return 60.0 / (self._played_in_bpm(at_s) if isinstance(tempo, str) else tempo)

    def _played_in_bpm(self, at_s: float) -> float:
        """The tempo that is heard, or was when it last was clear enough as a key was struck."""
        grid = self.beat.grid(at_s)
        if grid is None or grid.confidence < USABLE:
            return self._tempo_bpm
        return min(max(grid.tempo_bpm, _LOWEST_BPM), _HIGHEST_BPM)

    def shown(self, at_s: float) -> dict[str, Any]:
        """What is heard, in plain values, for whoever watches."""
        grid, key, touch = self.beat.grid(at_s), self.key, self.touch
        sure = grid is not None and grid.confidence >= USABLE
        sounding = self.chord.heard if self.chord.confidence >= CONFIDENT else None
        register, loudness, articulation = touch.register, touch.loudness, touch.articulation
        return {
            "key": None if key.key is None else str(key.key),
            "key_confidence": round(key.confidence, 2),
            "locked": key.locked,
            "chord": None if sounding is None else str(sounding),
            "chords": [str(change.chord) for change in self.chord.progression[-_SHOWN_CHORDS:]],
            "tempo_bpm": round(grid.tempo_bpm, 1) if grid is not None and sure else None,
            "beat_confidence": 0.0 if grid is None else round(grid.confidence, 2),
            "beats_a_bar": None if grid is None else grid.beats_a_bar,
            "beat_s": grid.beat_s if grid is not None and sure else None,
            "bar_s": grid.bar_s if grid is not None and sure else None,
            "density": round(touch.density(at_s), 1),
            "register": None if register is None else [math.floor(register.lower), math.ceil(register.upper)],
            "hands": [[math.floor(hand.lower), math.ceil(hand.upper)] for hand in touch.hands],
            "loudness": None if loudness is None else round(loudness.median),
            "articulation": None if articulation is None else round(articulation, 2),
        }

"""What is heard of the player's music, as the ``state`` event tells it; and the same in words for whoever shows it."""

from dataclasses import dataclass
from typing import Final

from livemuse.control.shapes import Shape, boolean, listed, number, optional, record, row, text, whole

_PITCH: Final = whole(0, 127)
_SHARE: Final = number(0, 1)
_STAMP: Final = number(-1e12, 1e12)
_BPM: Final = number(1, 1000)
_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_LOUDNESS: Final = ("pp", "p", "mp", "mf", "f", "ff")  # from velocity 33 on, 16 each


@dataclass(frozen=True, slots=True)
class HeardNow:
    """Key, chord, tempo, beat and touch at some moment; None is what is not heard (yet)."""

    key: str | None = None
    key_confidence: float | None = None  # 0 to 1
    locked: bool = False  # the key stays, whatever is played
    chord: str | None = None
    chords: tuple[str, ...] = ()  # the last ones, oldest first
    tempo_bpm: float | None = None
    beat_confidence: float | None = None  # 0 to 1
    beats_a_bar: int | None = None  # where bars are clear
    beat_s: float | None = None  # when a beat was, and when a bar began: the rest follows from the tempo
    bar_s: float | None = None
    density: float | None = None  # onsets a second
    register: tuple[int, int] | None = None  # lowest and highest pitch
    hands: tuple[tuple[int, int], ...] = ()  # the same of each hand
    loudness: int | None = None  # a velocity
    articulation: float | None = None  # sounding share of the time between onsets: 1 is legato

    def beat_at(self, at_s: float) -> tuple[int, float] | None:
        """(which beat of the bar, from 0; how much of it has passed, 0-1); None where no beat is known."""
        anchor_s = self.beat_s if self.bar_s is None else self.bar_s
        if anchor_s is None or self.tempo_bpm is None:
            return None
        beats = (at_s - anchor_s) * self.tempo_bpm / 60.0
        return int(beats // 1) % (self.beats_a_bar or 1), beats % 1


@dataclass(frozen=True, slots=True)
class WaitNow:
    """The silence that ends a phrase now; ``learned_s`` of it was learned on stage (less than 0: to be quicker)."""

    s: float | None = None
    learned_s: float = 0.0


HEARD: Final = record(HeardNow, {
    "key": optional(text(60)), "key_confidence": optional(_SHARE), "locked": boolean(), "chord": optional(text(30)),
    "chords": listed(text(30), 64), "tempo_bpm": optional(_BPM), "beat_confidence": optional(_SHARE),
    "beats_a_bar": optional(whole(1, 64)), "beat_s": optional(_STAMP), "bar_s": optional(_STAMP),
    "density": optional(number(0, 1e4)), "register": optional(row(_PITCH, _PITCH)),
    "hands": listed(row(_PITCH, _PITCH), 8), "loudness": optional(whole(0, 127)),
    "articulation": optional(number(0, 100)),
})  # fmt: skip
WAIT: Final[Shape] = record(WaitNow, {"s": optional(number(0, 1e6)), "learned_s": number(-1e6, 1e6)})


def pitch_name(pitch: int) -> str:
    """``C4`` for 60, middle C."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def touch_of(articulation: float) -> str:
    """The musician's word for a share of sounding time."""
    return "legato" if articulation >= 0.9 else "portato" if articulation >= 0.55 else "staccato"


def loudness_of(velocity: int) -> str:
    """The musician's sign for a velocity: ``pp`` to ``ff``."""
    return _LOUDNESS[min(max((velocity - 17) // 16, 0), len(_LOUDNESS) - 1)]


def register_of(span: tuple[int, int]) -> str:
    """``C3-E5``."""
    return f"{pitch_name(span[0])}-{pitch_name(span[1])}"


def wait_words(wait: WaitNow) -> str:
    """``0.6 s (0.15 s of it learned)``; empty where it is not known."""
    if wait.s is None:
        return ""
    learned = f"{wait.learned_s:+.2f}".replace("-", "−")
    return f"{wait.s:.2g} s" + (f" ({learned} learned)" if abs(wait.learned_s) >= 0.005 else "")


def heard_words(heard: HeardNow) -> list[tuple[str, str]]:
    """(what, in words) of everything there is to be heard, whether it is heard or not."""
    sure = "" if heard.key_confidence is None else f"   {heard.key_confidence:.0%} sure"
    beat = "" if heard.beat_confidence is None else f"   {heard.beat_confidence:.0%} sure"
    bar = "" if heard.beats_a_bar is None else f", {heard.beats_a_bar} beats a bar"
    hands = " and ".join(map(register_of, heard.hands)) if len(heard.hands) > 1 else "one" if heard.hands else None
    known: list[tuple[str, str | None]] = [
        ("key", heard.key and heard.key + (", locked" if heard.locked else sure)),
        ("chord", heard.chord),
        ("chords", " ".join(heard.chords)),
        ("tempo", None if heard.tempo_bpm is None else f"{heard.tempo_bpm:.0f} bpm{bar}{beat}"),
        ("register", heard.register and register_of(heard.register)),
        ("hands", hands),
        ("loudness", None if heard.loudness is None else f"{loudness_of(heard.loudness)} (velocity {heard.loudness})"),
        ("density", None if heard.density is None else f"{heard.density:.1f} onsets a second"),
        ("articulation", None if heard.articulation is None
         else f"{touch_of(heard.articulation)} ({heard.articulation:.2f})"),
    ]  # fmt: skip
    return [(what, words or "not heard yet") for what, words in known]

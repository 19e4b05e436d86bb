"""What is heard of the player: key, chord, tempo and beat, touch, in a line or two under whose turn it is."""

from typing import Final

from rich.cells import cell_len
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from livemuse.control.heard import HeardNow, loudness_of, register_of, touch_of
from livemuse.tui.colours import FAINT, GOOD, INK, PANEL, PLAYER, RULE, Part, ink, line
from livemuse.tui.words import plain

CLEAR: Final = 0.75  # a beat so sure is shown beating
_METER_CELLS: Final = 5
_STRUCK: Final = 0.3  # of a beat, for which its light is on where no bar is known
_BEATS_ON_S: Final = 6.0  # the beat goes on so long after the last news of it, then stands still
_MOST_BEATS: Final = 8  # lights in a row
_SHORT_PAST, _LONG_PAST = 3, 7  # chords before the one that sounds, where there is one line, or two

Chunk = list[Part]


class HeardLine(Widget):
    """``show`` tells what is heard, ``advance`` moves the beat; what matters least is left out where there is no room.

    Two lines where it is two high.
    """

    def __init__(self) -> None:
        super().__init__(id="heard")
        self._heard = HeardNow()
        self._beats_until_s = 0.0
        self._beat: tuple[int, bool] | None = None

    def show(self, heard: HeardNow, now_s: float) -> None:
        """This is heard now."""
        self._beats_until_s = now_s + _BEATS_ON_S
        if heard != self._heard:
            self._heard = heard
            self.refresh()

    def advance(self, now_s: float) -> bool:
        """Move the beat; tells whether it goes on."""
        clear = (self._heard.beat_confidence or 0.0) >= CLEAR and now_s < self._beats_until_s
        beat = self._heard.beat_at(now_s) if clear else None
        shown = None if beat is None else (beat[0], beat[1] < _STRUCK)
        if shown != self._beat:
            self._beat = shown
            self.refresh()
        return shown is not None

    def render_line(self, y: int) -> Strip:
        """As much as there is room for."""
        return heard_strip(self._heard, self._beat, self.size, y)


def heard_strip(heard: HeardNow, beat: tuple[int, bool] | None, size: Size, y: int) -> Strip:
    """Line ``y`` of so many; ``beat`` is (which of the bar, whether it has just been struck), or None."""
    key, time, touch = _key(heard), _tempo(heard) + _lights(heard, beat), _touch(heard)
    if size.height > 1:
        return _line([key, _chord(heard, _LONG_PAST)] if y == 0 else [time, *touch], size.width)
    needed = sum(map(_cells, (key, time)))
    past = (_chord(heard, most) for most in range(_SHORT_PAST, 0, -1))
    chord = next((one for one in past if needed + _cells(one) <= size.width + 1), _chord(heard, 0))
    return _line([key, chord, time, *touch], size.width)


def _line(chunks: list[Chunk], width: int) -> Strip:
    ground = ink(FAINT, PANEL)
    parts: list[Part] = []
    used = 0
    for chunk in chunks:
        used += _cells(chunk)
        if used > width + 1:
            break
        parts += [("   " if parts else " ", ground), *chunk]
    return line(width, parts, ground)


def _chord(heard: HeardNow, most: int) -> Chunk:
    """The chord now, and as many before it as may be shown."""
    past = heard.chords[:-1] if heard.chords and heard.chords[-1] == heard.chord else heard.chords
    before = "".join(f"{plain(chord)} " for chord in past[max(len(past) - most, 0) :])
    now: Part = (plain(heard.chord), ink(PLAYER, PANEL, "bold")) if heard.chord else ("–", ink(FAINT, PANEL))
    return [("chord ", ink(FAINT, PANEL)), (before, ink(INK, PANEL)), now]


def _lights(heard: HeardNow, beat: tuple[int, bool] | None) -> Chunk:
    """A light for each beat of the bar, the one that sounds lit; one that blinks where no bar is known."""
    if heard.beat_at(0.0) is None:
        return []
    count = min(heard.beats_a_bar or 1, _MOST_BEATS)
    lit = None if beat is None or (count == 1 and not beat[1]) else beat[0] % count
    lights: Chunk = [("●" if k == lit else "○", ink(PLAYER if k == lit else FAINT, PANEL)) for k in range(count)]
    return [("  ", ink(FAINT, PANEL)), *lights]


def _cells(chunk: Chunk) -> int:
    """How wide it is, with the blanks before the next."""
    return sum(cell_len(text) for text, _ in chunk) + 3


def _key(heard: HeardNow) -> Chunk:
    if not heard.key:
        return [("key –", ink(FAINT, PANEL))]
    sign: Chunk = [(" locked", ink(GOOD, PANEL, "bold"))] if heard.locked else _meter(heard.key_confidence)
    return [("key ", ink(FAINT, PANEL)), (plain(heard.key), ink(PLAYER, PANEL, "bold")), *sign]


def _tempo(heard: HeardNow) -> Chunk:
    if heard.tempo_bpm is None:
        return [("tempo –", ink(FAINT, PANEL))]
    clear = (heard.beat_confidence or 0.0) >= CLEAR
    tempo: Part = (f"{heard.tempo_bpm:.0f}", ink(PLAYER if clear else INK, PANEL, "bold" if clear else ""))
    return [("tempo ", ink(FAINT, PANEL)), tempo, *_meter(heard.beat_confidence)]


def _meter(share: float | None) -> Chunk:
    """How sure it is, as a bar."""
    if share is None:
        return []
    full = round(share * _METER_CELLS)
    return [(" ", ink(FAINT, PANEL)), ("━" * full, ink(PLAYER, PANEL)), ("━" * (_METER_CELLS - full), ink(RULE, PANEL))]


def _touch(heard: HeardNow) -> list[Chunk]:
    bright = ink(INK, PANEL)
    hands = " + ".join(map(register_of, heard.hands)) if len(heard.hands) > 1 else ""
    said = [
        "" if heard.density is None else f"{heard.density:.1f} notes/s",
        "" if heard.loudness is None else loudness_of(heard.loudness),
        "" if heard.articulation is None else touch_of(heard.articulation),
        hands or ("" if heard.register is None else register_of(heard.register)),
    ]
    return [[(words, bright)] for words in said if words]

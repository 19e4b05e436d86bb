"""A MIDI file to look at and to listen to: ``livemuse render FILE.mid -o OUT.png`` or ``.wav``.

Rules for whoever edits this file. Whatever the file holds, the work is bounded: the picture has a largest size and a
largest number of notes, the sound a longest length. A session's two players have a colour each and sound as they do
live; of any other file each track has a colour, and the sounds it asks for.
"""

import io
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from livemuse.errors import FileError, LivemuseError
from livemuse.midi.smf import MARKER, Event, Song, notes_of, printable
from livemuse.music.notes import Note
from livemuse.recording.midifile import read_midi_file, whole_file, write_whole
from livemuse.stage.sound import find_soundfont
from livemuse.stage.soundfont import LIVEMUSE, PLAYER, SAMPLE_RATE, Voices

LONGEST_SOUND_S: Final = 2 * 3600.0  # 1.4 GB of WAV
TAIL_S: Final = 3.0  # for the last notes to ring out
MOST_NOTES: Final = 200_000  # drawn; more could not be told apart
MOST_LINES: Final = 12  # of the picture, one under the other like a score
LINE_S: Final = 20.0  # of music on a line, more in long files

WIDTH: Final = 1600  # pixels, all of these
LEFT: Final = 64
RIGHT: Final = 24
TOP: Final = 76
PEDAL: Final = 6  # height of the pedal's lane
BELOW: Final = 44  # pedal lane, seconds, and the names of the next line's markers

Colour = tuple[int, int, int]
PAPER: Final[Colour] = (16, 18, 24)
LANE: Final[Colour] = (24, 27, 35)  # the white keys' lanes; the black keys' are PAPER
GRID: Final[Colour] = (40, 44, 56)
INK: Final[Colour] = (205, 210, 222)
FAINT: Final[Colour] = (122, 130, 148)
SIDES: Final[dict[str, Colour]] = {"player": (255, 179, 71), "livemuse": (84, 200, 232)}
TRACKS: Final[tuple[Colour, ...]] = (
    (84, 200, 232), (255, 179, 71), (166, 214, 103), (239, 122, 146),
    (178, 148, 240), (240, 222, 110), (94, 214, 172), (232, 150, 98),
)  # fmt: skip
_BLACK_KEYS: Final = (1, 3, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Part:
    """One voice of the picture: its name, its colour, its keys as pressed and as they sound, its pedal."""

    name: str
    colour: Colour
    pressed: tuple[Note, ...]
    sounding: tuple[Note, ...]
    pedals: tuple[tuple[float, float], ...]  # (seconds down, seconds up)


def render(source: Path, target: Path) -> str:
    """Make a WAV or a PNG of a MIDI file, by the name of ``target``; gives a sentence on what was made."""
    kind = target.suffix.lower()
    if kind not in (".wav", ".png"):
        raise FileError(f"{target.name} is neither a .wav nor a .png.", "Name the file to make OUT.wav or OUT.png.")
    song = read_midi_file(source)
    if kind == ".wav":
        return f"{target}: {write_wav(song, target):.1f} s of sound."
    parts = parts_of(song)
    image = draw_roll(parts, song, source.name)
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    write_whole(target, png.getvalue())
    return f"{target}: {sum(len(part.pressed) for part in parts)} notes, {image.width} x {image.height} pixels."


# --- the sound ---------------------------------------------------------------------------------------------------


def write_wav(song: Song, target: Path) -> float:
    """The song through the built-in synth as 16-bit stereo; gives its length in seconds.

    LivemuseError where there is no synth or SoundFont, or the song is longer than ``LONGEST_SOUND_S``.
    """
    length_s = song.length_s + TAIL_S
    if length_s > LONGEST_SOUND_S:
        hours = f"{length_s / 3600:.1f} hours"
        raise FileError(f"The song lasts {hours}; at most {LONGEST_SOUND_S / 3600:g} are made into sound.", "Cut it.")
    soundfont = find_soundfont()
    if soundfont is None:
        raise LivemuseError("No SoundFont was found.", "Name one in LIVEMUSE_SOUNDFONT.")
    session = is_session(song)
    voices = Voices(soundfont, apart=session)
    livemuse = {n for n, name in enumerate(song.track_names) if session and name == "livemuse"}
    with whole_file(target) as file, wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        done = 0
        for at_s, track, message in song.events:
            if message[0] < 0xF0:
                done = _render_to(round(at_s * SAMPLE_RATE), done, voices, sound)
                voices.hear(LIVEMUSE if track in livemuse else PLAYER, message)
        done = _render_to(round(song.length_s * SAMPLE_RATE), done, voices, sound)
        voices.all_keys_up()
        _render_to(round(length_s * SAMPLE_RATE), done, voices, sound)
    return length_s


def _render_to(frame: int, done: int, voices: Voices, sound: wave.Wave_write) -> int:
    while done < frame:
        count = min(frame - done, SAMPLE_RATE)
        samples = np.frombuffer(voices.render(count), np.float32)  # (2 * count,)
        sound.writeframesraw((np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())
        done += count
    return max(done, frame)


# --- the picture -------------------------------------------------------------------------------------------------


def is_session(song: Song) -> bool:
    """Whether this is a recording of livemuse: its tracks carry the two players' names."""
    return {"player", "livemuse"} <= set(song.track_names)


def parts_of(song: Song) -> list[Part]:
    """Every track that has notes, as one voice of the picture."""
    of_track: dict[int, list[Event]] = {}
    for event in song.events:
        if event[2][0] < 0xF0:
            of_track.setdefault(event[1], []).append(event)
    session = is_session(song)
    parts: list[Part] = []
    for track in sorted(of_track):
        own = replace(song, events=tuple(of_track[track]))
        pressed = notes_of(own, drums=True, pedal=False)
        if not pressed:
            continue
        name = song.track_names[track] or f"track {track + 1}"
        colour = SIDES.get(name) if session else None
        sounding = notes_of(own, drums=True)
        parts.append(
            Part(name, colour or TRACKS[len(parts) % len(TRACKS)], tuple(pressed), tuple(sounding), _pedals(own))
        )
    return parts


def _pedals(song: Song) -> tuple[tuple[float, float], ...]:
    spans, down_s = [], -1.0
    for at_s, _, message in song.events:
        if message[0] & 0xF0 == 0xB0 and message[1] == 64:
            if message[2] >= 64 and down_s < 0.0:
                down_s = at_s
            elif message[2] < 64 and down_s >= 0.0:
                spans.append((down_s, at_s))
                down_s = -1.0
    return (*spans, (down_s, song.length_s)) if down_s >= 0.0 else tuple(spans)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a moment and a pitch lie in the picture: lines of ``line_s`` seconds, one under the other."""

    lines: int
    line_s: float
    low: int
    high: int
    key: int  # pixels a semitone

    @property
    def line_height(self) -> int:
        """From one line's top to the next one's, in pixels."""
        return (self.high - self.low + 1) * self.key + BELOW

    @property
    def height(self) -> int:
        """Of the whole picture."""
        return TOP + self.lines * self.line_height

    def top(self, line: int) -> int:
        """Of a line."""
        return TOP + line * self.line_height

    def floor(self, line: int) -> int:
        """Below the lowest key of a line."""
        return self.top(line) + (self.high - self.low + 1) * self.key

    def x(self, line: int, at_s: float) -> float:
        """Of a moment on a line."""
        return LEFT + (at_s - line * self.line_s) / self.line_s * (WIDTH - LEFT - RIGHT)

    def y(self, line: int, pitch: int) -> int:
        """Of the upper edge of a key on a line."""
        return self.top(line) + (self.high - pitch) * self.key

    def spans(self, start_s: float, end_s: float) -> Iterator[tuple[int, float, float]]:
        """The (line, left, right) of what lasts from ``start_s`` to ``end_s``: it may go on on the next line."""
        first = min(int(start_s / self.line_s), self.lines - 1)
        last = min(int(end_s / self.line_s), self.lines - 1)
        for line in range(first, last + 1):
            left = max(self.x(line, start_s), LEFT)
            yield line, left, min(self.x(line, end_s), WIDTH - RIGHT)


def layout_of(parts: Sequence[Part]) -> Layout:
    """The lines and the keys that these notes need."""
    end_s = max((note.end_s for part in parts for note in part.sounding), default=LINE_S)
    pitches = [note.pitch for part in parts for note in part.pressed] or [60]
    low, high = min(pitches) - 2, max(pitches) + 2
    missing = max(24 - (high - low), 0)  # never less than two octaves: three notes need a surrounding to be read in
    low, high = max(low - missing // 2, 0), min(high + missing - missing // 2, 127)
    lines = min(max(int(np.ceil(end_s / LINE_S)), 1), MOST_LINES)
    line_s = max(end_s / lines, 2.0) if lines in (1, MOST_LINES) else LINE_S
    return Layout(lines, line_s, low, high, 9 if lines == 1 else 6 if lines <= 3 else 4)


def draw_roll(parts: Sequence[Part], song: Song, title: str) -> Image.Image:
    """The piano roll: pitch upwards, time to the right; a note's shade is its velocity, its tail the pedal's."""
    layout = layout_of(parts)
    image = Image.new("RGB", (WIDTH, layout.height), PAPER)
    draw = ImageDraw.Draw(image)
    for line in range(layout.lines):
        _draw_keys(draw, layout, line)
        _draw_seconds(draw, layout, line)
    _draw_pedals(draw, layout, parts)
    drawn = 0
    for tails in (True, False):
        drawn = 0
        for part in parts:
            notes = (part.sounding if tails else part.pressed)[: MOST_NOTES - drawn]
            drawn += len(notes)
            for note in notes:
                _draw_note(draw, layout, note, _shade(part.colour, note.velocity, 0.3 if tails else 1.0))
    _draw_markers(draw, layout, song)
    _draw_heading(draw, parts, printable(title.encode()), drawn)
    return image


def _shade(colour: Colour, velocity: int, strength: float) -> Colour:
    share = (0.38 + 0.62 * velocity / 127) * strength
    red, green, blue = (round(p + (c - p) * share) for c, p in zip(colour, PAPER, strict=True))
    return red, green, blue


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # the library's own: no machine lacks it


def _draw_keys(draw: ImageDraw.ImageDraw, layout: Layout, line: int) -> None:
    for pitch in range(layout.low, layout.high + 1):
        y = layout.y(line, pitch)
        black = pitch % 12 in _BLACK_KEYS
        if not black:
            draw.rectangle((LEFT, y, WIDTH - RIGHT, y + layout.key - 1), fill=LANE)
        draw.rectangle((LEFT - 18, y, LEFT - 4, y + layout.key - 2), fill=(52, 57, 70) if black else (188, 193, 204))
        if pitch % 12 == 0:
            draw.line((LEFT, y + layout.key - 1, WIDTH - RIGHT, y + layout.key - 1), fill=GRID)
            name = f"C{pitch // 12 - 1}"
            draw.text((LEFT - 24, y + layout.key / 2), name, fill=FAINT, font=_font(12), anchor="rm")


def _draw_seconds(draw: ImageDraw.ImageDraw, layout: Layout, line: int) -> None:
    step_s = next(s for s in (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 1e9) if layout.line_s / s <= 20)
    at_s = np.ceil(line * layout.line_s / step_s) * step_s
    while at_s <= (line + 1) * layout.line_s + 1e-9:
        x = layout.x(line, float(at_s))
        draw.line((x, layout.top(line), x, layout.floor(line)), fill=GRID)
        minutes, seconds = divmod(float(at_s), 60)
        text = f"{int(minutes)}:{int(seconds):02d}" if step_s >= 1 else f"{at_s:.1f}"
        anchor = "ma" if x < WIDTH - RIGHT - 8 else "ra"
        draw.text((x, layout.floor(line) + PEDAL + 4), text, fill=FAINT, font=_font(12), anchor=anchor)
        at_s += step_s


def _draw_pedals(draw: ImageDraw.ImageDraw, layout: Layout, parts: Sequence[Part]) -> None:
    for part in parts[: len(TRACKS)]:
        for down_s, up_s in part.pedals[:MOST_NOTES]:
            for line, left, right in layout.spans(down_s, up_s):
                y = layout.floor(line) + 2
                box = (left, y, max(right - 1, left), y + PEDAL - 2)
                draw.rectangle(box, fill=_shade(part.colour, 64, 0.7))


def _draw_note(draw: ImageDraw.ImageDraw, layout: Layout, note: Note, colour: Colour) -> None:
    for line, left, right in layout.spans(note.onset_s, note.end_s):
        y = layout.y(line, note.pitch)
        right = max(right - 1, left + 1)
        if layout.key >= 6 and right - left >= 5:
            draw.rounded_rectangle((left, y, right, y + layout.key - 2), radius=2, fill=colour)
        else:
            draw.rectangle((left, y, right, y + layout.key - 2), fill=colour)


def _draw_markers(draw: ImageDraw.ImageDraw, layout: Layout, song: Song) -> None:
    """The song's markers (a session's turns) as lines with their names, as many as can be read."""
    free_x = [0.0] * layout.lines
    for at_s, _, message in song.events:
        if message[:2] != bytes((0xFF, MARKER)):
            continue
        line = min(int(at_s / layout.line_s), layout.lines - 1)
        x, name = layout.x(line, at_s), printable(message[2:])[:24]
        if x < free_x[line] or x > WIDTH - RIGHT:
            continue
        for y in range(layout.top(line), layout.floor(line), 6):
            draw.line((x, y, x, y + 2), fill=FAINT)
        draw.text((x + 4, layout.top(line) - 2), name, fill=FAINT, font=_font(11), anchor="ls")
        free_x[line] = x + 12 + draw.textlength(name, font=_font(11))


def _draw_heading(draw: ImageDraw.ImageDraw, parts: Sequence[Part], title: str, drawn: int) -> None:
    draw.text((LEFT, 14), title[:90], fill=INK, font=_font(20))
    total = sum(len(part.pressed) for part in parts)
    x = float(LEFT)
    for part in parts[: len(TRACKS)]:
        draw.rounded_rectangle((x, 46, x + 12, 56), radius=2, fill=part.colour)
        label = f"{part.name[:24]}  {len(part.pressed)}"
        draw.text((x + 18, 51), label, fill=INK, font=_font(13), anchor="lm")
        x += 18 + draw.textlength(label, font=_font(13)) + 28
    note = "no notes" if not total else f"the first {drawn} of {total} notes" if drawn < total else ""
    if len(parts) > len(TRACKS):
        note = f"and {len(parts) - len(TRACKS)} more tracks  {note}"
    if note:
        draw.text((x, 51), note, fill=FAINT, font=_font(13), anchor="lm")

"""Pictures and sounds of MIDI files: looked at pixel by pixel, listened to sample by sample."""

import math
import wave
from array import array
from pathlib import Path

import pytest
from PIL import Image

from livemuse.errors import LivemuseError
from livemuse.midi.smf import MARKER, Track, meta, read_song, write_song
from livemuse.render import LINE_S, MOST_LINES, SIDES, TRACKS, WIDTH, layout_of, parts_of, render

PLAYER = [(0.0, b"\xb0\x40\x7f"), (0.5, b"\x90\x3c\x7f"), (0.7, b"\x80\x3c\x00"), (1.5, b"\xb0\x40\x00")]
LIVEMUSE = [(2.0, b"\x90\x48\x7f"), (2.5, b"\x80\x48\x00"), (2.5, b"\x90\x4a\x20"), (3.0, b"\x80\x4a\x00")]
SESSION = [
    Track("session", [(0.5, meta(MARKER, "turn 1: player")), (2.0, meta(MARKER, "turn 1: livemuse"))]),
    Track("player", PLAYER),
    Track("livemuse", LIVEMUSE),
]


def write(path: Path, tracks: list[Track]) -> Path:
    path.write_bytes(write_song(tracks))
    return path


def colours(image: Image.Image) -> dict[tuple[int, int, int], int]:
    counts = image.convert("RGB").getcolors(1 << 24)
    assert counts is not None
    return {colour: count for count, colour in counts if isinstance(colour, tuple)}


def test_the_two_players_have_a_colour_each(tmp_path: Path) -> None:
    said = render(write(tmp_path / "a.mid", SESSION), tmp_path / "a.png")
    assert "3 notes" in said
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == WIDTH
        found = colours(image)
    for colour in SIDES.values():
        assert found[colour] > 100  # the loudest note has the full colour
    parts = parts_of(read_song((tmp_path / "a.mid").read_bytes()))
    assert [(part.name, len(part.pressed), part.pedals) for part in parts] == [
        ("player", 1, ((0.0, 1.5),)), ("livemuse", 2, ()),
    ]  # fmt: skip


def test_a_note_stands_where_its_time_and_pitch_are(tmp_path: Path) -> None:
    render(write(tmp_path / "a.mid", SESSION), tmp_path / "a.png")
    parts = parts_of(read_song((tmp_path / "a.mid").read_bytes()))
    layout = layout_of(parts)
    with Image.open(tmp_path / "a.png") as image:

        def pixel(at_s: float, pitch: int) -> object:
            return image.getpixel((round(layout.x(0, at_s)), layout.y(0, pitch) + layout.key // 2))

        assert pixel(0.6, 60) == SIDES["player"]
        assert pixel(2.2, 72) == SIDES["livemuse"]
        assert pixel(1.0, 60) not in (SIDES["player"], pixel(1.8, 60))  # held by the pedal: a tail, fainter
        assert pixel(2.7, 74) not in (SIDES["livemuse"], pixel(1.8, 74))  # softer: darker


def test_tracks_of_other_files_have_colours_of_their_own(tmp_path: Path) -> None:
    def voice(pitch: int) -> Track:
        return Track(f"voice {pitch}", [(0.0, bytes((0x90, pitch, 127))), (1.0, bytes((0x80, pitch, 0)))])

    render(write(tmp_path / "a.mid", [voice(pitch) for pitch in range(60, 69)]), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        found = colours(image)
    assert all(found[colour] > 100 for colour in TRACKS)


def test_long_music_goes_on_on_the_next_line_and_the_picture_stays_bounded(tmp_path: Path) -> None:
    def notes(seconds: int) -> list[Track]:
        strikes = [(float(s), b"\x90\x3c\x40") for s in range(seconds)]
        return [Track("a", sorted(strikes + [(s + 0.5, b"\x80\x3c\x00") for s, _ in strikes]))]

    for seconds, lines in ((10, 1), (50, 3), (6000, MOST_LINES)):
        layout = layout_of(parts_of(read_song(write_song(notes(seconds)))))
        assert layout.lines == lines
        assert layout.line_s == pytest.approx(seconds - 0.5 if lines == 1 else max(LINE_S, (seconds - 0.5) / lines))
    render(write(tmp_path / "a.mid", notes(6000)), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.height < 6000


@pytest.mark.parametrize("name", ["\x1b[31mred\x07", "音楽", "", "x" * 500])
def test_no_name_upsets_the_picture(tmp_path: Path, name: str) -> None:
    render(write(tmp_path / "a.mid", [Track(name, PLAYER)]), tmp_path / "a.png")


def test_a_file_without_notes_is_an_empty_page(tmp_path: Path) -> None:
    assert "0 notes" in render(write(tmp_path / "a.mid", []), tmp_path / "a.png")


def levels(path: Path, start_s: float, end_s: float) -> tuple[float, float]:
    """Root mean square of left and right, 1 being full scale."""
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (2, 2)
        sound.setpos(int(start_s * sound.getframerate()))
        samples = array("h", sound.readframes(int((end_s - start_s) * sound.getframerate())))
    left, right = samples[0::2], samples[1::2]
    return tuple(math.sqrt(sum(v * v for v in side) / len(side)) / 32768 for side in (left, right))  # type: ignore[return-value]


def test_the_sound_is_no_silence_and_the_two_stand_apart(tmp_path: Path) -> None:
    pytest.importorskip("tinysoundfont", reason="the built-in synth is not installed")
    said = render(write(tmp_path / "a.mid", SESSION), tmp_path / "a.wav")
    assert said.endswith("6.0 s of sound.")
    assert levels(tmp_path / "a.wav", 0.0, 0.4) == (0.0, 0.0)
    left, right = levels(tmp_path / "a.wav", 0.5, 1.5)  # to the end of the pedal
    assert left > 1.5 * right > 0.005
    left, right = levels(tmp_path / "a.wav", 2.05, 3.0)
    assert right > 1.5 * left > 0.005
    assert max(levels(tmp_path / "a.wav", 5.5, 6.0)) < 0.001


def test_other_files_sound_in_the_middle(tmp_path: Path) -> None:
    pytest.importorskip("tinysoundfont", reason="the built-in synth is not installed")
    render(write(tmp_path / "a.mid", [Track("piano", PLAYER)]), tmp_path / "a.wav")
    left, right = levels(tmp_path / "a.wav", 0.5, 1.5)
    assert 0.005 < left < 1.3 * right < 1.7 * left


def test_hours_are_not_made_into_sound(tmp_path: Path) -> None:
    far = [Track("a", [(50.0 * n, b"\x90\x3c\x40") for n in range(200)])]
    with pytest.raises(LivemuseError, match="hours"):
        render(write(tmp_path / "a.mid", far), tmp_path / "a.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


@pytest.mark.parametrize("target", ["a.txt", "a", "a.mp3"])
def test_only_pictures_and_waves_are_made(tmp_path: Path, target: str) -> None:
    with pytest.raises(LivemuseError, match=r"neither a \.wav nor a \.png"):
        render(write(tmp_path / "a.mid", SESSION), tmp_path / target)


@pytest.mark.parametrize("kind", ["png", "wav"])
def test_what_cannot_be_read_or_written_is_a_sentence(tmp_path: Path, kind: str) -> None:
    with pytest.raises(LivemuseError, match="cannot be read"):
        render(tmp_path / "none.mid", tmp_path / f"a.{kind}")
    (tmp_path / "broken.mid").write_bytes(b"no music")
    with pytest.raises(LivemuseError, match="no MIDI file"):
        render(tmp_path / "broken.mid", tmp_path / f"a.{kind}")
    (tmp_path / "file").touch()
    with pytest.raises(LivemuseError, match="cannot be written"):
        render(write(tmp_path / "a.mid", SESSION), tmp_path / "file" / f"a.{kind}")

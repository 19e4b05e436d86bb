"""What the two voices sound like, measured in the samples: loud or soft, left or right, short or held."""

import math
from pathlib import Path

import pytest

pytest.importorskip("tinysoundfont", reason="the built-in synth is not installed")

from livemuse.errors import LivemuseError
from livemuse.stage.sound import find_soundfont
from livemuse.stage.soundfont import LIVEMUSE, PLAYER, SAMPLE_RATE, Voices, peak


@pytest.fixture
def voices() -> Voices:
    path = find_soundfont()
    assert path is not None
    return Voices(path)


def loudness(voices: Voices, seconds: float) -> tuple[float, float]:
    """Root mean square of left and right over the next ``seconds``."""
    samples = voices.render(round(seconds * SAMPLE_RATE)).cast("f").tolist()
    left, right = samples[0::2], samples[1::2]
    return math.sqrt(sum(v * v for v in left) / len(left)), math.sqrt(sum(v * v for v in right) / len(right))


def play(voices: Voices, who: int, *messages: str) -> None:
    for message in messages:
        voices.hear(who, bytes.fromhex(message))


def test_before_anybody_plays_there_is_silence(voices: Voices) -> None:
    assert loudness(voices, 0.1) == (0.0, 0.0)


def test_the_player_sounds_on_the_left_and_livemuse_on_the_right(voices: Voices) -> None:
    play(voices, PLAYER, "90 3c 60")
    left, right = loudness(voices, 0.3)
    assert left > 1.5 * right > 0.01
    play(voices, PLAYER, "80 3c 00")
    loudness(voices, 1.0)
    play(voices, LIVEMUSE, "90 3c 60")
    left, right = loudness(voices, 0.3)
    assert right > 1.5 * left > 0.01


def test_they_do_not_sound_alike(voices: Voices) -> None:
    def shape(who: int) -> list[float]:
        play(voices, who, "90 3c 60")
        samples = voices.render(4800).cast("f").tolist()
        play(voices, who, "b0 78 00")
        loudness(voices, 0.5)
        both = [left + right for left, right in zip(samples[0::2], samples[1::2], strict=True)]
        return [value / max(both) for value in both]

    piano, electric = shape(PLAYER), shape(LIVEMUSE)
    assert sum(abs(a - b) for a, b in zip(piano, electric, strict=True)) / len(piano) > 0.05


def test_louder_keys_are_louder_and_gain_scales_all(voices: Voices) -> None:
    levels = []
    for message, gain in (("90 3c 20", 1.0), ("90 3c 7f", 1.0), ("90 3c 7f", 0.25), ("90 3c 7f", 0.0)):
        voices.set_gain(gain)
        play(voices, PLAYER, message)
        levels.append(loudness(voices, 0.2)[0])
        play(voices, PLAYER, "b0 78 00")
        loudness(voices, 0.5)
    assert levels[1] > 2 * levels[0] > 0
    assert levels[2] == pytest.approx(levels[1] / 4, rel=0.2)
    assert levels[3] == 0.0


def test_the_loudest_chord_of_both_is_hardly_clipped(voices: Voices) -> None:
    for pitch in (36, 43, 48, 52, 55, 60, 64, 67, 72, 76):
        play(voices, PLAYER, f"90 {pitch:02x} 7f")
        play(voices, LIVEMUSE, f"90 {pitch + 1:02x} 7f")
    assert 0.5 < peak(voices.render(SAMPLE_RATE)) < 2.0


@pytest.mark.parametrize("who", [PLAYER, LIVEMUSE])
def test_a_key_let_go_fades_and_a_key_held_does_not(voices: Voices, who: int) -> None:
    play(voices, who, "90 3c 60", "90 40 60", "80 3c 00", "90 40 00")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) < 1e-3
    play(voices, who, "90 3c 60")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) > 0.01


def test_the_pedal_holds_what_was_let_go_until_it_comes_up(voices: Voices) -> None:
    play(voices, PLAYER, "b0 40 7f", "90 3c 60", "80 3c 00")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) > 0.01
    play(voices, PLAYER, "b0 40 3f")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) < 1e-3


def test_a_key_struck_again_under_the_pedal_is_held_by_its_finger(voices: Voices) -> None:
    play(voices, PLAYER, "b0 40 7f", "90 3c 60", "80 3c 00", "90 3c 60", "b0 40 00")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) > 0.01
    play(voices, PLAYER, "80 3c 00")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) < 1e-3


@pytest.mark.parametrize("ending", ["b0 7b 00", "b0 78 00"])
def test_all_notes_off_ends_all(voices: Voices, ending: str) -> None:
    play(voices, PLAYER, "90 3c 60", "90 40 60", "90 3c 70", ending)
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) < 1e-3


def test_one_hand_never_ends_the_others_note(voices: Voices) -> None:
    play(voices, PLAYER, "90 3c 60")
    play(voices, LIVEMUSE, "90 3c 60", "80 3c 00", "b0 78 00")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) > 0.01
    play(voices, PLAYER, "91 3c 60", "81 3c 00", "80 3c 00")
    loudness(voices, 1.0)
    assert peak(voices.render(4800)) < 1e-3


@pytest.mark.parametrize(
    "message",
    ["", "90", "f0 7e f7", "f8", "ff", "c0 7f", "c9 7f", "b0 07 00", "b0 79 00", "b0 00 7f", "d0 40", "e0 00 00"],
)
def test_no_message_upsets_it(voices: Voices, message: str) -> None:
    for who in (PLAYER, LIVEMUSE):
        play(voices, who, message, "90 3c 60", "99 24 60", "b0 79 00", "b0 07 64")
    assert peak(voices.render(4800)) > 0.0


def test_a_file_that_is_no_soundfont_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.sf2").write_bytes(b"no font")
    for path in (tmp_path / "x.sf2", tmp_path / "none.sf2"):
        with pytest.raises(LivemuseError, match="no SoundFont that can be played"):
            Voices(path)


def test_which_soundfont_is_played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = find_soundfont()
    assert path is not None
    assert path.stat().st_size > 1_000_000
    monkeypatch.setenv("LIVEMUSE_SOUNDFONT", str(tmp_path / "none.sf2"))
    assert find_soundfont() is None
    (tmp_path / "mine.sf2").touch()
    monkeypatch.setenv("LIVEMUSE_SOUNDFONT", str(tmp_path / "mine.sf2"))
    assert find_soundfont() == tmp_path / "mine.sf2"

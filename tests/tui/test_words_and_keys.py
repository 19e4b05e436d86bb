"""Text from outside, the computer's keyboard, the palette."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import livemuse.tui
from livemuse.music.controls import ACTIONS, CONTROLS, GROUPS
from livemuse.tui.big_letters import LINES, big
from livemuse.tui.colours import VARIABLES, ink, line
from livemuse.tui.computer_keys import LAYOUT, ComputerKeys
from livemuse.tui.finding import everything, found
from livemuse.tui.keys import KEYS, bottom_line
from livemuse.tui.widgets.turn import FACES
from livemuse.tui.words import fitted, milliseconds, number, plain

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates too


@given(ANY_TEXT)
def test_no_control_code_reaches_the_terminal(text: str) -> None:
    shown = plain(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in shown)
    shown.encode()


@given(ANY_TEXT, st.integers(0, 40))
def test_text_fits_its_place_exactly(text: str, width: int) -> None:
    assert cell_len(fitted(text, width)) == width


@given(st.lists(ANY_TEXT, max_size=4), st.lists(ANY_TEXT, max_size=3), st.integers(0, 90))
def test_a_line_has_exactly_its_width(left: list[str], right: list[str], width: int) -> None:
    style = ink()
    strip = line(width, [(plain(text), style) for text in left], style, [(plain(text), style) for text in right])
    assert sum(segment.cell_length for segment in strip) == width


def test_numbers_are_short() -> None:
    assert [number(value) for value in (0.9, 1.0, 0.95, 24, "auto", 12345.6)] == [
        "0.9", "1", "0.95", "24", "auto", "1.235e+04",
    ]  # fmt: skip
    assert [milliseconds(value) for value in (0.04, 3.94, 220, None, float("nan"), -1)] == [
        "0.0", "3.9", "220", "–", "–", "–",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("octave", "character", "pitch"),
    [(4, "z", 60), (4, "Z", 60), (4, "m", 71), (4, "q", 72), (4, "p", 88), (3, "z", 48), (0, "z", 12), (7, "q", 108),
     (4, ",", 72), (4, "/", 76), (4, "a", None), (4, "1", None), (4, None, None), (4, "", None), (4, "zz", None)],
)  # fmt: skip
def test_the_layout_of_trackers(octave: int, character: str | None, pitch: int | None) -> None:
    assert ComputerKeys(octave).pitch(character) == pitch


def test_octaves_and_velocities_stay_in_range() -> None:
    keys = ComputerKeys()
    for _ in range(20):
        keys = keys.shifted(1).louder(1)
    assert (keys.octave, keys.velocity) == (7, 127)
    assert all(keys.pitch(character) is None or keys.pitch(character) <= 127 for character in LAYOUT)  # type: ignore[operator]
    for _ in range(20):
        keys = keys.shifted(-1).louder(-1)
    assert (keys.octave, keys.velocity) == (0, 16)


def test_no_key_means_two_things_and_none_is_a_note() -> None:
    names = [name for key in KEYS for name in key.keys.split(",")]
    assert len(names) == len(set(names))
    assert not set(names) & set(LAYOUT)
    assert {action for _, _, action in bottom_line()} <= {key.action for key in KEYS}


def test_every_action_has_a_key() -> None:
    done = {key.action.removeprefix("do('").rstrip("')") for key in KEYS}
    assert set(ACTIONS) - done == {"shutdown"}  # which quit does


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_is_in_a_group_and_its_help_fits_a_line_of_80_columns(name: str) -> None:
    assert CONTROLS[name].group in GROUPS
    assert all(len(words) <= 78 for words in (CONTROLS[name].help, CONTROLS[name].on_grid))


@pytest.mark.parametrize(
    ("query", "first", "value"),
    [
        ("temp", "temperature", ""), ("temp 0.7", "temperature", "0.7"), ("temp. time", "temperature_time", ""),
        ("top p", "top_p", ""), ("top p 0.5", "top_p", "0.5"), ("max_notes_per_s=12", "max_notes_per_s", "12"),
        ("key", "key", ""), ("KEY Eb Dorian", "key", "Eb Dorian"), ("key s", "key_strength", ""),
        ("key strength 1", "key_strength", "1"), ("chords Am F C G", "chords", "Am F C G"),
        ("polyphony auto", "polyphony", "auto"), ("length", "answer_length", ""), ("answer", "answer", ""),
        ("answer_length 8 s", "answer_length", "8 s"), ("panic", "panic", ""), ("own motifs", "imitate", ""),
    ],
)  # fmt: skip
def test_what_is_typed_finds_what_is_meant(query: str, first: str, value: str) -> None:
    matches, rest = found(query, everything())
    assert (matches[0].name, rest) == (first, value)


@given(st.text(max_size=30))
def test_whatever_is_typed_something_or_nothing_is_found(query: str) -> None:
    matches, _ = found(query, everything())
    assert len(set(matches)) == len(matches)


def test_headlines_can_be_written_big() -> None:
    for headline in [face[0] for face in FACES.values()] + ["STARTING", "ENGINE GONE", "NO ENGINE"]:
        lines = big(headline)
        assert len(lines) == LINES
        assert len({len(row) for row in lines}) == 1
        assert len(lines[0]) <= 96
        for letter in set(headline) - {" "}:
            assert "".join(big(letter)).strip()


def test_the_style_sheet_uses_the_palette() -> None:
    sheet = (Path(livemuse.tui.__file__).parent / "livemuse.tcss").read_text()
    assert not re.search(r"#[0-9a-fA-F]{6}\b", sheet)
    for name in {word[1:].strip(";%") for word in sheet.split() if word.startswith("$")}:
        assert name in VARIABLES

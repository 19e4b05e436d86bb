"""What `python -m training phrases` counts."""

import json
from pathlib import Path

import pytest

from livemuse.music.context import BeatGrid, Context
from livemuse.music.notes import Note
from livemuse.music.theory import Key, parse_key
from training.figures.harmony import in_key_share
from training.figures.phrases import (
    SECTIONS,
    Answered,
    Asked,
    Call,
    ends_on_beat,
    goes_round,
    last_notes,
    longest_round,
    rows_of,
    stated_keys,
    table,
)
from training.figures.playing import Turn


def notes(*pitches: int, step_s: float = 0.2) -> tuple[Note, ...]:
    return tuple(Note(k * step_s, pitch, 0.2, 80) for k, pitch in enumerate(pitches))


def test_the_last_notes_are_those_of_the_last_onset_from_the_lowest_up() -> None:
    played = (*notes(60, 62, 64), Note(1.0, 67, 1.0, 80), Note(1.02, 48, 1.0, 80))
    assert [n.pitch for n in last_notes(played)] == [48, 67]


@pytest.mark.parametrize("figure", [(60,), (60, 62), (60, 64, 67, 72)])
def test_a_figure_more_than_four_times_goes_round_and_four_times_does_not(figure: tuple[int, ...]) -> None:
    times = 4 // len(figure)
    assert not goes_round(notes(59, *(4 * times * figure), 61))
    assert goes_round(notes(59, *(5 * times * figure), 61))


def test_it_counts_in_the_order_of_a_file() -> None:
    chords = [Note(k * 0.5, p, 0.4, 80) for k in range(5) for p in ((60, 64, 67, 71), (71, 64, 67, 60))[k % 2]]
    assert goes_round(chords)
    assert longest_round(notes(*range(40, 60)), range(1, 9)) == 1.0


def test_an_end_is_on_the_beat_within_30_ms() -> None:
    def answered(onset_s: float, clear: bool = True) -> bool | None:
        turn = Turn("", notes(60), notes(60), (Note(onset_s, 60, 1.0, 80),))
        return ends_on_beat(Answered(Call(turn), turn, Context(beats=BeatGrid(2.0, 0.5, clear=clear)), 3.25))

    assert answered(0.27) is True
    assert answered(0.23) is True
    assert answered(0.5) is False
    assert answered(0.25, clear=False) is None


def test_notes_inside_of_a_key() -> None:
    assert in_key_share(notes(60, 62, 64, 66), parse_key("C major")) == 0.75


def test_keys_are_those_of_titles_and_of_pop909(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("file,title,source\na.mid,Prelude in C minor,X\nb.mid,Untitled,X\npop909/001.mid,001,POP909\n")
    (tmp_path / "001").mkdir()
    (tmp_path / "001" / "key_audio.txt").write_text("0.0\t200.0\tGb:maj\n")
    asked = Asked(Path("model"), Path("notes"), manifest, tmp_path)
    assert stated_keys(asked) == {"a.mid": Key(0, "minor"), "pop909/001.mid": Key(6, "major")}
    assert stated_keys(Asked(Path("model"), Path("notes"))) == {}


def test_every_section_has_rows_and_an_unknown_one_is_refused() -> None:
    asked = Asked(Path("model"), Path("notes"))
    assert all(len(rows_of(section, asked)) > 1 for section in SECTIONS)
    with pytest.raises(ValueError, match="cadence, loops"):
        rows_of("nonsense", asked)


def test_the_table_is_read_by_a_person_and_by_a_program() -> None:
    found = {"sections": {"key": {"key=off": {"answers": 3, "home": 0.5}, "pianists": {"in_stated": 0.9}}}}
    lines = table(json.loads(json.dumps(found))).splitlines()
    assert lines[-2].split() == ["key=off", "3", "0.500", *["-"] * 12]
    assert "0.900" in lines[-1]

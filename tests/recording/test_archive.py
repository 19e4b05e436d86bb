"""What was played in an earlier session, heard again: from records, journals and files."""

import json
from pathlib import Path
from typing import Any

import pytest

from livemuse.engine.virtual import Evening
from livemuse.errors import FileError
from livemuse.midi.messages import note_off, note_on
from livemuse.midi.smf import Track, write_song
from livemuse.model.improviser import Improviser
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note
from livemuse.recording.archive import Archive, memory_from, memory_of
from livemuse.recording.journal import SUFFIX, SessionJournal
from livemuse.recording.records import Record
from livemuse.recording.sessions import finish
from livemuse.testing.scripted import ScriptedStepper
from tests.recording.evening import SESSION, write_evening

TUNE = [(1.0, 67), (1.3, 69), (1.6, 64), (2.1, 71)]


def record(kind: str, at_s: float, **fields: Any) -> Record:
    return Record(kind, at_s, fields, json.dumps({"k": kind, "t": at_s, **fields}).encode())


def key(at_s: float, pitch: int, length_s: float = 0.2, channel: int = 0) -> list[Record]:
    return [record("heard", at_s, b=note_on(channel, pitch, 80).hex()),
            record("heard", at_s + length_s, b=note_off(channel, pitch).hex())]  # fmt: skip


def session(*records: Record) -> list[Record]:
    return [record("session", 0.0, **SESSION), *records, record("end", 99.0)]


def played(memory: MotifMemory) -> list[tuple[float, int]]:
    return [(note.onset_s, note.pitch) for note in memory.notes]


def test_it_is_what_the_improviser_remembered_at_the_end() -> None:
    partner = Improviser(ScriptedStepper())
    night = Evening(Duet(Controls({"wait": 0.5, "answer_length": "3 notes", "start_on": "any"})), partner)
    notes = [Note(at_s + turn * 8.0, pitch, 0.2, 80) for turn in range(4) for at_s, pitch in TUNE]
    night.play_notes(notes)
    night.run(60.0)
    assert night.duet.turn == 4
    again = memory_from(session(*(r for note in notes for r in key(note.onset_s, note.pitch))))
    assert again.to_rows() == partner.motifs.to_rows()
    assert again.phrases[-1] == 4


def test_what_was_forgotten_is_not_in_it_and_what_was_loaded_is() -> None:
    loaded = memory_from(session(*key(5.0, 40), *key(5.3, 41)))
    records = session(
        *key(1.0, 60), record("action", 2.0, name="forget"),
        *key(3.0, 62), record("remembered", 4.0, session="x.mid", notes=loaded.to_rows()), *key(4.5, 64),
    )  # fmt: skip
    assert played(memory_from(records)) == [(5.0, 40), (5.3, 41), (3.0, 62), (4.5, 64)]
    assert memory_from(records).to_rows()[2][4] == 1  # what was played that evening is another phrase


def test_a_key_that_was_down_when_it_was_forgotten_is_forgotten() -> None:
    down, up = key(1.0, 60, length_s=2.0)
    assert played(memory_from(session(down, record("action", 2.0, name="forget"), up, *key(3.5, 62)))) == [(3.5, 62)]


def test_only_the_channel_that_was_listened_to() -> None:
    records = session(*key(1.0, 60, channel=3), record("control", 2.0, name="channel_in", value=4),
                      *key(3.0, 61), *key(4.0, 62, channel=3))  # fmt: skip
    assert played(memory_from(records)) == [(1.0, 60), (4.0, 62)]


def test_damaged_rows_are_left_out() -> None:
    records = session(record("remembered", 1.0, session="x", notes=[[1, "a"]]), *key(2.0, 60))
    assert played(memory_from(records)) == [(2.0, 60)]


def test_sessions_by_name_the_last_one_and_any_file(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "sessions")
    with pytest.raises(FileError, match="no session 'last'"):
        archive.remembered("last")
    for name in ("2026-11-20_200000", "2026-11-21_200000"):
        write_evening(tmp_path / "sessions" / f"{name}{SUFFIX}")
    finish(tmp_path / "sessions" / f"2026-11-20_200000{SUFFIX}")  # the other one was cut off
    running = SessionJournal(tmp_path / "sessions" / f"2026-11-22_200000{SUFFIX}")
    assert [(s["name"], s["state"]) for s in archive.sessions()] == [
        ("2026-11-20_200000", "done"), ("2026-11-21_200000", "cut off"),
    ]  # fmt: skip
    done, cut_off = archive.remembered("2026-11-20_200000"), archive.remembered("last")
    assert (done[0], cut_off[0]) == ("2026-11-20_200000.mid", f"2026-11-21_200000{SUFFIX}")
    assert done[1].to_rows() == cut_off[1].to_rows()  # exactly: the file holds the records
    assert [note.pitch for note in done[1].notes] == [60, 64]
    running.close()
    file = tmp_path / "licks.mid"
    strikes = [(at_s, note_on(0, pitch, 80)) for at_s, pitch in TUNE]
    ends = [(at_s + 0.2, note_off(0, pitch)) for at_s, pitch in TUNE]
    file.write_bytes(write_song([Track("piano", sorted([*strikes, *ends]))]))
    assert [note.pitch for note in archive.remembered(str(file))[1].notes] == [67, 69, 64, 71]


@pytest.mark.parametrize("content", [b"", b"MThd", b"no music at all"])
def test_what_is_no_music_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.mid"
    file.write_bytes(content)
    with pytest.raises(FileError):
        Archive(tmp_path).remembered(str(file))


def test_a_file_in_which_nothing_was_played(tmp_path: Path) -> None:
    file = tmp_path / "silence.mid"
    file.write_bytes(write_song([Track("piano", [])]))
    with pytest.raises(FileError, match="Nothing was played"):
        Archive(tmp_path).remembered(str(file))
    assert len(memory_of(file)) == 0

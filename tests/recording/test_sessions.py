"""Sessions become MIDI files whole or not at all, however they ended."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livemuse.errors import FileError
from livemuse.midi.smf import Song, notes_of, read_song
from livemuse.recording.journal import SessionJournal
from livemuse.recording.midifile import read_midi_file, records_of, session_song, write_whole
from livemuse.recording.records import decode_record, read_records
from livemuse.recording.sessions import finish, list_sessions, recover, save
from tests.recording.evening import EVENING, SESSION, START_S, write_evening


def channel_messages(song: Song, track: str) -> list[str]:
    number = song.track_names.index(track)
    return [message.hex() for _, message in song.track(number) if message[0] < 0xF8]


def test_the_file_has_the_two_tracks_and_a_conductor(tmp_path: Path) -> None:
    write_evening(tmp_path / "a.journal")
    song = read_midi_file(finish(tmp_path / "a.journal"))
    assert song.track_names == ("session", "player", "livemuse")
    assert song.tempos == ((0.0, 120.0),)
    player = song.track_names.index("player")
    assert [(round(t, 2), m.hex()) for t, m in song.track(player)][1:] == [
        (0.50, "b0407f"), (0.51, "903c50"), (0.81, "803c00"), (0.82, "904060"), (0.83, "e00042"),
        (0.90, "f07e7f0601f7"), (1.20, "904000"), (1.21, "b04000"),
    ]  # fmt: skip
    assert channel_messages(song, "livemuse") == ["904346", "804340", "90484b", "804840"]
    assert [n.pitch for n in notes_of(song)] == [60, 64, 67, 72]


def test_what_happened_can_be_read_in_any_sequencer(tmp_path: Path) -> None:
    write_evening(tmp_path / "a.journal")
    song = read_midi_file(finish(tmp_path / "a.journal"))
    texts = [(round(t, 1), m[1], m[2:].decode()) for t, m in song.track(0) if m[1] in (1, 6)]
    assert texts == [
        (0.0, 1, "model = concert"), (0.0, 1, "terms of the model = CC BY-NC-SA 4.0"),
        (0.5, 6, "turn 1: player"), (1.3, 1, "temperature = 0.7"), (2.0, 6, "turn 1: livemuse"),
        (2.4, 1, "taken back by the player"), (2.6, 1, "do stop"), (2.7, 1, "The MIDI output is gone."),
    ]  # fmt: skip


def test_the_exact_records_come_back_out_of_the_file(tmp_path: Path) -> None:
    lines = write_evening(tmp_path / "a.journal")
    path = finish(tmp_path / "a.journal")
    assert [record.line for record in records_of(path)] == lines
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


def test_records_whose_stamps_go_back_keep_their_order(tmp_path: Path) -> None:
    journal = SessionJournal(tmp_path / "a.journal")
    journal.write("session", 0.0, **SESSION)
    for at_s in (3.0, 1.0, 2.0, 0.5, 9.0, 8.0):
        journal.write("notice", at_s, text=f"at {at_s}")
    journal.close()
    records = records_of(finish(journal.path))
    assert [record.at_s for record in records] == [0.0, 3.0, 1.0, 2.0, 0.5, 9.0, 8.0]


def test_every_note_is_ended_and_every_pedal_lifted() -> None:
    lines = [
        '{"k":"heard","t":0.0,"b":"903c40"}', '{"k":"heard","t":0.1,"b":"903c41"}',
        '{"k":"heard","t":0.2,"b":"b0407f"}',
        '{"k":"sent","t":0.3,"take":1,"index":0,"due":0.3,"pitch":70,"velocity":0,"channel":2}',
        '{"k":"sent","t":0.4,"take":1,"index":1,"due":0.4,"pitch":71,"velocity":99,"channel":2}',
        '{"k":"stage","t":0.5,"event":"lost"}', '{"k":"ended","t":0.9,"take":1,"index":0}',
    ]  # fmt: skip
    song = read_song(session_song([decode_record(line.encode()) for line in lines]))
    assert channel_messages(song, "player") == ["903c40", "903c41", "b0407f", "803c40", "803c40", "b04000"]
    assert channel_messages(song, "livemuse") == ["924601", "924763", "824640", "824740"]
    assert [round(n.end_s, 2) for n in notes_of(song, track=2)] == [0.5, 0.5]


def test_the_shortest_note_is_no_note_of_nothing() -> None:
    lines = ['{"k":"heard","t":0.1,"b":"903c40"}', '{"k":"heard","t":0.1,"b":"803c40"}']
    (note,) = notes_of(read_song(session_song([decode_record(line.encode()) for line in lines])))
    assert note.duration_s > 0.0005


def test_damaged_bytes_in_a_record_leave_the_file_legal() -> None:
    damaged = ("", "9", "zz", "90", "90ffff", "f8", "f7", "c0", "c005", "ff2f")
    lines = [f'{{"k":"heard","t":0.1,"b":"{b}"}}' for b in damaged]
    song = read_song(session_song([decode_record(line.encode()) for line in lines]))
    assert channel_messages(song, "player") == ["c005"]


def test_a_session_that_runs_is_left_alone_and_can_be_saved(tmp_path: Path) -> None:
    journal = SessionJournal(tmp_path / "a.journal")
    for kind, at_s, fields in EVENING[:14]:
        journal.write(kind, START_S + at_s, **fields)
    assert recover(tmp_path) == []
    assert [(s.name, s.state) for s in list_sessions(tmp_path)] == [("a", "recording")]
    save(journal.path, tmp_path / "a.mid")
    assert [n.pitch for n in notes_of(read_midi_file(tmp_path / "a.mid"))] == [60, 64, 67]
    for kind, at_s, fields in EVENING[14:]:
        journal.write(kind, START_S + at_s, **fields)
    journal.close()
    assert [(s.name, s.state) for s in list_sessions(tmp_path)] == [("a", "cut off"), ("a", "done")]
    (outcome,) = recover(tmp_path)
    assert outcome.path == tmp_path / "a.mid"  # over its own earlier save
    assert (outcome.notes, outcome.problem) == (4, "")
    assert [(s.name, s.state) for s in list_sessions(tmp_path)] == [("a", "done")]


def test_a_file_of_another_session_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"somebody's music")
    write_evening(tmp_path / "a.journal")
    (outcome,) = recover(tmp_path)
    assert outcome.path == tmp_path / "a-2.mid"
    assert (tmp_path / "a.mid").read_bytes() == b"somebody's music"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_journal_cut_at_any_byte_gives_every_whole_record(tmp_path: Path, draw: st.DataObject) -> None:
    folder = tmp_path / os.urandom(6).hex()
    lines = write_evening(folder / "a.journal")
    data = (folder / "a.journal").read_bytes()
    cut = draw.draw(st.integers(0, len(data)))
    (folder / "a.journal").write_bytes(data[:cut])
    whole = [line for n, line in enumerate(lines) if len(b"\n".join(lines[: n + 1])) <= cut]
    (outcome,) = recover(folder)
    if whole:
        assert outcome.path is not None
        assert outcome.problem == ""
        assert [record.line for record in records_of(outcome.path)] == whole
        assert [path.name for path in folder.iterdir()] == ["a.mid"]
    else:
        assert outcome.problem == "a.journal holds not one whole record."
        assert [path.name for path in folder.iterdir()] == ["a.journal"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_journal_gives_the_rest_and_is_kept(tmp_path: Path, draw: st.DataObject) -> None:
    folder = tmp_path / os.urandom(6).hex()
    lines = write_evening(folder / "a.journal")
    broken = draw.draw(st.sets(st.integers(0, len(lines) - 2), min_size=1, max_size=5))
    damaged = b"\n".join(b"\x00\xffrubbish" if n in broken else line for n, line in enumerate(lines)) + b"\n"
    (folder / "a.journal").write_bytes(damaged)
    (outcome,) = recover(folder)
    assert outcome.path == folder / "a.mid"
    assert f"{len(broken)} damaged line" in outcome.problem
    assert (folder / "a.damaged").read_bytes() == damaged
    rest = [line for n, line in enumerate(lines) if n not in broken]
    assert [m[12:] for _, m in read_midi_file(folder / "a.mid").track(0) if m[1] == 0x7F] == rest
    assert recover(folder) == []


def test_a_journal_of_another_version_stays_as_it_is(tmp_path: Path) -> None:
    lines = write_evening(tmp_path / "a.journal")
    later = b"\n".join(lines).replace(b'"format":1', b'"format":9')
    (tmp_path / "a.journal").write_bytes(later)
    (outcome,) = recover(tmp_path)
    assert outcome.path is None
    assert "format 9" in outcome.problem
    assert (tmp_path / "a.journal").read_bytes() == later


def test_a_full_disk_leaves_the_journal_and_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_evening(tmp_path / "a.journal")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("livemuse.recording.midifile.os.fsync", full)
        with pytest.raises(FileError, match="No space left"):
            finish(tmp_path / "a.journal")
    assert [path.name for path in tmp_path.iterdir()] == ["a.journal"]
    assert finish(tmp_path / "a.journal").name == "a.mid"


def test_no_folder_is_no_sessions(tmp_path: Path) -> None:
    assert recover(tmp_path / "none") == []
    assert list_sessions(tmp_path / "none") == []


def test_answers_that_were_marked_are_listed_with_their_session(tmp_path: Path) -> None:
    write_evening(tmp_path / "b.journal")
    journal = SessionJournal(tmp_path / "a.journal")
    for kind, at_s, fields in [*EVENING[:-1], ("kept", 2.9, {"turn": 12}), ("kept", 2.95, {"turn": 1}), EVENING[-1]]:
        journal.write(kind, START_S + at_s, **fields)
    journal.close()
    assert [s.kept for s in list_sessions(tmp_path)] == [(1, 12), ()]
    made = finish(tmp_path / "a.journal")
    assert [s.kept for s in list_sessions(tmp_path)] == [(1, 12), ()]
    assert b"keep: turn 12" in made.read_bytes()


@pytest.mark.parametrize("content", [b"", b"no music", b"MThd\0\0\0\6\0\1\0\0\3\xc0"])
def test_records_of_a_file_that_is_no_session(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mid").write_bytes(content)
    with pytest.raises(FileError):
        records_of(tmp_path / "x.mid")


def test_files_that_cannot_be_read_or_written_are_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.mid"):
        with pytest.raises(FileError):
            read_midi_file(path)
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be written"):
        write_whole(tmp_path / "file" / "x.mid", b"")


def test_two_hours_of_playing_are_a_file_in_seconds() -> None:
    lines = [b'{"k":"session","t":0.0,"format":1,"livemuse":"0.1.0","seed":1,"model":{},"controls":{}}']
    for n in range(20_000):
        lines.append(b'{"k":"heard","t":%.3f,"b":"90%02x40"}' % (n * 0.3, 40 + n % 40))
        lines.append(b'{"k":"heard","t":%.3f,"b":"80%02x00"}' % (n * 0.3 + 0.2, 40 + n % 40))
    reading = read_records(b"\n".join(lines), "evening")
    song = read_song(session_song(reading.records))
    assert len(notes_of(song)) == 20_000

"""What is written is in the file at once, and a disk that takes nothing stops nobody."""

import errno
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.errors import FileError
from livemuse.recording.journal import MOST_WAITING, SessionJournal, session_stem
from livemuse.recording.records import KINDS, LONGEST_LINE, decode_record, encode_record, read_records
from livemuse.recording.sessions import is_open
from tests.recording.evening import EVENING, START_S, write_evening


def test_every_record_is_in_the_file_when_write_returns(tmp_path: Path) -> None:
    journal = SessionJournal(tmp_path / "new" / "a.journal")
    for number, (kind, at_s, fields) in enumerate(EVENING, start=1):
        journal.write(kind, at_s, **fields)
        assert journal.path.read_bytes().count(b"\n") == number
    journal.close()


def test_records_come_back_exactly(tmp_path: Path) -> None:
    lines = write_evening(tmp_path / "a.journal")
    reading = read_records((tmp_path / "a.journal").read_bytes(), "a")
    assert reading.damaged == 0
    assert [(r.kind, r.at_s, dict(r.fields)) for r in reading.records] == [(k, START_S + t, f) for k, t, f in EVENING]
    assert [record.line for record in reading.records] == lines


def test_every_kind_is_in_the_table() -> None:
    once = {"mapped", "ended", "expected", "chosen", "kept", "woke", "model", "remembered", "stage"}
    assert {kind for kind, _, _ in EVENING} | once == set(KINDS)


def test_a_second_session_of_the_same_second_gets_a_name_of_its_own(tmp_path: Path) -> None:
    began = datetime(2026, 11, 21, 19, 30, 5, tzinfo=UTC)
    assert session_stem(tmp_path, began) == "2026-11-21_193005"
    (tmp_path / "2026-11-21_193005.mid").touch()
    assert session_stem(tmp_path, began) == "2026-11-21_193005-2"
    (tmp_path / "2026-11-21_193005-2.journal").touch()
    assert session_stem(tmp_path, began) == "2026-11-21_193005-3"


def test_an_open_journal_is_locked_and_a_closed_one_is_not(tmp_path: Path) -> None:
    journal = SessionJournal(tmp_path / "a.journal")
    assert is_open(journal.path)
    journal.close()
    assert not is_open(journal.path)


def test_a_killed_writer_loses_nothing_and_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    program = (
        "import os, signal, sys; from pathlib import Path; from livemuse.recording.journal import SessionJournal\n"
        "j = SessionJournal(Path(sys.argv[1]))\n"
        "for n in range(500): j.write('notice', float(n), text='x')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=30)
    assert path.read_bytes().count(b"\n") == 500
    assert not is_open(path)


class Disk:
    """A disk with ``room`` bytes left."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def write(self, descriptor: int, data: bytes) -> int:
        """Take what there is room for."""
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self._write(descriptor, data[: self.room])
        self.room -= count
        return count


def test_a_full_disk_stops_nobody_and_nothing_is_lost_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(100)
    journal = SessionJournal(tmp_path / "a.journal")
    monkeypatch.setattr("livemuse.recording.journal.os.write", disk.write)
    for number in range(50):
        journal.write("notice", float(number), text="la")
    assert "No space left on device" in journal.trouble
    assert journal.path.stat().st_size == 100
    disk.room = 1 << 20
    journal.write("notice", 50.0, text="la")
    assert journal.trouble == ""
    journal.close()
    assert journal.lost == 0
    assert [r.at_s for r in read_records(journal.path.read_bytes(), "a").records] == [float(n) for n in range(51)]


def test_a_disk_that_stays_full_costs_records_not_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SessionJournal(tmp_path / "a.journal")
    monkeypatch.setattr("livemuse.recording.journal.os.write", Disk(0).write)
    for number in range(40):
        journal.write("notice", float(number), text="x" * (MOST_WAITING // 30))
    assert journal.lost > 0
    journal.close()
    assert journal.lost == 40


def test_a_folder_that_cannot_be_made_is_a_sentence_until_it_can(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("a file in the way")
    journal = SessionJournal(tmp_path / "sessions" / "a.journal")
    journal.write("notice", 0.0, text="la")
    assert journal.trouble.startswith("The session cannot be written to")
    (tmp_path / "sessions").unlink()
    journal.write("notice", 1.0, text="la")
    assert journal.trouble == ""
    journal.close()
    assert len(read_records(journal.path.read_bytes(), "a").records) == 2


def test_a_slow_disk_holds_up_its_own_thread_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, done = threading.Event(), threading.Event()

    def slow(_descriptor: int) -> None:
        asked.set()
        done.wait(10)

    monkeypatch.setattr("livemuse.recording.journal.os.fsync", slow)
    monkeypatch.setattr("livemuse.recording.journal.SYNC_EVERY_S", 0.01)
    journal = SessionJournal(tmp_path / "a.journal")
    journal.write("notice", 0.0, text="la")
    assert asked.wait(10)
    for number in range(100):  # the disk is busy, and these return all the same
        journal.write("notice", float(number), text="la")
    assert journal.path.read_bytes().count(b"\n") == 101
    done.set()
    journal.close()


def test_after_the_end_nothing_is_written(tmp_path: Path) -> None:
    journal = SessionJournal(tmp_path / "a.journal")
    journal.close()
    journal.close()
    journal.write("notice", 0.0, text="la")
    assert journal.path.read_bytes() == b""
    assert journal.lost == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_hold_is_a_bug_of_the_caller(tmp_path: Path, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode_record("notice", 0.0, {"text": value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.text(), st.floats(-1e9, 1e9), st.dictionaries(st.text(min_size=2), JSON, max_size=4))
def test_any_record_comes_back(kind: str, at_s: float, fields: dict[str, Any]) -> None:
    line = encode_record(kind, at_s, fields)
    assert line.count(b"\n") == 1
    if kind not in KINDS:
        record = decode_record(line[:-1])
        assert (record.kind, record.at_s, dict(record.fields)) == (kind, at_s, fields)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"[]", b"3", b"null", b'{"k":"end"}', b'{"t":1.0}', b'{"k":"end","t":NaN}', b'{"k":"end","t":true}',
        b'{"k":"end","t":1e400}', b'{"k":7,"t":1.0}', b'{"k":"heard","t":1.0}', b'{"k":"heard","t":1.0,"b":7}',
        b'{"k":"sent","t":1.0,"take":1,"index":true,"due":1.0,"pitch":1,"velocity":1,"channel":1}',
        b'{"k":"end","t":1.0', b"\xff\xfe", b"[" * 100_000, b" " * (LONGEST_LINE + 1),
    ],
)  # fmt: skip
def test_damaged_lines_are_told_from_whole_ones(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_record(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_records_or_our_error(data: bytes) -> None:
    for journal in (data, b'{"k":"end","t":1.0}\n' + data):
        try:
            read_records(journal, "a")
        except FileError:
            continue


def test_another_format_is_refused_with_the_version_that_wrote_it(tmp_path: Path) -> None:
    lines = write_evening(tmp_path / "a.journal")
    with pytest.raises(FileError, match=r"a\.journal is in format 2; this livemuse reads format 1\. .*0\.1\.0"):
        read_records(b"\n".join(lines).replace(b'"format":1', b'"format":2'), "a.journal")

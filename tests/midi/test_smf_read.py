"""Any bytes become a song or one sentence: a table of what files are found in the world, byte by byte.

Each row is written as it stands in the file, so that it can be checked against the specification by eye.
"""

import csv
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.errors import FileError
from livemuse.midi.smf import LONGEST_NOTE_S, LONGEST_REST_S, notes_of, read_song
from livemuse.midi.smf_read import MOST_EVENTS

HEADER = "4D546864 00000006 0000 0001 01E0"  # MThd, 6 bytes: type 0, 1 track, 480 ticks a beat
SONG = (
    "00 90 3C 40"  # at 0: middle C, velocity 64
    "81 70 80 3C 00"  # 240 ticks (a quarter of a second) later: up
    "00 90 40 50"  # at once: E, velocity 80
    "81 70 90 40 00"  # up, written as a strike of velocity 0
)
END = "00 FF 2F 00"


def track(events: str, tag: str = "4D54726B", length: int | None = None) -> str:
    """One MTrk chunk: its tag, its length, the events."""
    body = bytes.fromhex(events)
    return f"{tag} {len(body) if length is None else length:08X} {events}"


def whole(events: str, header: str = HEADER) -> str:
    """A file of one track."""
    return f"{header} {track(events + END)}"


# (what it is, the file, (onset, pitch, duration, velocity) of its notes)
TWO = [(0.0, 60, 0.25, 64), (0.25, 64, 0.25, 80)]
READ = [
    ("a good file", whole(SONG), TWO),
    ("type 1 without a track", "4D546864 00000006 0001 0000 01E0", []),
    ("header of 10 bytes", whole(SONG, "4D546864 0000000A 0000 0001 01E0 DEADBEEF"), TWO),
    ("no track announced, one there", whole(SONG, "4D546864 00000006 0000 0000 01E0"), TWO),
    ("type 0 with two tracks", f"4D546864 00000006 0000 0002 01E0 {track(SONG + END)} {track(END)}", TWO),
    ("type 2: one track after the other",
     f"4D546864 00000006 0002 0002 01E0 {track('00 903C40 8360 803C00' + END)} {track('00 904050 8170 804000' + END)}",
     [(0.0, 60, 0.5, 64), (0.5, 64, 0.25, 80)]),
    ("1 tick a beat", whole("00 903C40 01 803C00", "4D546864 00000006 0000 0001 0001"), [(0.0, 60, 0.5, 64)]),
    ("SMPTE: 25 frames of 40 ticks, a tempo that means nothing",
     whole("00 FF5103 0F4240 00 903C40 817A 803C00", "4D546864 00000006 0000 0001 E728"), [(0.0, 60, 0.25, 64)]),
    ("RIFF wrapper", "52494646 00000038 524D4944 64617461 2D000000" + whole(SONG), TWO),
    ("unknown chunk before the track", f"{HEADER} {track('00010203', '58464946')} {track(SONG + END)}", TWO),
    ("bytes behind the last chunk", whole(SONG) + "00 11 22 33 FF FF FF FF FF FF FF", TWO),
    ("two files joined", whole(SONG) * 2, TWO),
    ("events behind End of Track", f"{HEADER} {track(SONG + END + SONG + END)}", TWO),
    ("no End of Track", f"{HEADER} {track(SONG)}", TWO),
    ("running status", whole("00 90 3C40 8170 3C00 00 4050 8170 4000"), TWO),
    ("running status goes on behind a text", whole("00 90 3C40 00 FF0101 78 8170 3C00"), TWO[:1]),
    ("SysEx in two packets", whole("00 F003 430001 00 F702 55F7" + SONG), TWO),
    ("SysEx that is never closed", whole("00 F003 430001" + SONG), TWO),
    ("an escape that carries a strike is no note", whole("00 F703 904840" + SONG), TWO),
    ("real-time bytes", whole("00 F8 00 FE" + SONG), TWO),
    ("system common messages", whole("00 F100 00 F20000 00 F305 00 F6" + SONG), TWO),
    ("undefined status bytes", whole("00 F4 00 F5 00 F9 00 FD" + SONG), TWO),
    ("unknown meta event", whole("00 FF6004 01020304" + SONG), TWO),
    ("tempo 0 is passed over", whole("00 FF5103 000000" + SONG), TWO),
    ("tempo without content", whole("00 FF5100" + SONG), TWO),
    ("tempo of 5 bytes", whole("00 FF5105 07A1200000" + SONG), TWO),
    ("time signature 0/4, of 1 byte, of 2^255", whole("00 FF580400021808 00 FF580104 00 FF5804 04FF1808" + SONG), TWO),
    ("key signature without content, with 9 sharps", whole("00 FF5900 00 FF5902 0900" + SONG), TWO),
    ("sequence number, SMPTE offset and prefixes of odd lengths",
     whole("00 FF0000 00 FF5401FF 00 FF2001FF 00 FF2100" + SONG), TWO),
    ("track name that is no UTF-8", whole("00 FF0304 FF FE E9 1B" + SONG), TWO),
    ("velocity byte 255", whole("00 903CFF 8170 803C00"), [(0.0, 60, 0.25, 127)]),
    ("released without a strike", whole("00 803C00 00 804000"), []),
    ("never released: ends with the song", whole("00 903C40 8360 B00700"), [(0.0, 60, 0.5, 64)]),
    ("released on another channel", whole("00 903C40 8360 813C00"), [(0.0, 60, 0.5, 64)]),
    ("struck three times before a release: each ends the one before",
     whole("00 903C40 8170 903C41 8170 903C42 8170 803C00 00 803C00 00 803C00"),
     [(0.0, 60, 0.25, 64), (0.25, 60, 0.25, 65), (0.5, 60, 0.25, 66)]),
    ("struck twice, released once", whole("00 903C40 8170 903C41 8170 803C00 9E40 B00700"),
     [(0.0, 60, 0.25, 64), (0.25, 60, 0.25, 65)]),
    ("struck again and then released at one tick", whole("00 903C40 8170 903C41 00 803C00 8170 803C00"),
     [(0.0, 60, 0.25, 64), (0.25, 60, 0.25, 65)]),
    ("no length at all", whole("00 903C40 00 803C00"), [(0.0, 60, 0.001, 64)]),
    ("one key on two channels at once is one key", whole("00 903C40 00 913C50 8170 803C00 00 813C00"),
     [(0.0, 60, 0.25, 80)]),
    ("drums", whole("00 993C40 8170 893C00"), []),
    ("the pedal holds a note", whole("00 B0407F 00 903C40 8170 803C00 8170 B04000"), [(0.0, 60, 0.5, 64)]),
    ("the pedal comes up with the song", whole("00 B0407F 00 903C40 8170 803C00 8360 904040 00 804000"),
     [(0.0, 60, 0.75, 64), (0.75, 64, 0.001, 64)]),
    ("a key struck again under the pedal", whole("00 B0407F 00 903C40 8170 803C00 8170 903C50 8170 803C00 8170 B04000"),
     [(0.0, 60, 0.5, 64), (0.5, 60, 0.5, 80)]),
    ("the pedal of another channel", whole("00 B1407F 00 903C40 8170 803C00 8170 B14000"), [(0.0, 60, 0.25, 64)]),
    ("all notes off", whole("00 903C40 00 904041 8170 B07B00"), [(0.0, 60, 0.25, 64), (0.0, 64, 0.25, 65)]),
    ("all notes off leaves the pedal's notes, all sound off does not",
     whole("00 B0407F 00 903C40 8170 B07B00 8170 B07800"), [(0.0, 60, 0.5, 64)]),
    ("a reset lifts the pedal", whole("00 B0407F 00 903C40 8170 803C00 8170 B07900"), [(0.0, 60, 0.5, 64)]),
    ("tempo in a later track holds for all",
     f"4D546864 00000006 0001 0002 01E0 {track('00 903C40 8360 803C00' + END)} {track('8170 FF5103 0F4240' + END)}",
     [(0.0, 60, 0.75, 64)]),
    ("a rest of 77 hours", whole("FFFFFF7F 903C40 8170 803C00"), [(LONGEST_REST_S, 60, 0.25, 64)]),
    ("a note of 77 hours", whole("00 903C40 FFFFFF7F 803C00"), [(0.0, 60, LONGEST_NOTE_S, 64)]),
]  # fmt: skip

REFUSED = [
    ("nothing", "", "empty"),
    ("one byte", "4D", "no MIDI file"),
    ("four letters", "4D546864", "header"),
    ("a web page", b"<!DOCTYPE html><html>".hex(), "no MIDI file"),
    ("gzip", "1F8B0800 00000000", "no MIDI file"),
    ("lower case letters", "6D746864 00000006 0000 0001 01E0", "no MIDI file"),
    ("a MIDI 2.0 clip", b"SMF2CLIP".hex() + "00" * 12, "no MIDI file"),
    ("header of 4 bytes", whole(SONG, "4D546864 00000004 0000 0001 01E0"), "header"),
    ("header of 4 GiB", whole(SONG, "4D546864 FFFFFFFF 0000 0001 01E0"), "header"),
    ("type 9", whole(SONG, "4D546864 00000006 0009 0001 01E0"), "type 9"),
    ("0 ticks a beat", whole(SONG, "4D546864 00000006 0000 0001 0000"), "no ticks"),
    ("SMPTE of 128 frames", whole(SONG, "4D546864 00000006 0000 0001 8028"), "SMPTE"),
    ("SMPTE of 0 ticks a frame", whole(SONG, "4D546864 00000006 0000 0001 E700"), "SMPTE"),
    ("cut behind MTrk", HEADER + "4D54726B", "holds only 0"),
    ("65535 tracks announced", whole(SONG, "4D546864 00000006 0001 FFFF 01E0"), "announces 65535"),
    ("the only track is called MTrl", f"{HEADER} {track(SONG + END, '4D54726C')}", "holds only 0"),
    ("track longer than the file", f"{HEADER} {track(SONG + END, length=5000)}", "ends inside track 1"),
    ("track shorter than its event", f"{HEADER} {track(SONG, length=6)}", "inside an event"),
    ("data before any status", whole("00 3C 40"), "missing its beginning"),
    ("status among data", whole("00 90 90 3C 40"), "missing its end"),
    ("a number of 5 bytes", whole("8080808000 903C40"), "longer than four bytes"),
    ("ends inside a number", f"{HEADER} {track(SONG + 'FF')}", "inside an event"),
    ("lone FF at the end", f"{HEADER} {track(SONG + '00FF')}", "inside an event"),
    ("SysEx longer than the track", whole("00 F0 FFFF7F 43"), "SysEx"),
    ("text longer than the track", whole("00 FF01 FFFF7F 43"), "text"),
]


def rounded(data: bytes) -> list[tuple[float, int, float, int]]:
    notes = notes_of(read_song(data))
    return [(round(n.onset_s, 6), n.pitch, round(n.duration_s, 6), n.velocity) for n in notes]


@pytest.mark.parametrize(("data", "expected"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_what_is_legal_or_harmless_is_read(data: str, expected: list[tuple[float, int, float, int]]) -> None:
    assert rounded(bytes.fromhex(data)) == expected


@pytest.mark.parametrize(("data", "word"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_no_midi_file_or_is_damaged_gets_a_sentence(data: str, word: str) -> None:
    with pytest.raises(FileError, match=word) as caught:
        read_song(bytes.fromhex(data))
    assert len(str(caught.value).splitlines()) == 1


def test_salvage_gives_what_is_whole_and_says_what_is_not() -> None:
    data = bytes.fromhex(f"{HEADER} {track(SONG + END)}")
    song = read_song(data[:-9], salvage=True)
    assert [note.pitch for note in notes_of(song)] == [60, 64]
    assert "ends inside track 1" in song.damage
    assert read_song(data).damage == ""


def test_names_are_fit_to_be_shown() -> None:
    name = "\x1b[31mOboe\x07 d'amore\x9b"
    song = read_song(bytes.fromhex(whole(f"00 FF03 {len(name.encode()):02X} {name.encode().hex()}" + SONG)))
    assert song.track_names == ("[31mOboe d'amore",)


def test_the_events_of_all_tracks_stand_in_time_order_with_their_tempo_map() -> None:
    first = track("00 FF5103 07A120 8360 FF5103 0F4240 8360 FF0601 41" + END)
    second = track("8170 C205 8360 F003 0102F7" + END)
    song = read_song(bytes.fromhex(f"4D546864 00000006 0001 0002 01E0 {first} {second}"))
    assert song.tempos == ((0.0, 120.0), (0.5, 60.0))
    assert song.events == (
        (0.0, 0, b"\xff\x51\x07\xa1\x20"),
        (0.25, 1, b"\xc2\x05"),
        (0.5, 0, b"\xff\x51\x0f\x42\x40"),
        (1.0, 1, b"\xf0\x01\x02\xf7"),
        (1.5, 0, b"\xff\x06A"),
    )
    assert song.length_s == 1.5
    assert list(song.track(1)) == [(0.25, b"\xc2\x05"), (1.0, b"\xf0\x01\x02\xf7")]


def test_fifty_rests_of_days_end_in_an_hour() -> None:
    song = read_song(bytes.fromhex(whole("FFFFFF7F 903C40 01 803C00" * 50)))
    assert len(notes_of(song)) == 50
    assert song.length_s < 50 * (LONGEST_REST_S + 1)


def test_drums_one_track_and_no_pedal_can_be_asked_for() -> None:
    drum, piano = track("00 993C40 8170 893C00" + END), track("00 B0407F 00 903E40 8170 803E00" + END)
    song = read_song(bytes.fromhex(f"4D546864 00000006 0001 0002 01E0 {drum} {piano}"))
    assert [n.pitch for n in notes_of(song, drums=True)] == [60, 62]
    assert [n.pitch for n in notes_of(song, drums=True, track=0)] == [60]
    assert [n.duration_s for n in notes_of(song, pedal=False)] == [0.25]


def test_a_hundred_thousand_notes_take_about_a_second() -> None:
    events = "00 90 3C40" + "14 3C00 00 3E40 14 3E00 00 3C40" * 50_000 + "14 3C00"
    data = bytes.fromhex(whole(events))
    began = time.perf_counter()
    assert len(notes_of(read_song(data))) == 100_001
    assert time.perf_counter() - began < 5.0  # 0.3 s on an idle machine


def test_fifty_thousand_strikes_at_once_do_not_hang() -> None:
    data = bytes.fromhex(whole("00 90 3C40" + "00 3C40" * 50_000))
    began = time.perf_counter()
    assert [n.pitch for n in notes_of(read_song(data))] == [60]
    assert time.perf_counter() - began < 5.0


def test_more_events_than_memory_should_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livemuse.midi.smf_read.MOST_EVENTS", 1000)
    with pytest.raises(FileError, match="more than 1,000 events"):
        read_song(bytes.fromhex(whole("00 F6 00 90 3C40" + "00 3C40" * 1001)))
    assert MOST_EVENTS > 1_000_000


@given(st.binary(max_size=300))
def test_any_bytes_are_a_song_or_our_error(data: bytes) -> None:
    with suppress(FileError):
        notes_of(read_song(data, salvage=True))
    with suppress(FileError):
        notes_of(read_song(b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0" + len(data).to_bytes(2, "big") + data))


@settings(max_examples=300)
@given(st.lists(st.sampled_from([row[1] for row in READ]), min_size=1, max_size=2), st.data())
def test_any_change_to_a_file_is_a_song_or_our_error(files: list[str], draw: st.DataObject) -> None:
    data = bytearray(bytes.fromhex("".join(files)))
    for _ in range(draw.draw(st.integers(0, 8))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    data = data[: draw.draw(st.integers(0, len(data)))]
    for salvage in (False, True):
        try:
            notes = notes_of(read_song(bytes(data), salvage=salvage))
        except FileError:
            continue
        for note in notes:
            assert 0 <= note.pitch <= 127
            assert 1 <= note.velocity <= 127
            assert 0 < note.duration_s <= LONGEST_NOTE_S


HOSTILE = Path(os.environ.get("LIVEMUSE_HOSTILE") or Path(__file__).parents[3] / "shared" / "data" / "hostile")


@pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no folder of hostile files at {HOSTILE}")
def test_a_folder_of_hostile_files() -> None:
    with (HOSTILE.parent / "hostile.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert rows
    for row in rows:
        wanted, began = row["a robust reader gives"], time.perf_counter()
        try:
            count = len(notes_of(read_song((HOSTILE / row["file"]).read_bytes())))
        except FileError:
            assert row["valid"] != "yes", row
            assert "error" in wanted or "MacBinary" in row["what"], row
            continue
        finally:
            assert time.perf_counter() - began < 5.0, row
        counts = re.findall(r"(\d+)(?= or \d+ note| (?:piano )?note|\)| when)", wanted.replace(",", ""))
        numbers = {int(number) for number in counts}
        if numbers:
            assert count in numbers or ("fewer" in wanted and count < max(numbers)), row

"""What is written is read again as it was, to the tick, and is legal MIDI to the byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.midi.smf import MARKER, SEQUENCER_SPECIFIC, TEXT, TICKS_PER_BEAT, Track, meta, read_song, write_song
from livemuse.midi.smf_write import number

TICK_S = 60.0 / 120.0 / TICKS_PER_BEAT
DATA = st.integers(0, 127)
CHANNEL_MESSAGES = st.one_of(
    st.builds(lambda s, a, b: bytes((s, a, b)), st.sampled_from([*range(0x80, 0xC0), *range(0xE0, 0xF0)]), DATA, DATA),
    st.builds(lambda s, a: bytes((s, a)), st.integers(0xC0, 0xDF), DATA),
)
MESSAGES = st.one_of(
    CHANNEL_MESSAGES,
    st.builds(lambda body: b"\xf0" + body + b"\xf7", st.binary(max_size=200)),
    st.builds(meta, st.sampled_from([TEXT, MARKER, SEQUENCER_SPECIFIC, 0x60]), st.binary(max_size=200)),
)
MOMENTS = st.integers(0, 100_000).map(lambda tick: tick * TICK_S)


def test_a_small_file_byte_by_byte() -> None:
    tracks = [
        Track("time", [(0.0, meta(MARKER, "turn 1"))]),
        Track("player", [(0.25, b"\x90\x3c\x40"), (0.5, b"\x80\x3c\x00"), (0.5, b"\xf0\x43\xf7")]),
    ]
    assert write_song(tracks, ticks_per_beat=480) == bytes.fromhex(
        "4D546864 00000006 0001 0002 01E0"  # type 1, 2 tracks, 480 ticks a beat
        "4D54726B 00000025"
        "00 FF0304 74696D65"  # track name: time
        "00 FF5103 07A120"  # 500,000 microseconds a beat
        "00 FF5804 04021808"  # 4/4
        "00 FF0606 7475726E2031"  # marker: turn 1
        "00 FF2F00"
        "4D54726B 0000001D"
        "00 FF0306 706C61796572"  # track name: player
        "8170 903C40"
        "8170 803C00"
        "00 F002 43F7"
        "00 FF2F00"
    )


@given(st.lists(st.lists(st.tuples(MOMENTS, MESSAGES), max_size=20), min_size=1, max_size=4))
def test_what_is_written_is_read_again(tracks: list[list[tuple[float, bytes]]]) -> None:
    song = read_song(write_song([Track(f"track {n}", events) for n, events in enumerate(tracks)]))
    assert song.ticks_per_beat == TICKS_PER_BEAT
    assert song.track_names == tuple(f"track {n}" for n in range(len(tracks)))
    for n, events in enumerate(tracks):
        head = 3 if n == 0 else 1  # name, tempo, time signature
        found = list(song.track(n))[head:]
        wanted = sorted(events, key=lambda event: event[0])
        assert [message for _, message in found] == [message for _, message in wanted]
        for (at_s, _), (meant_s, _) in zip(found, wanted, strict=True):  # rests over a minute are shortened
            assert at_s <= meant_s + TICK_S


def test_times_are_kept_to_half_a_tick() -> None:
    events = [(n * 0.0137, bytes((0x90, 60, 1 + n % 127))) for n in range(1000)]
    found = list(read_song(write_song([Track("", events)])).track(0))[2:]
    assert max(abs(a[0] - b[0]) for a, b in zip(found, events, strict=True)) < TICK_S / 2 + 1e-9


@given(st.integers(0, 0x0FFFFFFF))
def test_numbers_take_one_to_four_bytes(value: int) -> None:
    data = number(value)
    assert 1 <= len(data) <= 4
    back = 0
    for byte in data:
        back = back << 7 | byte & 127
    assert back == value
    assert all(byte > 127 for byte in data[:-1])
    assert data[-1] < 128


BROKEN = [b"", b"\x90\x3c", b"\x90\x3c\x80", b"\xf8", b"\xff\x2f", b"\x3c\x40", b"\xc0\x01\x02"]


@pytest.mark.parametrize("message", BROKEN)
def test_what_no_file_can_hold_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="no MIDI file can hold"):
        write_song([Track("", [(0.0, message)])])


def test_a_day_of_rest_does_not_break_the_file() -> None:
    song = read_song(write_song([Track("", [(0.0, b"\x90\x3c\x40"), (1e6, b"\x80\x3c\x00")])]))
    assert len(song.events) == 4

"""Files on their own beat: the tempo map decides what a sixteenth is, and notes tell where there is none."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.midi.smf import Track, meta, read_song, write_song
from livemuse.music.grid import frames_of
from training.beatgrid import GridPiece, grid_piece, scores_of
from training.prepare.listing import Input

TICKS = 96  # a beat
SIXTEENTH = TICKS // 4


def file_of(
    notes: list[tuple[int, int, int]], tempos: list[tuple[int, float]], metres: list[tuple[int, int, int]]
) -> bytes:
    """A MIDI file of (tick, pitch, ticks), tempi (tick, bpm) and time signatures (tick, beats, power of the note)."""
    events = [(tick, 0, meta(0x51, round(6e7 / bpm).to_bytes(3, "big"))) for tick, bpm in tempos]
    events += [(tick, 0, meta(0x58, bytes((beats, value, 24, 8)))) for tick, beats, value in metres]
    events += [(tick, 2, bytes((0x90, pitch, 70))) for tick, pitch, _ in notes]
    events += [(tick + long, 1, bytes((0x80, pitch, 0))) for tick, pitch, long in notes]
    events.sort(key=lambda event: event[:2])
    body, now = b"", 0
    for tick, _, message in events:
        delta, now = tick - now, tick
        number = bytes([delta & 127])
        while delta := delta >> 7:
            number = bytes([delta & 127 | 128]) + number
        body += number + (message[:2] + bytes([len(message) - 2]) + message[2:] if message[0] == 255 else message)
    body += b"\x00\xff\x2f\x00"
    head = b"MThd" + (6).to_bytes(4, "big") + bytes((0, 0, 0, 1)) + TICKS.to_bytes(2, "big")
    return head + b"MTrk" + len(body).to_bytes(4, "big") + body


def piece_of(*given: list) -> GridPiece:
    return grid_piece(read_song(file_of(*given)))


voice = st.lists(st.tuples(st.integers(0, 6), st.integers(21, 108), st.integers(1, 9)), min_size=1, max_size=12)
tempos = st.lists(st.tuples(st.integers(0, 2000), st.floats(30, 260)), max_size=4, unique_by=lambda t: t[0])


@given(voice, tempos)
def test_a_score_comes_back_on_its_sixteenths_whatever_the_tempo_does(
    steps: list[tuple[int, int, int]], changes: list[tuple[int, float]]
) -> None:
    at, notes, ends = 0, [], dict[int, int]()
    for step, pitch, long in steps:
        at += step
        if ends.get(pitch, 0) <= at:
            notes.append((at, pitch, long))
            ends[pitch] = at + long
    ticks = [(begin * SIXTEENTH, pitch, long * SIXTEENTH) for begin, pitch, long in notes]
    piece = piece_of(ticks, sorted(changes), [])
    found = [(n.onset_s, n.pitch, n.duration_s) for n in piece.notes]
    assert len(found) == len(notes)
    np.testing.assert_allclose(found, sorted(notes), atol=0.01)
    assert piece.agreement > 0.99
    frames = frames_of(piece.notes, 1.0, count=piece.length)
    assert {(t, p) for t, (_, struck) in enumerate(frames) for p in struck} == {(t, p) for t, p, _ in notes}
    assert {(t, p) for t, (sounding, _) in enumerate(frames) for p in sounding} == {
        (t, p) for begin, p, long in notes for t in range(begin, begin + long)
    }
    assert piece.length % 16 == 0
    assert not piece.metre_stated


def test_a_performance_at_a_dummy_tempo_is_refused() -> None:
    rng = np.random.default_rng(3)
    notes = [(int(t), 60, 5) for t in np.cumsum(rng.integers(7, 41, 300))]
    with pytest.raises(ValueError, match="do not follow its beat"):
        piece_of(notes, [(0, 120.0)], [])


def test_the_place_in_the_bar_follows_the_time_signatures() -> None:
    notes = [(k * TICKS, 60, TICKS) for k in range(14)]
    piece = piece_of(notes, [], [(0, 3, 2), (6 * TICKS, 4, 2)])  # two bars of three beats, then of four
    assert piece.metre_stated
    assert not piece.common_time()
    assert piece.positions()[:24].tolist() == [*range(12), *range(12)]
    assert piece.positions()[24:].tolist() == [*range(16), *range(16)]
    common = piece_of(notes, [], [(0, 4, 2)])
    assert common.common_time()
    assert common.length == 64
    assert piece_of(notes, [], [(0, 1, 2)]).metre_stated is False  # bars of one beat say nothing of bars


def test_a_folder_is_read_with_splits_and_reasons(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.mid").write_bytes(file_of([(t * TICKS, 50 + k, TICKS) for t in range(20)], [], []))
    (tmp_path / "cut.mid").write_bytes(file_of([(0, 60, 24)], [], [])[:-9])
    scores = list(scores_of(Input(tmp_path, "mine", "own")))
    assert sorted(s.row.split for s in scores) == ["train"] * 3 + ["validation"]
    assert [s.row.file for s in scores if s.song is None] == ["cut.mid"]
    assert all(s.reason for s in scores if s.song is None)


def test_a_written_song_is_on_its_own_beat() -> None:
    track = Track("piano", tuple(itertools.chain.from_iterable(
        ((k * 0.25, bytes((0x90, 60, 64))), (k * 0.25 + 0.2, bytes((0x80, 60, 0)))) for k in range(8)
    )))  # fmt: skip
    piece = grid_piece(read_song(write_song([track], tempo_bpm=60.0)))  # a sixteenth lasts a quarter of a second
    assert [round(n.onset_s, 3) for n in piece.notes] == list(range(8))

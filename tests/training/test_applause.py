"""What a machine writes down of an audience is cut, what a pianist played is not; and smaller sets of whole pieces."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.midi.smf import Track, write_song
from training.commands import subset
from training.corpus import load_corpus, some_of
from training.prepare.applause import LOWEST, music_between
from training.prepare.build import Request, prepare_notes
from training.prepare.listing import Input

MUSIC = st.lists(st.integers(21, 92), min_size=30, max_size=80)
APPLAUSE = st.lists(st.integers(LOWEST, 108), min_size=12, max_size=80)


@given(MUSIC, APPLAUSE, APPLAUSE)
def test_it_is_cut_at_both_ends(music: list[int], before: list[int], after: list[int]) -> None:
    first, last = music_between(np.array(before + music + after))
    assert (before + music + after)[first:last] == music


@given(MUSIC, st.lists(st.integers(LOWEST, 108), max_size=11), MUSIC)
def test_a_short_flight_upwards_stays(music: list[int], high: list[int], then: list[int]) -> None:
    assert music_between(np.array(music + high)) == (0, len(music) + len(high))
    assert music_between(np.array(high + music)) == (0, len(music) + len(high))
    assert music_between(np.array(music + high + then)) == (0, len(music) + len(high) + len(then))


def test_nothing_but_applause_is_no_piece() -> None:
    assert music_between(np.full(40, 100)) == (0, 0)
    assert music_between(np.zeros(0)) == (0, 0)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Eight pieces of two sources, all of them with applause at the end."""
    with (tmp_path / "manifest.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("file", "source", "licence", "split"))
        for k in range(8):
            name, pitches = f"{k}.mid", [60 + j % 12 for j in range(20 + k)] + [100] * 30
            events = [(0.25 * j + hold_s, bytes([kind, pitch, 64]))
                      for j, pitch in enumerate(pitches) for kind, hold_s in ((0x90, 0.0), (0x80, 0.2))]  # fmt: skip
            (tmp_path / name).write_bytes(write_song([Track("piano", events)]))
            table.writerow((name, "PiJAMA" if k % 2 else "MAESTRO", "free", "validation" if k > 3 else "train"))
    given = Input(tmp_path, "mine", "free")
    prepare_notes(Request((given,), tmp_path / "notes", tmp_path / "manifest.csv", jobs=1), lambda _: None)
    return tmp_path / "notes"


def test_only_what_was_written_down_by_machine_is_cut(notes: Path) -> None:
    found = {p.file: p.notes for split in ("train", "validation") for p in load_corpus(notes, split).pieces}
    assert found == {f"{k}.mid": 20 + k + (0 if k % 2 else 30) for k in range(8)}


def test_a_smaller_set_has_whole_pieces_the_same_for_the_same_seed(notes: Path, tmp_path: Path) -> None:
    def drawn(name: str, seed: int) -> set[str]:
        out = tmp_path / name
        parser = argparse.ArgumentParser()
        subset.options(parser)
        subset.run(parser.parse_args(["--data", str(notes), "--out", str(out), "--train", "60", "--seed", str(seed)]))
        pieces = load_corpus(out, "train").pieces
        assert sum(p.notes for p in pieces) == load_corpus(out, "train").notes >= 60
        return {p.file for p in pieces}

    assert drawn("a", 4) == drawn("b", 4)
    assert len({frozenset(drawn(f"c{seed}", seed)) for seed in range(6)}) > 1


def test_long_pieces_are_left_out(notes: Path) -> None:
    assert {p.notes for p in some_of(load_corpus(notes, "train"), 10**6, 30, 0).pieces} == {21, 23}

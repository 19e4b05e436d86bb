"""Learn what the hearing of beats knows beforehand, and how clear a beat is, and write both down for livemuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import livemuse.music.hearing.beat_tables as written
from livemuse.music.hearing.beat import NEAR_S, BeatHearing
from training.hearing.beat_tables import Tables, learn
from training.hearing.beats import Piece, load_pieces
from training.hearing.true_beats import TrueBeats

Array = npt.NDArray[Any]
FILE: Final = Path(written.__file__)
_ROUNDS: Final = 30
_ASKED_EACH_S: Final = 1.0
_LONGEST_S: Final = 45.0  # of each piece
_AT_RANDOM: Final = 20  # players who strike keys at random times: their beat is never clear
_LEAST: Final = -9.5  # log share: rarer steps are left out

HEAD: Final = '''"""What livemuse knows of beats beforehand; written by `python -m training hearing-beat --learn`.

Counted on the training pieces of POP909 and piano-midi.de: shares of steps, weights of accents. No melodies.
"""

from typing import Final

# fmt: off
'''


def relearn(data: Path, manifest: Path | None, say: Callable[[str], None]) -> None:
    """Count the tables on the training pieces and write them; then learn what a clear beat is, by them."""
    pieces = load_pieces(data, manifest, "train", say)
    if not pieces:
        raise ValueError(f"{data} has no training piece whose beats are known")
    tables = learn([piece.true for piece in pieces])
    FILE.write_text(source_of(tables, written.CONFIDENCE), encoding="utf-8")
    say(f"{FILE} is written; --learn clear comes next")


def relearn_clear(data: Path, manifest: Path | None, say: Callable[[str], None]) -> None:
    """Learn the weights of a clear beat with the tables as they stand, and write them into the same file."""
    pieces = load_pieces(data, manifest, "train", say)
    weights = clear_weights(pieces)
    text = FILE.read_text(encoding="utf-8")
    FILE.write_text(text.partition("# How clear")[0] + _confidence(weights.tolist()), encoding="utf-8")
    say(f"{FILE} is written: {len(weights)} weights")


def clear_weights(pieces: Sequence[Piece]) -> Array:
    """A constant and the weights of the signs of a clear beat: logistic regression, of whether the next beat comes
    where it is foretold.
    """
    signs: list[tuple[float, ...]] = []
    near: list[bool] = []
    for piece in pieces:
        if piece.true.phase_known:
            _ask(piece.true.notes, piece.true, signs, near)
    rng = np.random.default_rng(5)
    for _ in range(_AT_RANDOM):
        at_s = np.cumsum(rng.exponential(1.0 / rng.uniform(1.5, 9.0), 300))
        pitches, loud = rng.integers(40, 85, 300), rng.integers(40, 100, 300)
        keys = tuple(zip(at_s.tolist(), pitches.tolist(), loud.tolist(), strict=True))
        _ask(keys, None, signs, near)
    x = np.column_stack([np.ones(len(signs)), np.array(signs)])
    y = np.array(near, np.float64)
    weights = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):  # Newton's method
        told = 1.0 / (1.0 + np.exp(-x @ weights))
        curve = x.T @ (x * (told * (1.0 - told) + 1e-6)[:, None]) + 1e-2 * np.eye(x.shape[1])
        weights += np.linalg.solve(curve, x.T @ (y - told))
    return weights


def _ask(
    keys: Sequence[tuple[float, int, int]], true: TrueBeats | None, signs: list[tuple[float, ...]], near: list[bool]
) -> None:
    hearing = BeatHearing()
    begin_s = keys[0][0]
    ask_s = begin_s + 2.0
    for key in keys:
        if key[0] > begin_s + _LONGEST_S:
            break
        while ask_s < key[0]:
            found, next_s = hearing.signs(ask_s), hearing.next_beat_s(ask_s)
            if found and next_s is not None:
                signs.append(found)
                near.append(true is not None and float(np.abs(true.beats_s - next_s).min()) <= NEAR_S)
            ask_s += _ASKED_EACH_S
        hearing.hear(*key)


def source_of(tables: Tables, confidence: Sequence[float]) -> str:
    """The text of beat_tables.py."""
    lines = ["# For each row of the lattice: steps (24ths of a beat) to the next event, and -100 times the log share."]
    lines.append("STEPS: Final[tuple[tuple[tuple[int, int], ...], ...]] = (")
    for row in tables.steps:
        cells = [f"({step}, {round(-100 * share)})," for step, share in enumerate(row) if share > _LEAST]
        lines += _wrapped(cells)
    lines.append(")")
    lines += _rows("WEIGHTS", "The beat, its half, its quarters, its thirds, finer: a constant, the accents' weights.",
                   tables.weights)  # fmt: skip
    lines.append(f"LOAD_SHARES: Final = {_numbers(tables.load_shares)}")
    lines += _rows("BARS", "The first beat of a bar, the middle of a bar of four, other beats: likewise.", tables.bars)
    lines.append(f"BAR_SHARES: Final = {_numbers(tables.bar_shares)}")
    lines += _rows("RESTS", "The log share of such beats on which nothing is struck, and something.", tables.rests)
    return HEAD + "\n".join(lines) + "\n" + _confidence(confidence)


def _confidence(weights: Sequence[float]) -> str:
    note = "# How clear a beat is: a constant, then a weight for each sign of it.\n"
    return f"{note}CONFIDENCE: Final = {_numbers(weights)}\n"


def _wrapped(cells: Sequence[str]) -> list[str]:
    lines, line = [], "    ("
    for cell in cells:
        if len(line) + len(cell) > 115:
            lines.append(line.rstrip())
            line = "     "
        line += cell + " "
    return [*lines, line.rstrip() + "),"]


def _rows(name: str, note: str, rows: Array) -> list[str]:
    body = [f"    {_numbers(row)}," for row in rows]
    return [f"# {note}", f"{name}: Final[tuple[tuple[float, ...], ...]] = (", *body, ")"]


def _numbers(values: Sequence[float] | Array) -> str:
    return "(" + ", ".join(f"{value:.3f}" for value in values) + ")"

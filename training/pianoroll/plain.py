"""What a piano-roll network is measured against: models that only count what each key did after what it did before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.music.grid import PER_BAR
from training.pianoroll.config import KEYS
from training.pianoroll.sequences import Piece

Array = npt.NDArray[Any]
SILENT, HELD, STRUCK = range(3)  # what a key does in a frame
PLAIN: Final = ("repeat", "markov", "markov_in_bar")


def nats_of_plain(kind: str, learned: Sequence[Piece], tested: Sequence[Piece]) -> Array:
    """Nats of all frames of each tested piece, (pieces,), keys by themselves.

    `repeat`: the last frame goes on, but for one chance for all keys alike of ending and of being struck. `markov`: a
    chance for each key, given whether it sounded. `markov_in_bar`: given the place in the bar too. Counts begin at a
    half (Krichevsky and Trofimov 1981). A key that was silent cannot be held.
    """
    rows = {"repeat": (1, 1), "markov": (KEYS, 1), "markov_in_bar": (KEYS, PER_BAR)}
    if kind not in rows:
        raise ValueError(f"there is no plain model {kind}; there are {', '.join(PLAIN)}")
    keys, places = rows[kind]
    counts = np.full((places, keys, 2, 3), 0.5)  # place, key, sounded before, what it does
    counts[:, :, 0, HELD] = 0.0
    for piece in learned:
        np.add.at(counts, _index(piece, keys, places), 1.0)
    with np.errstate(divide="ignore"):
        nats = -np.log(counts / counts.sum(-1, keepdims=True))
    return np.array([nats[_index(piece, keys, places)].sum() for piece in tested])


def _index(piece: Piece, keys: int, places: int) -> tuple[Array, ...]:
    sounding, struck = piece.frames[:, :KEYS], piece.frames[:, KEYS:]
    does = np.where(struck[1:] > 0, STRUCK, np.where(sounding[1:] > 0, HELD, SILENT))
    before = sounding[:-1].astype(np.int64)
    does = np.where((does == HELD) & (before == 0), STRUCK, does)
    key = np.broadcast_to(np.arange(KEYS) % keys, does.shape)
    place = np.zeros(len(does), np.int64) if piece.position is None else piece.position[1:]
    return np.broadcast_to((place % places)[:, None], does.shape), key, before, does

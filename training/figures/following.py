"""A model that follows many performances at once, from wherever it stands in each: what it expects note by note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.model.bundle import Bundle
from livemuse.music.vocabulary import BOS, HEADS
from training.evaluate import heads_of

Array = npt.NDArray[Any]
LANES: Final = 64
FIRST: Final = (BOS, 0, 0, 0)  # what is fed before the first note of a piece


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a model stands after some notes, and what it expects next."""

    state: tuple[Array, ...]  # (units,) each
    pitch_logits: Array  # (128,)
    z: Array  # (Z,)


def beginning(bundle: Bundle) -> Stand:
    """Before anything was heard, not even that a piece begins."""
    state = tuple(np.zeros(units, np.float32) for _, units in bundle.state)
    return Stand(state, np.zeros(BOS, np.float32), np.zeros(bundle.z_width, np.float32))


def follow(bundle: Bundle, stands: Sequence[Stand], notes: Sequence[Array]) -> tuple[list[Stand], list[Array]]:
    """(where it stands after the notes, nats (n, 4) of each note by head), for each of many; ``notes`` (n, 4) bins."""
    after: list[Stand] = list(stands)
    nats: list[Array] = [np.zeros((0, len(HEADS)))] * len(notes)
    order = sorted(range(len(notes)), key=lambda k: len(notes[k]))
    for at in range(0, len(order), LANES):
        chosen = order[at : at + LANES]
        found = _together(bundle, [stands[k] for k in chosen], [notes[k] for k in chosen])
        for k, stand, told in zip(chosen, *found, strict=True):
            after[k], nats[k] = stand, told
    return after, nats


def _together(bundle: Bundle, stands: Sequence[Stand], notes: Sequence[Array]) -> tuple[list[Stand], list[Array]]:
    """The same for so many that run side by side, each until its notes are over."""
    lengths = np.array([len(one) for one in notes])
    longest = int(lengths.max())
    fed = np.zeros((longest, len(notes), len(HEADS)), np.int32)  # (T, B, 4)
    for lane, one in enumerate(notes):
        fed[: len(one), lane] = one
    names = [name for name, _ in bundle.state]
    outputs = ["pitch_logits", "z", *(f"{name}_out" for name in names)]
    labels = {"style": np.zeros((len(notes), len(bundle.styles)), np.float32)} if bundle.styles else {}
    pitch, z = (np.stack([getattr(s, part) for s in stands]) for part in ("pitch_logits", "z"))
    state = [np.stack([s.state[k] for s in stands]) for k in range(len(names))]
    expected: list[tuple[Array, Array]] = []
    for t in range(longest):
        expected.append((pitch, z))
        feeds = dict(zip(HEADS, np.ascontiguousarray(fed[t].T), strict=True))
        found = bundle.sessions["step"].run(outputs, feeds | labels | dict(zip(names, state, strict=True)))
        goes_on = (t < lengths)[:, None]
        pitch, z, *state = (np.where(goes_on, new, old) for new, old in zip(found, [pitch, z, *state], strict=True))
    target = np.minimum(fed.reshape(-1, len(HEADS)), BOS - 1)  # a beginning is fed, and never expected
    nats, _ = heads_of(
        bundle, np.concatenate([p for p, _ in expected]), np.concatenate([s for _, s in expected]), target
    )
    by_note = nats.reshape(longest, len(notes), len(HEADS))
    after = [Stand(tuple(s[lane] for s in state), pitch[lane], z[lane]) for lane in range(len(notes))]
    return after, [by_note[: len(one), lane] for lane, one in enumerate(notes)]

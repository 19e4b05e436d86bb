"""One note at a time through a model: what it heard so far is a snapshot, so going back costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from livemuse.model.styles import Style, style_of
from livemuse.music.vocabulary import BOS, HEADS, VOCABULARY

if TYPE_CHECKING:
    from livemuse.model.bundle import Bundle

Array = npt.NDArray[np.float32]
SIZES = tuple(VOCABULARY.sizes[head] for head in HEADS)


@dataclass(frozen=True, slots=True)
class ModelState:
    """All that a model remembers after a note, and what it expects next; never changed once made."""

    arrays: tuple[Array, ...]  # recurrent state, each (1, units)
    pitch_logits: Array  # (128,)
    z: Array  # (1, Z): what the other heads start from


class OnnxStepper:
    """A loaded model as the improviser uses it."""

    def __init__(self, bundle: Bundle) -> None:
        self.name = bundle.info.name
        self.hash = bundle.info.hash
        self._sessions: dict[str, Any] = bundle.sessions
        self._state_names = tuple(name for name, _ in bundle.state)
        self._outputs = ["pitch_logits", "z", *(f"{name}_out" for name in self._state_names)]
        zeros = tuple(np.zeros((1, units), np.float32) for _, units in bundle.state)
        self._labels = bundle.styles
        self._no_style = style_of(bundle.styles, {})
        self._zeros = zeros
        self._start = self._run((BOS, 0, 0, 0), zeros, None)

    def style(self, weights: Mapping[str, float]) -> Style:
        """What ``feed`` takes for a mix of labels, as {"genre:jazz": 0.7}; ValueError for one the model lacks."""
        return style_of(self._labels, weights)

    def start(self, style: Style | None = None) -> ModelState:
        """The state before the first note of a piece."""
        return self._start if style is None else self._run((BOS, 0, 0, 0), self._zeros, style)

    def feed(self, state: ModelState, note: tuple[int, int, int, int], style: Style | None = None) -> ModelState:
        """The state after one more note: (pitch, step bin, duration bin, velocity bin).

        ``style`` is told with this note alone: it is an argument and no setting, so a snapshot is never stale.
        """
        _check(note, HEADS)
        return self._run(note, state.arrays, style)

    def logits(self, state: ModelState, head: str, drawn: tuple[int, ...]) -> Array:
        """(n,) logits of a head given the values drawn before it, in the order of HEADS."""
        before = HEADS[: HEADS.index(head)]
        _check(drawn, before)
        if not before:
            return state.pitch_logits
        feeds: dict[str, npt.NDArray[Any]] = {"z": state.z}
        for name, value in zip(before, drawn, strict=True):
            feeds[name] = np.array([value], np.int32)
        found: Array = self._sessions[f"head_{head}"].run(None, feeds)[0][0]
        return found

    def _run(self, note: tuple[int, int, int, int], arrays: tuple[Array, ...], style: Style | None) -> ModelState:
        feeds: dict[str, npt.NDArray[Any]] = dict(zip(self._state_names, arrays, strict=True))
        for name, value in zip(HEADS, note, strict=True):
            feeds[name] = np.array([value], np.int32)
        if self._labels:
            feeds["style"] = self._no_style if style is None else style
        pitch_logits, z, *after = self._sessions["step"].run(self._outputs, feeds)
        return ModelState(tuple(after), pitch_logits[0], z)


def _check(values: tuple[int, ...], heads: tuple[str, ...]) -> None:
    """ONNX Runtime takes -1 for the last row of a table without a word, so ranges are checked here."""
    if len(values) != len(heads):
        raise ValueError(f"{len(values)} values where {len(heads)} are fed")
    for value, head, size in zip(values, heads, SIZES, strict=False):
        if not 0 <= value < size:
            raise ValueError(f"{head} bin {value} is outside 0 to {size - 1}")

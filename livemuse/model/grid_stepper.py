"""One sixteenth at a time through a model of the grid; what it heard so far is a snapshot, so going back is free.

``melody`` models one voice: of what sounds they are told the highest note. ``pianoroll`` models all 88 keys, and draw
the keys of a frame one after another, each given those already drawn, so that a chord is a chord.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from livemuse.model.styles import Style, style_of
from livemuse.music.grid import BEGIN, HOLD, KEYS, NO_KEY_YET, PER_BAR, REST, Frame
from livemuse.music.notes import PIANO_HIGH, PIANO_LOW

if TYPE_CHECKING:
    from livemuse.model.bundle import Bundle

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GridState:
    """All that a model remembers after a sixteenth, and what it expects next; never changed once made."""

    arrays: tuple[Array, ...]  # recurrent state, each (1, units)
    expects: Array  # melody: (130,) logits of the next event; pianoroll: (1, Z), what its head starts from
    followed: int | None = None  # melody: the pitch that the voice is on


class GridStepper(ABC):
    """A loaded model of the grid, as the improviser uses it."""

    family: str

    def __init__(self, bundle: Bundle) -> None:
        self.name = bundle.info.name
        self.hash = bundle.info.hash
        self._sessions: dict[str, Any] = bundle.sessions
        self._labels = bundle.styles
        self._state_names = tuple(name for name, _ in bundle.state)
        self._zeros = tuple(np.zeros((1, units), np.float32) for _, units in bundle.state)
        self._no_style = style_of(bundle.styles, {})
        self._start = self._begun(None)

    def style(self, weights: Mapping[str, float]) -> Style:
        """What ``feed`` takes for a mix of labels, as {"genre:jazz": 0.7}; ValueError for one the model lacks."""
        return style_of(self._labels, weights)

    def start(self, style: Style | None = None) -> GridState:
        """The state before the first sixteenth of a bar, and of a piece."""
        return self._start if style is None else self._begun(style)

    @abstractmethod
    def feed(self, state: GridState, frame: Frame, position: int, style: Style | None = None) -> GridState:
        """The state after one more sixteenth; ``position`` (0-15) is the place in its bar of the one after that."""

    @abstractmethod
    def _begun(self, style: Style | None) -> GridState: ...

    def _run(
        self, told: dict[str, npt.NDArray[Any]], state: tuple[Array, ...], position: int, style: Style | None
    ) -> list[Array]:
        """[logits or z, state...] after one step."""
        if not 0 <= position < PER_BAR:
            raise ValueError(f"a bar has no sixteenth {position}")
        feeds = told | dict(zip(self._state_names, state, strict=True))
        feeds["position"] = np.array([position], np.int32)
        if self._labels:
            feeds["style"] = self._no_style if style is None else style
        names = ["event_logits" if self.family == "melody" else "z", *(f"{name}_out" for name in self._state_names)]
        found: list[Array] = self._sessions["step"].run(names, feeds)
        return found


class MelodyStepper(GridStepper):
    """A model of one voice."""

    family = "melody"

    def _begun(self, style: Style | None) -> GridState:
        return self._after(BEGIN, self._zeros, 0, style, None)

    def feed(self, state: GridState, frame: Frame, position: int, style: Style | None = None) -> GridState:
        """The state after the highest note of a sixteenth: struck, held, or (where a lower one is left) a rest."""
        event, followed = event_of(frame, state.followed)
        return self._after(event, state.arrays, position, style, followed)

    def _after(
        self, event: int, arrays: tuple[Array, ...], position: int, style: Style | None, followed: int | None
    ) -> GridState:
        logits, *after = self._run({"event": np.array([event], np.int32)}, arrays, position, style)
        return GridState(tuple(after), logits[0], followed)


def event_of(frame: Frame, followed: int | None) -> tuple[int, int | None]:
    """(event, the pitch that the voice is on after it) for what sounds in a sixteenth; as ``grid.melody_of``."""
    sounding, struck = frame
    if not sounding:
        return REST, None
    top = max(sounding)
    if top in struck:
        return top, top
    return (HOLD, top) if top == followed else (REST, None)


class RollStepper(GridStepper):
    """A model of the 88 keys."""

    family = "pianoroll"

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self.upward = bundle.draw_order == "up"

    def _begun(self, style: Style | None) -> GridState:
        return self._after(np.zeros((1, 2 * KEYS), np.float32), self._zeros, 0, style)

    def feed(self, state: GridState, frame: Frame, position: int, style: Style | None = None) -> GridState:
        """The state after what sounds and what is struck in a sixteenth; pitches no piano has are not told."""
        return self._after(roll_of(frame), state.arrays, position, style)

    def keys_logits(self, state: GridState, drawn: Array, last: int = NO_KEY_YET) -> Array:
        """(177,) logits of the next token, given (1, 176) the keys drawn so far and the token drawn last."""
        if not 0 <= last <= NO_KEY_YET:
            raise ValueError(f"there is no token {last}")
        feeds = {"z": state.expects, "drawn": drawn, "last": np.array([last], np.int32)}
        found: Array = self._sessions["head_keys"].run(None, feeds)[0][0]
        return found

    def _after(self, keys: Array, arrays: tuple[Array, ...], position: int, style: Style | None) -> GridState:
        z, *after = self._run({"keys": keys}, arrays, position, style)
        return GridState(tuple(after), z)


def roll_of(frame: Frame) -> Array:
    """(1, 176) what a frame is to a pianoroll model: columns 0-87 the key sounds, 88-175 it is struck."""
    keys = np.zeros((1, 2 * KEYS), np.float32)
    for column, pitches in zip((0, KEYS), (frame[0] | frame[1], frame[1]), strict=True):
        for pitch in pitches:
            if PIANO_LOW <= pitch <= PIANO_HIGH:
                keys[0, column + pitch - PIANO_LOW] = 1.0
    return keys

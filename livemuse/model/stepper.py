"""One note at a time through a model: what it heard so far is a snapshot, so going back costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
BEFORE = {head: HEADS[:k] for k, head in enumerate(HEADS)}
"""What has been drawn of a note when it is a head's turn."""
BEGINNING = (BOS, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class ModelState:
    """All that a model remembers after a note, and what it expects next; never changed once made."""

    arrays: tuple[Array, ...]  # recurrent state, each (1, units)
    pitch_logits: Array  # (128,)
    z: Array  # (1, Z): what the other heads start from


class _Graph:
    """A graph whose inputs and outputs have their fixed places in memory, which saves looking for them each note."""

    def __init__(self, session: Any, inputs: Sequence[str], outputs: Sequence[str], rows: int = 1) -> None:
        kinds = {v.name: v for v in (*session.get_inputs(), *session.get_outputs())}
        places = {
            name: np.zeros((rows, *kinds[name].shape[1:]), np.int32 if "int32" in kinds[name].type else np.float32)
            for name in (*inputs, *outputs)
        }
        self._binding = session.io_binding()
        for name in inputs:
            self._binding.bind_cpu_input(name, places[name])
        for name in outputs:
            place = places[name]
            self._binding.bind_output(name, "cpu", 0, place.dtype.type, place.shape, place.ctypes.data)
        self._run = session.run_with_iobinding
        self._inputs, self._outputs = [places[name] for name in inputs], [places[name] for name in outputs]

    def __call__(self, *values: Any) -> tuple[Array, ...]:
        """The outputs (rows, width), in the order of their names, for these inputs; one row of input is every row's."""
        for place, value in zip(self._inputs, values, strict=True):
            place[...] = value
        self._run(self._binding)
        return tuple([place.copy() for place in self._outputs])

    def of_rows(self, values: Sequence[Sequence[Any]]) -> tuple[Array, ...]:
        """The same, for inputs of which each has a value (or an array of one row) for each row."""
        for place, rows in zip(self._inputs, values, strict=True):
            place[...] = rows if place.ndim == 1 else np.concatenate(rows)
        self._run(self._binding)
        return tuple([place.copy() for place in self._outputs])


class OnnxStepper:
    """A loaded model as the improviser uses it; not for two threads at once."""

    def __init__(self, bundle: Bundle) -> None:
        self.name = bundle.info.name
        self.hash = bundle.info.hash
        names = [name for name, _ in bundle.state]
        self.labels = bundle.styles  # what `style` takes
        told = ["style"] if self.labels else []
        after = [f"{name}_out" for name in names]
        self._sessions = bundle.sessions
        self._signatures = {"step": ([*HEADS, *names, *told], ["pitch_logits", "z", *after])} | {
            f"head_{head}": (["z", *BEFORE[head]], [f"{head}_logits"]) for head in HEADS[1:]
        }
        self._graphs: dict[tuple[str, int], _Graph] = {}  # by their names and how many rows they take
        self._step = self._graph("step", 1)
        self._heads = {head: self._graph(f"head_{head}", 1) for head in HEADS[1:]}
        self._no_style = style_of(bundle.styles, {})
        self._zeros = tuple(np.zeros((1, units), np.float32) for _, units in bundle.state)
        self._start = self._run(BEGINNING, self._zeros, None)

    def style(self, weights: Mapping[str, float]) -> Style:
        """What ``feed`` takes for a mix of labels, as {"genre:jazz": 0.7}; ValueError for one the model lacks."""
        return style_of(self.labels, weights)

    def start(self, style: Style | None = None) -> ModelState:
        """The state before the first note of a piece."""
        return self._start if style is None else self._run(BEGINNING, self._zeros, style)

    def feed(self, state: ModelState, note: tuple[int, int, int, int], style: Style | None = None) -> ModelState:
        """The state after one more note: (pitch, step bin, duration bin, velocity bin).

        ``style`` is told with this note alone: it is an argument and no setting, so a snapshot is never stale.
        """
        _check(note, HEADS)
        return self._run(note, state.arrays, style)

    def logits(self, state: ModelState, head: str, drawn: tuple[int, ...]) -> Array:
        """(n,) logits of a head given the values drawn before it, in the order of HEADS."""
        _check(drawn, BEFORE[head])
        if head == "pitch":
            return state.pitch_logits
        found: Array = self._heads[head](state.z, *drawn)[0][0]
        return found

    def step_logits(self, state: ModelState, pitches: Sequence[int]) -> Array:
        """(k, n) logits of the step, a row for each of k pitches that might come next; one run for all of them."""
        for pitch in pitches:
            _check((pitch,), BEFORE["step"])
        return self._graph("head_step", len(pitches))(state.z, np.array(pitches, np.int32))[0]

    def feed_many(
        self, states: Sequence[ModelState], notes: Sequence[tuple[int, ...]], style: Style | None = None
    ) -> list[ModelState]:
        """``feed`` for k states, each with its note, in one run; in the last digits it may differ from k runs."""
        for note in notes:
            _check(note, HEADS)
        told = ([self._told(style)] * len(states),) if self.labels else ()
        arrays = zip(*(state.arrays for state in states), strict=True)
        pitch_logits, z, *after = self._graph("step", len(states)).of_rows([*zip(*notes, strict=True), *arrays, *told])
        return [
            ModelState(tuple([array[k : k + 1] for array in after]), pitch_logits[k], z[k : k + 1])
            for k in range(len(states))
        ]

    def logits_many(self, states: Sequence[ModelState], head: str, drawn: Sequence[tuple[int, ...]]) -> list[Array]:
        """``logits`` for k states, each with what was drawn there: k rows (n,), of one run."""
        for values in drawn:
            _check(values, BEFORE[head])
        if head == "pitch":
            return [state.pitch_logits for state in states]
        z = [state.z for state in states]
        return list(self._graph(f"head_{head}", len(states)).of_rows([z, *zip(*drawn, strict=True)])[0])

    def _run(self, note: tuple[int, int, int, int], arrays: tuple[Array, ...], style: Style | None) -> ModelState:
        told = (self._told(style),) if self.labels else ()
        pitch_logits, z, *after = self._step(*note, *arrays, *told)
        return ModelState(tuple(after), pitch_logits[0], z)

    def _told(self, style: Style | None) -> Style:
        return self._no_style if style is None else style

    def _graph(self, name: str, rows: int) -> _Graph:
        graph = self._graphs.get((name, rows))
        if graph is None:
            graph = self._graphs[name, rows] = _Graph(self._sessions[name], *self._signatures[name], rows)
        return graph


def _check(values: tuple[int, ...], heads: tuple[str, ...]) -> None:
    """ONNX Runtime takes -1 for the last row of a table without a word, so ranges are checked here."""
    if len(values) != len(heads):
        raise ValueError(f"{len(values)} values where {len(heads)} are fed")
    for value, size in zip(values, SIZES, strict=False):
        if not 0 <= value < size:
            raise ValueError(f"bin {value} is outside 0 to {size - 1}")

"""A model tried out before anyone hears it: what it gives must be finite numbers of the right shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from livemuse.model.grid_stepper import MelodyStepper, RollStepper
from livemuse.model.stepper import OnnxStepper
from livemuse.music.grid import EVENTS, KEYS, NO_KEY_YET, PER_BAR, Frame
from livemuse.music.vocabulary import HEADS, VOCABULARY

if TYPE_CHECKING:
    from livemuse.model.bundle import Bundle


def try_out(bundle: Bundle, runs: int) -> None:
    """Play ``runs`` notes or sixteenths into it, and ask each time what comes next; ValueError where that is unsound.

    What ONNX Runtime raises passes through.
    """
    tries = {"performance": _try_notes, "melody": _try_voice, "pianoroll": _try_keys}
    for style in (None, *([np.ones((1, len(bundle.styles)), np.float32)] if bundle.styles else [])):
        tries[bundle.info.family](bundle, runs, style)


def _sound(array: Any, shape: tuple[int, ...]) -> None:
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{shape} unsound")


def _sound_state(bundle: Bundle, arrays: Any) -> None:
    for array, (_, units) in zip(arrays, bundle.state, strict=True):
        _sound(array, (1, units))


def _try_notes(bundle: Bundle, runs: int, style: Any) -> None:
    stepper, sizes = OnnxStepper(bundle), VOCABULARY.sizes
    state = stepper.start(style)
    for run in range(runs):
        note = tuple(run * 7 % sizes[head] for head in HEADS)
        for k, head in enumerate(HEADS):
            _sound(stepper.logits(state, head, note[:k]), (sizes[head],))
        state = stepper.feed(state, (note[0], note[1], note[2], note[3]), style)
        _sound_state(bundle, state.arrays)


def _frames(runs: int) -> list[Frame]:
    """A note struck, held, struck again; another; nothing."""
    found: list[Frame] = []
    for run in range(runs):
        keys = frozenset({21 + run * 7 % KEYS, 60}) if run % 4 else frozenset()
        found.append((keys, keys if run % 2 else frozenset()))
    return found


def _try_voice(bundle: Bundle, runs: int, style: Any) -> None:
    stepper = MelodyStepper(bundle)
    state = stepper.start(style)
    for run, frame in enumerate(_frames(runs)):
        _sound(state.expects, (EVENTS,))
        state = stepper.feed(state, frame, (run + 1) % PER_BAR, style)
        _sound_state(bundle, state.arrays)


def _try_keys(bundle: Bundle, runs: int, style: Any) -> None:
    stepper = RollStepper(bundle)
    state = stepper.start(style)
    for run, frame in enumerate(_frames(runs)):
        drawn = np.zeros((1, 2 * KEYS), np.float32)
        for last in (NO_KEY_YET, run * 9 % (2 * KEYS)):
            _sound(stepper.keys_logits(state, drawn, last), (2 * KEYS + 1,))
            drawn[0, run % KEYS] = 1.0
        state = stepper.feed(state, frame, (run + 1) % PER_BAR, style)
        _sound_state(bundle, state.arrays)

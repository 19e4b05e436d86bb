"""The ONNX graphs say what the Keras graph said when the model was exported; golden.npz keeps its words.

8-bit graphs are also compared with their own words of then; `training/golden.py` says how near is near enough, and why.
"""

import json

import numpy as np
import numpy.typing as npt
import pytest

from livemuse.model.bundle import Bundle
from livemuse.model.stepper import OnnxStepper
from livemuse.music.vocabulary import BOS, HEADS
from tests.model.conftest import SHIPPED
from training.golden import FLOAT32, FROM_ITSELF, FROM_KERAS, Kept, nearness, read_golden

Array = npt.NDArray[np.float32]
GOLDEN = SHIPPED / "golden.npz"
LOGITS = [f"{head}_logits" for head in HEADS]


@pytest.fixture(scope="module")
def eight_bit() -> bool:
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    return bool(manifest.get("weights", {"bits": 32})["bits"] == 8)


def kept(batch: int) -> Kept:
    return read_golden(GOLDEN, batch, ("notes", "style"))


def compare(words: dict[str, Array], golden: Kept, eight_bit: bool) -> None:
    """Against Keras, and 8-bit graphs against themselves."""
    assert (golden.eight_bit is not None) == eight_bit
    for reference, near in ((golden.keras, FROM_KERAS if eight_bit else FLOAT32), (golden.eight_bit, FROM_ITSELF)):
        if reference is not None:
            found = nearness(words, {name: reference[name] for name in words})
            assert found.within(near), found


@pytest.mark.parametrize("batch", [1, 8])
def test_graphs_agree_with_keras_note_after_note(shipped: Bundle, eight_bit: bool, batch: int) -> None:
    golden = kept(batch)
    notes = golden.inputs["notes"]  # (steps, 4, batch)
    told = {"style": golden.inputs["style"][0]} if shipped.styles else {}
    state = {name: np.zeros((batch, units), np.float32) for name, units in shipped.state}
    step = shipped.sessions["step"]
    outputs = [v.name for v in step.get_outputs()]
    words: dict[str, list[Array]] = {}
    for row, fed in enumerate(notes):
        found = dict(zip(outputs, step.run(outputs, dict(zip(HEADS, fed, strict=True)) | told | state), strict=True))
        state = {name: found[f"{name}_out"] for name in state}
        drawn = notes[(row + 1) % len(notes)].copy()
        drawn[0] = np.minimum(drawn[0], 127)  # the beginning of a piece is fed, never drawn
        for k, head in enumerate(HEADS[1:], 1):
            feeds = {"z": found["z"], **dict(zip(HEADS[:k], drawn, strict=False))}
            found[f"{head}_logits"] = shipped.sessions[f"head_{head}"].run(None, feeds)[0]
        for name, value in found.items():
            words.setdefault(name, []).append(value)
    assert set(words) == set(golden.keras)
    compare({name: np.stack(values) for name, values in words.items()}, golden, eight_bit)


def test_the_stepper_agrees_with_keras(shipped: Bundle, eight_bit: bool) -> None:
    golden = kept(1)
    notes = golden.inputs["notes"][:, :, 0]
    style = golden.inputs["style"][0] if shipped.styles else None
    stepper = OnnxStepper(shipped)
    state = stepper.start(style)
    assert notes[0][0] == BOS
    words: dict[str, list[Array]] = {name: [] for name in LOGITS}
    for row, note in enumerate(notes):
        if row:
            state = stepper.feed(state, tuple(int(v) for v in note), style)
        drawn = tuple(min(int(v), 127) for v in notes[(row + 1) % len(notes)])
        for k, head in enumerate(HEADS):
            words[f"{head}_logits"].append(stepper.logits(state, head, drawn[:k])[None])
    compare({name: np.stack(values) for name, values in words.items()}, golden, eight_bit)

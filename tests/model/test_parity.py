"""The ONNX graphs say what the Keras graph said when the model was exported; golden.npz keeps its words."""

import numpy as np
import numpy.typing as npt
import pytest

from livemuse.model.bundle import Bundle
from livemuse.model.stepper import OnnxStepper
from livemuse.music.vocabulary import BOS, HEADS
from tests.model.conftest import SHIPPED

Array = npt.NDArray[np.float32]
TOLERANCE = 1e-4


def close(ours: Array, golden: Array) -> bool:
    """Within the tolerance, beside the size of a number where that is more than 1."""
    return bool((np.abs(ours - golden) <= TOLERANCE * np.maximum(np.abs(golden), 1.0)).all())


@pytest.fixture(scope="module")
def golden() -> dict[str, Array]:
    with np.load(SHIPPED / "golden.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("batch", [1, 8])
def test_graphs_agree_with_keras_note_after_note(shipped: Bundle, golden: dict[str, Array], batch: int) -> None:
    kept = {name.split("/")[1]: a for name, a in golden.items() if name.startswith(f"batch{batch}/")}
    notes = kept.pop("notes")  # (steps, 4, batch)
    state = {name: np.zeros((batch, units), np.float32) for name, units in shipped.state}
    step = shipped.sessions["step"]
    outputs = [v.name for v in step.get_outputs()]
    for row, fed in enumerate(notes):
        found = dict(zip(outputs, step.run(outputs, dict(zip(HEADS, fed, strict=True)) | state), strict=True))
        state = {name: found[f"{name}_out"] for name in state}
        drawn = notes[(row + 1) % len(notes)].copy()
        drawn[0] = np.minimum(drawn[0], 127)  # the beginning of a piece is fed, never drawn
        for k, head in enumerate(HEADS[1:], 1):
            feeds = {"z": found["z"], **dict(zip(HEADS[:k], drawn, strict=False))}
            found[f"{head}_logits"] = shipped.sessions[f"head_{head}"].run(None, feeds)[0]
        assert set(found) == set(kept)
        wrong = [name for name, value in found.items() if not close(value, kept[name][row])]
        assert wrong == [], f"step {row}"


def test_the_stepper_agrees_with_keras(shipped: Bundle, golden: dict[str, Array]) -> None:
    notes = golden["batch1/notes"][:, :, 0]
    stepper = OnnxStepper(shipped)
    state = stepper.start()
    assert notes[0][0] == BOS
    for row, note in enumerate(notes):
        if row:
            state = stepper.feed(state, tuple(int(v) for v in note))
        assert close(state.pitch_logits, golden["batch1/pitch_logits"][row, 0])
        drawn = tuple(min(int(v), 127) for v in notes[(row + 1) % len(notes)])
        for k, head in enumerate(HEADS[1:], 1):
            assert close(stepper.logits(state, head, drawn[:k]), golden[f"batch1/{head}_logits"][row, 0])

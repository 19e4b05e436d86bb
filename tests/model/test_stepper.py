"""One step after another: snapshots that never change, heads that follow what was drawn, ranges that are kept."""

import numpy as np
import pytest

from livemuse.model.bundle import Bundle
from livemuse.model.stepper import OnnxStepper
from livemuse.music.protocols import Stepper
from livemuse.music.vocabulary import HEADS, VOCABULARY

PHRASE = [(60, 20, 20, 16), (64, 30, 21, 17), (67, 31, 22, 18), (72, 30, 30, 20)]


@pytest.fixture(scope="module")
def stepper(shipped: Bundle) -> OnnxStepper:
    return OnnxStepper(shipped)


def test_it_is_what_the_improviser_asks_for(stepper: OnnxStepper) -> None:
    asked: Stepper = stepper
    assert asked.name == "concert"
    assert len(asked.hash) == 64


def test_each_head_gives_one_logit_for_each_value(stepper: OnnxStepper) -> None:
    state = stepper.start()
    for k, head in enumerate(HEADS):
        logits = stepper.logits(state, head, PHRASE[0][:k])
        assert logits.shape == (VOCABULARY.sizes[head],)
        assert logits.dtype == np.float32
        assert np.isfinite(logits).all()


def test_going_back_gives_the_same_again(stepper: OnnxStepper) -> None:
    """A snapshot is untouched by what was fed after it, so an answer taken back leaves no trace."""
    state = stepper.start()
    for note in PHRASE[:2]:
        state = stepper.feed(state, note)
    kept = [a.copy() for a in (*state.arrays, state.pitch_logits, state.z)]
    first = stepper.feed(state, PHRASE[2])
    stepper.feed(stepper.feed(state, PHRASE[3]), PHRASE[2])
    again = stepper.feed(state, PHRASE[2])
    assert all(np.array_equal(a, b) for a, b in zip(kept, (*state.arrays, state.pitch_logits, state.z), strict=True))
    assert np.array_equal(first.pitch_logits, again.pitch_logits)


def test_what_is_given_is_kept_by_who_has_it(shipped: Bundle) -> None:
    """No later note writes over the numbers of an earlier one; and another stepper of the same model has its own."""
    one, other = OnnxStepper(shipped), OnnxStepper(shipped)
    state = one.feed(one.start(), PHRASE[0])
    logits = one.logits(state, "step", (60,))
    kept = logits.copy()
    one.logits(state, "step", (80,))
    one.logits(other.feed(other.start(), PHRASE[1]), "step", (60,))
    assert np.array_equal(logits, kept)
    assert np.array_equal(other.logits(state, "step", (60,)), kept)


def test_what_was_heard_and_drawn_matters(stepper: OnnxStepper) -> None:
    one, other = (stepper.feed(stepper.start(), note) for note in PHRASE[:2])
    assert not np.array_equal(one.pitch_logits, other.pitch_logits)
    steps = [stepper.logits(one, "step", (pitch,)) for pitch in (40, 80)]
    assert not np.array_equal(*steps)


def test_the_start_is_made_once(stepper: OnnxStepper) -> None:
    assert stepper.start() is stepper.start()


@pytest.mark.parametrize(
    "note",
    [(128, 0, 0, 0), (-1, 0, 0, 0), (60, 64, 0, 0), (60, 0, 48, 0), (60, 0, 0, 32), (60, 0, 0, -1), (60, 0, 0)],
)
def test_a_note_outside_the_vocabulary_is_refused(stepper: OnnxStepper, note: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"outside|values"):
        stepper.feed(stepper.start(), note)


@pytest.mark.parametrize(("head", "drawn"), [("step", ()), ("step", (128,)), ("velocity", (60, 1)), ("pitch", (60,))])
def test_a_head_wants_just_what_was_drawn_before_it(stepper: OnnxStepper, head: str, drawn: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"outside|values"):
        stepper.logits(stepper.start(), head, drawn)


def test_it_stays_sound_over_a_long_evening(stepper: OnnxStepper) -> None:
    state = stepper.start()
    for k in range(3000):
        state = stepper.feed(state, PHRASE[k % 4])
    assert np.isfinite(state.pitch_logits).all()
    assert np.argmax(state.pitch_logits) in {note[0] for note in PHRASE}  # what has been heard 750 times

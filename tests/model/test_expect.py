"""What silence a model expects: a share that falls with time, however the notes were told, and no trace left."""

from itertools import pairwise

from livemuse.model.bundle import Bundle
from livemuse.model.free_improviser import FreeImproviser
from livemuse.model.stepper import OnnxStepper
from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.schedule import Plan
from livemuse.music.turntaking import SILENCES_S
from livemuse.testing.scripted import ScriptedStepper

HEARD = [Note(0.0, 60, 0.3, 80), Note(0.3, 64, 0.3, 80), Note(0.6, 67, 0.5, 80)]


def test_the_longer_the_silence_the_less_it_is_expected(shipped: Bundle) -> None:
    improviser = FreeImproviser(OnnxStepper(shipped))
    shares = improviser.expect(HEARD)
    assert len(shares) == len(SILENCES_S)
    assert all(0.0 <= later <= sooner <= 1.0 for sooner, later in pairwise(shares))
    assert shares[0] > 0.5 > shares[-1]


def test_a_tail_is_weighed_as_if_it_had_been_heard(shipped: Bundle) -> None:
    stepper = OnnxStepper(shipped)
    told, asked = FreeImproviser(stepper), FreeImproviser(stepper)
    told.listen(HEARD)
    asked.listen(HEARD[:1])
    asked.expect(HEARD[1:2])  # a tail grows, and what was fed of it once is not fed again
    assert asked.expect(HEARD[1:]) == told.expect(())
    asked.listen(HEARD[1:])
    assert asked.expect(()) == told.expect(())


def test_asking_leaves_no_trace(shipped: Bundle) -> None:
    made = []
    for ask in (True, False):
        improviser = FreeImproviser(OnnxStepper(shipped))
        improviser.listen(HEARD[:2])
        if ask:
            improviser.expect(HEARD[2:])
        improviser.begin(Plan(1, 1, 0, tuple(HEARD[2:]), 2.0, 2.0, 4.0, None, 0, Controls()))
        if ask:
            improviser.expect(HEARD[2:])
        made.append(improviser.extend(1, 9.0))
    assert made[0] == made[1]


def test_one_who_is_sure_of_the_next_note_is_surprised_from_then_on() -> None:
    shares = FreeImproviser(ScriptedStepper(step_s=0.5)).expect(HEARD)
    before = [share for at_s, share in zip(SILENCES_S, shares, strict=True) if at_s < 0.45]
    after = [share for at_s, share in zip(SILENCES_S, shares, strict=True) if at_s > 0.6]
    assert min(before) > 0.99 > 0.01 > max(after)


def test_many_pitches_at_once_give_the_logits_of_each(shipped: Bundle) -> None:
    stepper = OnnxStepper(shipped)
    state = stepper.feed(stepper.start(), (60, 20, 20, 16))
    rows = stepper.step_logits(state, [60, 64, 67])
    for pitch, row in zip((60, 64, 67), rows, strict=True):
        assert abs(row - stepper.logits(state, "step", (pitch,))).max() < 1e-5

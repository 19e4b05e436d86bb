"""Notes made in step: the same music as alone, what is asked of the model in one go, and conversations that differ."""

import numpy as np

from livemuse.model.bundle import Bundle
from livemuse.model.conversation import FEED, Ask, InStep, Talk, alone
from livemuse.model.stepper import OnnxStepper
from livemuse.testing.scripted import ScriptedStepper

PHRASE = [(60, 20, 20, 16), (64, 30, 21, 17), (67, 31, 22, 18), (72, 30, 30, 20)]


def test_one_run_for_several_states_gives_what_several_runs_give(shipped: Bundle) -> None:
    stepper = OnnxStepper(shipped)
    styles = [None, stepper.style({stepper.labels[0]: 1.0})]
    for style in styles:
        states = [stepper.feed(stepper.start(), note) for note in PHRASE]
        together = stepper.feed_many(states, PHRASE, style)
        for state, note, found in zip(states, PHRASE, together, strict=True):
            one = stepper.feed(state, note, style)
            assert np.allclose(found.pitch_logits, one.pitch_logits, atol=1e-4)
            assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(found.arrays, one.arrays, strict=True))
        for head, k in (("pitch", 0), ("step", 1), ("duration", 2), ("velocity", 3)):
            rows = stepper.logits_many(states, head, [note[:k] for note in PHRASE])
            for row, state, note in zip(rows, states, PHRASE, strict=True):
                assert np.allclose(row, stepper.logits(state, head, note[:k]), atol=1e-4)


def _counts(length: int) -> Talk[list[int]]:
    """Plays the likeliest pitch so many times over, and says what it played."""
    state, played = ScriptedStepper().start(), []
    for _ in range(length):
        logits = yield Ask("pitch", state, ())
        played.append(int(np.argmax(logits)))
        state = yield Ask(FEED, state, (played[-1], 1, 1, 1))
    return played


def test_conversations_of_different_lengths_are_led_to_their_ends() -> None:
    stepper, lengths = ScriptedStepper(), [3, 0, 5]
    together, rounds = InStep([_counts(n) for n in lengths], stepper), 0
    while not together.over:
        answered = together.go_on()
        rounds += 1
        assert len({ask.what for _, ask, _ in answered}) == 1
    assert [together.made[k] for k in range(3)] == [alone(_counts(n), stepper) for n in lengths]
    assert rounds == 2 * max(lengths)  # as many as the longest takes alone

"""How an answer fits its call: against other calls, against an echo, against what the pianist really played next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.model.stepper import ModelState, OnnxStepper
from livemuse.music.notes import Note
from livemuse.music.vocabulary import HEADS, VOCABULARY
from training.evaluate import bootstrap
from training.figures.histograms import histograms, mean_overlap, overlap
from training.figures.playing import ANSWER_S, Turn, echo

Array = npt.NDArray[Any]
OTHERS: Final = 3  # other calls each answer is tried after
MOST_SCORED: Final = 80  # notes of an answer that count for its fit
PAUSE_S: Final = 0.6  # between the end of a call and an answer, as a player waits


@dataclass(frozen=True, slots=True)
class Gain:
    """A figure with one's own call (or continuation), with those of others, and the 95 % interval of the gain."""

    own: float
    others: float
    gain: float  # positive where one's own fits better
    low: float
    high: float
    share_better: float


def gain(own: Sequence[float], others: Sequence[float], less_is_better: bool = False) -> Gain:
    """What is gained by one's own; the interval is of a bootstrap over answers."""
    ours, theirs = np.array(own, np.float64), np.array(others, np.float64)
    better = theirs - ours if less_is_better else ours - theirs
    low, high = bootstrap(better, np.ones(len(better)))
    mean = float(better.mean())
    return Gain(float(ours.mean()), float(theirs.mean()), mean, low, high, float((better > 0).mean()))


class Judge:
    """A model, asked how likely an answer is after a call."""

    def __init__(self, stepper: OnnxStepper) -> None:
        self._stepper = stepper

    def after(self, call: Sequence[Note]) -> tuple[ModelState, float]:
        """What the model expects after a call, and the call's last onset."""
        state, previous_s = self._stepper.start(), call[0].onset_s
        for note in call:
            state = self._stepper.feed(state, words(note, previous_s))
            previous_s = note.onset_s
        return state, previous_s

    def nats(self, state: ModelState, silence_s: float, notes: Sequence[Note]) -> float:
        """Nats a note of an answer that begins ``silence_s`` after the last onset; its first step was no choice."""
        total, previous_s = 0.0, -silence_s
        for index, note in enumerate(notes):
            drawn = words(note, previous_s)
            for position, head in enumerate(HEADS):
                if index == 0 and head == "step":
                    continue
                logits = self._stepper.logits(state, head, drawn[:position]).astype(np.float64)
                peak = logits.max()
                total += float(np.log(np.exp(logits - peak).sum()) + peak - logits[drawn[position]])
            state, previous_s = self._stepper.feed(state, drawn), note.onset_s
        return total / len(notes)


def words(note: Note, previous_s: float) -> tuple[int, int, int, int]:
    """A note as the model reads it."""
    return (
        note.pitch,
        VOCABULARY.step_bin(max(note.onset_s - previous_s, 0.0)),
        VOCABULARY.duration_bin(note.duration_s),
        VOCABULARY.velocity_bin(note.velocity),
    )


Performance = Callable[[Turn], tuple[Note, ...]]
PERFORMANCES: Final[dict[str, Performance]] = {
    "answer": lambda turn: turn.answer,
    "echo": lambda turn: echo(turn.call),
    "pianist": lambda turn: turn.next,
}
"""What is judged: the answer, the end of the call once more, and what the pianist really played."""


def nats_gain(judge: Judge, turns: Sequence[Turn], performance: Performance) -> Gain:
    """Nats a note after one's own call against after the next few calls of the list; less is better."""
    heard = [judge.after(turn.call) for turn in turns]
    own, others = [], []
    for index, turn in enumerate(turns):
        silence_s = max(n.end_s for n in turn.call) - heard[index][1] + PAUSE_S
        notes = performance(turn)[:MOST_SCORED]
        own.append(judge.nats(heard[index][0], silence_s, notes))
        tried = [judge.nats(heard[k][0], silence_s, notes) for k in _others(index, len(turns))]
        others.append(float(np.mean(tried)) if tried else own[-1])
    return gain(own, others, less_is_better=True)


def _others(index: int, count: int, most: int = OTHERS) -> list[int]:
    return [(index + k + 1) % count for k in range(min(most, count - 1))]


def continuation_gain(turns: Sequence[Turn], performance: Performance) -> Gain:
    """The mean overlapping area with one's own true continuation against with those of all others."""
    theirs = [histograms(turn.next, ANSWER_S) for turn in turns]
    return _overlap_gain([histograms(performance(turn), ANSWER_S) for turn in turns], theirs, mean_overlap)


def pitch_class_gain(turns: Sequence[Turn], performance: Performance) -> Gain:
    """The overlapping area of the pitch classes with those of one's own call against those of all other calls."""
    calls = [histograms(turn.call, 1.0)["pitch_class"] for turn in turns]
    return _overlap_gain([histograms(performance(turn), 1.0)["pitch_class"] for turn in turns], calls, overlap)


def _overlap_gain(ours: Sequence[Any], theirs: Sequence[Any], area: Callable[[Any, Any], float]) -> Gain:
    table = np.array([[area(one, other) for other in theirs] for one in ours])
    own = np.diag(table)
    others = (table.sum(1) - own) / max(len(ours) - 1, 1) if len(ours) > 1 else own
    return gain(own.tolist(), others.tolist())


def fits(judge: Judge, turns: Sequence[Turn], all_performances: bool = True) -> dict[str, dict[str, Gain]]:
    """{performance: {"nats", "pitch_classes", "continuation"}}: the three fits of each; or of the answers alone."""
    chosen = PERFORMANCES if all_performances else {"answer": PERFORMANCES["answer"]}
    found = {}
    for name, performance in chosen.items():
        found[name] = {
            "nats": nats_gain(judge, turns, performance),
            "pitch_classes": pitch_class_gain(turns, performance),
            "continuation": continuation_gain(turns, performance),
        }
        if name == "pianist":  # what is compared with itself says nothing
            del found[name]["continuation"]
    return found

"""How an answer fits its call: against other calls, against an echo, against what the pianist really played next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.model.bundle import Bundle
from livemuse.music.notes import Note
from livemuse.music.vocabulary import HEADS, VOCABULARY
from training.evaluate import bootstrap
from training.figures.following import FIRST, Stand, beginning, follow
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
    """A model, asked how likely answers are after calls; what it made of a call is kept."""

    def __init__(self, bundle: Bundle) -> None:
        self.name = bundle.info.name
        self._bundle = bundle
        self._heard: dict[tuple[Note, ...], Stand] = {}

    def after(self, calls: Sequence[tuple[Note, ...]]) -> list[Stand]:
        """What the model expects after each call."""
        new = [call for call in dict.fromkeys(calls) if call not in self._heard]
        read = [np.concatenate([[FIRST], bins_of(call, call[0].onset_s)]) for call in new]
        stands, _ = follow(self._bundle, [beginning(self._bundle)] * len(new), read)
        self._heard |= dict(zip(new, stands, strict=True))
        return [self._heard[call] for call in calls]

    def nats(self, stands: Sequence[Stand], silences_s: Sequence[float], answers: Sequence[Sequence[Note]]) -> Array:
        """(answers,) nats a note of answers that begin so long after the last onset; the first step was no choice."""
        read = [bins_of(notes, -silence_s) for notes, silence_s in zip(answers, silences_s, strict=True)]
        _, found = follow(self._bundle, stands, read)
        step = HEADS.index("step")
        return np.array([(float(nats.sum()) - float(nats[0, step])) / len(nats) for nats in found])


def bins_of(notes: Sequence[Note], previous_s: float) -> Array:
    """Notes as the model reads them, (notes, 4) int32, the last onset before them at ``previous_s``."""
    before_s = [previous_s, *(note.onset_s for note in notes)]
    return np.array([words(note, at_s) for note, at_s in zip(notes, before_s, strict=False)], np.int32)


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
    heard = judge.after([turn.call for turn in turns])
    after, silences_s, answers = [], [], []
    for index, turn in enumerate(turns):
        silence_s = max(n.end_s for n in turn.call) - turn.call[-1].onset_s + PAUSE_S
        for k in (index, *_others(index, len(turns))):
            after.append(heard[k])
            silences_s.append(silence_s)
            answers.append(performance(turn)[:MOST_SCORED])
    table = judge.nats(after, silences_s, answers).reshape(len(turns), -1)  # (turns, own and others)
    own = table[:, 0]
    others = table[:, 1:].mean(1) if table.shape[1] > 1 else own
    return gain(own.tolist(), others.tolist(), less_is_better=True)


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

"""What the page lets a model play: answers to calls from unseen pieces, and long improvisations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.model.stepper import OnnxStepper
from livemuse.music.notes import Note
from training.corpus import Corpus
from training.figures.copying import longest_runs, pitches_of
from training.figures.form import bar_vectors
from training.figures.histograms import histograms, pooled
from training.figures.longform import Opening, openings
from training.figures.playing import ANSWER_S, Turn, answered, choose_turns, controls_of, excerpt, improvise

Array = npt.NDArray[Any]
Say = Callable[[str], None]
PIANISTS: Final = "pianists"


@dataclass(frozen=True)
class Played:
    """Everything one model has played for the page; ``form`` is {bars: {"pitch_classes", "rhythm": (bars, bars)}}."""

    turns: tuple[Turn, ...]
    form: dict[int, dict[str, Array]]


@dataclass(frozen=True, slots=True)
class Programme:
    """What every model of the page is asked to play: the same calls and the same openings."""

    calls: tuple[Turn, ...]
    openings: tuple[Opening, ...]
    bars: tuple[int, ...]
    bar_s: float


def programme(corpus: Corpus, calls: int, pieces: int, bars: Sequence[int], seed: int) -> Programme:
    """So many calls, and openings of pieces long enough for the longest form; ValueError where there is no call."""
    bar_s = 2.0  # prepared notes carry no bar lines
    turns = choose_turns(corpus, calls, seed)
    if not turns:
        raise ValueError("no validation piece is long enough for a call and what was played after it")
    found = openings(corpus, pieces, max(bars), bar_s, seed) if bars and pieces else []
    return Programme(tuple(turns), tuple(found), tuple(bars), bar_s)


def play(stepper: OnnxStepper, asked: Programme, settings: Sequence[str], say: Say) -> Played:
    """Let a model play the programme; ValueError where it answers no call at all."""
    controls = controls_of(settings)
    turns = answered(asked.calls, lambda turn: improvise(stepper, turn.call, controls), say)
    if not turns:
        raise ValueError(f"{stepper.name} answers none of the calls")
    say(f"{stepper.name}: {len(turns)} of {len(asked.calls)} calls answered")
    form: dict[int, dict[str, Array]] = {}
    for bars in asked.bars if asked.openings else ():
        long = controls_of(settings, bars * asked.bar_s)
        form[bars] = mean_similarity([improvise(stepper, o.seed, long) for o in asked.openings], bars, asked.bar_s)
        say(f"{stepper.name}: {len(asked.openings)} times {bars} bars")
    return Played(tuple(turns), form)


def real_form(asked: Programme) -> dict[int, dict[str, Array]]:
    """The same matrices of what the pianists played."""
    return {
        bars: mean_similarity([excerpt(o.real, 0.0, bars * asked.bar_s) for o in asked.openings], bars, asked.bar_s)
        for bars in (asked.bars if asked.openings else ())
    }


def mean_similarity(many: Sequence[Sequence[Note]], bars: int, bar_s: float) -> dict[str, Array]:
    """The cosine of every bar with every other, (bars, bars) 0 to 1, the mean over several pieces of music."""
    vectors = [bar_vectors(notes, bars, bar_s) for notes in many]
    return {
        kind: np.mean([cosines(v[k]) for v in vectors], axis=0) for k, kind in enumerate(("pitch_classes", "rhythm"))
    }


def cosines(vectors: Array) -> Array:
    """The cosine of every row with every row, (rows, rows); a row of zeros is like none, itself included."""
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, size, out=np.zeros_like(vectors), where=size > 0)
    found: Array = np.clip(unit @ unit.T, 0.0, 1.0)
    return found


def counted(turns: Sequence[Turn], real: bool) -> dict[str, Array]:
    """The six histograms of all answers together, or of all true continuations."""
    return pooled([histograms(turn.next if real else turn.answer, ANSWER_S) for turn in turns])


def copied(turns: Sequence[Turn], real: bool, training: Array) -> dict[str, list[int]]:
    """{"training", "call"}: for each answer (or true continuation) its longest run of pitches that stands there."""
    played = [pitches_of(turn.next if real else turn.answer) for turn in turns]
    of_call = [longest_runs([one], pitches_of(turn.call))[0] for one, turn in zip(played, turns, strict=True)]
    return {"training": longest_runs(played, training), "call": of_call}

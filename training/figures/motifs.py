"""Whether livemuse takes up a motif of the player's within its next two turns, at several settings of `imitate`.

A call holds a motif twice (`training.figures.planting`), livemuse answers, the player goes on as the pianist did, and
livemuse answers again: one evening in virtual time, with the code that plays on stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.protocols import Stepper
from livemuse.offline import answers_in_turn
from training.corpus import load_corpus
from training.evaluate import performance_bundle
from training.figures.copying import longest_runs, pitches_of
from training.figures.judging import PAUSE_S, Judge
from training.figures.planting import Planted, goes_round, in_a_voice, in_skyline, planted
from training.figures.playing import SEED, Turn, choose_turns, controls_of, load_stepper

AMOUNTS: Final = (0.0, 0.25, 0.5, 1.0)
BETWEEN_S: Final = 1.0  # from the end of an answer to the player's next call
MOST_SCORED: Final = 80  # notes of an answer whose likelihood counts


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training motifs` was asked for."""

    model: Path
    data: Path
    calls: int = 20
    seed: int = 0  # of the choice of pieces, and of the motifs
    split: str = "validation"
    amounts: tuple[float, ...] = AMOUNTS
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A call with a motif, and the two answers; onsets count from the decision of each."""

    planted: Planted
    answers: tuple[tuple[Note, ...], ...]


def motifs(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures at each setting."""
    stepper = load_stepper(asked.model)
    judge = Judge(performance_bundle(asked.model))
    turns = choose_turns(load_corpus(asked.data, asked.split), asked.calls, asked.seed)
    rng = np.random.default_rng(asked.seed)
    calls = [(planted(turn.call, rng, "above" if k % 2 else "alone"), turn) for k, turn in enumerate(turns)]
    rows = {}
    for amount in asked.amounts:
        controls = controls_of(asked.settings).replaced("imitate", amount)
        done = [
            Answered(call, two_answers(stepper, call, turn, controls.replaced("seed", SEED + k)))
            for k, (call, turn) in enumerate(calls)  # chance is keyed by turn and note: one seed would be one throw
        ]
        rows[f"{amount:g}"] = figures(done, judge)
        say(f"imitate {amount:g}: {rows[f'{amount:g}']['comes_back']:.0%} of {len(done)} motifs come back")
    return {"model": stepper.name, "calls": len(calls), "seed": asked.seed, "split": asked.split, "imitate": rows}


def two_answers(stepper: Stepper, call: Planted, turn: Turn, controls: Controls) -> tuple[tuple[Note, ...], ...]:
    """livemuse's answers to the call, and to what the pianist played after it."""
    made = answers_in_turn([call.call, turn.next], stepper, controls, BETWEEN_S)
    return tuple(tuple(Note(n.onset_s, n.pitch, n.duration_s, n.velocity) for n in answer) for answer in made)


def figures(done: Sequence[Answered], judge: Judge) -> dict[str, float]:
    """What share of the motifs comes back, how likely the answers are, and whether they copy or go round."""
    first = [(one.planted.call, one.answers[0]) for one in done if one.answers[0]]
    stands = judge.after([call for call, _ in first])
    silences_s = [max(n.end_s for n in call) - call[-1].onset_s + PAUSE_S for call, _ in first]
    nats = judge.nats(stands, silences_s, [answer[:MOST_SCORED] for _, answer in first])
    runs = [longest_runs([pitches_of(answer)], pitches_of(call))[0] for call, answer in first]
    every = [answer for one in done for answer in one.answers if answer]
    return {
        "comes_back": _share([_back(one, one.answers) for one in done]),
        "at_once": _share([_back(one, one.answers[:1]) for one in done]),
        "bare": _share([_back(one, one.answers, in_skyline) for one in done]),
        "alone": _share([_back(one, one.answers) for one in done if one.planted.how == "alone"]),
        "above": _share([_back(one, one.answers) for one in done if one.planted.how == "above"]),
        "nats": float(nats.mean()),
        "run_call": float(np.median(runs)),
        "notes": float(np.mean([len(answer) for answer in every])),
        "goes_round": _share([goes_round(answer) for answer in every]),
    }


def _back(one: Answered, answers: Sequence[Sequence[Note]], *lines: Callable[..., bool]) -> bool:
    return any(line(notes, one.planted.intervals) for notes in answers for line in lines or (in_skyline, in_a_voice))


def _share(found: Sequence[bool]) -> float:
    return float(np.mean(found)) if found else 0.0


COLUMNS: Final = {
    "comes_back": "share of motifs whose intervals stand in a voice of one of two answers",
    "at_once": "in the first of them",
    "bare": "with nothing in between: in the upper voice, or in all notes",
    "alone": "of those that were played alone",
    "above": "of those that were the upper voice",
    "nats": "nats a note of the first answers, under the model itself",
    "run_call": "longest run of pitches shared with the call: median",
    "notes": "of an answer",
    "goes_round": "answers with a figure of four notes more than four times in a row",
}


def table(found: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{name.replace('_', ' ')}: {words}" for name, words in COLUMNS.items()]
    lines += ["", f"{'imitate':<8}" + "".join(f"{name.replace('_', ' '):>12}" for name in COLUMNS)]
    for amount, row in found["imitate"].items():
        shares = {n: f"{v:.2f}" if n in ("nats", "run_call", "notes") else f"{v:.0%}" for n, v in row.items()}
        lines.append(f"{amount:<8}" + "".join(f"{shares[name]:>12}" for name in COLUMNS))
    return "\n".join(lines)

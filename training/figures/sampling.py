"""A table of settings: the same calls answered at each, and the figures of the answers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.model.stepper import OnnxStepper
from livemuse.music.notes import Note
from training.corpus import load_corpus
from training.evaluate import performance_bundle
from training.figures.copying import longest_runs, pitches_of, pitches_of_corpus
from training.figures.harmony import degrees, key_of
from training.figures.histograms import overlap
from training.figures.judging import Gain, Judge, continuation_gain, nats_gain, pitch_class_gain
from training.figures.likeness import likeness, register, runs_of, spread
from training.figures.playing import Turn, choose_turns, controls_of, improvise, load_stepper

OWN_KEY: Final = "own"  # as a value of `key`: the key of each call
COLUMNS: Final = {
    "overlap": "all answers with all true continuations: the mean of six overlapping areas",
    "continuation": "each answer with its own true continuation",
    "continuation_gain": "the same, less that with the true continuations of other calls",
    "continuation_low": "the low end of its 95 % interval",
    "pitch_classes_gain": "pitch classes of the answer with its own call, less those with other calls",
    "nats": "nats a note after its own call",
    "nats_gain": "nats a note after other calls, less those after its own",
    "in_key": "share of notes in the key of the call",
    "scale": "how often each degree above the tonic is struck: overlapping area with the pianists', in the call's key",
    "repetition": "share of runs of four pitches that the same answer had before",
    "beat": "rhythmic autocorrelation at the beat",
    "four_beats": "rhythmic autocorrelation at four beats",
    "notes_per_s": "notes a second",
    "register": "median distance of its median pitch from that of the call's end, semitones",
    "register_p90": "the same, nine in ten",
    "run_call": "longest run of pitches shared with the call, median",
    "run_training": "longest run that stands in the training set, median",
    "run_training_longest": "the longest of all answers",
}
"""What each column of the table is."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What `python -m training sampling` was asked for."""

    model: Path
    data: Path
    calls: int = 30
    seed: int = 0
    settings: tuple[str, ...] = ()  # of every row
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)  # control: what it is set to, a row each
    copying: bool = True
    jobs: int = 1  # processes that answer side by side


def rows_of(values: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """The settings of each row: the defaults, then one control changed at a time."""
    return [(), *((f"{name}={value}",) for name, row in values.items() for value in row)]


def answer_at(stepper: OnnxStepper, turn: Turn, settings: Sequence[str]) -> tuple[Note, ...]:
    """The answer to a call at some settings, where ``key=own`` is the key of the call."""
    own = f"key={key_of(turn.call)}"
    return improvise(stepper, turn.call, controls_of([own if s == f"key={OWN_KEY}" else s for s in settings]))


def answers_at(model: Path, turns: Sequence[Turn], settings: Sequence[str]) -> list[tuple[Note, ...]]:
    """The answer to each call at some settings; the work of one process."""
    stepper = load_stepper(model)
    return [answer_at(stepper, turn, settings) for turn in turns]


def scale_overlap(turns: Sequence[Turn]) -> float:
    """The overlapping area of the degrees that all answers and all true continuations strike in their calls' keys."""
    keys = [key_of(turn.call) for turn in turns]
    made = sum(degrees(turn.answer, key) for turn, key in zip(turns, keys, strict=True))
    real = sum(degrees(turn.next, key) for turn, key in zip(turns, keys, strict=True))
    return overlap(np.asarray(made), np.asarray(real))


def row(judge: Judge, turns: Sequence[Turn]) -> dict[str, float | None]:
    """The figures of one row, but for copying from the training set."""
    whole, hands, calls = likeness(turns), register(turns), runs_of(turns, "answer", None)
    continuation = continuation_gain(turns, lambda t: t.answer)
    nats: Gain = nats_gain(judge, turns, lambda t: t.answer)
    return {
        "overlap": whole["overlap"]["mean"],
        "continuation": continuation.own,
        "continuation_gain": continuation.gain,
        "continuation_low": continuation.low,
        "pitch_classes_gain": pitch_class_gain(turns, lambda t: t.answer).gain,
        "nats": nats.own,
        "nats_gain": nats.gain,
        "in_key": whole["answer"]["in_key_share"],
        "scale": scale_overlap(turns),
        "repetition": whole["answer"]["repetition"],
        "beat": whole["answer"]["rhythm_at_the_beat"],
        "four_beats": whole["answer"]["rhythm_at_four_beats"],
        "notes_per_s": whole["answer"]["notes_per_s"],
        "register": hands["median"],
        "register_p90": hands["p90"],
        "run_call": calls["call"]["median"],
    }


def sampling(grid: Grid, say: Callable[[str], None]) -> dict[str, Any]:
    """Every row of the table, and the pianists' own; ValueError where no call can be taken from the pieces."""
    if grid.jobs < 1:
        raise ValueError(f"--jobs is 1 or more, not {grid.jobs}")
    judge = Judge(performance_bundle(grid.model))
    wanted = [(*grid.settings, *settings) for settings in rows_of(grid.values)]
    for settings in wanted:  # a misspelt control is told before anything is played
        controls_of([s for s in settings if s != f"key={OWN_KEY}"])
    turns = choose_turns(load_corpus(grid.data, "validation"), grid.calls, grid.seed)
    if not turns:
        raise ValueError(f"no piece of {grid.data} is long enough for a call and its continuation")
    rows: list[dict[str, Any]] = [_pianists(judge, turns)]
    played = [[pitches_of(turn.next) for turn in turns]]
    for settings, given in zip(rows_of(grid.values), _answers(grid, turns, wanted), strict=True):
        done = [replace(turn, answer=notes) for turn, notes in zip(turns, given, strict=True) if notes]
        name = " ".join(settings) or "defaults"
        if not done:
            raise ValueError(f"no call was answered at {name}")
        rows.append({"settings": name, "answers": len(done), **row(judge, done)})
        played.append([pitches_of(turn.answer) for turn in done])
        say(f"{name}: overlap {rows[-1]['overlap']:.3f}")
    if grid.copying:
        _add_copying(rows, played, grid.data)
    return {"model": judge.name, "calls": len(turns), "seed": grid.seed, "settings": list(grid.settings),
            "columns": COLUMNS, "rows": rows}  # fmt: skip


def _answers(grid: Grid, turns: Sequence[Turn], wanted: Sequence[tuple[str, ...]]) -> Iterator[list[tuple[Note, ...]]]:
    """The answers of each row, in the order of the rows, whoever makes them."""
    if grid.jobs == 1:
        yield from (answers_at(grid.model, turns, settings) for settings in wanted)
        return
    with ProcessPoolExecutor(grid.jobs, mp_context=get_context("spawn")) as pool:
        count = len(wanted)
        yield from pool.map(answers_at, [grid.model] * count, [turns] * count, wanted)


def _pianists(judge: Judge, turns: Sequence[Turn]) -> dict[str, Any]:
    """The true continuations as a row of their own; what would compare them with themselves is left empty."""
    as_answers = [Turn(t.file, t.call, t.next, t.next) for t in turns]
    found = row(judge, as_answers)
    empty = {name: None for name in ("overlap", "continuation", "continuation_gain", "continuation_low")}
    return {"settings": "pianists", "answers": len(turns), **found, **empty}


def _add_copying(rows: Sequence[dict[str, Any]], played: Sequence[Sequence[Any]], data: Path) -> None:
    training = pitches_of_corpus(load_corpus(data, "train"))
    runs = longest_runs([pitches for one in played for pitches in one], training)
    for found, one in zip(rows, played, strict=True):
        of_row, runs = spread(runs[: len(one)]), runs[len(one) :]
        found["run_training"], found["run_training_longest"] = of_row["median"], of_row["longest"]


def table(found: Mapping[str, Any]) -> str:
    """The table as a person reads it, and what its columns are."""
    used = [name for name in COLUMNS if name in found["rows"][0]]
    lines = [f"{found['model']}, {found['calls']} calls; columns:"]
    lines += [f"  {number:>2} {name}: {COLUMNS[name]}" for number, name in enumerate(used, 1)]
    lines.append(f"{'':<22}" + "".join(f"{number:>7}" for number in range(1, len(used) + 1)))
    for one in found["rows"]:
        cells = "".join(f"{'-' if one[name] is None else format(one[name], '.3f'):>7}" for name in used)
        lines.append(f"{one['settings']:<22}{cells}")
    return "\n".join(lines)

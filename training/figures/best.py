"""The best of several answers against the first: do they fit their calls better, end better, and go round less?

Every call is answered twice by the code of `livemuse answer`: once with `candidates=1`, once with so many. Both are
judged alike, by measures that the score (`livemuse.music.candidates`) does not use itself: what other calls the answer
would fit, the key that is heard in the whole call, figures in a row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.model.conversation import FEED, Ask, InStep, Talk, alone
from livemuse.model.stepper import OnnxStepper
from livemuse.music.controls import Controls
from livemuse.music.hearing.key import KeyHearing
from livemuse.music.notes import KeyDown, KeyUp, Note
from training.evaluate import bootstrap, performance_bundle
from training.figures.harmony import in_key_share, repetition
from training.figures.histograms import histograms, overlap
from training.figures.judging import PAUSE_S, Judge
from training.figures.planting import goes_round
from training.figures.playing import (
    ANSWER_S,
    CALL_S,
    FEWEST_CALL_NOTES,
    Turn,
    answered,
    controls_of,
    excerpt,
    improvise,
    load_stepper,
)
from training.figures.turns_data import Asked as Performances
from training.figures.turns_data import Performance, performances

TEMPERATURES: Final = (0.9, 1.2)
OTHERS: Final = 5  # calls that each answer is tried after
MOST_SCORED: Final = 80  # notes of an answer
TIMED_NOTES: Final = 300
COLUMNS: Final = {
    "fit": "nats a note by which the answer is likelier after its own call than after others",
    "classes": "by how much its pitch classes overlap more with its own call's than with others'",
    "triad": "share of answers that end on a tone of the tonic triad of the key heard in the call",
    "inside": "share of notes in that key",
    "round": "share of answers with a figure of four notes more than twice in a row",
    "again": "share of runs of four pitches that the answer has played before",
}
LESS_IS_BETTER: Final = ("round", "again")


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training best` was asked for."""

    model: Path
    data: Path
    manifest: Path | None = None
    calls: int = 100
    seed: int = 0
    split: str = "validation"
    candidates: int = 8
    temperatures: tuple[float, ...] = TEMPERATURES
    settings: tuple[str, ...] = ()


def best(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures at each temperature, and what a note costs; ValueError where no call can be had."""
    stepper, judge = load_stepper(asked.model), Judge(performance_bundle(asked.model))
    turns = calls(asked, say)
    rows: dict[str, Any] = {}
    for temperature in asked.temperatures:
        controls = controls_of(asked.settings).replaced("temperature", temperature)
        each = [controls.replaced("candidates", count) for count in (1, asked.candidates)]
        sides = [answered(turns, lambda turn, c=c: _answer(stepper, turn, c), say) for c in each]  # type: ignore[misc]
        both = {turn.file for turn in sides[0]} & {turn.file for turn in sides[1]}
        first, chosen = ([turn for turn in side if turn.file in both] for side in sides)
        if not first:
            raise ValueError("no call was answered: the pieces are too short, or the model plays nothing")
        rows[f"{temperature:g}"] = {"answers": len(first), **compared(measured(first, judge), measured(chosen, judge))}
        say(f"temperature {temperature:g}: {len(first)} answers")
    return {
        "model": stepper.name, "candidates": asked.candidates, "calls": len(turns), "split": asked.split,
        "seed": asked.seed, "settings": list(asked.settings), "temperatures": rows,
        "note_ms": note_ms(stepper, asked.candidates),
    }  # fmt: skip


def calls(asked: Asked, say: Callable[[str], None]) -> list[Turn]:
    """Calls of 20 s from the middle of performances, as evenly from all sources as they last."""
    found: list[Turn] = []
    wanted = Performances(asked.model, asked.data, 3 * asked.calls, asked.seed, asked.manifest, asked.split)
    for performance in performances(wanted, say):
        notes = notes_of(performance)
        begin_s = notes[-1].onset_s * 0.4
        call = excerpt(notes, begin_s, CALL_S)
        if len(call) >= FEWEST_CALL_NOTES and notes[-1].onset_s > begin_s + CALL_S + ANSWER_S:
            found.append(Turn(performance.name, call, ()))
        if len(found) == asked.calls:
            break
    if len(found) < 2:
        raise ValueError(f"{asked.data} holds too few performances long enough for a call")
    return found


def notes_of(performance: Performance) -> list[Note]:
    """The notes of a performance as the keys have them, in the order of their onsets."""
    down: dict[int, KeyDown] = {}
    found: list[Note] = []
    for event in performance.events:
        if isinstance(event, KeyDown):
            down.setdefault(event.pitch, event)
        elif isinstance(event, KeyUp) and event.pitch in down:
            key = down.pop(event.pitch)
            found.append(Note(key.at_s, key.pitch, max(event.at_s - key.at_s, 0.01), key.velocity))
    return sorted(found, key=lambda note: (note.onset_s, note.pitch))


def _answer(stepper: OnnxStepper, turn: Turn, controls: Controls) -> tuple[Note, ...]:
    return improvise(stepper, turn.call, controls.replaced("seed", _seed(turn)))


def _seed(turn: Turn) -> int:
    """Chance is keyed by turn and note: one seed would be one throw for all calls."""
    return int(np.frombuffer(turn.file.encode().ljust(8, b"\0")[-8:], np.uint32).sum() % 2**31)


def measured(turns: Sequence[Turn], judge: Judge) -> dict[str, list[float]]:
    """Each figure of each answer."""
    return {
        "fit": _fit(turns, judge),
        "classes": _classes(turns),
        "triad": [float(turn.answer[-1].pitch % 12 in _key(turn).tonic_triad) for turn in turns],
        "inside": [in_key_share(turn.answer, _key(turn)) for turn in turns],
        "round": [float(goes_round(turn.answer, times=2)) for turn in turns],
        "again": [repetition(turn.answer) for turn in turns],
    }


def compared(first: dict[str, list[float]], chosen: dict[str, list[float]]) -> dict[str, Any]:
    """{figure: {"first", "best", "difference", "low", "high"}}: means, and the 95 % interval of what is gained."""
    found = {}
    for name in COLUMNS:
        one, other = np.array(first[name]), np.array(chosen[name])
        low, high = bootstrap(other - one, np.ones(len(one)))
        found[name] = {
            "first": float(one.mean()), "best": float(other.mean()), "difference": float((other - one).mean()),
            "low": float(low), "high": float(high),
        }  # fmt: skip
    return found


def _key(turn: Turn) -> Any:
    hearing = KeyHearing()
    for note in turn.call:
        hearing.hear(note.onset_s, note.pitch)
    return hearing.plain


def _fit(turns: Sequence[Turn], judge: Judge) -> list[float]:
    heard, count = judge.after([turn.call for turn in turns]), len(turns)
    after, silences_s, played = [], [], []
    for index, turn in enumerate(turns):
        silence_s = max(n.end_s for n in turn.call) - turn.call[-1].onset_s + PAUSE_S
        for k in range(1 + min(OTHERS, count - 1)):
            after.append(heard[(index + k) % count])
            silences_s.append(silence_s)
            played.append(turn.answer[:MOST_SCORED])
    table = judge.nats(after, silences_s, played).reshape(count, -1)
    gains: list[float] = (table[:, 1:].mean(1) - table[:, 0]).tolist()
    return gains


def _classes(turns: Sequence[Turn]) -> list[float]:
    theirs = [histograms(turn.call, 1.0)["pitch_class"] for turn in turns]
    ours = [histograms(turn.answer, 1.0)["pitch_class"] for turn in turns]
    table = np.array([[overlap(one, other) for other in theirs] for one in ours])
    own = np.diag(table)
    gains: list[float] = (own - (table.sum(1) - own) / (len(turns) - 1)).tolist()
    return gains


def note_ms(stepper: OnnxStepper, many: int) -> dict[str, float]:
    """{"alone", "together"}: what the model costs a note (fed, and all heads asked), one by one and in a batch."""

    def made() -> Talk[None]:
        state = stepper.start()
        for k in range(TIMED_NOTES):
            words = (60 + k % 12, 20, 20, 16)
            for place, head in enumerate(("pitch", "step", "duration", "velocity")):
                yield Ask(head, state, words[:place])
            state = yield Ask(FEED, state, words)

    began_s = time.perf_counter()
    alone(made(), stepper)
    alone_s = time.perf_counter() - began_s
    together = InStep([made() for _ in range(many)], stepper)
    began_s = time.perf_counter()
    while not together.over:
        together.go_on()
    together_s = time.perf_counter() - began_s
    return {"alone": 1e3 * alone_s / TIMED_NOTES, "together": 1e3 * together_s / TIMED_NOTES / many}


def table(found: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{name}: {words}" for name, words in COLUMNS.items()]
    for temperature, row in found["temperatures"].items():
        lines += ["", f"temperature {temperature}, {row['answers']} answers",
                  f"{'':<10}{'first':>8}{'best':>8}  difference, 95 %"]  # fmt: skip
        for name in COLUMNS:
            one = row[name]
            interval = f"{one['difference']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"
            lines.append(f"{name:<10}{one['first']:>8.3f}{one['best']:>8.3f}  {interval}")
    cost = found["note_ms"]
    lines += ["", f"a note costs the model {cost['alone']:.3f} ms alone, {cost['together']:.3f} ms each where "
              f"{found['candidates']} are stepped together"]  # fmt: skip
    return "\n".join(lines)

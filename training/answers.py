"""Answers to calls from pieces the model has never seen: are they whole, do they fit their call, are they its echo?

    python -m training answers models/concert --data NOTES_DIR
    python -m training answers models/concert --data NOTES_DIR --pieces 50 --set temperature=1.0 --json

Every answer is made by the program itself (`livemuse answer`), from a MIDI file to a MIDI file. A call is 20 s from
the middle of a validation piece; what the pianist played next, for as long, is the true continuation.

Fit: nats a note of an answer after its own call, against after other calls (the next few in the list): less is better.
Run: the longest run of pitches, in the order of their onsets, that an answer shares with its call.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livemuse.midi.messages import note_off, note_on
from livemuse.midi.smf import Track, notes_of, read_song, write_song
from livemuse.model.bundle import load_bundle
from livemuse.model.stepper import ModelState, OnnxStepper
from livemuse.music.notes import Note
from livemuse.music.vocabulary import VOCABULARY
from training.corpus import Corpus, load_corpus
from training.evaluate import bootstrap

CALL_S, ANSWER_S = 20.0, 8.0
FEWEST_CALL_NOTES, FEWEST_NEXT_NOTES = 20, 5
OTHERS = 3  # other calls each answer is tried after
MOST_SCORED = 80  # notes of an answer that count for its fit


@dataclass(frozen=True, slots=True)
class Turn:
    """A call from a piece, what the pianist went on to play, and livemuse's answer (onsets from its decision)."""

    file: str
    call: tuple[Note, ...]
    next: tuple[Note, ...]
    answer: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What `python -m training answers` prints; every figure over all answers."""

    answers: int
    fewest_notes: int
    fewest_pitches: int
    latest_first_onset_s: float
    longest_hole_s: float  # without any sound, before the last note
    latest_end_s: float
    notes_per_s: float
    notes_per_s_of_the_pianists: float
    nats_own_call: float
    nats_other_calls: float
    fit_low: float  # 95 % interval of the difference, over answers
    fit_high: float
    share_fitting_own_call_better: float
    run_median: float
    run_p90: float
    run_median_of_the_pianists: float
    run_p90_of_the_pianists: float


def choose_turns(corpus: Corpus, pieces: int, seed: int) -> list[Turn]:
    """One turn each from so many pieces, drawn with ``seed``; pieces too short or too empty are passed over."""
    turns: list[Turn] = []
    for piece in np.random.default_rng(seed).permutation(len(corpus.pieces)):
        first, last = int(corpus.starts[piece]), int(corpus.starts[piece + 1])
        onsets_s = np.cumsum(corpus.step_s[first:last].astype(np.float64))
        begin_s = onsets_s[-1] * 0.4
        notes = [
            Note(float(onset_s), int(corpus.pitch[n]), float(corpus.duration_s[n]), int(corpus.velocity[n]))
            for n, onset_s in zip(range(first, last), onsets_s, strict=True)
            if begin_s <= onset_s < begin_s + CALL_S + ANSWER_S
        ]
        call = tuple(note for note in notes if note.onset_s < begin_s + CALL_S)
        following = tuple(note for note in notes if note.onset_s >= begin_s + CALL_S)
        if len(call) >= FEWEST_CALL_NOTES and len(following) >= FEWEST_NEXT_NOTES:
            turns.append(Turn(corpus.pieces[piece].file, call, following))
        if len(turns) == pieces:
            break
    return turns


def answer(model: Path, turn: Turn, settings: Sequence[str], seed: int) -> Turn:
    """The turn with livemuse's answer, made by `livemuse answer`."""
    with tempfile.TemporaryDirectory() as folder:
        call, out = Path(folder) / "call.mid", Path(folder) / "answer.mid"
        events = [(n.onset_s, note_on(0, n.pitch, n.velocity)) for n in turn.call]
        events += [(n.end_s, note_off(0, n.pitch)) for n in turn.call]
        call.write_bytes(write_song([Track("player", sorted(events, key=lambda e: (e[0], e[1][0])))]))
        given = [f"--set={setting}" for setting in settings]
        command = ["answer", str(call), "-o", str(out), f"--seconds={ANSWER_S}", f"--seed={seed}", f"--model={model}"]
        subprocess.run([sys.executable, "-m", "livemuse", *command, *given], check=True, capture_output=True)
        return Turn(turn.file, turn.call, turn.next, tuple(notes_of(read_song(out.read_bytes()))))


def hole_s(notes: Sequence[Note]) -> float:
    """The longest silence up to the last onset."""
    longest_s, sounding_until_s = 0.0, 0.0
    for note in notes:
        longest_s = max(longest_s, note.onset_s - sounding_until_s)
        sounding_until_s = max(sounding_until_s, note.end_s)
    return longest_s


def shared_run(one: Sequence[Note], other: Sequence[Note]) -> int:
    """The longest run of pitches that stands in both."""
    ours, theirs = [n.pitch for n in one], [n.pitch for n in other]
    best, row = 0, [0] * (len(theirs) + 1)
    for pitch in ours:
        row = [0, *(row[k] + 1 if pitch == theirs[k] else 0 for k in range(len(theirs)))]
        best = max(best, *row)
    return best


class Judge:
    """The model itself, asked how likely an answer is after a call."""

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
            for position, head in enumerate(("pitch", "step", "duration", "velocity")):
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


def judge(model: Path, turns: Sequence[Turn]) -> Report:
    """All figures of some answered turns."""
    judge_ = Judge(OnnxStepper(load_bundle(model)))
    heard = [judge_.after(turn.call) for turn in turns]
    own, others = [], []
    for index, turn in enumerate(turns):
        silence_s = max(n.end_s for n in turn.call) - heard[index][1] + 0.6
        notes = turn.answer[:MOST_SCORED]
        own.append(judge_.nats(heard[index][0], silence_s, notes))
        tried = [heard[(index + k + 1) % len(turns)][0] for k in range(min(OTHERS, len(turns) - 1))]
        others.append(float(np.mean([judge_.nats(state, silence_s, notes) for state in tried])))
    better = np.array(others) - np.array(own)
    low, high = bootstrap(better[:, None], np.ones(len(better)))
    runs = [shared_run(turn.answer, turn.call) for turn in turns]
    true_runs = [shared_run(turn.next, turn.call) for turn in turns]
    return Report(
        answers=len(turns),
        fewest_notes=min(len(t.answer) for t in turns),
        fewest_pitches=min(len({n.pitch for n in t.answer}) for t in turns),
        latest_first_onset_s=round(max(t.answer[0].onset_s for t in turns), 3),
        longest_hole_s=round(max(hole_s(t.answer) for t in turns), 3),
        latest_end_s=round(max(n.end_s for t in turns for n in t.answer), 3),
        notes_per_s=round(float(np.mean([len(t.answer) for t in turns])) / ANSWER_S, 2),
        notes_per_s_of_the_pianists=round(float(np.mean([len(t.next) for t in turns])) / ANSWER_S, 2),
        nats_own_call=round(float(np.mean(own)), 3),
        nats_other_calls=round(float(np.mean(others)), 3),
        fit_low=round(low, 3),
        fit_high=round(high, 3),
        share_fitting_own_call_better=round(float(np.mean(better > 0)), 3),
        run_median=float(np.median(runs)),
        run_p90=float(np.quantile(runs, 0.9)),
        run_median_of_the_pianists=float(np.median(true_runs)),
        run_p90_of_the_pianists=float(np.quantile(true_runs, 0.9)),
    )


def answers(
    model: Path, data: Path, pieces: int, settings: Sequence[str], seed: int, say: Callable[[str], None]
) -> Report:
    """Answer so many calls and judge the answers."""
    turns = choose_turns(load_corpus(data, "validation"), pieces, seed)
    answered: list[Turn] = []
    for number, turn in enumerate(turns):
        answered.append(answer(model.resolve(), turn, settings, seed=7))
        if (number + 1) % 10 == 0:
            say(f"{number + 1} of {len(turns)} calls answered")
    return judge(model, answered)


def table(report: Report) -> str:
    """The figures, one a line."""
    return "\n".join(f"{name.replace('_', ' '):<36}{value}" for name, value in asdict(report).items())


def as_json(report: Report) -> str:
    """The figures as one JSON object."""
    found: dict[str, Any] = asdict(report)
    return json.dumps(found)

"""Answers of a melody model to parts of tunes that it never heard: are they tunes, are they in key, are they new?

A call is eight bars from the middle of a validation tune, at the tempo at which the model plays; what the singer sang
in the next four bars is the true continuation, which the same figures are taken of. Every answer is made by the code of
`livemuse answer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from livemuse.midi.smf import notes_of, read_song
from livemuse.model.bundle import load_bundle, stepper_of
from livemuse.music.controls import TEMPO_BPM
from livemuse.music.grid import HOLD, PER_BAR, REST, frame_at, melody_of, notes_of_melody, sixteenth_s
from livemuse.music.notes import Note
from livemuse.music.protocols import Stepper
from livemuse.offline import answer_file
from training.figures.copying import SEPARATOR, longest_runs, pitches_of
from training.figures.harmony import in_key_share, key_of, repetition
from training.figures.playing import call_bytes, controls_of
from training.melody.tunes import Array, Say, Tunes

CALL_BARS: Final = 8
ANSWER_BARS: Final = 4
FEWEST_NOTES: Final = 12  # of a call; and a third of it in what follows
MIDDLE: Final = 64  # stands for an interval of no semitones


@dataclass(frozen=True, slots=True)
class Turn:
    """A call, what came after it in the tune, and the answer; onsets in seconds from the beginning of each."""

    file: str
    call: tuple[Note, ...]
    following: tuple[Note, ...]
    answer: tuple[Note, ...] = ()


def choose_turns(tunes: Tunes, count: int, seed: int) -> list[Turn]:
    """So many turns from as many tunes, drawn with ``seed``; tunes that are too short are passed over."""
    turns: list[Turn] = []
    for number in np.random.default_rng(seed).permutation(len(tunes.about)).tolist():
        events = tunes.tune(number)
        bars = np.arange(0, len(events) - (CALL_BARS + ANSWER_BARS) * PER_BAR, PER_BAR)
        begins = bars[events[bars] < HOLD]
        if not len(begins) or len(turns) >= count:
            continue
        begin = int(begins[int(0.4 * len(begins))])
        middle = begin + CALL_BARS * PER_BAR
        call, following = _played(events[begin:middle]), _played(events[middle : middle + ANSWER_BARS * PER_BAR])
        if len(call) >= FEWEST_NOTES and len(following) >= FEWEST_NOTES // 3:
            turns.append(Turn(tunes.about[number].file, call, following))
    return turns


def _played(events: Array) -> tuple[Note, ...]:
    return tuple(notes_of_melody(events.tolist(), sixteenth_s(TEMPO_BPM)))


def answer_turns(model: Path, turns: Sequence[Turn], settings: Sequence[str], seed: int, out: Path) -> list[Turn]:
    """The turns, each with its answer; OUT gets call-N.mid and answer-N.mid of each."""
    stepper = cast(Stepper, stepper_of(load_bundle(model)))
    controls = controls_of(settings, ANSWER_BARS * PER_BAR * sixteenth_s(TEMPO_BPM), seed)
    out.mkdir(parents=True, exist_ok=True)
    answered = []
    for number, turn in enumerate(turns, 1):
        call, answer = out / f"call-{number:02}.mid", out / f"answer-{number:02}.mid"
        call.write_bytes(call_bytes(turn.call))
        answer_file(call, answer, stepper, controls)
        notes = tuple(notes_of(read_song(answer.read_bytes())))
        answered.append(Turn(turn.file, turn.call, turn.following, notes))
    return answered


def figures(turns: Sequence[Turn], train: Tunes) -> dict[str, Any]:
    """Of the answers and of the true continuations: the mean of each figure, and how long the longest copies are."""
    known = _pitches(train)
    found: dict[str, Any] = {"calls": len(turns), "bars": {"call": CALL_BARS, "answer": ANSWER_BARS}}
    for side in ("answer", "following"):
        played = [(turn, getattr(turn, side)) for turn in turns if len(getattr(turn, side)) > 1]
        rows = [_figures(notes, turn.call) for turn, notes in played]
        runs = longest_runs([pitches_of(notes) for _, notes in played], known)
        steps = [n + 1 for n in longest_runs([_intervals(pitches_of(notes)) for _, notes in played], _intervals(known))]
        own = [longest_runs([pitches_of(notes)], pitches_of(turn.call))[0] for turn, notes in played]
        found[side] = {
            "played": len(rows),
            **{name: round(float(np.mean([row[name] for row in rows])), 3) for name in rows[0]},
            "longest_rest_beats": max(row["rest_beats"] for row in rows),
            "longest_note_beats": max(row["held_beats"] for row in rows),
            "run_in_training": {"median": float(np.median(runs)), "longest": max(runs)},
            "run_in_training_any_key": {"median": float(np.median(steps)), "longest": max(steps)},
            "run_in_call": {"median": float(np.median(own)), "longest": max(own)},
        }
    return found


def _figures(notes: Sequence[Note], call: Sequence[Note]) -> dict[str, float]:
    length_s = sixteenth_s(TEMPO_BPM)
    events = np.array(melody_of(notes, length_s, count=ANSWER_BARS * PER_BAR))
    pitches = [note.pitch for note in notes]
    jumps = np.abs(np.diff(pitches))
    return {
        "notes": len(notes),
        "rests": float((events == REST).mean()),
        "same_pitch_again": float((jumps == 0).mean()),
        "steps": float(((jumps > 0) & (jumps <= 2)).mean()),
        "leaps_over_an_octave": float((jumps > 12).mean()),
        "in_key_of_call": in_key_share(notes, key_of(call)),
        "pitches": len(set(pitches)),
        "four_notes_again": repetition(notes),
        "on_the_beat": float(np.mean([frame_at(note.onset_s, length_s) % 4 == 0 for note in notes])),
        "rest_beats": _longest(events == REST) / 4,
        "held_beats": (1 + _longest(events == HOLD)) / 4,
    }


def _longest(there: Array) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _pitches(tunes: Tunes) -> Array:
    """The pitches of all tunes, with a separator after each tune, uint8."""
    parts = []
    for number in range(len(tunes.about)):
        events = tunes.tune(number)
        parts += [events[events < HOLD].astype(np.uint8), np.array([SEPARATOR], np.uint8)]
    return np.concatenate(parts)


def _intervals(pitches: Array) -> Array:
    """Pitches as intervals around MIDDLE, uint8; across a separator, a separator."""
    whole = pitches.astype(np.int64)
    parted = (whole[1:] == SEPARATOR) | (whole[:-1] == SEPARATOR)
    return np.where(parted, SEPARATOR, np.clip(np.diff(whole) + MIDDLE, 0, 127)).astype(np.uint8)


def table(found: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{'':<28}{'answers':>14}{'continuations':>16}"]
    for name, ours in found["answer"].items():
        theirs = found["following"][name]
        cells = [_cell(value) for value in (ours, theirs)]
        lines.append(f"{name.replace('_', ' '):<28}{cells[0]:>14}{cells[1]:>16}")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value['median']:g} / {value['longest']}" if isinstance(value, dict) else f"{value:g}"


def answers(model: Path, tunes: dict[str, Tunes], asked: tuple[int, Sequence[str], int], out: Path, say: Say) -> Any:
    """Answer (so many calls, with these settings, drawn with this seed), and give the figures."""
    count, settings, seed = asked
    turns = choose_turns(tunes["validation"], count, seed)
    if not turns:
        raise ValueError("no validation tune is long enough for a call")
    say(f"{len(turns)} calls")
    return {"model": model.name, "settings": list(settings), "seed": seed} | figures(
        answer_turns(model, turns, settings, seed, out), tunes["train"]
    )

"""The ancestors answer a call, as `livemuse answer` does for ours: a MIDI file in, a MIDI file out.

Each plays as it was meant to. 1 to 4 read the last 25 notes again for every note: the pitch is drawn at temperature
1 (1 names it as a number, which is rounded), step and duration are the numbers they name, never below zero; the
loudness, which they do not know, is the middle one of the call. 5 draws every key of each sixteenth by itself. 6 draws
each number of a note from what followed such notes in the training pieces. The answer's first note falls on time 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livemuse.errors import FileError
from livemuse.midi.messages import note_off, note_on
from livemuse.midi.smf import Track, notes_of, write_song
from livemuse.music.grid import KEYS, Frame, notes_of_frames
from livemuse.music.notes import PIANO_LOW, Note
from livemuse.music.vocabulary import HEADS, VOCABULARY
from livemuse.recording.midifile import read_midi_file, write_whole
from training.baselines import pianoroll, table, train
from training.baselines.designs import DESIGNS, PITCH_UNIT, WINDOW, Design
from training.baselines.markov import Markov
from training.baselines.windows import features

Array = npt.NDArray[Any]
SHORTEST_S = 0.02
MOST_NOTES = 1000  # a design whose steps are all zero would never come to an end
Player = Callable[[Sequence[Note], float, int], list[Note]]
"""A call, for how many seconds, and a seed: the notes of the answer, whose onsets count from its first note."""


def _columns(call: Sequence[Note]) -> tuple[Array, Array, Array]:
    """(pitch, step_s, duration_s) of the notes of a call."""
    onsets_s = np.array([n.onset_s for n in call])
    step_s = np.diff(onsets_s, prepend=onsets_s[:1])
    return np.array([n.pitch for n in call]), step_s, np.array([n.duration_s for n in call])


def windowed(design: Design, ask: Any, call: Sequence[Note], rng: np.random.Generator) -> Iterator[Note]:
    """Notes of designs 1 to 4 without end, `ask` being its network; they count from the first, on time 0."""
    window = np.zeros((1, WINDOW, 3), np.float32)
    heard = features(*_columns(call))[-WINDOW:]
    window[0, WINDOW - len(heard) :] = heard
    velocity = int(np.median([n.velocity for n in call]))
    onset_s, first = 0.0, True
    while True:
        said = {head: value.numpy()[0].astype(np.float64) for head, value in ask(window).items()}
        if design.categorical:
            share = np.exp(said["pitch"] - said["pitch"].max())
            pitch = int(rng.choice(len(share), p=share / share.sum()))
        else:
            pitch = int(np.clip(np.rint(said["pitch"][0] * PITCH_UNIT), 0, 127))
        step_s, duration_s = max(float(said["step"][0]), 0.0), max(float(said["duration"][0]), SHORTEST_S)
        onset_s, first = (0.0 if first else onset_s + step_s), False
        yield Note(onset_s, pitch, duration_s, velocity)
        note = features(np.array([pitch]), np.array([step_s]), np.array([duration_s]))
        window = np.concatenate([window[:, 1:], note[None]], 1)


def counted(model: Markov, call: Sequence[Note], rng: np.random.Generator) -> Iterator[Note]:
    """Notes of the Markov model without end; the first falls on time 0."""
    pitch, step_s, duration_s = _columns(call)
    rows = zip(pitch.tolist(), step_s.tolist(), duration_s.tolist(), call, strict=True)
    history = np.array(
        [
            (p, VOCABULARY.step_bin(s), VOCABULARY.duration_bin(d), VOCABULARY.velocity_bin(n.velocity))
            for p, s, d, n in rows
        ]
    )
    onset_s, first = 0.0, True
    while True:
        drawn = model.draw(history, rng)
        values = [VOCABULARY.value(head, k, float(rng.random())) for head, k in zip(HEADS, drawn, strict=True)]
        onset_s, first = (0.0 if first else onset_s + values[1]), False
        yield Note(onset_s, int(values[0]), values[2], int(values[3]))
        history = np.concatenate([history, [drawn]])


def rolled(model: Any, call: Sequence[Note], seconds: float, rng: np.random.Generator) -> list[Note]:
    """Notes of the piano roll, so many seconds from its first sounding frame on."""
    from keras import ops

    *lstms, dense = model.layers[1:]
    begin_s = call[0].onset_s
    onset_s, duration_s = np.array([n.onset_s for n in call]) - begin_s, np.array([n.duration_s for n in call])
    heard = pianoroll.frames_of_notes(onset_s, np.array([n.pitch for n in call]), duration_s).astype(np.float32)
    states = [[ops.zeros((1, pianoroll.UNITS))] * 2 for _ in lstms]
    wanted = math.ceil(seconds / pianoroll.SIXTEENTH_S)
    frames: list[Frame] = []
    frame = np.zeros(KEYS, np.float32)
    for k in range(len(heard) + 2 * wanted):
        x = ops.convert_to_tensor(frame[None])
        for n, lstm in enumerate(lstms):
            x, states[n] = lstm.cell(x, states[n])
        if k < len(heard):
            frame = heard[k]
            continue
        logits = np.asarray(dense(x))[0].astype(np.float64) - math.log(pianoroll.ACTIVE)
        frame = (rng.random(KEYS) < 1 / (1 + np.exp(-logits))).astype(np.float32)
        if frames or frame.any():
            frames.append((frozenset((np.flatnonzero(frame) + PIANO_LOW).tolist()), frozenset()))
        if len(frames) == wanted:
            break
    return notes_of_frames(frames, pianoroll.SIXTEENTH_S, velocity=int(np.median([n.velocity for n in call])))


def number_of(name: str) -> int:
    """The number of a baseline, by its number or name; ValueError where there is none."""
    for number, known in table.NAMES.items():
        if name in (known, str(number)):
            return number
    raise ValueError(f"there is no baseline {name!r}; there are {', '.join(table.NAMES.values())}")


def load_player(number: int, folder: Path) -> Player:
    """A trained baseline, ready to answer; ValueError where the folder does not hold it."""
    if not (folder / f"{table.NAMES[number]}.npz").is_file():
        raise ValueError(f"{folder} holds no trained {table.NAMES[number]}: run `python -m training baselines` first")
    if number == pianoroll.NUMBER:
        roll = pianoroll.load(folder)
        return lambda call, seconds, seed: rolled(roll, call, seconds, np.random.default_rng(seed))
    if number == table.MARKOV_NUMBER:
        markov = table.load_markov(folder)
        return lambda call, seconds, seed: until(seconds, counted(markov, call, np.random.default_rng(seed)))
    import tensorflow as tf

    design = next(d for d in DESIGNS if d.number == number)
    model, _, _ = train.load(design, folder)
    ask = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec((1, WINDOW, 3), tf.float32)])
    return lambda call, seconds, seed: until(seconds, windowed(design, ask, call, np.random.default_rng(seed)))


def until(seconds: float, source: Iterator[Note]) -> list[Note]:
    """The notes that begin in so many seconds."""
    notes: list[Note] = []
    for note in source:
        if note.onset_s >= seconds or len(notes) == MOST_NOTES:
            break
        notes.append(note)
    return notes


def answer_notes(number: int, folder: Path, call: Sequence[Note], seconds: float, seed: int) -> list[Note]:
    """The notes with which a baseline answers one call for so many seconds; onsets count from its first note."""
    return load_player(number, folder)(call, seconds, seed)


def answer_file(name: str, folder: Path, paths: tuple[Path, Path], seconds: float, seed: int) -> dict[str, Any]:
    """Answer the call in a MIDI file with a MIDI file; `paths` are (call, answer). FileError for a call without notes.

    The call is heard as the notes sound under the pedal, which is how the baselines were trained.
    """
    number = number_of(name)
    player = load_player(number, folder)  # first, since a folder without it is the plainer mistake
    call = notes_of(read_midi_file(paths[0]))
    if not call:
        raise FileError(f"{paths[0]} holds no notes to answer.", "Give a MIDI file in which something is played.")
    notes = player(call, seconds, seed)
    ends = [(n.end_s, note_off(0, n.pitch)) for n in notes]
    strikes = [(n.onset_s, note_on(0, n.pitch, n.velocity)) for n in notes]
    track = Track(table.NAMES[number], sorted([*ends, *strikes], key=lambda e: (e[0], e[1][0])))
    write_whole(paths[1], write_song([track]))
    return {
        "baseline": table.NAMES[number],
        "call": str(paths[0]),
        "notes_heard": len(call),
        "answer": str(paths[1]),
        "notes_answered": len(notes),
    }

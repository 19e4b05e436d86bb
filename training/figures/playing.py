"""Calls from pieces the model has never seen, and its answers: the same code, and the same notes, as `livemuse answer`.

It runs in this process, so that a table of settings costs seconds a row and not minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from livemuse.midi.messages import note_off, note_on
from livemuse.midi.smf import Track, notes_of, read_song, write_song
from livemuse.model.stepper import OnnxStepper
from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.protocols import Stepper
from livemuse.offline import LONGEST_CALL, answer_notes, song_of
from training.corpus import Corpus
from training.evaluate import performance_bundle

CALL_S, ANSWER_S = 20.0, 8.0
FEWEST_CALL_NOTES, FEWEST_NEXT_NOTES = 20, 5
SEED: Final = 7  # of the answers


@dataclass(frozen=True, slots=True)
class Turn:
    """A call from a piece, what the pianist went on to play, and the answer; the onsets of both count from 0."""

    file: str
    call: tuple[Note, ...]
    next: tuple[Note, ...]
    answer: tuple[Note, ...] = ()
    pause_s: float = 0.0  # from the call's last onset to the pianist's next


Play = Callable[[Turn], Sequence[Note]]
"""Whoever answers: livemuse, or a baseline."""


def piece_notes(corpus: Corpus, piece: int) -> list[Note]:
    """The notes of one piece, in the order of their onsets (seconds from its first note)."""
    first, last = int(corpus.starts[piece]), int(corpus.starts[piece + 1])
    onsets_s = np.cumsum(corpus.step_s[first:last].astype(np.float64))
    return [
        Note(float(onset_s), int(corpus.pitch[n]), float(corpus.duration_s[n]), int(corpus.velocity[n]))
        for n, onset_s in zip(range(first, last), onsets_s, strict=True)
    ]


def choose_turns(corpus: Corpus, pieces: int, seed: int) -> list[Turn]:
    """One turn each from the middle of so many pieces, drawn with ``seed``; pieces too short or empty are passed over.

    The true continuation is the 8 s from the pianist's next onset on, cut off where an answer would be. ValueError
    for less than one.
    """
    if pieces < 1:
        raise ValueError("at least one call is needed")
    turns: list[Turn] = []
    for piece in np.random.default_rng(seed).permutation(len(corpus.pieces)):
        notes = piece_notes(corpus, int(piece))
        begin_s = notes[-1].onset_s * 0.4
        call = tuple(n for n in notes if begin_s <= n.onset_s < begin_s + CALL_S)
        later = [n for n in notes if n.onset_s >= begin_s + CALL_S]
        following = excerpt(later, later[0].onset_s, ANSWER_S) if later else ()
        if len(call) >= FEWEST_CALL_NOTES and len(following) >= FEWEST_NEXT_NOTES:
            pause_s = later[0].onset_s - call[-1].onset_s
            turns.append(Turn(corpus.pieces[piece].file, call, following, pause_s=pause_s))
        if len(turns) == pieces:
            break
    return turns


def whole_pieces(corpus: Corpus, pieces: int, seed: int) -> list[Turn]:
    """Calls that are whole pieces, as when somebody plays one to its end: so many, drawn with ``seed``."""
    chosen = np.random.default_rng(seed).permutation(len(corpus.pieces))[:pieces]
    return [Turn(corpus.pieces[p].file, tuple(piece_notes(corpus, int(p))[-LONGEST_CALL:]), ()) for p in chosen]


def excerpt(notes: Sequence[Note], from_s: float, length_s: float) -> tuple[Note, ...]:
    """The notes struck in so many seconds, their onsets counted from its beginning, their ends cut off at its end."""
    return tuple(
        replace(n, onset_s=n.onset_s - from_s, duration_s=min(n.duration_s, from_s + length_s - n.onset_s))
        for n in notes
        if from_s <= n.onset_s < from_s + length_s
    )


def echo(call: Sequence[Note], length_s: float = ANSWER_S) -> tuple[Note, ...]:
    """The last seconds of the call played once more: the answer of a parrot."""
    from_s = next(n.onset_s for n in call if n.onset_s > call[-1].onset_s - length_s)
    return excerpt(call, from_s, length_s)


def controls_of(settings: Sequence[str], length_s: float = ANSWER_S, seed: int = SEED) -> Controls:
    """The controls after NAME=VALUE, ...; ControlError for what is no control or no value of it."""
    controls = Controls().replaced("answer_length", f"{length_s:g} s").replaced("seed", seed)
    for setting in settings:
        name, _, value = setting.partition("=")
        controls = controls.replaced(name.strip(), value.strip())
    return controls


def load_stepper(model: Path) -> OnnxStepper:
    """A model folder, ready to play notes; ModelError where it cannot be used, ValueError for a model on a grid."""
    return OnnxStepper(performance_bundle(model))


def call_bytes(call: Sequence[Note]) -> bytes:
    """The call as a MIDI file of one track, from its first note on."""
    from_s = call[0].onset_s
    events = [(n.onset_s - from_s, note_on(0, n.pitch, n.velocity)) for n in call]
    events += [(n.end_s - from_s, note_off(0, n.pitch)) for n in call]
    return write_song([Track("player", sorted(events, key=lambda e: (e[0], e[1][0])))])


def improvise(stepper: Stepper, call: Sequence[Note], controls: Controls) -> tuple[Note, ...]:
    """livemuse's answer to a call as the MIDI files of `livemuse answer` have both; onsets count from its decision."""
    song = read_song(call_bytes(call))
    heard = notes_of(song, pedal=False)[-LONGEST_CALL:]
    made = answer_notes(song, heard, stepper, controls)
    return tuple(notes_of(read_song(song_of(made)))) if made else ()


def answered(turns: Sequence[Turn], play: Play, say: Callable[[str], None]) -> list[Turn]:
    """The turns with an answer each; turns that got none are left out, and said."""
    found: list[Turn] = []
    for number, turn in enumerate(turns, 1):
        notes = tuple(play(turn))
        if notes:
            found.append(replace(turn, answer=notes))
        else:
            say(f"no answer to the call from {turn.file}")
        if number % 50 == 0:
            say(f"{number} of {len(turns)} calls answered")
    return found

"""Playing at the same time: mode `duet` beside pianists of unseen pieces, in virtual time, at several speeds.

What it must never do is counted: sound a pitch that the player holds, sound within an octave of what they hold or just
struck, go on where they have become busy. So is what it does play.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any, Final

import numpy as np

from livemuse.model.bundle import load_bundle, stepper_of
from livemuse.model.improviser import AnyStepper
from livemuse.music.controls import Controls
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.phrases import CHORD_S
from livemuse.offline import play_beside
from training.corpus import load_corpus
from training.figures.playing import controls_of, piece_notes

OCTAVE: Final = 12
RECENT_S: Final = 4.0  # what was struck so lately is where the player is
EXACT_S: Final = 1e-6
COLUMNS: Final = {
    "player": "the player's onsets a second, chords counted once",
    "busy": "share of the player's onsets that made more than `busy` in a second",
    "notes": "livemuse's notes a minute, while the player played",
    "onsets": "its onsets for each of the player's, in 10 s in which both play",
    "plays": "share of 10 s in which it plays",
    "unisons": "notes that sounded a pitch while the player held it",
    "octave": "notes that sounded an octave or less from what the player held",
    "lately": "notes struck an octave or less from what the player had struck in 4 s",
    "went on": "times it still sounded a beat after the player had become busy",
    "silent": "s until it was silent then, the longest",
    "cpu": "s of this processor for each second of music",
}
"""What each column of the table is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training duet` was asked for."""

    model: Path
    data: Path
    pieces: int = 12
    seed: int = 0  # which pieces
    seconds: float = 60.0  # of each
    speeds: tuple[float, ...] = (0.5, 1.0, 2.0)
    split: str = "validation"
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """What a player played and what livemuse played beside it; ``cpu_s`` is what that cost."""

    player: tuple[Note, ...]
    played: tuple[PlannedNote, ...]
    cpu_s: float = 0.0


def onsets_of(notes: Sequence[Note] | Sequence[PlannedNote]) -> list[float]:
    """Onsets in their order, those of one chord counted once."""
    found: list[float] = []
    for onset_s in sorted(note.onset_s for note in notes):
        if not found or onset_s - found[-1] > CHORD_S:
            found.append(onset_s)
    return found


def keys_held(notes: Sequence[Note]) -> list[Note]:
    """The notes as keys: one that is struck again while it is held is held until it was let go as often as struck."""
    found: list[Note] = []
    last: dict[int, int] = {}
    for note in sorted(notes, key=lambda n: n.onset_s):
        place = last.get(note.pitch)
        if place is not None and found[place].end_s > note.onset_s:
            before = found[place]
            found[place] = replace(before, duration_s=max(before.end_s, note.end_s) - before.onset_s)
        else:
            last[note.pitch] = len(found)
            found.append(note)
    return found


def play_along(stepper: AnyStepper, notes: Sequence[Note], controls: Controls) -> Together:
    """livemuse in mode `duet` beside these notes, until the last is over."""
    since_s = time.process_time()
    played = play_beside(notes, stepper, controls)
    return Together(tuple(notes), tuple(played), time.process_time() - since_s)


def near_held(both: Together, apart: int) -> int:
    """Notes of livemuse's that sounded while the player held a key so near."""
    held = keys_held(both.player)
    return sum(
        any(
            abs(key.pitch - n.pitch) <= apart and key.onset_s < n.end_s - EXACT_S and n.onset_s < key.end_s - EXACT_S
            for key in held
        )
        for n in both.played
    )


def near_lately(both: Together) -> int:
    """Notes of livemuse's that were struck near what the player had struck a moment before."""
    return sum(
        any(abs(k.pitch - n.pitch) <= OCTAVE and 0.0 <= n.onset_s - k.onset_s < RECENT_S for k in both.player)
        for n in both.played
    )


def risings(both: Together, busy: float) -> list[float]:
    """When the player's onsets in the last second became more than ``busy``."""
    onsets, found, above = onsets_of(both.player), [], False
    for k, onset_s in enumerate(onsets):
        count = sum(1 for other in onsets[max(k - 40, 0) : k + 1] if other > onset_s - 1.0)
        if count > busy and not above:
            found.append(onset_s)
        above = count > busy
    return found


def silent_after_s(both: Together, at_s: float, beat_s: float) -> float:
    """How long what sounded at a moment, or was struck within a beat of it, still sounded."""
    return max((n.end_s for n in both.played if n.onset_s < at_s + beat_s and n.end_s > at_s), default=at_s) - at_s


def row(together: Sequence[Together], busy: float, beat_s: float = 0.5) -> dict[str, float]:
    """The figures of several evenings; ``beat_s`` is how long a beat is taken to be."""
    ratios, plays, crowded, onsets_count = [], 0, 0, 0
    seconds = sum(max(n.onset_s for n in both.player) - both.player[0].onset_s for both in together)
    for both in together:
        theirs, mine = onsets_of(both.player), onsets_of(both.played)
        onsets_count += len(theirs)
        crowded += sum(
            1 for k, t in enumerate(theirs) if sum(o > t - 1.0 for o in theirs[max(k - 40, 0) : k + 1]) > busy
        )
        for from_s in np.arange(theirs[0], theirs[-1] - 10.0, 10.0):
            here = [sum(1 for o in onsets if from_s <= o < from_s + 10.0) for onsets in (theirs, mine)]
            plays += here[1] > 0
            ratios += [here[1] / here[0]] if min(here) > 0 else []
    windows = sum(len(np.arange(o[0], o[-1] - 10.0, 10.0)) for o in (onsets_of(both.player) for both in together))
    after = [silent_after_s(both, at_s, beat_s) for both in together for at_s in risings(both, busy)]
    return {
        "player": onsets_count / seconds,
        "busy": crowded / onsets_count,
        "notes": 60.0 * sum(len(both.played) for both in together) / seconds,
        "onsets": mean(ratios) if ratios else 0.0,
        "plays": plays / max(windows, 1),
        "unisons": sum(near_held(both, 0) for both in together),
        "octave": sum(near_held(both, OCTAVE) for both in together),
        "lately": sum(near_lately(both) for both in together),
        "went on": sum(one > beat_s for one in after),
        "silent": max(after, default=0.0),
        "cpu": sum(both.cpu_s for both in together) / seconds,
    }


def along(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """Play beside pieces at each speed; ControlError for no controls, ValueError where there is no piece."""
    controls = controls_of(asked.settings)
    corpus = load_corpus(asked.data, asked.split)
    chosen = np.random.default_rng(asked.seed).permutation(len(corpus.pieces))[: asked.pieces]
    if not len(chosen):
        raise ValueError("at least one piece is needed")
    stepper = stepper_of(load_bundle(asked.model))
    rows = {}
    for speed in asked.speeds:
        evenings = []
        for piece in chosen:
            notes = [n for n in piece_notes(corpus, int(piece)) if n.onset_s < asked.seconds * speed]
            fast = [replace(n, onset_s=n.onset_s / speed, duration_s=n.duration_s / speed) for n in notes]
            evenings.append(play_along(stepper, fast, controls))
        rows[f"x {speed:g}"] = row(evenings, controls.number("busy"))
        say(f"at {speed:g} times the speed: {rows[f'x {speed:g}']['notes']:.0f} notes a minute")
    return {"model": stepper.name, "pieces": len(chosen), "seed": asked.seed, "seconds": asked.seconds,
            "split": asked.split, "settings": list(asked.settings), "columns": COLUMNS, "rows": rows}  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{found['model']} beside {found['pieces']} pieces of {found['split']}, {found['seconds']:g} s of each"]
    lines.append(f"{'speed':<10}" + "".join(f"{name:>9}" for name in found["rows"]))
    for name, words in COLUMNS.items():
        cells = [one[name] for one in found["rows"].values()]
        text = "".join(f"{cell:>9}" if isinstance(cell, int) else f"{cell:>9.2f}" for cell in cells)
        lines.append(f"{name:<10}{text}  {words}")
    return "\n".join(lines)

"""Whether answers follow chords: what sounds on the beat of each change, and what is struck between them.

Calls from unseen pieces are answered twice, with the control `chords` off and on; the first chord begins with the
answer. On the beat of a change a note counts that was struck until ON_BEAT_S after it and still sounds. It is right if
it belongs to the new chord, or resolves: it ends within a beat, and in that beat a chord tone a step away is struck.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from livemuse.music.controls import Controls
from livemuse.music.notes import Note
from livemuse.music.progressions import C_MAJOR, Progression, progression
from livemuse.music.theory import parse_key
from training.corpus import load_corpus
from training.evaluate import performance_bundle
from training.figures.judging import Judge, nats_gain
from training.figures.playing import Turn, answered, choose_turns, controls_of, improvise, load_stepper

ON_BEAT_S: Final = 0.05  # people strike so late and are still on the beat
ENDS_S: Final = 0.005  # what ends so soon after a beat ended with it: a tick of a MIDI file
STEP: Final = 2  # semitones by which a note resolves at most
COLUMNS: Final = {
    "changes": "changes on whose beat anything sounds",
    "notes": "notes that sound on the beat of a change",
    "chord_tones": "share of them that belong to the new chord",
    "resolved": "share of them that do not, and resolve within a beat",
    "right": "both together",
    "ringing": "share of chord tones among those that were struck before the beat and ring into it",
    "struck": "share of chord tones among all notes as they are struck",
    "long": "the same, each note weighed by how long it sounds",
    "nats": "nats a note after its call",
    "gain": "nats a note by which it fits its own call better than others",
    "notes_per_s": "notes a second",
}
"""What each column of the table is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training chords` was asked for."""

    model: Path
    data: Path
    calls: int = 20
    seed: int = 0  # of the choice of calls
    chords: str = "Am F C G"
    tempo: float = 100.0
    seconds: float = 20.0  # of each answer
    settings: tuple[str, ...] = ()  # of both


@dataclass(slots=True)
class Followed:
    """Counts of notes on the beats of changes."""

    changes: int = 0
    notes: int = 0
    chord_tones: int = 0
    resolved: int = 0
    ringing: int = 0
    ringing_tones: int = 0


def changes_s(chords: Progression, beat_s: float, until_s: float) -> list[float]:
    """When the chord becomes another one, the beginning among them."""
    found, beats = [0.0], chords.at(0.0).until_beats
    while beats * beat_s < until_s:
        found.append(beats * beat_s)
        beats = chords.at(beats + 1e-6).until_beats
    return found


def resolves(note: Note, at_s: float, classes: frozenset[int], beat_s: float, notes: Sequence[Note]) -> bool:
    """Whether a note that does not belong to the chord gives way within a beat to one that does, a step away."""
    return note.end_s <= at_s + beat_s and any(
        at_s < other.onset_s <= at_s + beat_s
        and other.onset_s > note.onset_s
        and other.pitch % 12 in classes
        and 0 < abs(other.pitch - note.pitch) <= STEP
        for other in notes
    )


def follow(found: Followed, notes: Sequence[Note], chords: Progression, beat_s: float) -> None:
    """Count the notes of one answer, whose onsets count from beat 0."""
    for at_s in changes_s(chords, beat_s, max(n.onset_s for n in notes)):
        chord = chords.at(at_s / beat_s + 1e-6).chord
        sounding = [n for n in notes if n.onset_s <= at_s + ON_BEAT_S and n.end_s > at_s + ENDS_S]
        if chord is None or not sounding:
            continue
        found.changes += 1
        for note in sounding:
            inside = note.pitch % 12 in chord.pitch_classes
            found.notes += 1
            found.chord_tones += inside
            found.resolved += not inside and resolves(note, at_s, chord.pitch_classes, beat_s, notes)
            if note.onset_s < at_s - ON_BEAT_S:
                found.ringing += 1
                found.ringing_tones += inside


def struck_inside(turns: Sequence[Turn], chords: Progression, beat_s: float, *, long: bool) -> float:
    """The share of notes that belong to the chord of their onset; weighed by how long they sound, if `long`."""
    inside = total = 0.0
    for note in (note for turn in turns for note in turn.answer):
        chord = chords.at(note.onset_s / beat_s + 1e-6).chord
        weight = note.duration_s if long else 1.0
        if chord is not None:
            total += weight
            inside += weight * (note.pitch % 12 in chord.pitch_classes)
    return inside / total if total else 0.0


def row(judge: Judge, turns: Sequence[Turn], chords: Progression, beat_s: float) -> dict[str, float]:
    """The figures of some answers against some chords, whether they were made to follow them or not."""
    found = Followed()
    for turn in turns:
        follow(found, turn.answer, chords, beat_s)
    fit = nats_gain(judge, turns, lambda t: t.answer)
    seconds = sum(max(n.end_s for n in turn.answer) for turn in turns)
    return {
        "changes": found.changes,
        "notes": found.notes,
        "chord_tones": found.chord_tones / max(found.notes, 1),
        "resolved": found.resolved / max(found.notes, 1),
        "right": (found.chord_tones + found.resolved) / max(found.notes, 1),
        "ringing": found.ringing_tones / max(found.ringing, 1),
        "struck": struck_inside(turns, chords, beat_s, long=False),
        "long": struck_inside(turns, chords, beat_s, long=True),
        "nats": fit.own,
        "gain": fit.gain,
        "notes_per_s": sum(len(turn.answer) for turn in turns) / seconds,
    }


def chords_in(controls: Controls) -> Progression:
    """The chords that the controls ask for; numerals are in C where no key is set."""
    key = controls.text("key")
    return progression(controls.text("chords"), C_MAJOR if key in ("off", "auto") else parse_key(key))


def following(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """Answer the calls without and with chords; ValueError where no call can be had, ControlError for no chords."""
    with_chords = controls_of((f"chords={asked.chords}", f"tempo={asked.tempo:g}", *asked.settings), asked.seconds)
    chords, beat_s = chords_in(with_chords), 60.0 / with_chords.number("tempo")
    stepper, judge = load_stepper(asked.model), Judge(performance_bundle(asked.model))
    turns = choose_turns(load_corpus(asked.data, "validation"), asked.calls, asked.seed)
    rows = {}
    for name, controls in (("off", with_chords.replaced("chords", "off")), ("on", with_chords)):
        done = answered(turns, lambda turn, c=controls: improvise(stepper, turn.call, c), say)  # type: ignore[misc]
        if not done:
            raise ValueError("no call was answered: the pieces are too short, or the model plays nothing")
        rows[name] = {"answers": len(done), **row(judge, done, chords, beat_s)}
        say(f"chords {name}: {rows[name]['right']:.3f}")
    pianists = [replace(turn, answer=turn.next) for turn in turns]
    rows["pianists"] = {"answers": len(turns), **row(judge, pianists, chords, beat_s)}
    return {"model": stepper.name, "chords": asked.chords, "tempo": asked.tempo, "seconds": asked.seconds,
            "calls": len(turns), "seed": asked.seed, "settings": list(asked.settings), "columns": COLUMNS,
            "rows": rows}  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{found['model']}, {found['calls']} calls, chords {found['chords']} at {found['tempo']:g} bpm"]
    lines.append(f"{'':<14}" + "".join(f"{name:>10}" for name in found["rows"]))
    for name, words in COLUMNS.items():
        cells = [one[name] for one in found["rows"].values()]
        text = "".join(f"{cell:>10}" if isinstance(cell, int) else f"{cell:>10.3f}" for cell in cells)
        lines.append(f"{name:<14}{text}  {words}")
    return "\n".join(lines)

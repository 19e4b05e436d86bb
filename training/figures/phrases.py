"""Whether answers are phrases: how they end, whether they go round, whether they stay in the key, and what that costs.

Calls from unseen pieces are answered by the code that plays on stage, at several settings of the controls that shape
an answer. The key heard is the one that livemuse hears in the same call; where a piece states its key (in its title, or
in the annotations of POP909), answers to calls from it are held against that too.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.midi.smf import notes_of, read_song
from livemuse.music.context import Context
from livemuse.music.controls import Controls
from livemuse.music.hearing.ear import Ear
from livemuse.music.notes import KeyDown, KeyUp, Note
from livemuse.music.protocols import Stepper
from livemuse.music.theory import Key
from livemuse.offline import LONGEST_CALL, answer_notes, song_of
from training.corpus import Corpus, load_corpus
from training.evaluate import performance_bundle
from training.figures.harmony import in_key_share
from training.figures.judging import Judge, continuation_gain, nats_gain
from training.figures.likeness import likeness
from training.figures.playing import SEED, Turn, call_bytes, choose_turns, controls_of, load_stepper
from training.hearing.titles import Stated, key_in_title, key_of_annotation

SECTIONS: Final = ("cadence", "loops", "key", "shape")
TEMPERATURES: Final = (0.0, 0.3, 0.6, 0.9, 1.2, 1.5)
STRENGTHS: Final = (0.3, 0.5, 0.7, 0.9, 1.0)
LOOPS_S: Final = 20.0  # how long the answers are that may go round
TOGETHER_S: Final = 0.05  # notes so near the last onset belong to it
ON_BEAT_S: Final = 0.03
MOST_TIMES: Final = 4  # that a figure may stand in a row
SHORTEST_FIGURE, LONGEST_FIGURE = 4, 8
UNSHAPED: Final = ("contour=off", "phrasing=0", "loops=off", "cadence=off")
POP909: Final = "POP909"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training phrases` was asked for."""

    model: Path
    data: Path
    manifest: Path | None = None  # titles, for the keys that pieces state
    annotations: Path | None = None  # the folder of POP909, for its keys
    calls: int = 30
    seed: int = 0  # of the choice of calls, and of the answers
    split: str = "validation"
    sections: tuple[str, ...] = SECTIONS
    temperatures: tuple[float, ...] = TEMPERATURES
    settings: tuple[str, ...] = ()  # in every row


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and the key that its piece states."""

    turn: Turn
    stated: Key | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A call that was answered, and what livemuse heard when it decided; onsets count from the first note."""

    call: Call
    turn: Turn
    heard: Context
    decided_s: float  # on the clock of what was heard


class _Minutes:
    """Remembers when the first note was struck."""

    def __init__(self) -> None:
        self.first_s: float | None = None

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        """Something happened."""
        if kind == "sent" and self.first_s is None:
            self.first_s = float(fields["due"])


def answered(calls: Sequence[Call], stepper: Stepper, controls: Controls) -> list[Answered]:
    """The answers; the chance of each is another one, or one throw would decide all first notes."""
    found = []
    for number, call in enumerate(calls):
        song = read_song(call_bytes(call.turn.call))
        keys = notes_of(song, pedal=False)[-LONGEST_CALL:]
        minutes = _Minutes()
        made = answer_notes(song, keys, stepper, controls.replaced("seed", SEED + number), minutes)
        if not made or minutes.first_s is None:
            continue
        answer = tuple(notes_of(read_song(song_of(made))))
        turn, decided_s = replace(call.turn, answer=answer), minutes.first_s - made[0].onset_s
        found.append(Answered(call, turn, heard_in(keys, controls, decided_s), decided_s))
    return found


def heard_in(keys: Sequence[Note], controls: Controls, at_s: float) -> Context:
    """What livemuse has heard in these notes at a time after them."""
    ear = Ear(controls["tempo"])
    events = [KeyDown(n.onset_s, 0, n.pitch, n.velocity) for n in keys] + [KeyUp(n.end_s, 0, n.pitch) for n in keys]
    for event in sorted(events, key=lambda event: (event.at_s, isinstance(event, KeyDown))):
        ear.hear(event)
    return ear.context(at_s)


# --- what is counted ---------------------------------------------------------------------------------------------


def last_notes(notes: Sequence[Note]) -> list[Note]:
    """The notes of the last onset, from the lowest up."""
    last_s = max(note.onset_s for note in notes)
    return sorted((n for n in notes if n.onset_s > last_s - TOGETHER_S), key=lambda n: n.pitch)


def longest_round(notes: Sequence[Note], figures: Sequence[int]) -> float:
    """How many times in a row a figure of so many notes stands, of that which does so most often.

    In the order of a MIDI file: by onset, then by pitch. A figure of fewer than four notes is taken as often as makes
    four.
    """
    pitches = [note.pitch for note in sorted(notes, key=lambda n: (n.onset_s, n.pitch))]
    longest = 1.0
    for figure in figures:
        same = [a == b for a, b in zip(pitches, pitches[figure:], strict=False)]
        run = max((sum(1 for _ in group) for is_same, group in itertools.groupby(same) if is_same), default=0)
        longest = max(longest, (run + figure) / max(figure, SHORTEST_FIGURE))
    return longest


def goes_round(notes: Sequence[Note], figures: Sequence[int] = (4,)) -> bool:
    """Whether a figure of four notes stands more than four times in a row."""
    return longest_round(notes, figures) >= MOST_TIMES + 1


def row(found: Sequence[Answered], judge: Judge) -> dict[str, float | None]:
    """All figures of some answers; None where nothing could be counted. ValueError where there is no answer."""
    if not found:
        raise ValueError("no call was answered: the pieces are too short, or the model plays nothing")
    answers = [one.turn.answer for one in found]
    ends = [(last_notes(one.turn.answer), one.heard.key.tonic_triad) for one in found if one.heard.key is not None]
    turns = [one.turn for one in found]
    nats = nats_gain(judge, turns, lambda turn: turn.answer)
    return {
        "answers": len(found),
        "home": _mean([notes[-1].pitch % 12 in triad for notes, triad in ends]),
        "all_home": _mean([all(n.pitch % 12 in triad for n in notes) for notes, triad in ends]),
        "on_beat": _mean([b for one in found if (b := ends_on_beat(one)) is not None]),
        "last_s": _mean([max(n.end_s for n in last_notes(notes)) - last_notes(notes)[0].onset_s for notes in answers]),
        "goes_round": _mean([goes_round(notes) for notes in answers]),
        "any_figure": _mean([goes_round(notes, range(1, LONGEST_FIGURE + 1)) for notes in answers]),
        "in_stated": _mean([in_key_share(one.turn.answer, one.call.stated) for one in found if one.call.stated]),
        "in_heard": _mean([in_key_share(one.turn.answer, one.heard.key) for one in found if one.heard.key]),
        "nats": nats.own,
        "gain": nats.gain,
        "overlap": float(likeness(turns)["overlap"]["mean"]),
        "continuation": continuation_gain(turns, lambda turn: turn.answer).own,
        "notes": _mean([len(notes) for notes in answers]),
    }


COLUMNS: Final = {
    "answers": "calls that were answered",
    "home": "share of answers whose highest last note belongs to the tonic triad of the key heard",
    "all_home": "whose last notes all do",
    "on_beat": "whose last notes are within 30 ms of a beat, of those where a beat was clear",
    "last_s": "how long they sound",
    "goes_round": "share of answers in which a figure of four notes stands more than four times in a row",
    "any_figure": "in which any of one to eight notes does",
    "in_stated": "share of notes in the key that the piece states, where it does",
    "in_heard": "share of notes in the scale of the key heard, where one is",
    "nats": "nats a note after its call, under the model itself",
    "gain": "nats a note by which answers fit their own call better than shuffled calls",
    "overlap": "all answers with all true continuations: the mean of six overlapping areas",
    "continuation": "each with its own",
    "notes": "of an answer",
}
"""What each column is."""


def ends_on_beat(one: Answered) -> bool | None:
    """Whether an answer ends on a beat; None where none was clear."""
    beats = one.heard.beats
    if beats is None or not beats.clear:
        return None
    at_s = one.decided_s + last_notes(one.turn.answer)[-1].onset_s
    return abs(beats.next_beat_s(at_s, beats.period_s / 2) - at_s) <= ON_BEAT_S


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


# --- the table ---------------------------------------------------------------------------------------------------


def phrases(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures of each section, row by row; ValueError where no call can be had."""
    stepper, judge = load_stepper(asked.model), Judge(performance_bundle(asked.model))
    corpus, stated = load_corpus(asked.data, asked.split), stated_keys(asked)
    sections: dict[str, dict[str, Any]] = {}
    for section in asked.sections:
        calls = calls_of(corpus, asked, stated, only_stated=section == "key" and bool(stated))
        sections[section] = {}
        for name, settings in rows_of(section, asked).items():
            controls = controls_of((*settings, *asked.settings), LOOPS_S if section == "loops" else 8.0)
            sections[section][name] = row(answered(calls, stepper, controls), judge)
            say(f"{section}: {name}")
        if section == "key":
            sections[section]["pianists"] = {"in_stated": _mean([in_key_share(c.turn.next, c.stated) for c in calls
                                                                 if c.stated])}  # fmt: skip
    return {"model": stepper.name, "calls": asked.calls, "seed": asked.seed, "split": asked.split,
            "settings": list(asked.settings), "columns": COLUMNS, "sections": sections}  # fmt: skip


def rows_of(section: str, asked: Asked) -> dict[str, tuple[str, ...]]:
    """What is set in each row of a section."""
    match section:
        case "cadence":
            return {f"cadence={value}": (f"cadence={value}",) for value in ("off", "on")}
        case "loops":
            return {f"loops={loops} temperature={t:g}": (f"loops={loops}", f"temperature={t}")
                    for t in asked.temperatures for loops in ("off", 4)}  # fmt: skip
        case "key":
            return {"key=off": ("key=off",)} | {
                f"key=auto key_strength={strength:g}": ("key=auto", f"key_strength={strength}")
                for strength in STRENGTHS
            }
        case "shape":
            alone = {"none": UNSHAPED, "as they are": ()}
            for given in ("contour=auto", "phrasing=0.5", "loops=4", "cadence=on"):
                others = tuple(one for one in UNSHAPED if one.split("=")[0] != given.split("=")[0])
                alone[given] = (*others, given)
            return alone
    raise ValueError(f"{section!r} is none of the sections: " + ", ".join(SECTIONS))


def calls_of(corpus: Corpus, asked: Asked, stated: dict[str, Key], *, only_stated: bool) -> list[Call]:
    """So many calls; or of those alone whose piece states a key."""
    most = len(corpus.pieces) if only_stated else asked.calls
    calls = [Call(turn, stated.get(turn.file)) for turn in choose_turns(corpus, most, asked.seed)]
    return [call for call in calls if call.stated is not None or not only_stated][: asked.calls]


def stated_keys(asked: Asked) -> dict[str, Key]:
    """{file: the key its title or its annotation states}, of the manifest's rows."""
    found: dict[str, Key] = {}
    if asked.manifest is None:
        return found
    with asked.manifest.open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            file, source = line["file"], line.get("source") or ""
            key = key_in_title(line.get("title") or "", "piano-midi.de" in source.lower())
            if asked.annotations is not None and source == POP909:
                key = _annotated(asked.annotations / Path(file).stem / "key_audio.txt")
            if key is not None:
                found[file] = Key(key.tonic, key.mode)
    return found


def _annotated(path: Path) -> Stated | None:
    return key_of_annotation(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None


def table(found: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{name}: {words}" for name, words in COLUMNS.items()]
    for section, rows in found["sections"].items():
        lines += ["", f"{section:<28}" + "".join(f"{name:>13}" for name in COLUMNS)]
        for name, values in rows.items():
            lines.append(f"{name:<28}" + "".join(_cell(values.get(column)) for column in COLUMNS))
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return f"{'-':>13}" if value is None else f"{value:>13d}" if isinstance(value, int) else f"{value:>13.3f}"

"""The tables of the page, from the JSON that the other commands print; what is no such JSON is refused by name.

Whatever a file holds, a table has a largest size, and every cell is text that the page then escapes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from livemuse.music.vocabulary import HEADS
from livemuse.recording.midifile import read_bytes
from training.figures.longform import ROWS
from training.listening.scoring import FEWEST_LISTENERS, NOT_YET
from training.listening.sheets import QUESTIONS
from training.report import pictures
from training.report.drawing import Picture

LARGEST_FILE: Final = 16 << 20  # bytes
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 500, 48, 200
SECTIONS: Final = ("nats", "labels", "baselines", "answers", "long_form", "sampling", "ablations", "listening", "other")
NUMBERS: Final = (int, float)


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table; ``number`` sets it to the right."""

    text: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page, or a sentence where there are no rows."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    note: str = ""
    picture: Picture | None = None


@dataclass(frozen=True)
class Tables:
    """All tables of the page by its sections; a section without one was not measured."""

    of: dict[str, list[Table]] = field(default_factory=lambda: {section: [] for section in SECTIONS})


def cell(value: Any) -> Cell:
    """A value as it stands in a table: three places after the point, a dash for what is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Cell("–", True)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int):
        return Cell(f"{value:,}"[:LONGEST_CELL], True)
    if isinstance(value, float):
        return Cell(f"{value:.3f}" if abs(value) < 1e6 else f"{value:.3g}", True)
    if isinstance(value, list | tuple) and all(isinstance(one, str | int | float) for one in value):
        value = ", ".join(map(str, value[:MOST_COLUMNS]))
    text = value if isinstance(value, str) else json.dumps(value)
    return Cell(text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…")


def _table(title: str, columns: Iterable[str], rows: Iterable[Sequence[Any]], note: str = "") -> Table:
    kept = tuple(tuple(cell(value) for value in row) for row, _ in zip(rows, range(MOST_ROWS), strict=False))
    return Table(title, tuple(columns), kept, note)


def read_tables(paths: Sequence[Path]) -> Tables:
    """The tables in these files; ValueError or FileError where a file holds none that is known."""
    found = Tables()
    for path in paths:
        try:
            value = json.loads(read_bytes(path, LARGEST_FILE))
        except (ValueError, RecursionError) as problem:
            raise ValueError(f"{path} is no JSON") from problem
        try:
            for section, table in _tables_in(value, path.stem):
                found.of[section].append(table)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as problem:
            raise ValueError(f"{path} is no table that a command of training prints with --json") from problem
    return found


def _tables_in(value: Any, stem: str) -> list[tuple[str, Table]]:
    """(section, table) of each table in one file's value."""
    if isinstance(value, dict):
        for keys, section, make in _KNOWN:
            if keys <= value.keys():
                found = [(section, table) for table in make(value)]
                nested = value.get("answers") if section == "nats" else None
                return found + (_tables_in(nested, stem) if isinstance(nested, dict) else [])
    return [("ablations" if "ablation" in stem.lower() else "other", table) for table in _plain(value, stem)]


def _evaluated(found: Mapping[str, Any]) -> list[Table]:
    """`evaluate`: the model beside the Markov model, its accuracy, and each source."""
    rows = [_score(row) for row in found["scores"]]
    gap = found["difference"]
    hits = found.get("accuracy") or {}
    right = ", ".join(f"{head} {float(hits[head]):.1%}" for head in HEADS if head in hits)
    note = (
        f"{found['split']}: {found['pieces']:,} pieces, {found['notes']:,} notes. Difference {gap['mean']:.3f} "
        f"({gap['low']:.3f} to {gap['high']:.3f}). The value held likeliest was played: {right or 'not measured'}."
    )
    name = str(found["model"])
    drawn = pictures.nats(found["scores"], f"evaluate-{name}")
    table = _table(f"{name}: nats a note by head", _SCORE_COLUMNS, rows, note)
    sources = [(s, r["pieces"], r["notes"], r["model"], r["markov"]) for s, r in found.get("sources", {}).items()]
    return [
        Table(table.title, table.columns, table.rows, note, drawn),
        _table(f"{name}: by source", ("source", "pieces", "notes", "nats a note", "markov-5"), sources),
    ]


_SCORE_COLUMNS: Final = ("", "total", "95 % by piece", *HEADS)


def _score(row: Mapping[str, Any]) -> tuple[Any, ...]:
    interval = f"{float(row['low']):.3f} to {float(row['high']):.3f}"
    return (str(row["name"]), float(row["total"]), interval, *(float(row["by_head"][head]) for head in HEADS))


def _evening(found: Mapping[str, Any]) -> list[Table]:
    rows = [("carried on", float(found["carried"])), ("begun anew", float(found["begun_anew"]))]
    note = f"{found['split']}: {found['evenings']:,} evenings, {found['notes']:,} notes"
    return [_table("The state carried on from piece to piece", ("", "nats a note"), rows, note)]


def _baselines(found: Mapping[str, Any]) -> list[Table]:
    rows = [(*_score(row), "numbers" in row, bool(row.get("history", {}).get("out_of_time")))
            for row in found["rows"]]  # fmt: skip
    note = (f"{found['training_notes']:,} training notes; {found['split']}: {found['pieces']:,} pieces, "
            f"{found['notes']:,} notes. Where numbers are named, a spread is put around them as kindly as fits, and "
            "the velocity, which they do not have, is the training histogram.")  # fmt: skip
    columns = (*_SCORE_COLUMNS, "names numbers", "stopped by the clock")
    table = _table("Ours and the ancestor designs on the same notes", columns, rows, note)
    drawn = pictures.nats(found["rows"], "baselines") if found["rows"] else None
    made = [Table(table.title, table.columns, table.rows, note, drawn)]
    if found["frames"]:
        frames = [(r["name"], r["nats_a_frame"], f"{r['low']:.3f} to {r['high']:.3f}", r["bce_a_key"])
                  for r in found["frames"]]  # fmt: skip
        measures = ("sixteenths of 0.125 s", "nats a frame", "95 % by piece", "cross-entropy a key")
        made.append(_table("The piano roll's own measure", measures, frames))
    return made


def _answers(found: Mapping[str, Any]) -> list[Table]:
    """`answers`: likeness, fit, copying and register of the answers."""
    name = f"{found['model']}, {found['pieces']} calls"
    likeness = found["likeness"]
    sides = ("answer", "pianist")
    rows = [(key.replace("_", " "), *(likeness[side].get(key) for side in sides)) for key in likeness["answer"]]
    fit = [
        (side, kind.replace("_", " "), g["own"], g["others"], g["gain"], f"{g['low']:.3f} to {g['high']:.3f}",
         f"{g['share_better']:.0%}")
        for side, row in found["fit"].items() for kind, g in row.items()
    ]  # fmt: skip
    copies = [(side, where, v["median"], v["p90"], v["longest"])
              for side, row in found["runs"].items() for where, v in row.items()]  # fmt: skip
    columns = ("", "what", "own", "others", "gain", "95 % of the gain", "better")
    return [
        *_contest(found, name),
        _table(f"{name}: overlap with the pianists", ("", "area"), likeness["overlap"].items()),
        _table(f"{name}: how they play", ("", *sides), rows),
        _table(f"{name}: does it fit its own call?", columns, fit, "A gain above zero is better than chance."),
        _table(f"{name}: longest run of pitches", ("", "stands in", "median", "nine in ten", "longest"), copies),
    ]


def _contest(found: Mapping[str, Any], name: str) -> list[Table]:
    """Everybody who answered the same calls in one table, where baselines did too."""
    if "baselines" not in found:
        return []
    rows: list[Sequence[Any]] = []
    entrants = [(who, one, "answer") for who, one in ({found["model"]: found} | found["baselines"]).items()]
    for who, one, side in [*entrants, ("pianists", found, "pianist")]:
        if "fit" not in one:
            rows.append((who, *[None] * 8))
            continue
        real, nats, runs = side == "pianist", one["fit"][side]["nats"], one["runs"][side]
        rows.append((
            who, one["whole"]["answers"], None if real else one["likeness"]["overlap"]["mean"],
            None if real else one["fit"][side]["continuation"]["own"], nats["gain"],
            f"{nats['low']:.3f} to {nats['high']:.3f}", runs["call"]["median"],
            *(runs["training"][k] if "training" in runs else None for k in ("median", "longest")),
        ))  # fmt: skip
    columns = ("", "answers", "overlap", "with its own continuation", "nats gained by its own call", "95 %",
               "run in the call, median", "run in training, median", "longest")  # fmt: skip
    return [_table(f"{name}: everybody's answers to the same calls", columns, rows)]


def _labels(found: Mapping[str, Any]) -> list[Table]:
    """`labels`: what a label is worth to the pieces that have it."""
    whole = found["all"]
    rows = [
        (row["label"], row["pieces"], row["own"], row["none"], row.get("others"), row.get("gain"),
         f"{row['low']:.3f} to {row['high']:.3f}" if "low" in row else "", row["best"])
        for row in found["rows"]
    ]  # fmt: skip
    note = (f"{found['split']}: {whole['gain']:.3f} nats a note better under its own label than under others "
            f"({whole['low']:.3f} to {whole['high']:.3f}); {whole['best_under_own']} of {whole['labels']} labels fit "
            "their own pieces best.")  # fmt: skip
    columns = ("label", "pieces", "its own", "none", "others", "gain", "95 % by piece", "fits best under")
    return [_table(f"{found['model']}: nats a note of each label's own pieces", columns, rows, note)]


def _long_form(found: Mapping[str, Any]) -> list[Table]:
    return [
        _table(f"{int(bars)} bars of {found['bar_s']:g} s, {found['pieces']} openings", ("", *row),
               [(name.replace("_", " "), *(who.get(name) for who in row.values())) for name in ROWS])
        for bars, row in found["lengths"].items()
    ]  # fmt: skip


def _sampling(found: Mapping[str, Any]) -> list[Table]:
    used = [name for name in found["columns"] if name in found["rows"][0]]
    rows = [(row["settings"], *(row.get(name) for name in used)) for row in found["rows"]]
    note = "; ".join(f"{name.replace('_', ' ')}: {found['columns'][name]}" for name in used)
    columns = ("settings", *(name.replace("_", " ") for name in used))
    return [_table(f"{found['model']}, {found['calls']} calls", columns, rows, note)]


def _listening(found: Mapping[str, Any]) -> list[Table]:
    if not found["run"]:
        return [Table("Blind listening test", note=f"{NOT_YET}: {found['listeners']} of {FEWEST_LISTENERS} people")]
    rows = [
        (group, question, f["mean"], f"{f['low']:.2f} to {f['high']:.2f}",
         "one item" if f["low_items"] is None else f"{f['low_items']:.2f} to {f['high_items']:.2f}")
        for group, row in found["groups"].items() for question in (*QUESTIONS, "together") if (f := row[question])
    ]  # fmt: skip
    columns = ("who plays", "", "mean", "95 %, listeners", "95 %, listeners and items")
    return [_table(f"Blind listening test, {found['listeners']} listeners", columns, rows)]


def _plain(value: Any, stem: str) -> list[Table]:
    """Any other value: a list of rows, an object that has rows, or the figures of one object."""
    rows = value.get("rows") if isinstance(value, dict) and isinstance(value.get("rows"), list) else value
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        flat = [_flat(row) for row in rows[:MOST_ROWS]]
        columns = list(dict.fromkeys(name for row in flat for name in row))[:MOST_COLUMNS]
        table = _table(stem, [name.replace("_", " ") for name in columns], [[r.get(c) for c in columns] for r in flat])
        drop = ("rows",)
    elif isinstance(value, dict) and value:
        table, drop = _table(stem, ("", ""), _flat(value).items()), tuple(value)
    else:
        raise ValueError("neither rows nor figures")
    about = value if isinstance(value, dict) else {}
    note = "; ".join(f"{k.replace('_', ' ')}: {cell(v).text}" for k, v in about.items() if k not in drop)
    return [Table(table.title, table.columns, table.rows, note[:2000])]


def _flat(row: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Figures within figures as ``outer inner``."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and len(before) < LONGEST_CELL:
            found |= _flat(value, f"{before}{name} ")
        else:
            found[f"{before}{name}"[:LONGEST_CELL]] = value
    return found


_KNOWN: Final[tuple[tuple[frozenset[str], str, Callable[[Mapping[str, Any]], list[Table]]], ...]] = (
    (frozenset({"scores", "difference", "split"}), "nats", _evaluated),
    (frozenset({"carried", "begun_anew"}), "nats", _evening),
    (frozenset({"rows", "all", "without_pieces"}), "labels", _labels),
    (frozenset({"rows", "frames", "training_notes"}), "baselines", _baselines),
    (frozenset({"fit", "likeness", "runs"}), "answers", _answers),
    (frozenset({"lengths", "bar_s"}), "long_form", _long_form),
    (frozenset({"columns", "rows", "calls"}), "sampling", _sampling),
    (frozenset({"listeners", "run", "set"}), "listening", _listening),
)
"""The keys by which the JSON of each command is known, the section it goes to, and what makes its tables."""

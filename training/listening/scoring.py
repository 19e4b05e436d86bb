"""What the listeners' marks say: means by kind with 95 % intervals, and whether the target is reached.

The intervals are of a bootstrap: one draws the listeners anew, the other listeners and items (Owen 2007, "The
pigeonhole bootstrap"), since other people might have heard other items.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livemuse.recording.midifile import read_bytes
from training.listening.items import KINDS
from training.listening.sheets import COLUMNS, KEY_FORMAT, MARKS, QUESTIONS

Array = npt.NDArray[Any]
FEWEST_LISTENERS: Final = 5
TARGET: Final = 3.5
RESAMPLES: Final = 2000
LARGEST_FORM: Final = 1 << 20  # bytes
NOT_YET: Final = "not yet run"


@dataclass(frozen=True, slots=True)
class Key:
    """Which items there are, and who plays each."""

    set_name: str
    kinds: Mapping[str, str]  # item: kind
    names: Mapping[str, str]  # item: who plays


def read_key(path: Path) -> Key:
    """The key of some sheets; ValueError for what is none."""
    try:
        found = json.loads(read_bytes(path, LARGEST_FORM))
        if found["format"] != KEY_FORMAT:
            raise ValueError("another format")
        kinds = {str(item): str(about["kind"]) for item, about in found["items"].items()}
        names = {str(item): str(about["name"]) for item, about in found["items"].items()}
        key = Key(str(found["set"]), kinds, names)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ValueError(f"{path} is no key of a listening test") from problem
    if not kinds or not set(kinds.values()) <= set(KINDS):
        raise ValueError(f"{path} is no key of a listening test")
    return key


def read_form(path: Path, key: Key) -> Array:
    """One person's marks, (items, questions) in the order of the key, NaN where the piece was known.

    ValueError, which names the file and the line, for marks that are missing or none.
    """
    try:
        text = read_bytes(path, LARGEST_FORM).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError(f"{path} is no text") from problem
    between = ";" if ";" in text.partition("\n")[0] else ","  # some spreadsheets write it so
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=between)
    marks: dict[str, list[float]] = {}
    try:
        header = tuple(cell.strip().lower() for cell in next(rows, []))
        if header != COLUMNS:
            raise ValueError(f"the columns are not {', '.join(COLUMNS)}")
        for row in rows:
            if any(cell.strip() for cell in row):
                item, values = _marks(row, key)
                if item in marks:
                    raise ValueError(f"item {item} stands there twice")
                marks[item] = values
    except (ValueError, csv.Error) as problem:
        raise ValueError(f"{path}, line {max(rows.line_num, 1)}: {problem}") from problem
    missing = [item for item in key.kinds if item not in marks]
    if missing:
        raise ValueError(f"{path}, line {rows.line_num}: it ends without item {missing[0]}")
    return np.array([marks[item] for item in key.kinds])


def _marks(row: Sequence[str], key: Key) -> tuple[str, list[float]]:
    """(item, marks) of one line; ValueError says what is wrong with it."""
    if len(row) != len(COLUMNS):
        raise ValueError(f"it has {len(row)} columns, not {len(COLUMNS)}")
    set_name, item, *marks, known = (cell.strip() for cell in row)
    if set_name != key.set_name:
        raise ValueError(f"it belongs to the set {_short(set_name)}, the key to {key.set_name}")
    item = item.zfill(2)  # spreadsheets make 1 of 01
    if item not in key.kinds:
        raise ValueError(f"there is no item {_short(item)}")
    if known:
        return item, [float("nan")] * len(QUESTIONS)
    for question, mark in zip(QUESTIONS, marks, strict=True):
        if mark not in map(str, MARKS):
            said = f"is {_short(mark)}, not a mark from {MARKS[0]} to {MARKS[-1]}" if mark else "has no mark"
            raise ValueError(f"{question} of item {item} {said}")
    return item, [float(mark) for mark in marks]


def _short(text: str) -> str:
    return repr(text[:20])


def score(forms: Sequence[Path], key_file: Path) -> dict[str, Any]:
    """{"listeners", "run", "groups": {who: {question: figures}}, ...}; only the number until five have answered."""
    key = read_key(key_file)
    names = [form.stem for form in forms]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two forms are called {name}: one a person, called by a name of their own")
    answers = [read_form(form, key) for form in forms]
    if len(answers) < FEWEST_LISTENERS:
        return {"set": key.set_name, "listeners": len(answers), "run": False}
    marks = np.stack(answers)  # (L, I, Q)
    marks = np.concatenate([marks, marks.mean(2, keepdims=True)], 2)  # the mean of the three as a fourth
    items = list(key.kinds)
    groups = {}
    for group, chosen in _groups(key).items():
        values = marks[:, [items.index(item) for item in chosen]]
        groups[group] = {"items": len(chosen), "marks": int(np.isfinite(values[..., 0]).sum()), **_figures(values)}
    return {
        "set": key.set_name,
        "listeners": len(answers),
        "run": True,
        "known": int(np.isnan(marks[..., 0]).sum()),
        "groups": groups,
        "by_item": {item: _mean(marks[:, k, -1]) for k, item in enumerate(items)},
        "by_listener": {name: _mean(marks[k, :, -1]) for k, name in enumerate(names)},
        "target": _target(groups),
    }


def _groups(key: Key) -> dict[str, list[str]]:
    """The items of each kind, and of each baseline by itself where there are several."""
    found: dict[str, list[str]] = {str(kind): [i for i, its in key.kinds.items() if its == kind] for kind in KINDS}
    names = sorted({key.names[item] for item in found["baseline"]})
    if len(names) > 1:
        found |= {name: [i for i in found["baseline"] if key.names[i] == name] for name in names}
    return {group: items for group, items in found.items() if items}


def _mean(values: Array) -> float | None:
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def _figures(marks: Array, seed: int = 0) -> dict[str, dict[str, float | None] | None]:
    """{question or "together": {"mean", "low", "high", "low_items", "high_items"}} of marks (L, I, Q + 1)."""
    rng = np.random.default_rng(seed)
    listeners, items, _ = marks.shape
    heard, filled = np.isfinite(marks).astype(np.float64), np.nan_to_num(marks)
    of_listeners = rng.multinomial(listeners, np.full(listeners, 1 / listeners), RESAMPLES).astype(np.float64)
    of_items = rng.multinomial(items, np.full(items, 1 / items), RESAMPLES).astype(np.float64)
    found: dict[str, dict[str, float | None] | None] = {}
    for k, question in enumerate((*QUESTIONS, "together")):
        if not heard[..., k].any():
            found[question] = None  # everybody knew these pieces
            continue
        row: dict[str, float | None] = {"mean": float(filled[..., k].sum() / heard[..., k].sum())}
        for ends, weights in ((("low", "high"), np.ones_like(of_items)), (("low_items", "high_items"), of_items)):
            sums, counts = (np.einsum("rl,li,ri->r", of_listeners, v[..., k], weights) for v in (filled, heard))
            means = sums[counts > 0] / counts[counts > 0]
            row |= dict(zip(ends, np.percentile(means, [2.5, 97.5]).tolist(), strict=True))
        if items == 1:  # which says nothing of other items
            row |= {"low_items": None, "high_items": None}
        found[question] = row
    return found


def _target(groups: Mapping[str, Any]) -> dict[str, bool] | None:
    """Whether ours are above 3.5, and not below the interval of the real ones; None where that cannot be said."""
    ours, real = (groups.get(kind, {}).get("together") for kind in ("ours", "real"))
    if not ours or not real:
        return None
    return {"above_3_5": ours["mean"] > TARGET, "within_the_real": ours["mean"] >= real["low"]}


def table(found: Mapping[str, Any]) -> str:
    """The figures as a person reads them."""
    if not found["run"]:
        return f"{NOT_YET}: {found['listeners']} of {FEWEST_LISTENERS} people have answered"
    lines = [f"set {found['set']}: {found['listeners']} listeners, {found['known']} marks left out (piece known)"]
    lines.append(f"{'':<24}{'':<12}{'mean':>6}  {'95 %, listeners':<18}95 %, listeners and items")
    for group, figures in found["groups"].items():
        for question in (*QUESTIONS, "together"):
            name = f"{group} ({figures['items']})" if question == QUESTIONS[0] else ""
            row = figures[question]
            lines.append(f"{name:<24}{question:<12}{_said(row)}")
    if found["target"] is not None:
        yes = {True: "yes", False: "no"}
        above, within = (yes[found["target"][k]] for k in ("above_3_5", "within_the_real"))
        lines.append(f"ours above {TARGET}: {above}; ours not below the interval of the real ones: {within}")
    return "\n".join(lines)


def _said(row: Mapping[str, float] | None) -> str:
    """The figures of one question, or that nobody has given a mark that counts."""
    if row is None:
        return "  none: known to all"
    items = "one item" if row["low_items"] is None else f"{row['low_items']:.2f} to {row['high_items']:.2f}"
    return f"{row['mean']:>6.2f}  {row['low']:.2f} to {row['high']:.2f}      {items}"

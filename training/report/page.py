"""The report: one page that needs nothing else, with all that was measured of some models, and what was not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from livemuse.model.bundle import Bundle, load_bundle
from livemuse.model.stepper import OnnxStepper
from livemuse.model.terms import use_of
from livemuse.recording.midifile import read_bytes, write_whole
from training.corpus import load_corpus
from training.figures.copying import pitches_of_corpus
from training.history import read_history
from training.report import pictures
from training.report.drawing import Picture
from training.report.playing import PIANISTS, Played, Programme, Say, copied, counted, play, programme, real_form
from training.report.rolls import roll
from training.report.tables import Tables, read_tables

LARGEST_MANIFEST: Final = 4 << 20  # bytes
MOST_CALLS: Final = 500
NOT_MEASURED: Final = "not measured"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training report` was asked for."""

    models: tuple[Path, ...]
    data: Path
    out: Path
    runs: tuple[Path, ...] = ()
    tables: tuple[Path, ...] = ()
    calls: int = 30  # for the histograms and for copying
    rolls: int = 4  # so many of them are drawn
    pieces: int = 10  # openings for the long form
    bars: tuple[int, ...] = (16, 32)
    seed: int = 0
    settings: tuple[str, ...] = ()
    copying: bool = True


@dataclass(frozen=True, slots=True)
class Roll:
    """A piano roll, and the file it is from."""

    file: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class About:
    """What one model is, and what it played for the page."""

    name: str
    family: str
    facts: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str, str, str], ...]  # source, terms, pieces, notes
    rolls: tuple[Roll, ...] = ()
    histograms: Picture | None = None
    answers: int = 0


def check(asked: Asked) -> None:
    """ValueError for what cannot be asked for."""
    if not 1 <= asked.calls <= MOST_CALLS or not 0 <= asked.rolls <= asked.calls:
        raise ValueError(f"--calls is from 1 to {MOST_CALLS}, and --rolls no more than that")
    if asked.pieces < 0 or any(not 4 <= bars <= 60 for bars in asked.bars):
        raise ValueError("--pieces is 0 or more, and --bars are from 4 to 60")
    if asked.seed < 0:
        raise ValueError(f"--seed is 0 or more, not {asked.seed}")
    if len({path.resolve().name for path in asked.models}) < len(asked.models):
        raise ValueError("two of the models have the same name; a folder each, called differently, is needed")


def report(asked: Asked, say: Say) -> Path:
    """Write the page; gives the file. ValueError or LivemuseError, one sentence, for whatever cannot be read."""
    check(asked)
    out = _room(asked.out)
    bundles = [load_bundle(path) for path in asked.models]
    tables = read_tables(asked.tables)
    names = [bundle.info.name for bundle in bundles]
    if len(set(names)) < len(names):
        raise ValueError(
            f"two of the models call themselves {max(names, key=names.count)}; their figures would be mixed"
        )
    runs = {path.resolve().name: read_history(path) for path in asked.runs}
    history = pictures.history(_first(runs, pictures.MOST_RUNS)) if any(runs.values()) else None
    corpus = load_corpus(asked.data, "validation")
    todo = programme(corpus, asked.calls, asked.pieces, asked.bars, asked.seed)
    played = {
        bundle.info.name: play(OnnxStepper(bundle), todo, asked.settings, say)
        for bundle in bundles
        if bundle.info.family == "performance"
    }
    models = [_about(path, bundle, played.get(bundle.info.name), asked.rolls)
              for path, bundle in zip(asked.models, bundles, strict=True)]  # fmt: skip
    html = _template().render(
        models=models,
        tables=tables.of,
        history=history,
        lacking=_lacking(asked, tables),
        copied=_copied(played, asked) if asked.copying and played else [],
        form=_form(played, todo),
        calls=len(todo.calls),
        settings=", ".join(asked.settings) or "all controls at their defaults",
        not_measured=NOT_MEASURED,
    )
    write_whole(out, html.encode("utf-8"))
    say(f"{out}: {len(html.encode()) / 1e6:.1f} MB")
    return out


def _room(asked: Path) -> Path:
    """The file of the page, before any work is done for it; ValueError where it cannot be."""
    out = asked if asked.suffix.lower() in (".html", ".htm") else asked / "index.html"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ValueError(f"{out.parent} cannot be a folder: {problem.strerror or problem}") from None
    if out.is_dir():
        raise ValueError(f"{out} is a folder; the page needs a file")
    return out


def _template() -> Any:
    """The page's template: whatever is put into it is escaped, but for what we drew ourselves."""
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html")


def _first(runs: Mapping[str, Any], most: int) -> dict[str, Any]:
    return dict([(name, rows) for name, rows in runs.items() if rows][:most])


def _about(path: Path, bundle: Bundle, played: Played | None, rolls: int) -> About:
    """What stands in the manifest, as a person reads it, and the pictures of what was played."""
    manifest = json.loads(read_bytes(path / "manifest.json", LARGEST_MANIFEST))  # load_bundle has checked it
    info, training = bundle.info, _part(manifest, "training")
    held_out = _part(manifest, "held_out")
    graphs = sum((path / f"{name}.onnx").stat().st_size for name in bundle.sessions)
    shape = " layers of ".join(str(manifest[k]) for k in ("layers", "units") if k in manifest)
    markov = held_out.get("markov_nats_per_note")
    facts = (
        ("terms", f"{use_of(info.licence)}: {info.licence or 'none stated'}"),
        ("family", info.family),
        ("network", f"{shape} units" if shape else NOT_MEASURED),
        ("size of the graphs", f"{graphs:,} bytes"),
        ("trained on", f"{info.notes:,} notes"),
        ("labels", ", ".join(bundle.styles) or "none"),
        ("held out", f"{info.held_out_nats:.4f} nats a {info.unit}"
         + (f"; an order-5 Markov model {markov:.4f}" if isinstance(markov, int | float) else "")),
        ("made from revision", str(manifest.get("git_revision", "not stated"))),
        ("hash", info.hash),
    )  # fmt: skip
    rows = [row for row in training.get("data", []) if isinstance(row, dict)][:200]
    data = tuple(
        (str(r.get("source", "")), str(r.get("licence", "")), _count(r.get("pieces")), _count(r.get("notes")))
        for r in rows
    )
    if played is None:
        return About(info.name, info.family, facts, data)
    drawn = [Roll(t.file, roll(t, f"{info.name}-{k}")) for k, t in enumerate(played.turns[:rolls])]
    compared = pictures.histograms(counted(played.turns, real=False), counted(played.turns, real=True), info.name)
    return About(info.name, info.family, facts, data, tuple(drawn), compared, len(played.turns))


def _part(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = manifest.get(name)
    return found if isinstance(found, dict) else {}


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def _copied(played: Mapping[str, Played], asked: Asked) -> list[Picture]:
    """Two pictures: runs that stand in the training set, and in the call."""
    training = pitches_of_corpus(load_corpus(asked.data, "train"))
    found = {name: copied(one.turns, False, training) for name, one in played.items()}
    found[PIANISTS] = copied(next(iter(played.values())).turns, True, training)
    wheres = (("training", f"the training notes of {asked.data.resolve().name}"), ("call", "its call"))
    return [pictures.runs({name: one[where] for name, one in found.items()}, said) for where, said in wheres]


def _form(played: Mapping[str, Played], todo: Programme) -> list[Picture]:
    real = real_form(todo)
    everyone = {PIANISTS: real} | {name: one.form for name, one in played.items()}
    return [pictures.similarity({name: form[bars] for name, form in everyone.items()}, bars) for bars in real]


def _lacking(asked: Asked, tables: Tables) -> Sequence[str]:
    """What was not measured, each as the command that would."""
    commands = {
        "nats": "evaluate", "labels": "labels", "baselines": "baselines", "answers": "answers",
        "long_form": "long-form", "sampling": "sampling", "ablations": "ablations", "listening": "listening score",
    }  # fmt: skip
    return [command for section, command in commands.items() if not tables.of[section]] + (
        [] if asked.runs else ["train (a --run each)"]
    )

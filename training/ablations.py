"""What each part of the network and of its training is worth: the same run again and again, one thing changed in each.

    python -m training ablations --data NOTES_DIR --run DIR
    python -m training ablations --data NOTES_DIR --run DIR --config base.toml --epochs 8 --only base "3 layers"

All runs learn from the same notes with the same seed for the same number of passes (or minutes), and are judged by
their best weights on all held-out pieces. What a change is worth is told by piece, against the base.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from livemuse.music.vocabulary import HEADS
from training.baselines.train import keep_json
from training.config import Config, config_from, load_config
from training.corpus import Corpus
from training.evaluate import bootstrap, score
from training.history import read_history

Say = Callable[[str], None]
BASE: Final = "base"
CONFIG: Final = Path(__file__).parent / "configs" / "ablations.toml"
ABOUT: Final = "ablations.json"
STILL: Final = {"transpose": 0, "stretch": 0.0, "velocity_shift": 0}  # no augmentation at all
WINDOW: Final = 32  # notes that attention looks back over


@dataclass(frozen=True, slots=True)
class Variant:
    """One run: what differs from the base, as a config file would say it."""

    name: str
    about: str  # what is compared
    change: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """A folder's name of it."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training ablations` was asked for."""

    data: Path
    run: Path
    config: Path = CONFIG
    epochs: float = 3.0
    minutes: float = 0.0  # of each run, in place of the epochs; 0 is off
    only: tuple[str, ...] = ()  # these variants alone; none is all
    bar: bool = False  # on a terminal, while each of them learns


def variants(base: Config) -> list[Variant]:
    """The base, and every change of it."""
    shape = base.shape
    found = [Variant(BASE, "")]
    found += [Variant(f"{n} layer{'s' * (n > 1)}", "depth", {"shape": {"layers": n}})
              for n in (1, 2, 3) if n != shape.layers]  # fmt: skip
    found += [Variant(f"{n} units", "units", {"shape": {"units": n}}) for n in (shape.units // 2, shape.units * 3 // 2)]
    found += [
        Variant("independent heads", "heads", {"shape": {"heads": "independent"}}),
        Variant(f"attention over {WINDOW} notes", "attention", {"shape": {"attention": WINDOW}}),
        Variant("pitch counts twice", "loss weights", {"weights": {"pitch": 2.0}}),
        Variant("step and duration count twice", "loss weights", {"weights": {"step": 2.0, "duration": 2.0}}),
        Variant("no augmentation", "augmentation", STILL),
        Variant("transposition only", "augmentation", {k: v for k, v in STILL.items() if k != "transpose"}),
    ]
    found += [Variant(f"dropout {d:g}", "dropout", {"dropout": d}) for d in (0.0, 0.3) if d != base.dropout]
    return found


def updates_a_pass(base: Config, corpus: Corpus, held_out: Corpus) -> int:
    """How many updates a pass over the notes takes."""
    from training.run import new_run
    from training.train import Course, lanes_for, plan_epoch

    run = new_run(replace(base, lanes=lanes_for(base, corpus)))
    return plan_epoch(run, Course(corpus, held_out, Path(), lambda _: None), 0)[0].steps


def config_of(base: Config, variant: Variant, asked: Asked, updates: int) -> Config:
    """The config of a variant: the base, the change, an end that is the same for all, and a score after each pass."""
    values = asdict(base) | {k: v for k, v in variant.change.items() if k != "shape"}
    values["shape"] = asdict(base.shape) | dict(variant.change.get("shape", {}))
    end: dict[str, Any] = {"patience": 0, "checkpoint_steps": updates}
    if asked.minutes:
        end |= {"minutes": asked.minutes, "epochs": 0.0}
    else:
        end |= {"minutes": 0.0, "epochs": asked.epochs}
    return config_from(values | end)


def prepare(asked: Asked, base: Config) -> None:
    """Make the folder; ValueError where it holds runs of other notes, another base or another length."""
    from training.run import notes_digest

    if not (0 < asked.epochs < math.inf and 0 <= asked.minutes < math.inf):
        raise ValueError("--epochs is more than 0, and --minutes 0 or more")
    about = {"notes": notes_digest(asked.data)[:16], "epochs": asked.epochs, "minutes": asked.minutes}
    path = asked.run / ABOUT
    asked.run.mkdir(parents=True, exist_ok=True)
    try:
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else about | {"base": base.as_dict()}
        other = {name: kept[name] for name in about} != about or config_from(kept["base"]) != base
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
        raise ValueError(f"{path} is damaged: choose another --run") from None
    if other:
        raise ValueError(f"{asked.run} holds ablations of other notes, another base or another length: "
                         "choose another --run")  # fmt: skip
    keep_json(path, about | {"base": base.as_dict()})


def run_one(variant: Variant, config: Config, asked: Asked, held_out: Corpus, say: Say) -> None:
    """Train a variant, or what is left of it, score it on all held-out pieces and keep its result."""
    from training.run import LAST, about_of, load_network, weights_of
    from training.score import nats_by_piece
    from training.train import train

    folder = asked.run / variant.folder
    say(f"{variant.name}:")
    train(asked.data, folder, config, (folder / LAST).is_file(), say, bar=asked.bar)
    network, about = load_network(weights_of(folder))
    last = about_of(folder / LAST)["progress"]
    keep_json(folder / "result.json", {
        "variant": variant.name,
        "about": variant.about,
        "change": dict(variant.change),
        "weights": sum(int(np.prod(w.shape)) for w in network.trainable_variables),
        "updates": last["step"],
        "notes": last["notes"],
        "best_update": about["progress"]["step"],
        "notes_per_s": round(last["notes"] / max(last["elapsed_s"], 1e-9)),
        "nats": nats_by_piece(network, held_out).tolist(),
        "history": read_history(folder),
    })  # fmt: skip


def ablations(asked: Asked, say: Say) -> dict[str, Any]:
    """Train what is missing and tell all there is; ValueError for a variant that does not exist."""
    from training.train import corpora

    base = load_config(asked.config)
    corpus, held_out = corpora(asked.data)
    known = variants(base)
    unknown = [name for name in asked.only if name not in [v.name for v in known]]
    if unknown:
        raise ValueError(f"there is no variant {unknown[0]!r}; there are {', '.join(v.name for v in known)}")
    prepare(asked, base)
    updates = updates_a_pass(base, corpus, held_out)
    for variant in known:
        if (asked.only and variant.name not in asked.only) or (asked.run / variant.folder / "result.json").is_file():
            continue
        run_one(variant, config_of(base, variant, asked, updates), asked, held_out, say)
    done = [asked.run / v.folder / "result.json" for v in known]
    results = [json.loads(path.read_text(encoding="utf-8")) for path in done if path.is_file()]
    return told(results, held_out, asked, corpus.notes)


def told(results: Sequence[Mapping[str, Any]], held_out: Corpus, asked: Asked, notes: int) -> dict[str, Any]:
    """The results as rows, each beside the base where that is there; and the base by epoch."""
    lengths = np.diff(held_out.starts)
    by_name = {result["variant"]: np.array(result["nats"]) for result in results}
    rows = []
    for result in results:
        nats = by_name[result["variant"]]
        whole = score(result["variant"], nats, lengths)
        row = {name: result[name] for name in ("variant", "about", "weights", "updates", "notes", "notes_per_s")}
        row |= {"nats": whole.total, "low": whole.low, "high": whole.high} | whole.by_head
        if BASE in by_name and result["variant"] != BASE:
            worse = nats.sum(1) - by_name[BASE].sum(1)
            low, high = bootstrap(worse, lengths)
            row |= {"difference": float(worse.sum() / lengths.sum()), "difference_low": low, "difference_high": high}
        rows.append(row)
    curve: list[Mapping[str, Any]] = next((result["history"] for result in results if result["variant"] == BASE), [])
    epochs = [{k: line[k] for k in ("updates", "epoch", "notes", "train_nats", "validation_nats")} for line in curve]
    return {
        "training_notes": notes,
        "validation_pieces": len(lengths),
        "validation_notes": int(lengths.sum()),
        "epochs": 0.0 if asked.minutes else asked.epochs,
        "minutes": asked.minutes,
        "rows": rows,
        "base_by_epoch": epochs,
    }


def table(found: Mapping[str, Any]) -> str:
    """The rows as a person reads them."""
    planned = f"{found['minutes']:g} minutes" if found["minutes"] else f"{found['epochs']:g} epochs"
    lines = [
        f"{found['training_notes']:,} training notes, {planned} each; judged on {found['validation_pieces']} pieces, "
        f"{found['validation_notes']:,} notes. Nats a note, less is better; intervals 95 % by piece.",
        f"{'':<31}{'nats':>8}  {'worse than base':<26}" + "".join(f"{h:>10}" for h in HEADS)
        + f"{'weights':>12}{'updates':>9}{'notes/s':>9}",
    ]  # fmt: skip
    for row in found["rows"]:
        gap = ""
        if "difference" in row:
            gap = f"{row['difference']:+.3f} ({row['difference_low']:+.3f} to {row['difference_high']:+.3f})"
        heads = "".join(f"{row[h]:>10.3f}" for h in HEADS)
        lines.append(f"{row['variant']:<31}{row['nats']:>8.3f}  {gap:<26}{heads}{row['weights']:>12,}"
                     f"{row['updates']:>9,}{row['notes_per_s']:>9,}")  # fmt: skip
    lines += ["", f"{'base by epoch: updates':<24}{'notes':>12}{'training':>10}{'validation':>12}"]
    for line in found["base_by_epoch"]:
        lines.append(f"{line['updates']:>22,.0f}  {line['notes']:>12,.0f}{line['train_nats']:>10.3f}"
                     f"{line['validation_nats']:>12.3f}")  # fmt: skip
    return "\n".join(lines)

"""Ablations: each run changes one thing, all have the same end, and what is there is not trained again."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import quiet
from tests.training.test_figures import corpus_of
from training.ablations import BASE, CONFIG, Asked, ablations, config_of, prepare, table, told, variants
from training.commands import ablations as command
from training.config import Config, Shape, load_config

SMALL = Config(shape=Shape(units=8, layers=2, embed_pitch=8, embed_other=4, head_width=8))


def test_each_variant_changes_one_thing_and_has_the_same_end() -> None:
    base = load_config(CONFIG)
    asked = Asked(Path("data"), Path("run"), epochs=2.0)
    found = variants(base)
    ends = {(c.epochs, c.minutes, c.checkpoint_steps, c.patience, c.seed) for v in found
            for c in [config_of(base, v, asked, 200)]}  # fmt: skip
    assert len(ends) == 1
    whole = config_of(base, found[0], asked, 200)
    assert found[0].name == BASE
    for variant in found[1:]:
        changed = config_of(base, variant, asked, 200)
        differing = {k for k, v in changed.as_dict().items() if v != whole.as_dict()[k]}
        assert differing == set(variant.change), variant.name
    assert len({v.folder for v in found}) == len(found)
    assert {v.about for v in found} >= {"depth", "units", "heads", "loss weights", "augmentation", "dropout"}
    assert config_of(base, found[0], replace(asked, minutes=1.5), 200).minutes == 1.5


def test_what_cannot_be_planned_and_a_damaged_plan_are_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "index.json").write_text("{}")
    for length in ({"epochs": 0.0}, {"epochs": float("nan")}, {"minutes": float("inf")}):
        with pytest.raises(ValueError, match="--epochs is more than 0"):
            prepare(Asked(data, tmp_path / "run", **length), SMALL)
    (tmp_path / "run").mkdir()
    for text in ("", "[]", '{"notes": 3}', "[" * 5000):
        (tmp_path / "run" / "ablations.json").write_text(text)
        with pytest.raises(ValueError, match=r"ablations\.json is damaged"):
            prepare(Asked(data, tmp_path / "run"), SMALL)


def test_a_folder_belongs_to_one_set_of_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "index.json").write_text("{}")
    asked = Asked(data, tmp_path / "run")
    prepare(asked, SMALL)
    prepare(asked, SMALL)
    with pytest.raises(ValueError, match="other notes, another base or another length"):
        prepare(replace(asked, epochs=1.0), SMALL)
    with pytest.raises(ValueError, match="another base"):
        prepare(asked, replace(SMALL, seed=9))
    (data / "index.json").write_text('{"other": 1}')
    with pytest.raises(ValueError, match="other notes"):
        prepare(asked, SMALL)
    with pytest.raises(ValueError, match="--epochs is more than 0"):
        prepare(replace(asked, epochs=0.0), SMALL)


def test_a_change_is_told_beside_the_base_by_piece() -> None:
    held_out = corpus_of([60] * 10, [62] * 30)
    line = {"updates": 4.0, "epoch": 1.0, "notes": 40.0, "train_nats": 9.0, "validation_nats": 8.0, "pitch": 2.0}

    def result(name: str, a_note: float) -> dict[str, object]:
        nats = (np.array([[10], [30]]) * a_note / 4).repeat(4, 1).tolist()
        return {"variant": name, "about": "", "weights": 1000, "updates": 4, "notes": 40, "notes_per_s": 10,
                "nats": nats, "history": [line]}  # fmt: skip

    found = told([result(BASE, 8.0), result("1 layer", 8.5)], held_out, Asked(Path(), Path()), 400)
    base, other = found["rows"]
    assert base["nats"] == pytest.approx(8.0)
    assert "difference" not in base
    assert other["difference"] == pytest.approx(0.5)
    assert other["difference_low"] == pytest.approx(0.5)  # the same in every piece: no doubt at all
    assert other["pitch"] == pytest.approx(8.5 / 4)
    assert found["base_by_epoch"][0]["validation_nats"] == 8.0
    assert json.loads(json.dumps(found)) == found
    assert "+0.500" in table(found)


def test_the_command_has_its_options() -> None:
    parser = ArgumentParser()
    command.options(parser)
    args = parser.parse_args(["--data", "x", "--run", "y", "--minutes", "2", "--only", "base", "3 layers", "--json"])
    assert (args.minutes, args.only, args.json) == (2.0, ["base", "3 layers"], True)


@pytest.mark.pipeline
def test_a_run_is_trained_once_and_told_again(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    data, rng = tmp_path / "data", np.random.default_rng(0)
    data.mkdir()
    pieces = {}
    for split, count in (("train", 8), ("validation", 2)):
        notes = count * 60
        step_s = np.tile(np.concatenate([[0.0], np.full(59, 0.25)]), count).astype(np.float32)
        np.savez(data / f"{split}.npz", pitch=rng.integers(50, 70, notes).astype(np.uint8), step_s=step_s,
                 duration_s=np.full(notes, 0.3, np.float32), velocity=np.full(notes, 64, np.uint8))  # fmt: skip
        pieces[split] = [{"file": f"{split}{k}", "source": "x", "licence": "x", "notes": 60, "composition": f"{k}"}
                         for k in range(count)]  # fmt: skip
    (data / "index.json").write_text(json.dumps({"key": "", "pieces": pieces, "skipped": []}))
    config = tmp_path / "base.toml"
    config.write_text("lanes = 8\nchunk = 16\n[shape]\nunits = 8\nembed_pitch = 8\nembed_other = 4\nhead_width = 8\n")
    asked = Asked(data, tmp_path / "run", config, epochs=2.0, only=(BASE,))
    (row,) = ablations(asked, quiet)["rows"]
    kept = tmp_path / "run" / "base" / "checkpoint.npz"
    made = kept.stat().st_mtime_ns
    again = ablations(asked, quiet)
    assert again["rows"] == [row]
    assert kept.stat().st_mtime_ns == made
    assert row["notes"] == 960
    assert len(again["base_by_epoch"]) == 2
    with pytest.raises(ValueError, match="there is no variant 'deeper'"):
        ablations(replace(asked, only=("deeper",)), quiet)

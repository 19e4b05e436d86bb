"""Two processes that share the lanes make the updates that one process makes."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed (extra: train)")

from tests.training.some_updates import CONFIG, UPDATES, begin, invented, some_updates
from training.corpus import write_corpora
from training.distributed import Workers, _started, agreed, free_addresses, joined, shared_lanes

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.pipeline


def test_two_processes_make_the_updates_of_one(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("alone", "first", "second")]
    for folder in folders:
        folder.mkdir()
    start, addresses = tmp_path / "start.npz", free_addresses(2)
    begin().save(start)
    write_corpora(tmp_path / "notes", {"train": invented(), "validation": invented(2)})
    (tmp_path / "odd").mkdir()
    begin(replace(CONFIG, lanes=5)).save(tmp_path / "odd" / "checkpoint.npz")
    with ExitStack() as running:
        workers = []
        for index, folder in enumerate(folders[1:]):
            config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            worker = subprocess.Popen(
                [sys.executable, "-m", "tests.training.some_updates", str(folder), str(start)],
                cwd=ROOT, env={**os.environ, "TF_CONFIG": json.dumps(config)}, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            running.callback(worker.kill)
            workers.append(worker)
        some_updates(folders[0], start)
        for worker in workers:
            talk = worker.communicate(timeout=900)[1]
            assert worker.returncode == 0, talk
    assert not list(folders[2].iterdir())  # the first one alone writes
    with np.load(folders[0] / f"{UPDATES}.npz") as one, np.load(folders[1] / f"{UPDATES}.npz") as two:
        assert set(one.files) == set(two.files)
        for name in set(one.files) - {"about"}:  # weights, optimiser, and the state of all lanes
            np.testing.assert_allclose(one[name], two[name], atol=1e-5, err_msg=name)
        assert any(not np.array_equal(one[name], np.load(start)[name]) for name in one.files if name != "about")


def test_one_process_shares_nothing_and_agrees_with_itself() -> None:
    assert [shared_lanes(n) for n in (1, 7, 64)] == [1, 7, 64]
    assert agreed(2.5) == 2.5


def test_all_but_the_first_write_where_it_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"weights")
    with Workers().folder(tmp_path) as folder:
        assert folder == tmp_path
    (tmp_path / "best.npz").write_bytes(b"weights")
    with Workers(chief=False).folder(tmp_path) as folder:
        assert not list(folder.iterdir())
    with Workers(chief=False).folder(tmp_path, resume=True) as folder:
        assert [path.name for path in folder.iterdir()] == ["checkpoint.npz"]
        assert (folder / "checkpoint.npz").read_bytes() == b"weights"
        (folder / "checkpoint.npz").write_bytes(b"others")
    assert not folder.exists()
    assert (tmp_path / "checkpoint.npz").read_bytes() == b"weights"


def test_only_the_wait_for_the_others_may_take_too_long() -> None:
    with pytest.raises(subprocess.TimeoutExpired), _started(1, ()):
        raise subprocess.TimeoutExpired("something else", 1.0)


@pytest.mark.parametrize(
    "given", ["", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}']
)
def test_a_wrong_description_of_the_workers_is_told_in_a_sentence(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", given)
    with pytest.raises(ValueError, match="TF_CONFIG is"), joined(1, ()):
        pass

"""`prepare --scheduler`: a Dask scheduler and two workers as processes of their own, one killed half-way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="no Dask here: pip install 'dask[distributed]'")

from tests.training.conftest import write_piece
from training.prepare.build import Request, prepare_notes
from training.prepare.listing import Input
from training.prepare.reading import Reading

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("default")  # what Dask's own threads warn of while a worker dies


def start(*command: str) -> subprocess.Popen[bytes]:
    """A Dask process, with this checkout on its path."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """(address of the scheduler, its two workers)."""
    contact = tmp_path / "scheduler.json"
    quiet = ["--scheduler-file", str(contact), "--no-dashboard"]
    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", *quiet)
    workers = [start("worker", "--nthreads", "1", "--no-nanny", "--local-directory", str(tmp_path), *quiet)
               for _ in range(2)]  # fmt: skip
    try:
        yield address_in(contact), workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def address_in(contact: Path) -> str:
    """The scheduler's address, once it has written it."""
    deadline_s = time.monotonic() + 15.0
    while time.monotonic() < deadline_s:
        try:
            return str(json.loads(contact.read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise AssertionError("the scheduler did not start")


def test_a_cluster_that_loses_a_worker_gives_what_one_machine_gives(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    for k in range(320):
        write_piece(tmp_path / "in" / f"{k:03}.mid", seed=k, notes=60)
    (tmp_path / "in" / "damaged.mid").write_bytes(b"MThd nothing good")
    given = (Input(tmp_path / "in", "made up", "CC0 1.0"),)
    await_both(address)
    killed_after: list[int] = []

    def kill_one(files: int) -> None:
        if not killed_after and files >= 100:
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait()
            killed_after.append(files)

    far = prepare_notes(Request(given, tmp_path / "far", scheduler=address), lambda _: None, kill_one)
    near = prepare_notes(Request(given, tmp_path / "near", jobs=1, reading=Reading()), lambda _: None)
    assert killed_after == [112]  # the other has read the rest, and again what the first had under way
    assert [worker.poll() for worker in workers] == [-signal.SIGKILL, None]
    assert far.files_read == near.files_read == 321
    assert far.notes == near.notes
    for name in ("train.npz", "validation.npz", "index.json"):
        assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes()


def await_both(address: str) -> None:
    """Until both workers have come."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(2, timeout=20)


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.prepare.engines.CONNECT_S", 0.3)
    write_piece(tmp_path / "in" / "0.mid", seed=0)
    given = (Input(tmp_path / "in", "made up", "CC0 1.0"),)
    with pytest.raises(ValueError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        prepare_notes(Request(given, tmp_path / "out", scheduler="tcp://127.0.0.1:9"), lambda _: None)

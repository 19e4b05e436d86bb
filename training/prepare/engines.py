"""Who reads the files: the processes of this machine, or the workers of a Dask cluster.

Rules for whoever edits this file: both give the results in the order of the batches, so what comes out is the same; a
process that dies costs at most the one file that killed it. The bytes of the files travel with the work: a cluster
needs no shared folder, and reading costs far more than sending.
"""

from __future__ import annotations

import multiprocessing
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from typing import Any, Final

from training.corpus import READER_VERSION
from training.prepare.reading import Read, Reading, read_batch

Batch = list[tuple[str, bytes]]
Result = list[tuple[str, Read]]
AHEAD: Final = 4  # batches under way for each process
CONNECT_S: Final = 20.0
KILLED: Final = "reading it ended the process that read it"


def results_of(batches: Iterator[Batch], reading: Reading, jobs: int, scheduler: str = "") -> Iterator[Result]:
    """The results of all batches, in order; on the cluster whose scheduler is at this address, else on this machine.

    ValueError where the scheduler cannot be reached, has no workers, or has workers with another livemuse.
    """
    if scheduler:
        yield from _on_cluster(batches, reading, scheduler)
        return
    first = next(batches, None)
    second = next(batches, None)
    waiting = (batch for batch in (first, second) if batch is not None)
    if jobs == 1 or second is None:  # so little is read before a process has started
        for batch in chain(waiting, batches):
            yield read_batch(batch, reading)
    else:
        yield from _on_processes(chain(waiting, batches), reading, jobs)


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def _on_processes(batches: Iterator[Batch], reading: Reading, jobs: int) -> Iterator[Result]:
    pool = _pool(jobs)
    waiting: deque[tuple[Batch, Future[Result]]] = deque()
    try:
        for batch in chain(batches, (None,)):
            if batch is not None:
                waiting.append((batch, _asked(pool, batch, reading)))
            while waiting and (batch is None or len(waiting) >= AHEAD * jobs):
                try:
                    yield waiting[0][1].result()
                    waiting.popleft()
                except BrokenProcessPool:
                    pool.shutdown(cancel_futures=True)
                    yield from _rescued([asked for asked, _ in waiting], reading)
                    waiting.clear()
                    pool = _pool(jobs)
    finally:
        pool.shutdown(cancel_futures=True)


def _asked(pool: ProcessPoolExecutor, batch: Batch, reading: Reading) -> Future[Result]:
    """The batch's result to come; a pool that has died since says so there, like one that dies later."""
    try:
        return pool.submit(read_batch, batch, reading)
    except BrokenProcessPool as problem:
        lost: Future[Result] = Future()
        lost.set_exception(problem)
        return lost


def _rescued(batches: list[Batch], reading: Reading) -> Iterator[Result]:
    """Read again what was under way when a process died, file by file, each safe from the others."""
    pool = _pool(1)
    try:
        for batch in batches:
            done: Result = []
            for key, data in batch:
                try:
                    done += pool.submit(read_batch, [(key, data)], reading).result()
                except BrokenProcessPool:
                    done.append((key, KILLED))
                    pool.shutdown()
                    pool = _pool(1)
            yield done
    finally:
        pool.shutdown()


def reader_version() -> int:
    """Which notes this machine's livemuse reads from a file."""
    return READER_VERSION


def _on_cluster(batches: Iterator[Batch], reading: Reading, scheduler: str) -> Iterator[Result]:
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise ValueError("a cluster needs Dask: pip install 'dask[distributed]'") from None
    if not re.fullmatch(r"(\w+://)?[^\s/]+:\d{1,5}", scheduler):  # Dask would say so and never end
        raise ValueError(f"{scheduler} is no address of a scheduler, such as tcp://192.168.0.2:8786")
    client: Any
    connect: Any = Client
    try:
        client = connect(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as problem:
        raise ValueError(f"no Dask scheduler answers at {scheduler}: {problem}") from None
    with client:
        _check(client, scheduler)
        waiting: deque[tuple[Batch, Any]] = deque()
        ahead = AHEAD * sum(client.nthreads().values())
        for batch in chain(batches, (None,)):
            if batch is not None:
                waiting.append((batch, client.submit(read_batch, batch, reading, pure=False)))
            while waiting and (batch is None or len(waiting) >= ahead):
                asked, future = waiting.popleft()
                try:
                    yield _awaited(future, client, scheduler)
                except KilledWorker:
                    yield from _rescued([asked], reading)


def _check(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
        version = client.submit(reader_version, pure=False).result(timeout=CONNECT_S)
    except TimeoutError:
        raise ValueError(
            f"the Dask scheduler at {scheduler} has no workers; start one: dask worker {scheduler}"
        ) from None
    except (ImportError, AttributeError):
        raise ValueError("the Dask workers have no livemuse: start them where this checkout is installed") from None
    if version != READER_VERSION:
        raise ValueError("the Dask workers have another version of livemuse than this machine")


def _awaited(future: Any, client: Any, scheduler: str) -> Result:
    """The result of one batch, however long it takes, as long as there are workers."""
    while True:
        try:
            result: Result = future.result(timeout=CONNECT_S)
            return result
        except TimeoutError:
            if not client.nthreads():
                raise ValueError(
                    f"no Dask worker is left at {scheduler}; what has been read is kept: start a worker and run again"
                ) from None

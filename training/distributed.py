"""Several processes, or several devices of one, that train one network together: TensorFlow's own tf.distribute.

Each replica reads its share of the lanes; the update is that of all of them (see tf_update.py). The processes find
each other by TF_CONFIG, as TensorFlow's documentation describes it; the first one alone writes files and talks.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import keras

from training.run import LAST

LONGEST_END_S = 60.0  # between the end of the first process and that of the others
VARIABLE = "TF_CONFIG"


@dataclass(frozen=True)
class Workers:
    """Those who train a network together, seen by one of them."""

    strategy: Any = None  # of tf.distribute; none for a single process with a single device
    chief: bool = True  # the one that writes files and talks

    def scope(self) -> AbstractContextManager[Any]:
        """Where the network and its optimiser are made and trained."""
        return nullcontext() if self.strategy is None else self.strategy.scope()

    @contextmanager
    def folder(self, run: Path, resume: bool = False) -> Iterator[Path]:
        """Where this worker writes: the first into the folder of the run, any other into one that is thrown away.

        With `resume` that one holds the checkpoint that all go on from.
        """
        if self.chief:
            yield run
            return
        with tempfile.TemporaryDirectory() as scratch:
            if resume and (run / LAST).is_file():
                shutil.copyfile(run / LAST, Path(scratch) / LAST)
            yield Path(scratch)


ALONE = Workers()


def _replicas() -> int:
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def shared_lanes(lanes: int) -> int:
    """So many lanes, or a few fewer, that can be shared out evenly among all replicas; at least one each."""
    replicas = _replicas()
    return max(lanes // replicas, 1) * replicas


def agreed(value: float) -> float:
    """What the first worker says, for all: they must stop together, and learn at the same rate. All have to ask."""
    if _replicas() == 1:
        return value
    import tensorflow as tf

    return float(_of_first(tf.distribute.get_strategy())(tf.constant(value, tf.float64)))


@cache
def _of_first(strategy: Any) -> Callable[[Any], Any]:
    import tensorflow as tf

    def share(value: Any) -> Any:
        context = tf.distribute.get_replica_context()
        return context.all_reduce("SUM", tf.cast(context.replica_id_in_sync_group == 0, tf.float64) * value)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def of_first(value: Any) -> Any:
        return strategy.experimental_local_results(strategy.run(share, (value,)))[0]

    return of_first  # type: ignore[no-any-return]


@contextmanager
def joined(count: int, command: Sequence[str]) -> Iterator[Workers]:
    """Join those whom TF_CONFIG names; without it, start `count` - 1 processes more here, of the same command.

    `command` is what follows `python -m training`. To be called before TensorFlow has done anything. ValueError
    where TF_CONFIG cannot be read or the backend is another; OSError where a worker is lost.
    """
    several = VARIABLE in os.environ
    if keras.backend.backend() != "tensorflow":
        if several or count > 1:
            raise ValueError("several workers train with KERAS_BACKEND=tensorflow only")
        yield ALONE
        return
    import tensorflow as tf

    with ExitStack() as ends:
        if not several and count > 1:
            ends.enter_context(_started(count, command))
            several = True
        try:
            yield _workers(several)
        except tf.errors.OpError as problem:
            if not several:
                raise
            raise OSError(f"another worker is lost ({type(problem).__name__}): start all again with --resume") from None


def _workers(several: bool) -> Workers:
    import tensorflow as tf

    if not several:
        devices = tf.config.list_physical_devices("GPU")
        return Workers(tf.distribute.MirroredStrategy()) if len(devices) > 1 else ALONE
    try:
        given = json.loads(os.environ[VARIABLE])
        index, names = int(given["task"]["index"]), list(given["cluster"]["worker"])
        if given["task"]["type"] != "worker" or not 0 <= index < len(names):
            raise ValueError("no such worker")
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            'TF_CONFIG is {"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}}'
        ) from None
    return Workers(tf.distribute.MultiWorkerMirroredStrategy(), index == 0) if len(names) > 1 else ALONE


@contextmanager
def _started(count: int, command: Sequence[str]) -> Iterator[None]:
    """The other processes, as long as this one, the first, has use for them."""
    addresses = free_addresses(count)

    def config(index: int) -> str:
        return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})

    others = [
        subprocess.Popen([sys.executable, "-m", "training", *command], env={**os.environ, VARIABLE: config(index)})
        for index in range(1, count)
    ]
    os.environ[VARIABLE] = config(0)
    try:
        yield
        with suppress(subprocess.TimeoutExpired):
            for other in others:
                other.wait(LONGEST_END_S)
    finally:
        del os.environ[VARIABLE]
        for other in others:
            other.kill()
            other.wait()


def free_addresses(count: int) -> list[str]:
    """Addresses of this machine on which nobody listens now."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]

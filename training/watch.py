"""How far a training run is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, Self

EVERY_S: Final = 20.0

Say = Callable[[str], None]


class Watch:
    """Tells how far a run is, with the time left; nothing of it changes what is learned.

    With `bar`, for those who talk on stderr anyway, that is a bar where stderr is a terminal.
    """

    def __init__(self, say: Say, elapsed_s: float = 0.0, *, bar: bool = False) -> None:
        self._say, self._said_s, self._bar = say, elapsed_s, None
        self._first: tuple[float, float] | None = None  # seconds and share when the first update was done
        if bar and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = TextColumn("training"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[now]}")
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task("training", total=1.0, now="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def say(self, line: str) -> None:
        """A line that stays."""
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            self._say(line)

    def at(self, elapsed_s: float, done: float, line: str) -> None:
        """The run has come so far, 0 to 1, in so many seconds of training."""
        if self._first is None:  # the first update is compiled too: it says nothing of the others
            self._first = elapsed_s, done
        began_s, began = self._first
        if done <= began:
            return
        left_s = (elapsed_s - began_s) / (done - began) * (1 - min(done, 1.0))
        left = f"at most {left_s / 60:.0f} min left" if left_s >= 90 else f"at most {left_s:.0f} s left"
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=min(done, 1.0), now=f"{line}, {left}")
        elif elapsed_s - self._said_s > EVERY_S:
            self._said_s = elapsed_s
            self._say(f"{line}, {left}")

"""How far a long reading is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

EVERY_S: Final = 5.0


class Progress:
    """Counts files and notes; a bar where stderr is a terminal, else a line every five seconds, through `say`."""

    def __init__(self, say: Callable[[str], None], total: int | None = None) -> None:
        self._say, self._total = say, total
        self._began_s = self._said_s = time.monotonic()
        self.files = self.notes = self.read = 0  # `read`: files that were not in the store
        self._bar = _bar(total) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began_s

    def listed(self) -> None:
        """One more file was found."""
        self.files += 1
        self._show()

    def add(self, files: int, notes: int) -> None:
        """So many files more were read, with so many notes."""
        self.read += files
        self.notes += notes
        self._show()

    def _show(self) -> None:
        if self._bar:
            notes = f"{self.notes:,} notes"
            self._bar.update(self._bar.task_ids[0], completed=self.files, total=self._total, notes=notes)
        elif time.monotonic() - self._said_s >= EVERY_S:
            self._said_s = time.monotonic()
            of = f" of {self._total:,}" if self._total else ""
            self._say(f"{self.files:,}{of} files, {self.notes:,} notes read, {self.elapsed_s:.0f} s")


def _bar(total: int | None) -> Bar:
    bar = Bar(
        TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[notes]}"),
        TimeRemainingColumn(), console=Console(stderr=True),
    )  # fmt: skip
    bar.add_task("reading", total=total, notes="")
    return bar

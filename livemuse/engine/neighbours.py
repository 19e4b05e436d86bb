"""Whom the engine talks to, as it sees them."""

from collections.abc import Callable
from typing import Protocol

from livemuse.midi.link import Frame
from livemuse.music.schedule import Task


class Sender(Protocol):
    """Where frames for the stage go."""

    def send(self, *frames: Frame) -> None:
        """Send frames, in order."""
        ...


class Worker(Protocol):
    """Who steps the model."""

    def put(self, task: Task | Callable[[], None]) -> None:
        """Do this next."""
        ...

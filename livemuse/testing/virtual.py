"""Time that stands still until it is told to go on, and a stage that plays into a list."""

from livemuse.engine.virtual import VirtualStage as FakeStage

__all__ = ["FakeStage", "VirtualClock"]


class VirtualClock:
    """A clock whose hands are moved by the test."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now = now_s

    def now_s(self) -> float:
        """What the hands show."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the hands on."""
        self.now += seconds

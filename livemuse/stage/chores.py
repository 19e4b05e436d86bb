"""What the stage has to do at some time to come, each under a name: asking again moves it, doing it takes it away."""

from collections.abc import Callable


class Chores:
    """A few named things to do later; times are seconds on the monotonic clock."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[float, Callable[[], None]]] = {}

    @property
    def next_due_s(self) -> float | None:
        """When the first of them is due."""
        return min((at_s for at_s, _ in self._due.values()), default=None)

    def set(self, name: str, at_s: float, do: Callable[[], None]) -> None:
        """Do this at ``at_s``, in place of whatever stood under ``name``."""
        self._due[name] = (at_s, do)

    def cancel(self, name: str) -> None:
        """Not any more."""
        self._due.pop(name, None)

    def do_due(self, now_s: float) -> None:
        """Do all that is due."""
        for name in [name for name, (at_s, _) in self._due.items() if at_s <= now_s]:
            _, do = self._due.pop(name, (0.0, lambda: None))
            do()

"""How the console asks: never waiting, and of a control that is being dragged only the newest value."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from livemuse.control.messages import Request, Set
from livemuse.errors import LivemuseError


class Link(Protocol):
    """A connection to an engine; ``livemuse.control.client.LiveLink`` is one."""

    def events(self) -> Any:
        """An async iterator of lists of events; LinkError when the engine is gone."""
        ...

    async def request(self, request: Request) -> Mapping[str, Any]:
        """What the engine gave."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class OwnEngine(Protocol):
    """The process of the engine that was started for this console, which may still be starting."""

    def ended(self) -> LivemuseError | None:
        """Why it is not there, None while it starts or runs."""
        ...

    def end(self) -> None:
        """End it, though it cannot be asked yet."""
        ...

    def let_live(self) -> None:
        """The console is detached: the music goes on."""
        ...


class Asking:
    """Sends requests over whatever link there is; what the engine refuses is told in its own sentences."""

    def __init__(self, start: Callable[[Any], Any], refused: Callable[[str], None]) -> None:
        self.link: Link | None = None
        self._start = start  # runs a coroutine beside everything else
        self._refused = refused
        self._wanted: dict[str, int | float | str] = {}  # not yet sent, newest only
        self._sending: set[str] = set()

    def ask(self, request: Request) -> None:
        """Ask, and tell the player only if it was refused."""
        self._start(self._ask(request))

    def set(self, name: str, value: int | float | str) -> None:
        """Set a control; while one value is on its way, the next waits, and of several the last."""
        self._wanted[name] = value
        if name not in self._sending:
            self._sending.add(name)
            self._start(self._send_values(name))

    def is_moving(self, name: str) -> bool:
        """Whether the player's own value of this control is still on its way."""
        return name in self._sending

    async def answer(self, request: Request) -> Mapping[str, Any] | None:
        """What the engine gave; None where it refused or is gone, which the player was told."""
        if self.link is None:
            self._refused("There is no engine yet.")
            return None
        try:
            return await self.link.request(request)
        except LivemuseError as error:
            self._refused(str(error))
            return None

    async def _ask(self, request: Request) -> None:
        await self.answer(request)

    async def _send_values(self, name: str) -> None:
        try:
            while name in self._wanted:
                await self.answer(Set(name, self._wanted.pop(name)))
        finally:
            self._sending.discard(name)

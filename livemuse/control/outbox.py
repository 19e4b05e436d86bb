"""What waits to be sent to one client: a slow client loses old pictures of the state, never the engine's time."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from livemuse.control.codec import encode_event

# of these only the newest says anything
LATEST_WINS: Final = frozenset({"state", "controls", "ports", "planned"})
LARGEST_OUTBOX: Final = 4096  # minutes of dense music; a client that far behind is gone, stopped or hostile


class Outbox:
    """Events and replies in order; ``overflowed`` once the client is too far behind to be served."""

    def __init__(self, largest: int = LARGEST_OUTBOX) -> None:
        self._largest = largest
        self._waiting: deque[Mapping[str, Any] | bytes] = deque()
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add_event(self, fields: Mapping[str, Any]) -> None:
        """Let this event wait; it is not copied, so nobody may change it any more."""
        if self._waiting and fields.get("event") in LATEST_WINS:
            self._drop_older(fields["event"])
        self._add(fields)

    def add_line(self, line: bytes) -> None:
        """Let this encoded reply wait."""
        self._add(line)

    def take_all(self) -> bytes:
        """Everything that waits, as lines."""
        waiting, self._waiting = self._waiting, deque()
        return b"".join(item if isinstance(item, bytes) else encode_event(item) for item in waiting)

    def _add(self, item: Mapping[str, Any] | bytes) -> None:
        if len(self._waiting) >= self._largest:
            self.overflowed = True
            return
        self._waiting.append(item)

    def _drop_older(self, kind: str) -> None:
        for index in range(len(self._waiting) - 1, -1, -1):
            item = self._waiting[index]
            if not isinstance(item, bytes) and item.get("event") == kind:
                del self._waiting[index]
                return

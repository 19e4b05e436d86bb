"""One engine a name: a lock that the system takes back when its holder dies, however it dies."""

import os
from pathlib import Path

from livemuse.errors import LinkError


class NameLock:
    """Held on ``<socket>.lock`` while an engine runs; the empty file stays, for removing it would open a race."""

    def __init__(self, socket: Path) -> None:
        self._path = socket.with_name(socket.name + ".lock")
        self._held: int | None = None

    def take(self) -> None:
        """LinkError when another engine of this name is running."""
        import fcntl  # not on every system, and only an engine needs it

        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            what = f"The control socket cannot be made in {self._path.parent}: {error.strerror}."
            raise LinkError(what, "Set XDG_RUNTIME_DIR to a folder of your own.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            what = "An engine of this name is already running."
            raise LinkError(what, "Open its console with `livemuse attach`, or give this one a --name.") from error
        self._held = descriptor

    def give_back(self) -> None:
        """Let another engine have the name."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

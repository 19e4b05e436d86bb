"""Where the control socket lies: one file an engine, in a folder that only its owner can enter."""

import os
import re
import stat
import sys
import tempfile
from pathlib import Path
from typing import Final

from livemuse.errors import LinkError

DEFAULT_NAME: Final = "livemuse"
LONGEST_SOCKET_PATH: Final = 103  # bytes; macOS has room for 104 with the closing zero, Linux for 108
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def runtime_folder() -> Path:
    """The user's folder for livemuse's sockets, made if need be; LinkError where it cannot be had safely."""
    if not hasattr(os, "getuid"):
        raise LinkError("livemuse's engine needs Unix sockets, which this system lacks.", "Use Linux or macOS.")
    folder = _base_folder()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
            raise LinkError(f"The folder {folder} is not yours.", "Set XDG_RUNTIME_DIR to a folder of your own.")
        if facts.st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        what = f"The folder {folder} cannot be used: {error.strerror}."
        raise LinkError(what, "Set XDG_RUNTIME_DIR to a folder of your own.") from error
    return folder


def _base_folder() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    candidates = [Path(given)] if os.path.isabs(given) else []
    if sys.platform.startswith("linux"):
        candidates.append(Path(f"/run/user/{os.getuid()}"))
    for base in candidates:
        if base.is_dir() and os.access(base, os.W_OK | os.X_OK):
            return base / "livemuse"
    return Path(tempfile.gettempdir()) / f"livemuse-{os.getuid()}"


def socket_path(name: str = DEFAULT_NAME) -> Path:
    """The control socket of the engine called ``name``; LinkError for a name or folder that cannot serve."""
    if not _NAME.fullmatch(name):
        what = f"{name[:60]!r} cannot be the name of an engine."
        raise LinkError(what, "Use up to 40 letters, digits, dots, dashes and underlines.")
    return checked_length(runtime_folder() / f"{name}.sock")


def checked_length(path: Path) -> Path:
    """``path`` if a Unix socket can have it; LinkError for one that is too long."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        what = f"The path of the socket is longer than {LONGEST_SOCKET_PATH} bytes: {path}."
        raise LinkError(what, "Set XDG_RUNTIME_DIR to a folder with a shorter path.")
    return path

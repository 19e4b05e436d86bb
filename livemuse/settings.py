"""What livemuse starts with: built-in values, then the settings file, then the command line; the last one wins.

The settings file is TOML and may be left out altogether::

    [daemon]
    api = "auto"            # auto, alsa, jack, core, winmm
    in = "Keystation"       # part of a port's name
    record = "~/sessions"
    map = ["cc:67=answer"]

    [controls]              # any of `livemuse ctl get`
    temperature = 0.8

``livemuse settings`` prints one with everything in it (``template``).
"""

import os
import sys
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from livemuse.errors import FileError, LivemuseError
from livemuse.midi.mapping import MapEntry, parse_map
from livemuse.music.controls import CONTROLS, GROUPS, Control, Controls

APIS: Final = ("auto", "alsa", "jack", "core", "winmm")
SOUNDS: Final = ("auto", "on", "off")
LARGEST_FILE: Final = 1 << 20
_TEMPLATE: Final = """
# The settings of livemuse. Take away the "# " before a line to set it; the command line wins over this file.

[daemon]
# The MIDI interface: auto, alsa, jack, core or winmm.
# api = "auto"
# Part of the name of the MIDI input to listen to; without it, a port of livemuse's own.
# in = "Keystation"
# Part of the name of the MIDI output to play on; without it, a port of livemuse's own.
# out = "FLUID"
# The built-in synth: on, off, or auto: on unless a MIDI output or interface was named.
# sound = "auto"
# The folder that sessions go to.
# record = "~/Music/sessions"
# A session whose motifs are remembered from the start: its name, any MIDI file, or last.
# remember = "last"
# The engine's name, when several live side by side.
# name = "livemuse"
# Pedals, pads and keys with the actions they do (`livemuse ctl do` lists them).
# map = ["cc:67=answer", "note:21=panic"]

[controls]
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an engine is started with."""

    name: str = "livemuse"
    """Several engines live side by side under different names."""
    api: str = "auto"
    """The MIDI interface, one of ``APIS``."""
    port_in: str | None = None
    """Part of the name of the MIDI input to listen to; None: livemuse's own virtual port."""
    port_out: str | None = None
    """Part of the name of the MIDI output to play on; None: livemuse's own virtual port."""
    sound: str = "auto"
    """The built-in synth; auto: on unless a MIDI output or interface was named."""
    record: Path | None = None
    """Where sessions go; None: the platform's data folder."""
    remember: str | None = None
    """The session, or MIDI file, whose motifs are remembered from the start; ``last``: the latest."""
    entries: tuple[MapEntry, ...] = ()
    """What the player's pedals, pads and keys do."""
    controls: Controls = field(default_factory=Controls)
    """What every control starts as."""

    @property
    def sessions_folder(self) -> Path:
        """Where sessions go."""
        return self.record if self.record is not None else data_folder() / "sessions"


def config_folder() -> Path:
    """Where the settings file is looked for."""
    return _platform_folder("XDG_CONFIG_HOME", ".config", "APPDATA")


def data_folder() -> Path:
    """Where sessions and one's own models are kept."""
    return _platform_folder("XDG_DATA_HOME", ".local/share", "LOCALAPPDATA")


def _platform_folder(variable: str, unix: str, windows: str) -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get(windows) or Path.home()) / "livemuse"
    given = os.environ.get(variable, "")
    if os.path.isabs(given):
        return Path(given) / "livemuse"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/livemuse"
    return Path.home() / unix / "livemuse"


def read_settings(path: Path | None = None) -> Settings:
    """The settings file's settings (the defaults where there is none); FileError for one that makes no sense."""
    file = path or config_folder() / "livemuse.toml"
    try:
        data = file.read_bytes() if file.exists() or path is not None else b""
    except OSError as error:
        raise FileError(f"The settings file {file} cannot be read: {error.strerror}.", "Check its rights.") from error
    try:
        table = tomllib.loads(data[:LARGEST_FILE].decode())
        return _read(table)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"The settings file {file} is not TOML: {error}.", "Correct or remove it.") from error
    except LivemuseError as error:
        raise FileError(f"In the settings file {file}: {error.what}", error.remedy) from error


def _read(table: dict[str, Any]) -> Settings:
    daemon, controls = table.pop("daemon", {}), table.pop("controls", {})
    if table or not isinstance(daemon, dict) or not isinstance(controls, dict):
        raise FileError("only the tables [daemon] and [controls] are known.", "Remove the others.")
    settings = Settings()
    for name, value in controls.items():
        settings = replace(settings, controls=settings.controls.replaced(name, value))
    for name, value in daemon.items():
        settings = with_setting(settings, name, value)
    return settings


def with_setting(settings: Settings, name: str, value: Any) -> Settings:
    """``settings`` with one entry of the [daemon] table; FileError for one that is unknown or out of range."""
    if name == "map":
        entries = value if isinstance(value, list) else [value]
        return replace(settings, entries=settings.entries + tuple(parse_map(str(entry)) for entry in entries))
    if not isinstance(value, str):
        raise FileError(f"{name} must be text.", "Put it in quotes.")
    match name:
        case "api" if value in APIS:
            return replace(settings, api=value)
        case "sound" if value in SOUNDS:
            return replace(settings, sound=value)
        case "in":
            return replace(settings, port_in=value)
        case "out":
            return replace(settings, port_out=value)
        case "record":
            return replace(settings, record=Path(value).expanduser())
        case "remember":
            return replace(settings, remember=value)
        case "name":
            return replace(settings, name=value)
        case "api" | "sound":
            known = APIS if name == "api" else SOUNDS
            raise FileError(f"{name} cannot be {value[:40]!r}.", "It is one of: " + ", ".join(known) + ".")
    raise FileError(
        f"there is no setting called {name[:40]!r}.", "Known: api, in, out, sound, record, remember, name, map."
    )


def template() -> str:
    """A settings file with every entry in it, each with its line of help, and none of them set."""
    lines = [_TEMPLATE.strip()]
    for group, heading in GROUPS.items():
        rows = [row for row in CONTROLS.values() if row.group == group]
        lines += [f"\n# --- {heading} ---", *map(_entry, rows)]
    return "\n".join(lines)


def _entry(row: Control) -> str:
    value = f'"{row.default}"' if isinstance(row.default, str) else f"{row.default:g}"
    unit = f" {row.unit}" if row.unit else ""
    return f"# {row.help} ({row.values}{unit})\n# {row.name} = {value}"

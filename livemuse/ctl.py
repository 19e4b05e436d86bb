"""``livemuse ctl``: one question to a running engine, printed."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from livemuse.control.client import ControlClient, ask
from livemuse.control.messages import Action, Event, Get, Request, Set, Status, event_fields
from livemuse.control.paths import socket_path
from livemuse.errors import ControlError

MISUSE: Final = 2
_USAGE: Final = {"get": "get [NAME]", "set": "set NAME VALUE", "do": "do ACTION"}
_COUNTS: Final = {"get": (0, 1), "set": (2, 20), "do": (1, 1), "status": (0, 0), "watch": (0, 0)}


def usage(what: str, arguments: Sequence[str]) -> str | None:
    """How ``what`` is written, where it was not; None where it was."""
    fewest, most = _COUNTS[what]
    return None if fewest <= len(arguments) <= most else f"write: livemuse ctl {_USAGE.get(what, what)}"


def run_ctl(name: str, what: str, arguments: Sequence[str], *, as_json: bool) -> int:
    """Ask the engine called ``name``; ControlError for arguments that make no sense."""
    path = socket_path(name)
    if what == "watch":
        with ControlClient(path) as client:
            for event in client.watch():
                _print_event(event, as_json=as_json)
        return 0
    answer = ask(path, _request(what, list(arguments)))
    if what == "set" or (what == "get" and arguments):
        value = answer[arguments[0]]
        _out(json.dumps(value) if as_json else str(value))
        if what == "set" and answer.get("notice"):
            sys.stderr.write(f"{answer['notice']}\n")
    elif what in ("get", "status"):
        _out(json.dumps(dict(answer)) if as_json else _readable(answer))
    return 0


def _request(what: str, arguments: list[str]) -> Request:
    match what, arguments:
        case "get", []:
            return Get()
        case "get", [name]:
            return Get(name)
        case "set", [name, value]:
            return Set(name, value)
        case "set", [name, *values] if values:  # set key Eb dorian
            return Set(name, " ".join(values))
        case "do", [action]:
            return Action(action)
        case "status", []:
            return Status()
    raise ControlError(f"That makes no sense after ctl {what}.", f"Write: livemuse ctl {_USAGE.get(what, what)}.")


def _readable(answer: Mapping[str, Any], indent: str = "") -> str:
    lines = []
    for key, value in answer.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{key}:", _readable(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key:<{max(24 - len(indent), 1)}}{value}")
    return "\n".join(lines)


def _print_event(event: Event, *, as_json: bool) -> None:
    fields = event_fields(event)
    if as_json:
        _out(json.dumps(fields))
    else:
        name = fields.pop("event")
        _out(f"{name:<10}" + " ".join(f"{key}={value}" for key, value in fields.items()))


def _out(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

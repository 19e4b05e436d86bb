"""``livemuse ctl``: one question to a running engine, printed."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from livemuse.control.client import ControlClient, ask
from livemuse.control.heard import HEARD, WAIT, heard_words, wait_words
from livemuse.control.messages import Action, Event, Get, Remember, Request, Set, Status, event_fields
from livemuse.control.paths import socket_path
from livemuse.errors import ControlError, LinkError
from livemuse.music.controls import ACTIONS, CONTROLS

MISUSE: Final = 2
_USAGE: Final = {"get": "get [NAME]", "set": "set NAME VALUE", "do": "do [ACTION]", "remember": "remember SESSION"}
_COUNTS: Final = {"get": (0, 1), "set": (2, 20), "do": (0, 1), "heard": (0, 0), "remember": (1, 1), "status": (0, 0),
                  "watch": (0, 0)}  # fmt: skip


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
    if what == "do" and not arguments:
        _out(json.dumps(ACTIONS) if as_json else "\n".join(f"{name:<12}{words}" for name, words in ACTIONS.items()))
        return 0
    answer = ask(path, _request(what, list(arguments)))
    if what == "set" or (what == "get" and arguments):
        value = answer[arguments[0]]
        _out(json.dumps(value) if as_json else str(value))
        if what == "set" and answer.get("notice"):
            sys.stderr.write(f"{answer['notice']}\n")
    elif what == "heard":
        _print_heard(answer, as_json=as_json)
    elif what == "get" and not as_json:
        _out("\n".join(_with_help(name, value) for name, value in answer.items()))
    elif what in ("get", "status", "remember"):
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
        case "remember", [session]:
            return Remember(session)
        case (("status" | "heard"), []):
            return Status()
    raise ControlError(f"That makes no sense after ctl {what}.", f"Write: livemuse ctl {_USAGE.get(what, what)}.")


def _with_help(name: str, value: Any) -> str:
    """A control with its value, and what it does, where this version knows it."""
    return f"{name:<22}{value!s:<14}  {CONTROLS[name].help if name in CONTROLS else ''}".rstrip()


def _print_heard(answer: Mapping[str, Any], *, as_json: bool) -> None:
    heard, wait = answer.get("heard") or {}, answer.get("wait") or {}
    if as_json:
        _out(json.dumps({**heard, "wait": wait}))
        return
    try:
        words = [*heard_words(HEARD.read(heard)), ("wait", wait_words(WAIT.read(wait)))]
    except (ValueError, TypeError) as error:
        raise LinkError("The engine says what it hears in a way that cannot be read.", "Restart livemuse.") from error
    _out("\n".join(f"{what:<14}{said}" for what, said in words))


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

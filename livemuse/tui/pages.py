"""What stands on the pages: the help, and how things are."""

from collections.abc import Mapping
from typing import Any

from livemuse.control.heard import heard_words, wait_words
from livemuse.control.messages import State
from livemuse.music.controls import CONTROLS, GROUPS
from livemuse.tui.keys import KEYS, ON_CONTROLS
from livemuse.tui.screens.page import Section
from livemuse.tui.words import label, milliseconds

_PLAYING = (
    ("Play", "On your MIDI keyboard, or with the computer's keys: z x c v b n m is an octave from C, s d g h j its"
             " black keys; q w e r t y u and 2 3 5 6 7 the octave above."),
    ("Stop", "When you have been silent for a moment, livemuse answers. Play again, and it makes way."),
    ("Colours", "Amber is you, blue is livemuse; dim blue at the right of the line is what it is about to play."),
)  # fmt: skip
_FIGURES = {"decide_to_first": "decision to first note", "lateness": "lateness of notes", "thru": "thru"}


def help_sections() -> list[Section]:
    """How to play, every key, every control."""
    controls = [
        (heading, [(label(row.name), f"{row.help} ({row.values})") for row in CONTROLS.values() if row.group == group])
        for group, heading in GROUPS.items()
    ]
    keys = [(key.shown, key.help) for key in KEYS]
    return [("playing", _PLAYING), ("keys", keys), ("on a control", ON_CONTROLS), *controls]


def state_sections(state: State | None, trouble: str) -> list[Section]:
    """Latency, session, model, ports, notices."""
    if state is None:
        return [("engine", [("state", trouble)])]
    return [
        ("latency in ms, median / 99th percentile", [
            (words, _figures(state.latency_ms.get(name))) for name, words in _FIGURES.items()]),
        ("session", [("file", state.session), ("recording", "yes" if state.recording else "no"),
                     ("turn", str(state.turn))]),
        ("model", [(str(name), _listed(value)) for name, value in state.model.items()]),
        ("ports", [("interface", state.api), ("in", str(state.ports.get("in") or "none")),
                   ("out", str(state.ports.get("out") or "none")), ("sound", state.sound)]),
        ("notices", [("", notice) for notice in state.notices] or [("", "none")]),
    ]  # fmt: skip


def heard_sections(state: State | None) -> list[Section]:
    """All that is heard, and how long livemuse waits for it."""
    if state is None:
        return [("engine", [("state", "There is none to hear you.")])]
    wait = wait_words(state.wait) or "not known"
    return [("music", heard_words(state.heard)), ("silence that ends a phrase", [("wait", wait)])]


def _listed(value: Any) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list | tuple) else str(value)


def _figures(figures: Any) -> str:
    if not isinstance(figures, Mapping) or not figures.get("n"):
        return "not measured yet"
    return f"{milliseconds(figures.get('p50'))} / {milliseconds(figures.get('p99'))}   of {figures.get('n')}"

"""``livemuse doctor``: what this machine can do, in sentences, and what to do about the rest."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from livemuse.errors import LivemuseError, PortError
from livemuse.settings import APIS, data_folder, read_settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    good: bool
    what: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything livemuse needs; never raises for what it finds."""
    findings = []
    for look in (_python, _settings, _midi, _sound, _real_time, _sessions, _models):
        try:
            findings.append(look())
        except LivemuseError as error:
            findings.append(Finding(look.__name__.lstrip("_"), False, error.what, error.remedy))
    return findings


def list_ports(api: str = "auto") -> list[dict[str, Any]]:
    """Every MIDI port of the interface: name, direction, api. PortError for one that was named and cannot be had."""
    import rtmidi

    from livemuse.stage.ports import APIS as INTERFACES
    from livemuse.stage.ports import Ports, plain_name, turned_away

    if api not in APIS:
        raise PortError(f"There is no MIDI interface called {api[:40]!r}.", "Known: " + ", ".join(APIS) + ".")
    ports = Ports("livemuse-ports", api, lambda _: None)
    found = ports.find_api()
    if found == "none":
        if api != "auto":
            raise ports.why_no_api()
        return []
    try:
        with turned_away():
            listers = {"in": rtmidi.MidiIn(INTERFACES[found]), "out": rtmidi.MidiOut(INTERFACES[found])}
            names = {
                direction: [plain_name(name) for name in lister.get_ports()] for direction, lister in listers.items()
            }
            for lister in listers.values():
                lister.delete()
    finally:
        ports.close()
    return [{"name": name, "direction": way, "api": found} for way in ("in", "out") for name in names[way]]


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    good = (3, 11) <= sys.version_info[:2] < (3, 13)
    return Finding("python", good, f"Python {version}.", "livemuse is made for Python 3.11 and 3.12.")


def _settings() -> Finding:
    settings = read_settings()
    changed = sum(1 for name, value in settings.controls.items() if value != type(settings.controls)()[name])
    return Finding("settings", True, f"The settings are readable; {changed} controls start at values of your own.")


_MIDI_REMEDY: Final = {
    "linux": "Load ALSA's sequencer (`sudo modprobe snd-seq`), or start a JACK server; livemuse keeps looking.",
    "darwin": "Open Audio MIDI Setup and switch the IAC driver on.",
    "win32": "Install a virtual port such as loopMIDI.",
}


def _midi() -> Finding:
    ports = list_ports()
    from livemuse.stage.ports import Ports

    looker = Ports("livemuse-doctor", "auto", lambda _: None)
    api = looker.find_api()
    looker.close()
    if api == "none":
        what = "No MIDI interface was found; the computer's keyboard and the built-in synth can still be used."
        return Finding("midi", False, what, _MIDI_REMEDY.get(sys.platform, ""))
    return Finding("midi", True, f"MIDI by {api}, {len(ports)} ports of other programs and devices.")


def _sound() -> Finding:
    from livemuse.stage.sound import Synth, find_soundfont

    if find_soundfont() is None:
        return Finding("sound", False, "No SoundFont was found.", "Run `make install` again.")
    synth = Synth.start("auto", 1.0)
    if synth is None:
        return Finding("sound", False, "The built-in synth could not be started.", "Run `make install` again.")
    try:
        state = synth.wait(4.0)
        if state == "on":
            return Finding("sound", True, f"The built-in synth plays on {synth.device or 'the default device'}.")
        why = synth.why or "no audio device answered"
        return Finding(
            "sound", False, f"No built-in sound: {why}", "Route the MIDI output into a synth or DAW instead."
        )
    finally:
        synth.close()


def _real_time() -> Finding:
    if not hasattr(os, "sched_setscheduler"):
        return Finding("real_time", True, "This system has no real-time priorities to grant.")
    before, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
        os.sched_setscheduler(0, before, parameter)
    except PermissionError:
        remedy = "Add yourself to the group `audio` and give it rtprio 70 in /etc/security/limits.d/audio.conf."
        return Finding(
            "real_time", False, "The stage may not take real-time priority; notes can be a little late.", remedy
        )
    return Finding("real_time", True, "The stage may take real-time priority.")


def _sessions() -> Finding:
    folder = read_settings().sessions_folder
    there = folder
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK):
        return Finding("sessions", False, f"Sessions cannot be written to {folder}.", "Choose one with --record DIR.")
    return Finding("sessions", True, f"Sessions are kept in {folder}.")


def _models() -> Finding:
    from livemuse.model.shelf import Shelf
    from livemuse.music.controls import GRID_FAMILIES

    shelf = Shelf(data_folder() / "models")
    name = str(read_settings().controls["model"])
    stepper, facts = shelf.load(name)
    key = frozenset({60})
    told = ((key, key), 1) if facts["family"] in GRID_FAMILIES else ((60, 10, 10, 16),)
    step_ms = _median_ms(lambda: stepper.feed(stepper.start(), *told))
    return Finding(
        "models", True, f"The model {facts['name']} is whole; one step takes {step_ms:.2f} ms (hot, median)."
    )


def _median_ms(work: Callable[[], object], times: int = 101) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[times // 2] * 1e3

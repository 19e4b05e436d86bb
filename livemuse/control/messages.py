"""Every message of the control socket, with its fields: what may be asked, what is told.

Rules for whoever edits this file. A message is one frozen dataclass and one row of ``REQUESTS`` or ``EVENTS``; the
row says what each field may hold, and nothing that comes over a socket is believed before its row was read. A field
with a default may be left out, and a field that is not in the row is ignored, so both sides can grow. A change that
old clients cannot live with raises ``PROTOCOL``. ``docs/protocol.md`` lists the same fields.
"""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Final

from livemuse.control.heard import HEARD, WAIT, HeardNow, WaitNow
from livemuse.control.shapes import (
    Shape,
    boolean,
    choice,
    listed,
    number,
    optional,
    row,
    table,
    text,
    value_of_control,
    whole,
)
from livemuse.errors import LinkError

PROTOCOL: Final = 1
LONGEST_HOLD_S: Final = 10.0  # of a typed key, whose release nobody sends
STATES: Final = ("listening", "waiting", "answering", "playing", "tacet")


# --- requests --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Get:
    """What is control ``name``? All of them without a name."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """Give a control another value, from the next unsounded note on."""

    name: str
    value: int | float | str


@dataclass(frozen=True, slots=True)
class Action:
    """Do something now: answer, stop, panic..."""

    name: str


@dataclass(frozen=True, slots=True)
class Status:
    """How are things? The form of ``livemuse ctl status --json``."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Tell me everything that happens from now on."""


@dataclass(frozen=True, slots=True)
class Press:
    """A typed key: sounds for ``hold_s``; pressed again while it sounds, it is lengthened, not struck again."""

    pitch: int
    velocity: int
    hold_s: float


@dataclass(frozen=True, slots=True)
class Ports:
    """Which MIDI ports are there?"""


@dataclass(frozen=True, slots=True)
class Choose:
    """Use this MIDI port; None goes back to livemuse's own virtual port."""

    direction: str
    port: str | None


@dataclass(frozen=True, slots=True)
class Models:
    """Which models are there?"""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Which sessions were recorded?"""


@dataclass(frozen=True, slots=True)
class Remember:
    """Remember what the player played in a session, by its name, as a file, or the ``last``."""

    session: str


Request = Get | Set | Action | Status | Watch | Press | Ports | Choose | Models | Sessions | Remember


# --- events ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """The first event of a watch: who is speaking."""

    version: str
    protocol: int
    pid: int


@dataclass(frozen=True, slots=True)
class State:
    """Whose turn it is, and all that is shown of the engine; stamps are seconds on the monotonic clock."""

    state: str
    mode: str
    turn: int = 0
    deadline_s: float | None = None  # when the answer starts if the player stays silent
    since_s: float = 0.0  # when this state began
    session: str = ""
    recording: bool = False
    sounding: int = 0
    latency_ms: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)  # name, terms
    sound: str = "none"
    ports: Mapping[str, Any] = field(default_factory=dict)  # in, out
    api: str = "none"
    notices: tuple[str, ...] = ()
    heard: HeardNow = field(default_factory=HeardNow)
    wait: WaitNow = field(default_factory=WaitNow)


@dataclass(frozen=True, slots=True)
class ControlsNow:
    """The value of every control."""

    controls: Mapping[str, int | float | str]


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A note began to sound."""

    who: str
    pitch: int
    velocity: int
    at_s: float
    channel: int = 0


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A note ended."""

    who: str
    pitch: int
    at_s: float
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """All that livemuse means to play next; replaces what was planned before, and empty means taken back."""

    take: int
    notes: tuple[tuple[float, float, int, int], ...]  # onset_s, end_s, pitch, velocity


@dataclass(frozen=True, slots=True)
class PedalMoved:
    """The player's sustain pedal went down or came up."""

    down: bool


@dataclass(frozen=True, slots=True)
class PortsNow:
    """The MIDI ports there are, and those in use."""

    api: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    chosen: Mapping[str, str | None]  # in, out


@dataclass(frozen=True, slots=True)
class NoticeSaid:
    """One sentence for the person at the console."""

    text: str


@dataclass(frozen=True, slots=True)
class Bye:
    """The engine is ending."""


Event = Hello | State | ControlsNow | NoteOn | NoteOff | Planned | PedalMoved | PortsNow | NoticeSaid | Bye

_NAME: Final = text(200)
_SENTENCE: Final = text(2000)
_STAMP: Final = number(-1e12, 1e12)
_PITCH: Final = whole(0, 127)
_WHO: Final = choice("player", "livemuse")
_ANYTHING: Final = Shape("anything", lambda value: value)
_VALUE: Final = value_of_control()

# name on the wire -> (class, what each field may hold)
REQUESTS: Final[dict[str, tuple[type, dict[str, Shape]]]] = {
    "get": (Get, {"name": optional(_NAME)}),
    "set": (Set, {"name": _NAME, "value": _VALUE}),
    "action": (Action, {"name": _NAME}),
    "status": (Status, {}),
    "watch": (Watch, {}),
    "press": (Press, {"pitch": _PITCH, "velocity": whole(1, 127), "hold_s": number(0.01, LONGEST_HOLD_S)}),
    "ports": (Ports, {}),
    "choose": (Choose, {"direction": choice("in", "out"), "port": optional(text(500))}),
    "models": (Models, {}),
    "sessions": (Sessions, {}),
    "remember": (Remember, {"session": text(4096)}),
}
EVENTS: Final[dict[str, tuple[type, dict[str, Shape]]]] = {
    "hello": (Hello, {"version": _NAME, "protocol": whole(1, 1 << 31), "pid": whole(0, 1 << 31)}),
    "state": (State, {
        "state": choice(*STATES), "mode": _NAME, "turn": whole(0, 1 << 53), "deadline_s": optional(_STAMP),
        "since_s": _STAMP, "session": text(4096), "recording": boolean(), "sounding": whole(0, 1 << 20),
        "latency_ms": table(_ANYTHING, 20), "model": table(_ANYTHING, 20), "sound": _NAME,
        "ports": table(optional(text(500)), 8), "api": _NAME, "notices": listed(_SENTENCE, 50),
        "heard": HEARD, "wait": WAIT,
    }),
    "controls": (ControlsNow, {"controls": table(_VALUE, 500)}),
    "note_on": (NoteOn, {"who": _WHO, "pitch": _PITCH, "velocity": whole(1, 127), "at_s": _STAMP,
                         "channel": whole(0, 15)}),
    "note_off": (NoteOff, {"who": _WHO, "pitch": _PITCH, "at_s": _STAMP, "channel": whole(0, 15)}),
    "planned": (Planned, {"take": whole(0, 1 << 53),
                          "notes": listed(row(_STAMP, _STAMP, _PITCH, whole(1, 127)), 5000)}),
    "pedal": (PedalMoved, {"down": boolean()}),
    "ports": (PortsNow, {"api": _NAME, "in": listed(text(500), 500), "out": listed(text(500), 500),
                         "chosen": table(optional(text(500)), 8)}),
    "notice": (NoticeSaid, {"text": _SENTENCE}),
    "bye": (Bye, {}),
}  # fmt: skip
# "in" cannot be the name of a Python field
_WIRE_NAMES: Final = {"inputs": "in", "outputs": "out"}
_REQUEST_NAMES: Final = {entry[0]: name for name, entry in REQUESTS.items()}
_EVENT_NAMES: Final = {entry[0]: name for name, entry in EVENTS.items()}
_NEEDED: Final = {
    entry[0]: frozenset(
        _WIRE_NAMES.get(f.name, f.name)
        for f in fields(entry[0])
        if f.default is MISSING and f.default_factory is MISSING
    )
    for entry in (*REQUESTS.values(), *EVENTS.values())
}
_FIELD_NAMES: Final = {wire: name for name, wire in _WIRE_NAMES.items()}


def read_request(fields_: Mapping[str, Any]) -> Request:
    """The request that a decoded line holds; LinkError where it holds none."""
    name = fields_.get("do")
    if not isinstance(name, str) or name not in REQUESTS:
        raise LinkError(f"{name!r:.60} is not a request.", "Known: " + ", ".join(REQUESTS) + ".")
    request: Request = _read(name, *REQUESTS[name], fields_)
    return request


def read_event(fields_: Mapping[str, Any]) -> Event | None:
    """The event that a decoded line holds, None for one this version does not know; LinkError where it is damaged."""
    name = fields_.get("event")
    if not isinstance(name, str):
        raise LinkError("A message without a name came from the engine.", "Restart livemuse.")
    if name not in EVENTS:
        return None
    event: Event = _read(name, *EVENTS[name], fields_)
    return event


def read_ports(fields_: Mapping[str, Any]) -> PortsNow:
    """The answer to ``ports`` and ``choose``, which has the fields of the ``ports`` event."""
    ports: PortsNow = _read("ports", *EVENTS["ports"], fields_)
    return ports


def _read(name: str, kind: type, shapes: Mapping[str, Shape], fields_: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for wire_name, shape in shapes.items():
        if wire_name not in fields_:
            if wire_name in _NEEDED[kind]:
                raise LinkError(f"The message {name!r} needs {wire_name!r}.", f"It is {shape.what}.")
            continue
        try:
            values[_FIELD_NAMES.get(wire_name, wire_name)] = shape.read(fields_[wire_name])
        except (ValueError, TypeError, OverflowError) as error:
            wrong = f"The message {name!r} has a wrong {wire_name!r}."
            raise LinkError(wrong, f"It is {shape.what}.") from error
    return kind(**values)


def request_fields(request: Request) -> dict[str, Any]:
    """A request as it goes on the wire, without its id."""
    return {"do": _REQUEST_NAMES[type(request)], **_wire(request)}


def event_fields(event: Event) -> dict[str, Any]:
    """An event as it goes on the wire."""
    return {"event": _EVENT_NAMES[type(event)], **_wire(event)}


def _wire(message: Any) -> dict[str, Any]:
    return {_WIRE_NAMES.get(name, name): value for name, value in asdict(message).items()}

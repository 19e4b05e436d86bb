"""The language between the engine and its stage: frames with a length before them, over a local stream.

Rules for whoever edits this file. It is pure: bytes in, values out. Every frame is a frozen dataclass below, its
fields packed in the order of the class by the format in ``FRAMES``; a trailing ``bytes`` field takes the rest of the
frame. A text field is UTF-8 JSON in that trailing field. Changing anything here raises ``LINK_VERSION``.

    frame on the wire   u32 length of what follows, u8 kind, fields (little-endian)

A *take* is a run of planned notes that is taken back as a whole; ids grow and are never used twice by one engine.
Stamps and due times are seconds on the monotonic clock, which all processes of one machine share.
"""

import struct
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Final

from livemuse.errors import LinkError

LINK_VERSION: Final = 2
LARGEST_FRAME: Final = 1 << 20  # a SysEx dump of a synthesiser is under 512 kB; more is damage
NO_NOTE: Final = 0xFFFFFFFF  # "no note of this take was sent"

# How a take gives way to a key struck by the player:
NEVER: Final = 0
ALWAYS: Final = 1  # all of it that has not been sent is dropped, at once
UNTIL_FIRST: Final = 2  # the same, but only while none of it has been sent


# --- engine -> stage -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rules:
    """How the stage treats what comes in; JSON of ``RulesFields`` (ports, thru, channels, programs, map, sound)."""

    json: bytes


@dataclass(frozen=True, slots=True)
class BeginTake:
    """A new take, and whether a key struck by the player drops what has not been sent of it."""

    take: int
    yields: int  # NEVER, ALWAYS or UNTIL_FIRST
    release_s: float  # what sounds ends at most this long after the take was dropped


@dataclass(frozen=True, slots=True)
class PlayNote:
    """Send this note at ``on_s`` and end it at ``off_s``; the stage owns its note-off from now on.

    The same take and index again only moves the end of that note (a voice gives way to a newer one).
    """

    take: int
    index: int
    on_s: float
    off_s: float
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Drop every unsent note of ``take``; sounding ones end by ``release_s`` from now (negative: as planned)."""

    take: int
    release_s: float


@dataclass(frozen=True, slots=True)
class Inject:
    """Treat these bytes as if the player's keyboard had sent them now (computer keys, the demo)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Panic:
    """Drop everything planned, end everything sounding, on every port, at once."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? Answered by ``Pong`` with the same token."""

    token: int


@dataclass(frozen=True, slots=True)
class Quit:
    """End everything that sounds, close the ports, and exit."""


@dataclass(frozen=True, slots=True)
class Release:
    """Notes a dead stage left sounding, ``channel << 7 | pitch`` as u16 each: end them on the output, now and
    again when the output's listeners are back."""

    keys: bytes


# --- stage -> engine -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame after a connection; JSON: version, pid, api, ports {in, out}, sound, notices."""

    json: bytes


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """One complete message of the player's, stamped in the input callback; ``thru_s`` is what thru added."""

    at_s: float
    thru_s: float  # callback to return of the thru send; negative where nothing was sent
    data: bytes


@dataclass(frozen=True, slots=True)
class Mapped:
    """The player used entry ``entry`` of the map (a pedal, pad or key that means an action)."""

    at_s: float
    entry: int


@dataclass(frozen=True, slots=True)
class NoteSent:
    """Note ``index`` of ``take`` was sent; ``at_s`` is the return of the send call."""

    take: int
    index: int
    due_s: float
    at_s: float


@dataclass(frozen=True, slots=True)
class NoteEnded:
    """The note-off of note ``index`` of ``take`` was sent."""

    take: int
    index: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Taken:
    """``take`` is over before its end: ``last_index`` was the last note sent (NO_NOTE: none).
    ``by_player`` tells whether the player's key or the engine's ``TakeBack`` ended it."""

    take: int
    last_index: int
    at_s: float
    by_player: bool


@dataclass(frozen=True, slots=True)
class PortsChanged:
    """JSON: api, ports {in, out}, available {in: [...], out: [...]}, connections, sound."""

    json: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence for the person at the console."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to ``Ping``."""

    token: int


Frame = (
    Rules | BeginTake | PlayNote | TakeBack | Inject | Panic | Ping | Quit | Release
    | Hello | HeardMessage | Mapped | NoteSent | NoteEnded | Taken | PortsChanged | Notice | Pong
)  # fmt: skip

# kind byte -> (class, struct format of the fixed fields, has a trailing bytes field)
FRAMES: Final[dict[int, tuple[type, str, bool]]] = {
    1: (Rules, "<", True),
    2: (BeginTake, "<IBd", False),
    3: (PlayNote, "<IIddBBB", False),
    4: (TakeBack, "<Id", False),
    5: (Inject, "<", True),
    6: (Panic, "<", False),
    7: (Ping, "<I", False),
    8: (Quit, "<", False),
    9: (Release, "<", True),
    32: (Hello, "<", True),
    33: (HeardMessage, "<dd", True),
    34: (Mapped, "<dI", False),
    35: (NoteSent, "<IIdd", False),
    36: (NoteEnded, "<IId", False),
    37: (Taken, "<IId?", False),
    38: (PortsChanged, "<", True),
    39: (Notice, "<", True),
    40: (Pong, "<I", False),
}
_KIND_OF: Final = {entry[0]: kind for kind, entry in FRAMES.items()}
_STRUCT: Final = {kind: struct.Struct(entry[1]) for kind, entry in FRAMES.items()}
_HEAD: Final = struct.Struct("<IB")


def encode(frame: Frame) -> bytes:
    """One frame as the bytes that go on the wire."""
    kind = _KIND_OF[type(frame)]
    fields = astuple(frame)
    tail = fields[-1] if FRAMES[kind][2] else b""
    body = _STRUCT[kind].pack(*(fields[:-1] if FRAMES[kind][2] else fields)) + tail
    return _HEAD.pack(1 + len(body), kind) + body


def decode(kind: int, body: bytes) -> Frame:
    """The frame that a kind byte and its body stand for; LinkError where they stand for none."""
    entry = FRAMES.get(kind)
    if entry is None:
        raise LinkError(f"The other process sent a frame of unknown kind {kind}.", "Restart livemuse.")
    shape = _STRUCT[kind]
    if len(body) < shape.size or (len(body) > shape.size and not entry[2]):
        raise LinkError(f"The other process sent a damaged {entry[0].__name__} frame.", "Restart livemuse.")
    fields = shape.unpack_from(body)
    frame: Frame = entry[0](*fields, body[shape.size :]) if entry[2] else entry[0](*fields)
    return frame


class FrameReader:
    """Collects bytes as they come and hands out whole frames."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Every frame completed by ``data``; LinkError when the stream is damaged."""
        self._pending += data
        while len(self._pending) >= 4:
            (length,) = struct.unpack_from("<I", self._pending)
            if not 1 <= length <= LARGEST_FRAME:
                raise LinkError(f"The other process announced a frame of {length} bytes.", "Restart livemuse.")
            if len(self._pending) < 4 + length:
                return
            kind, body = self._pending[4], bytes(self._pending[5 : 4 + length])
            del self._pending[: 4 + length]
            yield decode(kind, body)

"""Lines of JSON: bytes in, messages out, no socket in sight.

    to the engine     {"id": 1, "do": "set", "name": "temperature", "value": 1.1}
    from the engine   {"id": 1, "ok": {"temperature": 1.1}}
                      {"id": 1, "error": {"what": "...", "remedy": "..."}}
                      {"event": "note_on", "who": "player", "pitch": 60, ...}

Whatever the bytes are, they decode or raise LinkError.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from livemuse.control.messages import Event, Request, read_event, read_request, request_fields
from livemuse.errors import LinkError, LivemuseError

LONGEST_REQUEST: Final = 64 * 1024  # bytes of a line to the engine
LONGEST_ANSWER: Final = 1024 * 1024  # bytes of a line from the engine
_LARGEST_ID: Final = 1 << 53  # what every JSON reader can hold


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to request ``id``: what it gave, or the two sentences that say why not."""

    id: int
    ok: Mapping[str, Any] | None
    what: str = ""
    remedy: str = ""


class LineReader:
    """Collects bytes as they come and hands out whole lines."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._pending = bytearray()
        self._searched = 0  # bytes of it that are known to hold no line end

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every line completed by ``data``, without its end, empty ones left out; LinkError for one too long."""
        self._pending += data
        while (end := self._pending.find(b"\n", self._searched)) >= 0:
            line = bytes(self._pending[:end])
            del self._pending[: end + 1]
            self._searched = 0
            if len(line) > self._longest:
                raise self._too_long()
            if line.strip():
                yield line
        self._searched = len(self._pending)
        if self._searched > self._longest:
            raise self._too_long()

    def _too_long(self) -> LinkError:
        self._pending.clear()
        self._searched = 0
        return LinkError(f"A line of more than {self._longest} bytes came over the control socket.", "Send less.")


def _refuse_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are not JSON


def decode_fields(line: bytes) -> dict[str, Any]:
    """The JSON object a line holds; LinkError where it holds none."""
    try:
        fields = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise LinkError("A line on the control socket is not JSON.", "See docs/protocol.md.") from error
    if not isinstance(fields, dict):
        raise LinkError("A line on the control socket is not a JSON object.", "See docs/protocol.md.")
    return fields


def decode_id(fields: Mapping[str, Any]) -> int:
    """The id of a request or a reply; LinkError where it has none."""
    id_ = fields.get("id")
    if isinstance(id_, bool) or not isinstance(id_, int) or not 0 <= id_ <= _LARGEST_ID:
        raise LinkError("A request needs an id.", f"It is a whole number from 0 to {_LARGEST_ID}.")
    return id_


def encode_request(id_: int, request: Request) -> bytes:
    """A request as a line."""
    return _line({"id": id_, **request_fields(request)})


def decode_request(line: bytes) -> tuple[int, Request]:
    """Id and request of a line; LinkError where it holds none."""
    fields = decode_fields(line)
    return decode_id(fields), read_request(fields)


def encode_ok(id_: int, ok: Mapping[str, Any]) -> bytes:
    """What a request gave, as a line."""
    return _line({"id": id_, "ok": ok})


def encode_error(id_: int | None, error: LivemuseError) -> bytes:
    """Why a request was refused, as a line; the id is null where the request had none that could be read."""
    return _line({"id": id_, "error": {"what": error.what, "remedy": error.remedy}})


def encode_event(fields: Mapping[str, Any]) -> bytes:
    """An event (its fields with ``event``, its name) as a line."""
    return _line(fields)


def decode_answer(line: bytes) -> Reply | Event | None:
    """A line from the engine: a reply, an event, or None for an event this version does not know; LinkError."""
    fields = decode_fields(line)
    if "event" in fields:
        return read_event(fields)
    refusal = fields.get("error")
    if isinstance(refusal, dict):
        what, remedy = refusal.get("what"), refusal.get("remedy", "")
        if fields.get("id") is None and isinstance(what, str):
            raise LinkError(what[:500], remedy[:500] if isinstance(remedy, str) else "")
        if isinstance(what, str) and isinstance(remedy, str):
            return Reply(decode_id(fields), None, what[:500], remedy[:500])
    elif isinstance(fields.get("ok"), dict):
        return Reply(decode_id(fields), fields["ok"])
    raise LinkError("The engine sent a line that is neither an answer nor an event.", "Restart livemuse.")


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode() + b"\n"

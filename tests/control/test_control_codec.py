"""Lines of JSON: whatever comes decodes or raises LinkError, and what is sent comes back the same."""

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.control import messages as m
from livemuse.control.codec import (
    LONGEST_REQUEST,
    LineReader,
    Reply,
    decode_answer,
    decode_request,
    encode_error,
    encode_event,
    encode_ok,
    encode_request,
)
from livemuse.errors import LinkError

PITCHES = st.integers(0, 127)
VELOCITIES = st.integers(1, 127)
STAMPS = st.floats(-1e12, 1e12)
NAMES = st.text(max_size=200)
REQUESTS = st.one_of(
    st.builds(m.Get, st.none() | NAMES),
    st.builds(m.Set, NAMES, st.integers(-(2**64), 2**64) | st.floats(-1e300, 1e300) | st.text(max_size=1000)),
    st.builds(m.Action, NAMES),
    st.builds(m.Press, PITCHES, VELOCITIES, st.floats(0.01, m.LONGEST_HOLD_S)),
    st.builds(m.Choose, st.sampled_from(["in", "out"]), st.none() | st.text(max_size=500)),
    st.sampled_from([m.Status(), m.Watch(), m.Ports(), m.Models()]),
)
WHO = st.sampled_from(["player", "livemuse"])
EVENTS = st.one_of(
    st.builds(m.NoteOn, WHO, PITCHES, VELOCITIES, STAMPS, st.integers(0, 15)),
    st.builds(m.NoteOff, WHO, PITCHES, STAMPS, st.integers(0, 15)),
    st.builds(m.PedalMoved, st.booleans()),
    st.builds(m.Planned, st.integers(0, 2**53),
              st.lists(st.tuples(STAMPS, STAMPS, PITCHES, VELOCITIES), max_size=20).map(tuple)),
    st.builds(m.NoticeSaid, st.text(max_size=2000)),
    st.builds(m.ControlsNow, st.dictionaries(NAMES, st.integers(-9, 9) | st.floats(-9, 9) | NAMES, max_size=30)),
    st.builds(m.State, st.sampled_from(m.STATES), NAMES, deadline_s=st.none() | STAMPS,
              notices=st.lists(NAMES, max_size=5).map(tuple)),
    st.builds(m.PortsNow, NAMES, st.lists(NAMES, max_size=5).map(tuple), st.lists(NAMES, max_size=5).map(tuple),
              st.fixed_dictionaries({"in": st.none() | NAMES, "out": st.none() | NAMES})),
    st.just(m.Bye()),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(REQUESTS, st.integers(0, 2**53))
def test_a_request_comes_back_the_same(request_: m.Request, id_: int) -> None:
    assert decode_request(encode_request(id_, request_)) == (id_, request_)


@given(EVENTS)
def test_an_event_comes_back_the_same(event: m.Event) -> None:
    assert decode_answer(encode_event(m.event_fields(event))) == event


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_raise_our_error(data: bytes) -> None:
    for decode in (decode_request, decode_answer):
        with contextlib.suppress(LinkError):
            decode(data)


FIELDS = ["name", "value", "pitch", "velocity", "hold_s", "direction", "port", "who", "at_s", "channel", "take",
          "notes", "state", "mode", "controls", "in", "out", "api", "chosen", "text", "down", "notices",
          "deadline_s", "latency_ms", "model", "ports", "version", "protocol", "pid", "ok", "error"]  # fmt: skip


@given(
    st.sampled_from([*m.REQUESTS, *m.EVENTS]),
    st.sampled_from(["do", "event"]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8),
)
def test_any_object_decodes_or_raises_our_error(name: str, kind: str, fields: dict[str, Any]) -> None:
    line = json.dumps({"id": 1, **fields, kind: name}).encode()
    for decode in (decode_request, decode_answer):
        with contextlib.suppress(LinkError):
            decode(line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5000, "not JSON"),
        (b'{"id": NaN}', "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"{}", "needs an id"),
        (b'{"id": true, "do": "status"}', "needs an id"),
        (b'{"id": -1, "do": "status"}', "needs an id"),
        (b'{"id": 1, "do": "fly"}', "'fly' is not a request"),
        (b'{"id": 1, "do": ["set"]}', "is not a request"),
        (b'{"id": 1, "do": "set", "name": "temperature"}', "needs 'value'"),
        (b'{"id": 1, "do": "set", "name": "temperature", "value": 1e999}', "wrong 'value'"),
        (b'{"id": 1, "do": "press", "pitch": 128, "velocity": 1, "hold_s": 1}', "wrong 'pitch'"),
        (b'{"id": 1, "do": "press", "pitch": true, "velocity": 1, "hold_s": 1}', "wrong 'pitch'"),
        (b'{"id": 1, "do": "press", "pitch": 1, "velocity": 0, "hold_s": 1}', "wrong 'velocity'"),
        (b'{"id": 1, "do": "press", "pitch": 1, "velocity": 1, "hold_s": 1' + b"0" * 400 + b"}", "wrong 'hold_s'"),
        (b'{"id": 1, "do": "choose", "direction": "up", "port": null}', "wrong 'direction'"),
    ],
)
def test_a_request_that_is_none_is_refused_in_a_sentence(line: bytes, says: str) -> None:
    with pytest.raises(LinkError) as refused:
        decode_request(line)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 300


def test_replies() -> None:
    assert decode_answer(encode_ok(3, {"temperature": 1.0})) == Reply(3, {"temperature": 1.0})
    assert decode_answer(encode_error(4, LinkError("No.", "Yes."))) == Reply(4, None, "No.", "Yes.")
    with pytest.raises(LinkError, match="No"):
        decode_answer(encode_error(None, LinkError("No.")))


def test_an_event_of_a_later_version_is_passed_over() -> None:
    assert decode_answer(b'{"event": "loop", "bars": 4}') is None


def test_unknown_fields_are_passed_over_and_optional_ones_may_be_missing() -> None:
    assert decode_answer(b'{"event":"state","state":"listening","mode":"trade","tempo":97}') == m.State(
        "listening", "trade"
    )


def test_nothing_that_is_not_json_is_sent() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode_ok(1, {"p99": math.nan})


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.integers(1, 7))
def test_lines_come_whole_however_the_bytes_are_cut(lines: list[bytes], size: int) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    reader = LineReader(100)
    got = [line for i in range(0, len(stream), size) for line in reader.feed(stream[i : i + size])]
    assert got == [line for line in lines if line.strip()]


def test_an_endless_line_is_refused_before_it_fills_the_memory() -> None:
    reader = LineReader(LONGEST_REQUEST)
    for _ in range(65):
        assert list(reader.feed(b"x" * 1000)) == []
    with pytest.raises(LinkError, match="more than 65536 bytes"):
        list(reader.feed(b"x" * 1000))


def test_every_message_has_its_row() -> None:
    for requests, kinds in ((m.REQUESTS, m.Request), (m.EVENTS, m.Event)):
        assert {kind for kind, _ in requests.values()} == set(kinds.__args__)

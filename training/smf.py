"""One Standard MIDI File to sounding notes, fast enough for thousands of files."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_BYTES = 20_000_000
DRUM_CHANNEL = 9
SAME_KEY_S = 0.010
"""Two onsets of one pitch closer than this are one key: two tracks that double each other."""
DEFAULT_TEMPO_US = 500_000  # microseconds a quarter, until the file says otherwise
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of a piece by onset, then pitch; a duration lasts as long as the pedal lets the note sound."""

    onset_s: Array  # (n,) float64
    pitch: Array  # (n,) int64
    duration_s: Array  # (n,) float64
    velocity: Array  # (n,) int64


@dataclass(slots=True)
class _Events:
    ons: list[tuple[int, int, int, int, int]]  # (tick on, tick off, channel, pitch, velocity)
    pedals: list[tuple[int, int, int]]  # (tick, channel, value)
    tempos: list[tuple[int, int]]  # (tick, microseconds a quarter)


def read_notes(path: Path) -> Notes:
    """The notes of a file as they sound: all instruments but drums together, lengthened by the sustain pedal.

    Raises ValueError with a few words when the file is not a MIDI file.
    """
    data = path.read_bytes()[:MAX_BYTES]
    if data[:4] != b"MThd" or len(data) < 14:
        raise ValueError("not a MIDI file")
    division = int.from_bytes(data[12:14], "big")
    events = _Events([], [], [])
    at = 8 + int.from_bytes(data[4:8], "big")
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            _read_track(data[at + 8 : at + 8 + size], events)
        at += 8 + size
    return _sounding(events, division)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 127
        if byte < 128:
            return value, at


def _read_track(data: bytes, events: _Events) -> None:
    """Add a track's notes, pedal and tempo; what is cut off in the middle of an event ends there."""
    held: dict[int, list[tuple[int, int]]] = {}  # channel * 128 + pitch -> [(tick, velocity)]
    tick = 0
    try:
        tick = _read_events(data, events, held)
    except IndexError:
        tick = max((e[1] for e in events.ons), default=0)
    for key, waiting in held.items():
        for on, velocity in waiting:
            events.ons.append((on, max(tick, on), key >> 7, key & 127, velocity))


def _read_events(data: bytes, events: _Events, held: dict[int, list[tuple[int, int]]]) -> int:  # noqa: C901
    at, tick, status, size = 0, 0, 0, len(data)
    ons, pedals = events.ons, events.pedals
    while at < size:
        delta = data[at]
        at += 1
        if delta > 127:
            delta, at = _varint(data, at - 1)
        tick += delta
        if data[at] > 127:
            status = data[at]
            at += 1
        if status >= 0xF0:
            at = _skip_meta(data, at, status, tick, events)
            continue
        kind = status & 0xF0
        first = data[at]
        if kind in (0xC0, 0xD0):
            at += 1
            continue
        second = data[at + 1]
        at += 2
        if kind == 0x90 or kind == 0x80:
            key = (status & 15) << 7 | first & 127
            waiting = held.get(key)
            if kind == 0x90 and second:
                held.setdefault(key, []).append((tick, second & 127))
            elif waiting:
                on, velocity = waiting.pop(0)
                ons.append((on, tick, status & 15, first & 127, velocity))
        elif kind == 0xB0 and first == 64:
            pedals.append((tick, status & 15, second))
    return tick


def _skip_meta(data: bytes, at: int, status: int, tick: int, events: _Events) -> int:
    kind = data[at] if status == 0xFF else -1
    length, at = _varint(data, at + (status == 0xFF))
    if kind == 0x51 and length == 3:
        events.tempos.append((tick, int.from_bytes(data[at : at + 3], "big") or DEFAULT_TEMPO_US))
    return at + length


def _seconds(events: _Events, division: int) -> tuple[Array, Array, list[float]]:
    """A piecewise-linear map: at tick t[k] it is s[k] seconds, and each tick after lasts rate[k]."""
    if division & 0x8000:  # SMPTE: frames a second, ticks a frame
        frames = 256 - (division >> 8)
        return np.array([0]), np.array([0.0]), [1.0 / max(frames * (division & 255), 1)]
    quarter = division or 480
    ticks, at_s, rates = [0], [0.0], [DEFAULT_TEMPO_US / 1e6 / quarter]
    for tick, tempo_us in sorted(events.tempos, key=lambda e: e[0]):
        at_s.append(at_s[-1] + (tick - ticks[-1]) * rates[-1])
        ticks.append(tick)
        rates.append(tempo_us / 1e6 / quarter)
    return np.array(ticks), np.array(at_s), rates


def _sounding(events: _Events, division: int) -> Notes:
    raw = np.array([e for e in events.ons if e[2] != DRUM_CHANNEL], np.int64).reshape(-1, 5)
    ticks, at_s, rates_list = _seconds(events, division)
    rates = np.array(rates_list)

    def to_s(t: Array) -> Array:
        k = np.searchsorted(ticks, t, "right") - 1
        return at_s[k] + (t - ticks[k]) * rates[k]

    on_s, off_s = to_s(raw[:, 0]), to_s(raw[:, 1])
    for channel in np.unique(raw[:, 2]):
        mine = raw[:, 2] == channel
        pedals = sorted((t, v) for t, c, v in events.pedals if c == channel)
        off_s[mine] = _held_by_pedal(off_s[mine], [(float(to_s(np.array(t))), v >= 64) for t, v in pedals])
    return _one_per_key(on_s, off_s, raw[:, 3], raw[:, 4])


def _held_by_pedal(off_s: Array, pedals: list[tuple[float, bool]]) -> Array:
    """When each note ends if the pedal is down as its key comes up: when the pedal comes up."""
    if not pedals:
        return off_s
    times = [t for t, _ in pedals]
    next_up_s, up = [0.0] * len(pedals), float("inf")
    for k in range(len(pedals) - 1, -1, -1):
        up = up if pedals[k][1] else times[k]
        next_up_s[k] = up
    last_s = max(float(off_s.max()), times[-1])
    out = off_s.copy()
    for n, end in enumerate(off_s.tolist()):
        k = bisect_right(times, end) - 1
        if k >= 0 and pedals[k][1]:
            out[n] = min(next_up_s[k], last_s)
    return out


def _one_per_key(on_s: Array, off_s: Array, pitch: Array, velocity: Array) -> Notes:
    """Sort by onset; a pitch struck again ends its earlier note; doubled notes become one."""
    order = np.lexsort((on_s, pitch))
    on_s, off_s, pitch, velocity = on_s[order], off_s[order], pitch[order], velocity[order].copy()
    again = np.zeros(len(pitch), bool)
    if len(pitch) > 1:
        again[1:] = (pitch[1:] == pitch[:-1]) & (np.diff(on_s) < SAME_KEY_S)
        for n in np.flatnonzero(again):
            off_s[n] = max(off_s[n], off_s[n - 1])
            velocity[n] = max(velocity[n], velocity[n - 1])
            on_s[n] = on_s[n - 1]
        keep = ~np.append(again[1:], False)
        on_s, off_s, pitch, velocity = on_s[keep], off_s[keep], pitch[keep], velocity[keep]
        same = pitch[1:] == pitch[:-1]
        off_s[:-1] = np.where(same, np.minimum(off_s[:-1], on_s[1:]), off_s[:-1])
    order = np.lexsort((pitch, on_s))
    duration_s = np.maximum(off_s - on_s, 0.0)
    return Notes(on_s[order], pitch[order], duration_s[order], np.maximum(velocity[order], 1))

"""What the network is told of a voice at each moment, and the small tables that its graph looks it up in.

The same facts are made in two ways: for whole tunes at once, here, and event by event from the carried state, in
`Network.step`; a test holds them equal.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf

from livemuse.music.grid import BEGIN, HOLD, PER_BAR, REST
from training.melody.tunes import Array, Tunes

PITCHES: Final = HOLD
NAMES: Final = 12  # note names
OLDEST: Final = 31  # sixteenths of a note's age that are told apart
NO_PITCH: Final = 60  # stands for the last note where there is none
REACH: Final = 24  # semitones up and down that are told as an interval
FADING: Final = 0.1  # of what was heard of each note name, with each new note
ROWS: Final = 2 * PITCHES  # of what stood before, as an interval from the last note: -128 to 127

_EVENTS = np.arange(BEGIN + 1)
_IS_NOTE = _EVENTS < HOLD
KIND: Final = np.where(_IS_NOTE, 0, _EVENTS - HOLD + 1).astype(np.int32)
"""(131,): of an event: 0 a note begins, 1 hold, 2 rest, 3 the beginning."""
ABOUT: Final = np.stack([_EVENTS + 1, _IS_NOTE, _EVENTS == BEGIN], 1).astype(np.float32)
"""(131, 3): of an event: itself plus one, whether a note begins, whether it is the beginning."""
NAME: Final = (np.eye(NAMES)[_EVENTS % NAMES] * _IS_NOTE[:, None]).astype(np.float32)
"""(131, 12): of an event: 1 for the name of the note that begins."""
PITCH: Final = np.concatenate([[NO_PITCH], np.arange(PITCHES)]).astype(np.int32)
"""(129,): of a pitch plus one, 0 where there is none."""
SEEN_ROW: Final = np.concatenate([[ROWS + 3], np.where(_IS_NOTE, _EVENTS + PITCHES, ROWS - HOLD + _EVENTS)])
SEEN_BY_PITCH: Final = np.concatenate([[0], _IS_NOTE]).astype(np.int32)
"""(132,): of an event plus one, 0 for none: its row of the table of what stood before, less these many last pitches."""


def _bits(numbers: Array, count: int) -> Array:
    return (numbers[:, None] >> np.arange(count) & 1).astype(np.float32)


TURNED: Final = _bits(PITCHES - 1 - np.arange(PITCHES), 7)
"""(128, 7): of a pitch, the bits of 127 less it."""
NAME_BITS: Final = _bits(np.arange(PITCHES) % NAMES, 4)
"""(128, 4): of a pitch, the bits of its name."""


class Heard(NamedTuple):
    """What is told after each event of each voice, (T, B) each; `names` (T, B, 12)."""

    events: Any  # fed; the first is BEGIN
    position: Any  # the sixteenth of the bar of the event to come
    pitch: Any  # of the last note that began, or NO_PITCH
    interval: Any  # from the note before to it, in semitones
    age: Any  # sixteenths since it began
    names: Any  # float32: how much of each note name was heard lately, from the last note's name on upwards


class Hearing:
    """All tunes together, and what is told of them, looked up window by window."""

    def __init__(self, tunes: Tunes) -> None:
        is_note = tunes.events < HOLD
        onsets = np.flatnonzero(is_note)
        pitches = tunes.events[onsets].astype(np.int32)
        first = np.searchsorted(onsets, tunes.starts)  # (tunes + 1,): the first onset of each tune
        self._events = tf.constant(tunes.events, tf.int32)
        self._number = tf.constant(np.cumsum(is_note) - 1, tf.int64)  # of the last onset at or before each event
        self._at, self._pitch = tf.constant(onsets, tf.int64), tf.constant(pitches)
        self._names = tf.constant(_names(pitches, first))
        self._last = tunes.count - 1

    def window(self, begin: Any, length: Any, shift: Any, place: Any) -> tuple[Heard, Any, Any]:
        """(what is told, events to come, weight) of windows (B,): first event, events, semitones, place in the bar."""
        around = tf.range(tf.reduce_max(length))[:, None]  # (T, 1)
        inside = around < length[None]
        at = tf.minimum(begin[None] + around, self._last)
        events = tf.gather(self._events, at)
        events = tf.where(events < HOLD, tf.clip_by_value(events + shift[None], 0, HOLD - 1), events)
        events = tf.where(inside, events, REST)
        told_at = at[:-1]  # (T - 1, B): where the event fed after BEGIN stands
        number = tf.maximum(tf.gather(self._number, told_at), 0)
        before = tf.maximum(number - 1, 0)
        there, there_too = (tf.gather(self._at, k) >= begin[None] for k in (number, before))
        there_too = tf.logical_and(there_too, before < number)
        pitch = tf.gather(self._pitch, number)
        interval = tf.where(there_too, pitch - tf.gather(self._pitch, before), 0)
        moved = tf.clip_by_value(pitch + shift[None], 0, PITCHES - 1)
        pitch = tf.where(there, moved, NO_PITCH)
        age = tf.cast(tf.minimum(told_at - tf.gather(self._at, number), OLDEST), tf.int32)
        names = tf.gather(self._names, number)
        places = (place[None] + tf.cast(around, tf.int32)) % PER_BAR
        heard = Heard(_after(events[:-1], BEGIN), places, _after(pitch, NO_PITCH), _after(interval, 0),
                      _after(age, 0), tf.pad(names, ((1, 0), (0, 0), (0, 0))))  # fmt: skip
        return heard, events, tf.cast(inside, tf.float32)


def _after(values: Any, first: int) -> Any:
    return tf.pad(values, ((1, 0), (0, 0)), constant_values=first)


def _names(pitches: Array, first: Array) -> Array:
    """(onsets, 12) float32: after each note, how much of each name was heard lately, from that note's own on."""
    heard = np.zeros((len(first) - 1, NAMES), np.float32)
    found = np.zeros((len(pitches), NAMES), np.float32)
    counts = np.diff(first)
    for k in range(int(counts.max(initial=0))):
        going = np.flatnonzero(counts > k)
        onset = first[going] + k
        heard[going] = heard[going] * np.float32(1 - FADING) + np.float32(FADING) * NAME[pitches[onset]]
        turned = (pitches[onset][:, None] + np.arange(NAMES)) % NAMES
        found[onset] = np.take_along_axis(heard[going], turned, 1)
    return found

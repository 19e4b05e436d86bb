"""Hearing: what happens to a message the moment it comes in, on the thread of the MIDI library.

Rules for whoever edits this file. ``heard`` runs on a foreign, often real-time thread, and the player hears every
microsecond spent before thru. So, in order: the stamp; is it an echo; is it mapped; thru; the guard (the player's key
ends what yields); and away to the stage's loop. Nothing here waits for the engine.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from livemuse.midi.echo import Echo
from livemuse.midi.ledger import Ledger
from livemuse.midi.link import Frame, HeardMessage, Mapped
from livemuse.midi.messages import ACTIVE_SENSING, CLOCK, is_controller, is_note_off, is_note_on
from livemuse.stage.player import Player
from livemuse.stage.wires import Wires

_NOT_MUSIC: Final = frozenset({CLOCK, ACTIVE_SENSING})  # thru, but the engine is not woken for them
NOTHING_SENT: Final = -1.0


@dataclass(frozen=True, slots=True)
class HearingRules:
    """What the stage does with what comes in; ``entries`` maps ("cc" | "note", number) to an entry of the map."""

    thru: str = "auto"
    channel_in: int | None = None
    entries: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @property
    def to_output(self) -> bool:
        """Whether the player's bytes go to the MIDI output."""
        return self.thru == "on"

    @property
    def to_synth(self) -> bool:
        """Whether the player's bytes go to the built-in synth."""
        return self.thru != "off"

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "HearingRules":
        """The rules in the fields of a ``Rules`` frame; what is missing or nonsense is as it is by default."""
        channel = fields.get("channel_in")
        entries = {
            (kind, entry[kind]): number
            for number, entry in enumerate(fields.get("map") or ())
            for kind in ("cc", "note")
            if isinstance(entry, dict) and isinstance(entry.get(kind), int)
        }
        return cls(
            thru=fields["thru"] if fields.get("thru") in ("auto", "on", "off") else "auto",
            channel_in=channel if isinstance(channel, int) and 0 <= channel <= 15 else None,
            entries=entries,
        )


class Hearing:
    """Takes in the player's messages. ``report`` leaves a frame for the stage's loop, ``wake`` makes it look."""

    def __init__(
        self, wires: Wires, player: Player, echo: Echo, report: Callable[[Frame], None], wake: Callable[[], None]
    ) -> None:
        self._wires, self._player, self._echo, self._report, self._wake = wires, player, echo, report, wake
        self._lock = wires.lock
        self._rules = HearingRules()
        self._to_output, self._to_synth = self._rules.to_output, self._rules.to_synth
        self._mapped_down: set[tuple[str, int, int]] = set()  # (kind, channel, number) held by an action
        self._hand = Ledger()  # what the player holds, wherever it sounds

    def set_rules(self, rules: HearingRules) -> None:
        """New rules, from the next message on; what no longer goes through is ended where it sounded."""
        before, self._rules = self._rules, rules
        self._to_output, self._to_synth = rules.to_output, rules.to_synth
        if before.to_output and not rules.to_output:
            self._wires.end_on_output("player")
        if before.to_synth and not rules.to_synth:
            self._wires.end_on_synth("player")

    def heard(self, event: tuple[list[int], float], _: object = None) -> None:
        """python-rtmidi's callback: one complete message has come in."""
        at_s = time.monotonic()
        data = bytes(event[0])
        with self._lock:
            held = len(data) == 3 and self._key(data) in self._hand
            if not self._echo.hides(at_s, data, held=held):
                self.take_in(at_s, data)

    def typed(self, data: bytes) -> None:
        """A message from the computer's keyboard or the demo: as if a keyboard had sent it now."""
        with self._lock:
            self.take_in(time.monotonic(), data)

    def take_in(self, at_s: float, data: bytes) -> None:
        """One message of the player's, from the keyboard or typed; the stage's lock is held."""
        if not data or ((self._rules.entries or self._mapped_down) and self._is_mapped(at_s, data)):
            return
        went = self._wires.thru(data, output=self._to_output, synth=self._to_synth)
        thru_s = time.monotonic() - at_s if went else NOTHING_SENT
        if data[0] in _NOT_MUSIC:
            return
        self._hand.passed("player", data)
        self._report(HeardMessage(at_s, thru_s, data))
        if is_note_on(data) and self._rules.channel_in in (None, data[0] & 0x0F):
            self._player.yield_to_player(at_s)
        self._wake()

    def let_go(self) -> None:
        """The keyboard is gone: every key and pedal the player held comes up, here and for the engine."""
        at_s = time.monotonic()
        with self._lock:
            self._wires.end_on_output("player")
            self._wires.end_on_synth("player")
            for data in self._hand.everything_off():
                self._report(HeardMessage(at_s, NOTHING_SENT, data))
            self._mapped_down.clear()
        self._wake()

    @staticmethod
    def _key(data: bytes) -> int:
        return (data[0] & 0x0F) << 7 | data[1]

    def _is_mapped(self, at_s: float, data: bytes) -> bool:
        """Whether this belongs to a mapped pedal, pad or key; reports the action when it goes down."""
        if is_controller(data):
            kind, down = "cc", data[2] >= 64
        elif is_note_on(data):
            kind, down = "note", True
        elif is_note_off(data):
            kind, down = "note", False
        else:  # the pressure on a mapped key is not music either
            pressed = len(data) == 3 and data[0] & 0xF0 == 0xA0
            return pressed and ("note", data[0] & 0x0F, data[1]) in self._mapped_down
        place = (kind, data[0] & 0x0F, data[1])
        entry = self._rules.entries.get((kind, data[1]))
        if not down and kind == "note":
            if place not in self._mapped_down:  # struck before it was mapped, it is music to its end
                return entry is not None and self._key(data) not in self._hand
            self._mapped_down.discard(place)
            return True
        if entry is None:
            return False
        if not down:
            self._mapped_down.discard(place)
        elif kind == "note" or place not in self._mapped_down:
            self._mapped_down.add(place)
            self._report(Mapped(at_s, entry))
            self._wake()
        return True

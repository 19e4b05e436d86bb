"""An independent musician: a program with a JACK client of its own that plays a performance file, frame by frame, and
writes down all it hears, with frame stamps. It shares no code with livemuse.

    python musician.py PERFORMANCE.mid      then one JSON request a line on stdin, one JSON reply a line on stdout:

    {"do": "connect", "to": PORT, "from": PORT}   connect its ``play`` and ``hear`` ports (those that are not yet)
    {"do": "play", "from_s": A, "to_s": B}        play the notes struck in [A, B) of the performance, with their pedal
    {"do": "finished"}                            wait until what was asked for has been played
    {"do": "hears", "note_ons": N, "after": I, "timeout_s": T}   wait until N note-ons came after event I
    {"do": "quiet", "for_s": S, "timeout_s": T}   wait until nothing sounds and nothing came for S seconds
    {"do": "now"}                                 only the reply

Every reply holds {"ok", "frame" (now), "events" (how many came in so far)}; ``quit`` replies with all of them,
[[frame, hex], ...], and with all that was played.
"""

import contextlib
import json
import sys
import threading
from pathlib import Path
from typing import Any

import jack
import mido

Event = tuple[int, bytes]  # frame, message


class Performance:
    """The messages of a MIDI file with their times in seconds; every note knows its end."""

    def __init__(self, path: Path) -> None:
        at_s = 0.0
        self._notes: list[tuple[float, float, int, int]] = []  # on_s, off_s, pitch, velocity
        self._pedal: list[tuple[float, int]] = []
        sounding: dict[int, tuple[float, int]] = {}
        for message in mido.MidiFile(path):
            at_s += message.time
            if message.type == "control_change" and message.control == 64:
                self._pedal.append((at_s, message.value))
            if message.type in ("note_on", "note_off"):
                if message.note in sounding:
                    on_s, velocity = sounding.pop(message.note)
                    self._notes.append((on_s, max(at_s, on_s + 0.01), message.note, velocity))
                if message.type == "note_on" and message.velocity:
                    sounding[message.note] = (at_s, message.velocity)

    def phrase(self, from_s: float, to_s: float) -> list[tuple[float, bytes]]:
        """(seconds from ``from_s``, message): the notes struck in [from_s, to_s) with their ends, and the pedal."""
        notes = [note for note in self._notes if from_s <= note[0] < to_s]
        events = [(on_s, 1, bytes([0x90, pitch, velocity])) for on_s, _, pitch, velocity in notes]
        events += [(min(off_s, to_s + 0.2), 0, bytes([0x80, pitch, 64])) for _, off_s, pitch, _ in notes]
        pedal = [(at_s, 2, bytes([0xB0, 64, value])) for at_s, value in self._pedal if from_s <= at_s < to_s]
        if pedal:  # it comes up with the last key
            last_s = max((at_s for at_s, kind, _ in events if kind == 0), default=to_s)
            pedal = [press for press in pedal if press[0] < last_s] + [(last_s, 2, bytes([0xB0, 64, 0]))]
        return [(at_s - from_s, message) for at_s, _, message in sorted(events + pedal)]


class Musician:
    """The JACK client: what is due is written in the process callback, at its frame."""

    def __init__(self) -> None:
        self.client = jack.Client("musician", no_start_server=True)
        self.heard: list[Event] = []
        self.played: list[Event] = []
        self.finished = threading.Event()
        self._due: list[Event] = []
        self._next = 0
        self._hear = self.client.midi_inports.register("hear")
        self._play = self.client.midi_outports.register("play")
        self.client.set_process_callback(self._process)
        self.client.activate()

    def _process(self, frames: int) -> None:
        start = self.client.last_frame_time
        for offset, data in self._hear.incoming_midi_events():
            self.heard.append((start + offset, bytes(data)))
        self._play.clear_buffer()
        while self._next < len(self._due) and self._due[self._next][0] < start + frames:
            frame, message = self._due[self._next]
            offset = max(0, frame - start)
            self._play.write_midi_event(offset, message)
            self.played.append((start + offset, message))
            self._next += 1
        if self._next == len(self._due):
            self.finished.set()

    def play(self, phrase: list[tuple[float, bytes]]) -> None:
        """Play ``phrase`` from 50 ms from now on."""
        start = self.client.frame_time + self.client.samplerate // 20
        self._due += [(start + round(at_s * self.client.samplerate), message) for at_s, message in phrase]
        self.finished.clear()

    def connect(self, to: str, source: str) -> None:
        """Connect both ports, unless they are."""
        patience = threading.Event()
        for a, b in ((self._play.name, to), (source, self._hear.name)):
            for _ in range(40):  # a busy server may refuse; and livemuse may be putting its cables back at this moment
                with contextlib.suppress(jack.JackErrorCode):
                    self.client.connect(a, b)
                if b in [port.name for port in self.client.get_all_connections(a)]:
                    break
                patience.wait(0.05)
            else:
                raise RuntimeError(f"{a} cannot be connected to {b}")

    def note_ons_after(self, index: int) -> int:
        """How many note-ons came in from event ``index`` on."""
        return sum(1 for _, data in self.heard[index:] if data[0] & 0xF0 == 0x90 and data[2])

    def quiet_since_frame(self) -> int | None:
        """The frame of the last event, if every note-on up to it was ended; None while something sounds."""
        sounding: dict[tuple[int, int], int] = {}
        for _, data in self.heard:
            kind, key = data[0] & 0xF0, (data[0] & 15, data[1])
            if kind == 0x90 and data[2]:
                sounding[key] = sounding.get(key, 0) + 1
            elif kind in (0x80, 0x90):
                sounding[key] = max(0, sounding.get(key, 0) - 1)
        return None if any(sounding.values()) else self.heard[-1][0] if self.heard else 0


def answer(request: dict[str, Any], musician: Musician, performance: Performance) -> dict[str, Any]:
    """Do what one request asks; the reply."""
    rate = musician.client.samplerate
    patience = threading.Event()
    ok = True
    tries = int(float(request.get("timeout_s", 10)) / 0.01)
    if request["do"] == "connect":
        musician.connect(request["to"], request["from"])
    elif request["do"] == "play":
        musician.play(performance.phrase(request["from_s"], request["to_s"]))
    elif request["do"] == "finished":
        ok = musician.finished.wait(20)
    elif request["do"] == "hears":
        while not (ok := musician.note_ons_after(request["after"]) >= request["note_ons"]) and tries:
            patience.wait(0.01)
            tries -= 1
    elif request["do"] == "quiet":
        for_frames = round(request["for_s"] * rate)
        while tries:
            since = musician.quiet_since_frame()
            ok = since is not None and musician.client.frame_time - since >= for_frames
            if ok:
                break
            patience.wait(0.01)
            tries -= 1
    return {"ok": ok, "frame": musician.client.frame_time, "events": len(musician.heard)}


def main() -> None:
    """Serve requests until ``quit`` or the end of stdin."""
    performance, musician = Performance(Path(sys.argv[1])), Musician()
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "quit":
            events = {
                name: [[frame, data.hex()] for frame, data in list(kept)]
                for name, kept in (("heard", musician.heard), ("played", musician.played))
            }
            sys.stdout.write(json.dumps({"ok": True, "rate": musician.client.samplerate, **events}) + "\n")
            break
        sys.stdout.write(json.dumps(answer(request, musician, performance)) + "\n")
        sys.stdout.flush()
    sys.stdout.flush()
    musician.client.deactivate()
    musician.client.close()


if __name__ == "__main__":
    main()

"""The stage: joins ports, hearing, player, wires and link in one small loop.

Rules for whoever edits this file. ONE ``select`` waits for whatever comes first: the next note that is due, a chore,
the engine, something heard. What is due is sent before anything else is looked at. Whatever ends (the engine, a port,
the server, this process), every note that was started is ended.
"""

import json
import os
import select
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from livemuse.errors import LinkError, LivemuseError
from livemuse.midi.echo import Echo
from livemuse.midi.link import (
    LINK_VERSION,
    BeginTake,
    Frame,
    Hello,
    Inject,
    Notice,
    Panic,
    Ping,
    PlayNote,
    Pong,
    PortsChanged,
    Quit,
    Release,
    Rules,
    TakeBack,
)  # fmt: skip
from livemuse.stage.chores import Chores
from livemuse.stage.hearing import Hearing, HearingRules
from livemuse.stage.jackwatch import CableNews, JackNews, PortNews, ServerGone
from livemuse.stage.link import Link
from livemuse.stage.patchbay import Patchbay
from livemuse.stage.player import Player
from livemuse.stage.ports import Ports
from livemuse.stage.speaker import WISHES, Speaker
from livemuse.stage.wires import Wires, programs_from

ALONE_S: Final = 600.0  # how long a stage waits for an engine
REFUSING_S: Final = 10.0  # how long one that cannot play waits to say so
STALL_S: Final = 0.005  # how soon what JACK had no room for is tried again


@dataclass(frozen=True, slots=True)
class StageSettings:
    """What a stage is told at its start; ``state`` is what the engine remembers of the stage before."""

    socket: Path
    name: str = "livemuse"
    api: str = "auto"
    port_in: str | None = None
    port_out: str | None = None
    sound: str = "auto"
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> tuple[str, ...]:
        """What was asked for, as arguments: an engine that finds this stage running compares."""
        given = ["--name", self.name, "--api", self.api, "--sound", self.sound]
        given += ["--in", self.port_in] if self.port_in is not None else []
        return (*given, *(["--out", self.port_out] if self.port_out is not None else []))

    @property
    def routed(self) -> bool:
        """Whether an interface or an output was named, so that livemuse is heard there."""
        return self.api != "auto" or self.port_out is not None


class Stage:
    """One stage, from its start to its end."""

    def __init__(self, settings: StageSettings) -> None:
        """LinkError where the socket cannot be had; nothing is open yet."""
        self._settings = settings
        self._link = Link(settings.socket)
        self._inbox: SimpleQueue[Frame | JackNews] = SimpleQueue()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        lock, echo = threading.RLock(), Echo()
        self._wires = Wires(echo, lock)
        self._player = Player(self._wires.play, self._inbox.put, lock)
        self._hearing = Hearing(self._wires, self._player, echo, self._inbox.put, self._wake)
        self._chores = Chores()
        ports = Ports(settings.name, settings.api, self._tell)
        self._patchbay = Patchbay(ports, self._wires, self._hearing, self._chores, settings.state)
        self._patchbay.notice, self._patchbay.changed = self._notice, self._ports_changed
        self._speaker = Speaker(self._wires, settings.sound, routed=settings.routed, notice=self._notice)
        self._untold: list[str] = []  # notices for the next Hello
        self._refusal: LivemuseError | None = None
        self._ending = False

    @property
    def waker_fd(self) -> int:
        """Where a signal writes a byte to wake the loop."""
        return self._waker.fileno()

    def end(self) -> None:
        """Let ``run`` end everything and return; from a signal or any thread."""
        self._ending = True
        self._wake()

    def run(self) -> int:
        """Play until told to end; the exit status: 1 where something that was named cannot be had."""
        try:
            self._patchbay.start({"in": self._settings.port_in, "out": self._settings.port_out})
        except LivemuseError as refusal:
            self._refusal = refusal
        else:
            self._speaker.start()
        self._expect_engine()
        while not self._ending:
            self._player.send_due()
            self._read_inbox()
            self._chores.do_due(time.monotonic())
            if not self._link.flush():
                self._lose_engine()
            self._wait()
        self._close()
        return 1 if self._refusal else 0

    # --- the loop ---------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Sleep until something is due or comes, and take it in."""
        if self._patchbay.backed_up:
            self._chores.set("backed up", time.monotonic() + STALL_S, lambda: None)
        due = [at_s for at_s in (self._player.next_due_s, self._chores.next_due_s) if at_s is not None]
        timeout_s = max(0.0, min(due) - time.monotonic()) if due else None
        readers = [self._woken, *self._link.readers(), *self._speaker.readers()]
        readable, _, _ = select.select(readers, self._link.writers(), [], timeout_s)
        for one in readable:
            if one is self._woken:
                self._woken.recv(4096)
            elif one is self._link.engine:
                self._read_engine()
            elif one is self._link.listener:
                self._answer_knock()
            elif self._speaker.changed():
                self._ports_changed()

    def _read_inbox(self) -> None:
        """What other threads and the player had to say: news for the engine, and news from JACK."""
        while True:
            try:
                news = self._inbox.get_nowait()
            except Empty:
                return
            if isinstance(news, ServerGone | PortNews | CableNews):
                self._patchbay.jack_news(news)
            else:
                self._link.send(news)

    def _read_engine(self) -> None:
        try:
            for frame in self._link.read():
                self._obey(frame)
                self._player.send_due()
        except LinkError:
            self._lose_engine()

    def _tell(self, news: Frame | JackNews) -> None:
        """Hand something to the loop, from any thread."""
        self._inbox.put(news)
        self._wake()

    def _wake(self) -> None:
        try:
            self._waker.send(b"\0")
        except OSError:
            return  # full: the loop is awake already; closed: it has ended

    # --- the engine -------------------------------------------------------------------------------------------------

    def _obey(self, frame: Frame) -> None:
        match frame:
            case PlayNote():
                self._player.play(frame)
            case BeginTake():
                self._player.begin(frame)
            case TakeBack():
                self._player.take_back(frame)
            case Inject():
                self._hearing.typed(frame.data)
            case Ping():
                self._link.send(Pong(frame.token))
            case Panic():
                self._player.drop_all()
                self._wires.panic()
            case Rules():
                self._apply_rules(frame.json)
            case Release():
                self._patchbay.release(frame.keys)
            case Quit():
                self._ending = True
            case _:
                raise LinkError(f"The engine sent a {type(frame).__name__}, which is the stage's to send.")

    def _apply_rules(self, text: bytes) -> None:
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise LinkError("The engine sent rules that are no JSON.") from error
        if not isinstance(fields, dict):
            raise LinkError("The engine sent rules that are no object.")
        self._hearing.set_rules(HearingRules.from_json(fields))
        self._wires.set_programs(programs_from(fields.get("programs")))
        asked = {"in": self._settings.port_in, "out": self._settings.port_out}
        wishes = {way: fields[way] or asked[way] for way in asked if isinstance(fields.get(way, 0), str | None)}
        if any(wish != self._patchbay.wishes[way] for way, wish in wishes.items()):
            self._patchbay.choose(wishes)
        sound, gain = fields.get("sound"), fields.get("gain")
        self._speaker.apply(
            sound if sound in WISHES else self._settings.sound,
            float(gain) if isinstance(gain, int | float) and 0 <= gain <= 10 else 1.0,
            routed=self._settings.api != "auto" or self._patchbay.wishes["out"] is not None,
        )
        if self._speaker.changed():
            self._ports_changed()

    def _answer_knock(self) -> None:
        knocker, may_enter = self._link.accept()
        if knocker is None:
            return
        if not may_enter:
            busy = {"what": "Another engine is using this stage.", "remedy": "End it, or choose another --name."}
            self._link.refuse(knocker, self._hello(busy, []))
            return
        if self._link.connected:
            self._lose_engine()
        self._link.welcome(knocker)
        refusal = self._refusal
        error = {"what": refusal.what, "remedy": refusal.remedy} if refusal else None
        self._link.send(self._hello(error, self._untold))
        self._untold = []
        self._chores.cancel("alone")
        if refusal is not None:
            self._link.flush()
            self._ending = True
        else:
            self._ports_changed()

    def _expect_engine(self) -> None:
        self._chores.set("alone", time.monotonic() + (REFUSING_S if self._refusal else ALONE_S), self.end)

    def _lose_engine(self) -> None:
        """End what livemuse sounds, keep the ports, and wait for an engine to come back."""
        self._link.hang_up()
        self._player.forget()
        self._wires.end_on_output("livemuse")
        self._wires.end_on_synth("livemuse")
        self._read_inbox()  # what was meant for that engine is not told to the next
        self._expect_engine()

    def _hello(self, error: dict[str, str] | None, notices: list[str]) -> Hello:
        ports = self._patchbay.describe()
        fields = {
            "version": LINK_VERSION, "pid": os.getpid(), "api": ports["api"], "ports": ports["ports"],
            "sound": self._speaker.state, "notices": notices, "error": error,
            "options": list(self._settings.options),
        }  # fmt: skip
        return Hello(json.dumps(fields).encode())

    def _ports_changed(self) -> None:
        fields = {**self._patchbay.describe(), "sound": self._speaker.state}
        self._link.send(PortsChanged(json.dumps(fields).encode()))

    def _notice(self, sentence: str) -> None:
        """One sentence for the person at the console, now if there is an engine, else with the next ``Hello``."""
        if self._link.connected:
            self._link.send(Notice(sentence.encode()))
        else:
            self._untold.append(sentence)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        self._player.end_all()
        self._wires.everything_off()
        self._read_inbox()
        self._link.flush()
        self._patchbay.close()
        self._speaker.close()
        self._link.close()
        self._woken.close()
        self._waker.close()

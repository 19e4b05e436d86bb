"""The engine: one task that owns all musical state, between the stage, the duet, the improviser and the journal.

Rules for whoever edits this file. Everything here runs in one asyncio loop, in the order in which it happened. The
engine decides nothing musical: it hands events to the duet and does what the duet answers. Nothing here waits.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from livemuse.engine import shown
from livemuse.engine.board import Board
from livemuse.engine.facts import Facts
from livemuse.engine.meters import Meters
from livemuse.engine.neighbours import Sender, Worker
from livemuse.errors import ControlError
from livemuse.midi import messages
from livemuse.midi.link import (
    NO_NOTE,
    BeginTake,
    Frame,
    HeardMessage,
    Inject,
    Mapped,
    NoteEnded,
    NoteSent,
    Notice,
    Panic,
    PlayNote,
    PortsChanged,
    Release,
    Rules,
    Taken,
)
from livemuse.midi.link import TakeBack as TakeBackFrame
from livemuse.midi.mapping import MapEntry
from livemuse.music.controls import CONTROLS, Controls
from livemuse.music.duet import Duet
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import AllNotesOff, KeyDown, KeyUp, Pedal, PlannedNote
from livemuse.music.protocols import Clock, Journal
from livemuse.music.schedule import (
    Action,
    Begin,
    Chosen,
    Discard,
    Expect,
    Expected,
    Extend,
    Extension,
    Listen,
    Made,
    OpenTake,
    Play,
    Remember,
    Roll,
    Settle,
    Silence,
    TakeBack,
    Task,
    TurnBegins,
    WakeAt,
)
from livemuse.music.voicing import programs_of

NOTICES_KEPT: Final = 8
_RULES: Final = frozenset({"thru", "channel_in"} | {n for n in CONTROLS if n.startswith(("channel_", "program_"))})


class Engine:
    """Owns the evening; built by ``livemuse.daemon``, which also gives it its stage, worker and journal."""

    def __init__(self, controls: Controls, clock: Clock, journal: Journal, entries: tuple[MapEntry, ...] = ()) -> None:
        self.duet = Duet(controls)
        self.facts = Facts()
        self.meters = Meters()
        self.board = Board(self.state, lambda: dict(self.duet.controls), self.ports)
        self.chosen: dict[str, str | None] = {"in": None, "out": None}
        self.sound = "auto"
        self.stage: Sender | None = None
        self.worker: Worker | None = None
        self.on_ports: Callable[[], None] = lambda: None
        self.on_action: Callable[[str], None] = lambda _: None  # save and shutdown are not music
        self._clock = clock
        self._journal = journal
        self._entries = entries
        self._planned: dict[tuple[int, int], PlannedNote] = {}  # (take, index) -> at the stage, not sent yet
        self._sounding: dict[tuple[int, int], PlannedNote] = {}  # sent, and not ended
        self._decided_s: dict[int, float] = {}  # take -> when it was decided that its first note sounds
        self._pressed: dict[int, tuple[int, asyncio.TimerHandle]] = {}  # typed keys: pitch -> channel, its end
        self._since_s = clock.now_s()
        self._shown = ""
        self.anything_happened = False  # an evening without a note leaves no file

    # --- what comes in -------------------------------------------------------------------------------------------

    def on_frame(self, frame: Frame) -> None:
        """The stage said something."""
        match frame:
            case HeardMessage():
                self._heard(frame)
            case NoteSent():
                self._sent(frame)
            case NoteEnded(take, index, at_s):
                self._ended(take, index, at_s)
            case Taken(take, last, at_s, by_player):
                last_index = None if last == NO_NOTE else last
                self._journal.write("taken", at_s, take=take, last=last_index, by_player=by_player)
                self.board.nothing_ahead(take)
                self._forget_unsent(take)
                self._perform(self.duet.taken(take, last_index, at_s))
            case Mapped(at_s, entry) if entry < len(self._entries):
                action = self._entries[entry].action
                self._journal.write("mapped", at_s, action=action)
                self.do(action, at_s)
            case PortsChanged(text):
                self._ports_changed(json.loads(text))
            case Notice(text):
                self.notice(text.decode("utf-8", "replace"))
        self._show()

    def on_made(self, made: Made) -> None:
        """The improviser made notes, chose among candidates, or says what silence it expects."""
        match made:
            case Extension(take, notes, shortened, done):
                self._perform(self.duet.planned(take, notes, shortened, done))
            case Chosen():
                self._journal.write("chosen", self._clock.now_s(), **made.fields)
                self.duet.choosing.offered = made
            case Expected(take, silence) if silence:
                at_s = self._clock.now_s()
                self._journal.write("expected", at_s, take=take, silence=list(silence))
                self._perform(self.duet.expected(take, silence, at_s))
                self._show()

    def stage_lost(self) -> list[int]:
        """The stage is gone; ``channel << 7 | pitch`` of what it left sounding on the output."""
        now_s = self._clock.now_s()
        self._journal.write("stage", now_s, event="lost")
        left = [note.channel << 7 | note.pitch for note in self._sounding.values()]
        if self.duet.controls["thru"] == "on":
            left += [channel << 7 | pitch for channel, pitch in self.board.sounding("player")]
        for take, index in list(self._sounding):
            self._ended(take, index, now_s)
        self.board.all_ended("player", now_s)
        for _, timer in self._pressed.values():
            timer.cancel()
        self._pressed.clear()
        self._perform(self.duet.stage_lost(now_s))
        self._planned.clear()
        self.notice("The stage (MIDI ports and sound) stopped and is being started again.")
        self._show()
        return left

    def stage_there(self, hello: Mapping[str, Any], left_sounding: list[int]) -> None:
        """A stage is there; tell it the rules, and what the one before it left sounding."""
        self.facts.api = str(hello.get("api", "none"))
        self.facts.ports = hello.get("ports") or self.facts.ports
        self.facts.sound = str(hello.get("sound", "none"))
        for sentence in hello.get("notices") or ():
            self.notice(str(sentence))
        self.send_rules()
        if left_sounding and self.stage is not None:
            self.stage.send(Release(b"".join(key.to_bytes(2, "little") for key in sorted(set(left_sounding)))))
        now_s = self._clock.now_s()
        self._journal.write("stage", now_s, event="back")
        self._perform(self.duet.stage_back(now_s))
        self._show()

    def set(self, controls: Controls, name: str) -> None:
        """A control has a new value."""
        at_s = self._clock.now_s()
        self._journal.write("control", at_s, name=name, value=controls[name])
        actions = self.duet.control(controls, name, at_s)
        if name in _RULES:
            self.send_rules()
        self._perform(actions)
        self.board.tell("controls", controls=dict(controls))
        self._show()

    def do(self, action: str, at_s: float | None = None) -> None:
        """An action was asked for, by the console, a pedal or a script."""
        now_s = self._clock.now_s() if at_s is None else at_s
        self._journal.write("action", now_s, name=action)
        if action == "panic":
            for pitch, (_, timer) in list(self._pressed.items()):
                timer.cancel()
                self._let_go(pitch)
            self.board.all_ended("player", now_s)
        self._perform(self.duet.do(action, now_s))
        if action == "keep" and self.duet.turn:
            self._journal.write("kept", now_s, turn=self.duet.turn)
        self.on_action(action)
        self._show()

    def remember(self, earlier: MotifMemory, session: str) -> None:
        """What was played in an earlier session may be taken up from the next unsounded note on."""
        at_s = self._clock.now_s()
        self._journal.write("remembered", at_s, session=session, notes=earlier.to_rows())
        self._perform(self.duet.remember(earlier, at_s))
        self._show()

    def press(self, pitch: int, velocity: int, hold_s: float) -> None:
        """A key typed on the computer; while it sounds, the same key lengthens it."""
        channel, timer = self._pressed.pop(pitch, (self._typed_channel, None))
        if timer is not None:
            timer.cancel()
        elif self.stage is not None:
            self.stage.send(Inject(messages.note_on(channel, pitch, velocity)))
        timer = asyncio.get_running_loop().call_later(hold_s, self._let_go, pitch)
        self._pressed[pitch] = (channel, timer)

    def notice(self, sentence: str) -> None:
        """Say something to whoever watches."""
        self._journal.write("notice", self._clock.now_s(), text=sentence)
        self.facts.notices = [*self.facts.notices, sentence][-NOTICES_KEPT:]
        self.board.tell("notice", text=sentence)
        self.board.changed()

    def send_rules(self) -> None:
        """Tell the stage how to treat what comes in."""
        controls = self.duet.controls
        channel = controls["channel_in"]
        rules = {
            "thru": controls["thru"],
            "channel_in": None if isinstance(channel, str) else int(channel) - 1,
            "programs": sorted(programs_of(controls).items()),
            "map": [entry.json() for entry in self._entries],
            "in": self.chosen["in"],
            "out": self.chosen["out"],
            "sound": self.sound,
            "gain": 1.0,
        }
        if self.stage is not None:
            self.stage.send(Rules(json.dumps(rules).encode()))

    # --- what is shown -------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The ``state`` event."""
        return shown.state(
            self.duet, self.facts, self.meters.figures(), self._since_s, len(self._sounding), self._clock.now_s()
        )

    def ports(self) -> dict[str, Any]:
        """The ``ports`` event."""
        return shown.ports(self.facts, self.chosen)

    # --- how it follows ------------------------------------------------------------------------------------------

    @property
    def _typed_channel(self) -> int:
        channel = self.duet.controls["channel_in"]
        return 0 if isinstance(channel, str) else int(channel) - 1

    def _let_go(self, pitch: int) -> None:
        channel, _ = self._pressed.pop(pitch)
        if self.stage is not None:
            self.stage.send(Inject(messages.note_off(channel, pitch)))

    def _heard(self, frame: HeardMessage) -> None:
        self.anything_happened = True
        self._journal.write("heard", frame.at_s, b=frame.data.hex())
        if frame.thru_s >= 0:
            self.meters.add("thru", frame.thru_s)
        event = messages.heard(frame.at_s, frame.data)
        match event:
            case KeyDown(at_s, channel, pitch, velocity):
                self.board.struck("player", channel, pitch, velocity, at_s)
            case KeyUp(at_s, channel, pitch):
                self.board.ended("player", channel, pitch, at_s)
            case Pedal(down=down):
                self.board.tell("pedal", down=down)
            case AllNotesOff(at_s):
                self.board.all_ended("player", at_s)
            case None:
                return
        listens_to = self.duet.controls["channel_in"]
        if isinstance(listens_to, str) or event.channel == int(listens_to) - 1:
            self._perform(self.duet.hear(event))

    def _sent(self, frame: NoteSent) -> None:
        note = self._planned.pop((frame.take, frame.index), None)
        if note is not None:
            self._sounding[frame.take, frame.index] = note
            self.anything_happened = True
            self._journal.write(
                "sent", frame.at_s, take=frame.take, index=frame.index, due=frame.due_s, pitch=note.pitch,
                velocity=note.velocity, channel=note.channel,
            )  # fmt: skip
            self.board.struck("livemuse", note.channel, note.pitch, note.velocity, frame.at_s)
            self.board.sent(frame.take, frame.index)
        decided_s = self._decided_s.pop(frame.take, None)
        if decided_s is not None:
            self.meters.add("decide_to_first", frame.at_s - decided_s)
        else:
            self.meters.add("lateness", frame.at_s - frame.due_s)
        self._perform(self.duet.sent(frame.take, frame.index, frame.due_s))

    def _ended(self, take: int, index: int, at_s: float) -> None:
        note = self._sounding.pop((take, index), None)
        if note is not None:
            self._journal.write("ended", at_s, take=take, index=index)
            if not any((n.channel, n.pitch) == (note.channel, note.pitch) for n in self._sounding.values()):
                self.board.ended("livemuse", note.channel, note.pitch, at_s)
            self.board.changed()

    def _forget_unsent(self, take: int) -> None:
        self._decided_s.pop(take, None)
        for key in [key for key in self._planned if key[0] == take]:
            del self._planned[key]

    def _ports_changed(self, fields: Mapping[str, Any]) -> None:
        facts = self.facts
        facts.api = str(fields.get("api", facts.api))
        facts.ports = fields.get("ports") or facts.ports
        facts.available = fields.get("available") or facts.available
        facts.connections = fields.get("connections") or facts.connections
        facts.sound = str(fields.get("sound", facts.sound))
        self.on_ports()
        self.board.tell("ports", **self.ports())
        self.board.changed()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Listen() | Roll() | Extend() | Expect() | Settle() | Discard() | Remember():
                    self._work(action)
                case Begin(plan):
                    if plan.start_s is not None and plan.first_index == 0:
                        self._decided_s[plan.take] = plan.start_s
                    self._work(action)
                case OpenTake(take, yields, release_s, turn, revision):
                    self._journal.write(
                        "take", self._clock.now_s(), take=take, turn=turn, revision=revision, yields=bool(yields)
                    )
                    self._to_stage(BeginTake(take, yields, release_s))
                case Play(notes, shortened):
                    self._play(notes, shortened)
                case TakeBack(take, release_s):
                    self._to_stage(TakeBackFrame(take, release_s))
                case Silence():
                    self._to_stage(Panic())
                case WakeAt(at_s):
                    asyncio.get_running_loop().call_later(max(at_s - self._clock.now_s(), 0.0), self._wake)
                case TurnBegins(number, who, at_s):
                    self._journal.write("turn", at_s, number=number, who=who)
                    self.board.changed(now=True)

    def _work(self, action: Task) -> None:
        if self.worker is None:
            raise ControlError("No model is loaded.", "Choose one with `livemuse ctl set model NAME`.")
        self.worker.put(action)

    def _to_stage(self, *frames: Frame) -> None:
        if self.stage is not None:
            self.stage.send(*frames)

    def _play(self, notes: tuple[PlannedNote, ...], shortened: tuple[PlannedNote, ...]) -> None:
        frames = []
        self._planned.update(((note.take, note.index), note) for note in notes)
        for note in (*notes, *shortened):
            key = (note.take, note.index)
            table = self._sounding if key in self._sounding else self._planned
            if key in table:  # on the channel on which it was planned
                n = table[key] = replace(note, channel=table[key].channel)
                frames.append(PlayNote(*key, n.onset_s, n.end_s, n.channel, n.pitch, n.velocity))
        self._to_stage(*frames)
        self.board.planned(notes, shortened)

    def _wake(self) -> None:
        now_s = self._clock.now_s()
        actions = self.duet.wake(now_s)
        if actions:
            self._journal.write("woke", now_s)
        self._perform(actions)
        self._show()

    def _show(self) -> None:
        """Tell at once when it is another's turn, the rest when there is time."""
        shown = f"{self.duet.state} {self.duet.deadline_s} {self.duet.turn} {self.duet.controls['mode']}"
        if shown != self._shown:
            if self._shown.split(" ")[0] != self.duet.state:
                self._since_s = self._clock.now_s()
            self._shown = shown
            self.board.changed(now=True)
        else:
            self.board.changed()

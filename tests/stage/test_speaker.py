"""When the built-in synth sounds, and what is said when it cannot."""

import threading
from typing import Any, ClassVar

import pytest

from livemuse.midi.echo import Echo
from livemuse.midi.messages import note_off, note_on
from livemuse.stage import speaker
from livemuse.stage.speaker import Speaker
from livemuse.stage.wires import Wires


class Synth:
    """A synth that only writes down; ``works`` says whether one can be started."""

    works: ClassVar[bool] = True
    reason: ClassVar[str] = "No SoundFont was found."
    started: ClassVar[list["Synth"]] = []

    def __init__(self) -> None:
        self.state, self.why, self.gain, self.closed = "on", "", 1.0, False
        self.sent: list[tuple[str, bytes]] = []

    @classmethod
    def start(cls, mode: str, gain: float) -> "Synth | None":
        """One more synth, or none."""
        assert mode in ("auto", "on")
        if not cls.works:
            return None
        cls.started.append(cls())
        return cls.started[-1]

    def send(self, who: str, data: bytes) -> None:
        """As the stage sends."""
        self.sent.append((who, data))

    def set_gain(self, gain: float) -> None:
        """Louder or softer."""
        self.gain = gain

    def all_off(self) -> None:
        """Silence."""

    def close(self) -> None:
        """Gone."""
        self.closed = True


class Room:
    """A speaker, its wires, and what it said."""

    def __init__(self, wish: str, *, routed: bool) -> None:
        self.said: list[str] = []
        self.wires = Wires(Echo(), threading.RLock())
        self.speaker: Any = Speaker(self.wires, wish, routed=routed, notice=self.said.append)
        self.speaker.start()


@pytest.fixture(autouse=True)
def _synth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker, "Synth", Synth)
    monkeypatch.setattr(Synth, "works", True)
    monkeypatch.setattr(Synth, "started", [])


@pytest.mark.parametrize(
    ("wish", "routed", "state"),
    [("auto", False, "on"), ("auto", True, "off"), ("on", True, "on"), ("off", False, "off")],
)
def test_it_sounds_where_no_output_was_chosen_or_where_it_was_asked_for(wish: str, routed: bool, state: str) -> None:
    room = Room(wish, routed=routed)
    assert room.speaker.state == state
    assert len(Synth.started) == (state == "on")


def test_where_there_can_be_no_sound_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Synth, "works", False)
    room = Room("on", routed=True)
    assert (room.speaker.state, room.said) == ("none", ["No SoundFont was found."])


def test_choosing_an_output_ends_the_sound_and_what_sounds_is_ended_first() -> None:
    room = Room("auto", routed=False)
    room.wires.play(note_on(0, 60, 80))
    room.speaker.apply("auto", 1.0, routed=True)
    synth = Synth.started[0]
    assert (room.speaker.state, synth.closed) == ("off", True)
    assert synth.sent == [("livemuse", note_on(0, 60, 80)), ("livemuse", note_off(0, 60))]
    room.speaker.apply("auto", 1.0, routed=False)
    assert room.speaker.state == "on"
    assert len(Synth.started) == 2


def test_a_synth_that_dies_is_told_of_once_and_started_again_when_asked_for() -> None:
    room = Room("auto", routed=False)
    assert room.speaker.changed()
    Synth.started[0].state, Synth.started[0].why = "none", "The built-in synth's process ended."
    assert room.speaker.changed()
    assert not room.speaker.changed()
    assert room.said == ["The built-in synth's process ended."]
    assert room.speaker.readers() == []
    room.speaker.apply("on", 1.0, routed=False)
    assert room.speaker.state == "on"


def test_its_loudness_follows_the_rules() -> None:
    room = Room("auto", routed=False)
    room.speaker.apply("auto", 0.5, routed=False)
    assert Synth.started[0].gain == 0.5

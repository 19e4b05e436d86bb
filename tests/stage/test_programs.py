"""livemuse's sounds on the wires: said when they are set and to whoever comes later, and nothing hangs between."""

import threading
from collections.abc import Callable

from livemuse.midi.echo import Echo
from livemuse.midi.link import BeginTake, PlayNote
from livemuse.midi.messages import note_off, note_on, program_change
from livemuse.music.notes import Who
from livemuse.stage.player import Player
from livemuse.stage.wires import Wires, programs_from


class Sound:
    """A synth that remembers what it was sent."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    def send(self, who: Who, data: bytes) -> None:
        self.heard.append((who, data))


def into(put: list[bytes]) -> Callable[[bytes], bool]:
    def send(data: bytes) -> bool:
        put.append(data)
        return True

    return send


def wires_to(put: list[bytes]) -> Wires:
    wires = Wires(Echo(), threading.RLock())
    wires.open_output(into(put))
    return wires


def test_programs_are_said_when_they_change_and_to_a_new_output_or_synth() -> None:
    put: list[bytes] = []
    wires = wires_to(put)
    synth = Sound()
    wires.set_programs({1: 40})
    wires.set_synth(synth)
    wires.set_programs({1: 40, 3: 42})
    assert put == [program_change(1, 40), program_change(3, 42)]
    assert synth.heard == [("livemuse", program_change(1, 40)), ("livemuse", program_change(3, 42))]
    again: list[bytes] = []
    wires.open_output(into(again))
    wires.tell_programs()
    assert again == [program_change(1, 40), program_change(3, 42)] * 2
    wires.set_programs({3: 42})
    assert again[4:] == []  # what an instrument sounds like without us, we do not know
    assert synth.heard[2:] == [("livemuse", bytes((0xB1, 121, 0)))]  # the synth's own sound again


def test_a_note_ends_on_the_channel_it_began_on_whatever_is_set_meanwhile() -> None:
    put: list[bytes] = []
    wires = wires_to(put)
    now = [10.0]
    player = Player(wires.play, lambda frame: None, wires.lock, lambda: now[0])
    player.begin(BeginTake(1, 0, 0.3))
    player.play(PlayNote(1, 0, 10.0, 11.0, 3, 60, 70))
    player.send_due()
    wires.set_programs({3: 42})
    player.begin(BeginTake(2, 0, 0.3))
    player.play(PlayNote(2, 0, 10.5, 11.0, 8, 60, 70))  # the same pitch, on the voice's new channel
    player.play(PlayNote(1, 0, 10.0, 10.7, 9, 60, 70))  # only the end of a note can be moved
    for at_s in (10.5, 10.7, 11.0):
        now[0] = at_s
        player.send_due()
    assert put == [note_on(3, 60, 70), program_change(3, 42), note_on(8, 60, 70), note_off(3, 60), note_off(8, 60)]
    assert wires.output.silent


def test_nonsense_in_the_rules_is_left_out() -> None:
    assert programs_from([[1, 40], [16, 1], [2, 128], [1], "x", [3, "y"], None]) == {1: 40}
    assert programs_from(None) == programs_from({"1": 40}) == {}

"""Finding ports by name, never waiting for a stuck server, and putting cables back; no MIDI needed."""

import pytest

from livemuse.midi.link import Notice
from livemuse.stage.cables import Cables
from livemuse.stage.chores import Chores
from livemuse.stage.jackwatch import CableNews, PortNews
from livemuse.stage.ports import Outlet, find_port, plain_name

THERE = ["Midi Through:Midi Through Port-0 14:0", "nanoKEY2:nanoKEY2 MIDI 1 20:0", "nanoKEY:nanoKEY MIDI 1 24:0"]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("nanoKEY:nanoKEY MIDI 1", 2),  # the very name, whatever its numbers are today
        ("nanokey:nanokey midi 1 131:0", 2),
        ("nanoKEY2", 1),
        ("nanokey", 1),  # the first that has it
        ("through", 0),
        ("piano", None),
        ("", None),
    ],
)
def test_a_port_is_found_by_its_name_or_a_part_of_it(wish: str, found: int | None) -> None:
    assert find_port(wish, THERE) == found


def test_the_numbers_that_change_are_no_part_of_a_name() -> None:
    assert plain_name(THERE[1]) == "nanoKEY2:nanoKEY2 MIDI 1"
    assert plain_name("system:midi_capture_1") == "system:midi_capture_1"


class Watch:
    """A JACK server with so much room, so many ports, and so many cables."""

    def __init__(self) -> None:
        self.alive, self.room = True, 10
        self.there: set[str] = set()
        self.cables: set[tuple[str, str]] = set()

    def room_for(self, size: int) -> bool:
        """Takes the room when there is any."""
        if not self.alive or size > self.room:
            return False
        self.room -= size
        return True

    def ports(self) -> set[str]:
        """All ports."""
        return set(self.there)

    def connections(self, port: str | None) -> tuple[str, ...]:
        """The other ends."""
        return tuple(sorted({end for cable in self.cables if port in cable for end in cable} - {port}))

    def connect(self, source: str, sink: str) -> bool:
        """Put a cable in."""
        self.cables.add((source, sink))
        return True


def test_what_there_is_no_room_for_waits_in_order() -> None:
    watch, sent = Watch(), list[bytes]()
    outlet = Outlet(sent.append, watch, print)  # type: ignore[arg-type]
    for data in (b"\x90\x3c\x40", b"\xf0" + bytes(9) + b"\xf7", b"\x80\x3c\x40"):
        assert outlet.put(data)
    assert sent == [b"\x90\x3c\x40"]
    assert not outlet.flush()
    watch.room = 100
    assert outlet.flush()
    assert [data[0] for data in sent] == [0x90, 0xF0, 0x80]


def test_what_is_too_long_for_jack_is_told() -> None:
    watch, sent, told = Watch(), list[bytes](), list[Notice]()
    watch.room = 1 << 20
    outlet = Outlet(sent.append, watch, told.append)  # type: ignore[arg-type]
    assert outlet.put(b"\xf0" + bytes(16374) + b"\xf7")
    assert not outlet.put(b"\xf0" + bytes(16375) + b"\xf7")
    assert (len(sent), len(told)) == (1, 1)


def test_nothing_is_sent_to_a_dead_server() -> None:
    watch, sent = Watch(), list[bytes]()
    watch.alive = False
    assert not Outlet(sent.append, watch, print).put(b"\x90\x3c\x40")  # type: ignore[arg-type]
    assert sent == []


OURS = {"in": "livemuse-in:in", "out": "livemuse-out:out"}


def test_cables_are_put_back_when_their_other_end_is_there() -> None:
    watch = Watch()
    cables = Cables({"connections": {"in": ["keys:out"], "out": ["synth:in", "daw:in"]}})
    assert cables.returned(100.0)
    watch.there = {"synth:in", "keys:out"}
    assert cables.put_back(watch, OURS) == 2  # type: ignore[arg-type]
    assert watch.cables == {("keys:out", OURS["in"]), (OURS["out"], "synth:in")}
    assert cables.wants(PortNews("daw:in", True), 101.0)
    assert not cables.wants(PortNews("synth:in", True), 101.0)
    assert not cables.wants(PortNews("daw:in", True), 200.0)  # long after, a program connects itself


def test_a_cable_that_was_pulled_is_forgotten_and_one_whose_end_went_is_not() -> None:
    watch = Watch()
    watch.there = {"keys:out", "synth:in"}
    watch.cables = {("keys:out", OURS["in"]), (OURS["out"], "synth:in")}
    cables = Cables({})
    cables.look(watch, OURS)  # type: ignore[arg-type]
    assert cables.remembered == {"in": ["keys:out"], "out": ["synth:in"]}
    watch.cables.clear()
    watch.there = {"keys:out"}
    cables.look(watch, OURS)  # type: ignore[arg-type]
    assert cables.remembered == {"in": [], "out": ["synth:in"]}


@pytest.mark.parametrize("state", [{}, {"connections": None}, {"connections": {"in": None}}, {"connections": [3]}])
def test_a_state_that_says_nothing(state: dict[str, object]) -> None:
    assert Cables(state).remembered == {"in": [], "out": []}


def test_which_end_of_a_cable_is_ours() -> None:
    cables = Cables({})
    assert cables.concerns(CableNews("a", OURS["in"], True), OURS) == "in"
    assert cables.concerns(CableNews(OURS["out"], "b", False), OURS) == "out"
    assert cables.concerns(CableNews("a", "b", True), OURS) is None


def test_chores_are_done_when_due_and_once() -> None:
    chores, done = Chores(), list[str]()
    chores.set("tea", 2.0, lambda: done.append("tea"))
    chores.set("tea", 3.0, lambda: done.append("later tea"))
    chores.set("post", 1.0, lambda: chores.set("post", 5.0, lambda: done.append("post")))
    chores.set("never", 0.5, lambda: done.append("never"))
    chores.cancel("never")
    assert chores.next_due_s == 1.0
    chores.do_due(3.0)
    assert (done, chores.next_due_s) == (["later tea"], 5.0)
    chores.do_due(5.0)
    assert (done, chores.next_due_s) == (["later tea", "post"], None)

"""Twenty phrases of a real performance through real ports: every one is answered, and every note ends."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import mido

from tests.live.conftest import Duet
from tests.live.programs import Livemuse, notes

if TYPE_CHECKING:  # jack cannot be imported where there is no JACK
    from tests.live.jackd import JackServer

PHRASES_S = [(12.0 + 9.4 * n, 13.5 + 9.4 * n) for n in range(20)]  # parts of the performance
YIELDS_S = 0.05  # from the player's key to the last note livemuse may still strike: a JACK period each way, and some


def note_ons(events: list[list[Any]]) -> int:
    """How many of ``[[frame, hex], ...]`` are note-ons."""
    return sum(1 for _, text in events if text[0] == "9" and text[4:6] != "00")


def tracks(session: Path) -> dict[str, list[mido.Message]]:
    """The channel messages of a session's two tracks, by name."""
    return {
        track.name: [m for m in track if not m.is_meta and m.type != "sysex"] for track in mido.MidiFile(session).tracks
    }


def recorded_note_ons(livemuse: Livemuse, track: str) -> int:
    """How many note-ons the named track holds, over all session files."""
    kept = [m for session in livemuse.sessions.glob("*.mid") for m in tracks(session).get(track, [])]
    return sum(1 for m in kept if m.type == "note_on" and m.velocity)


def test_twenty_phrases_are_answered_and_every_note_ends(server: "JackServer", duet: Duet) -> None:
    livemuse, musician = duet(server, "answer_length=1.5 s", "wait=0.3")
    for number, (from_s, to_s) in enumerate(PHRASES_S):
        musician.play_until_answered(from_s, to_s)
        if number % 5 != 4:  # every fifth answer is cut short by the next phrase
            assert musician.ask("quiet", for_s=0.4, timeout_s=10)["ok"], f"the answer to phrase {number} does not end"
    assert musician.ask("quiet", for_s=2.0, timeout_s=10)["ok"]
    status = livemuse.status()
    assert status["sounding"] == 0
    assert status["latency_ms"]["decide_to_first"]["n"] >= len(PHRASES_S)
    assert livemuse.end() == 0

    sounded = musician.leave()
    answers = notes(sounded["heard"])
    assert [note for note in answers if note[1] is None] == []
    note_offs = sum(1 for _, text in sounded["heard"] if text[0] == "8" or (text[0] == "9" and text[4:6] == "00"))
    assert note_ons(sounded["heard"]) == note_offs == len(answers)
    assert recorded_note_ons(livemuse, "player") == note_ons(sounded["played"])
    assert recorded_note_ons(livemuse, "livemuse") == len(answers)
    assert "Traceback" not in livemuse.talk()


def test_it_yields_at_once_when_the_player_comes_in(server: "JackServer", duet: Duet) -> None:
    livemuse, musician = duet(server, "answer_length=8 s", "wait=0.3", "on_interrupt=yield")
    musician.play_until_answered(20.0, 22.0, note_ons=2)
    musician.play(30.0, 31.5)
    assert musician.ask("quiet", for_s=0.4, timeout_s=12)["ok"]
    sounded = musician.leave()
    rate, answers = sounded["rate"], notes(sounded["heard"])
    strikes = [on for on, _, _ in notes(sounded["played"])]
    first_answer = answers[0][0]
    comes_in = min(on for on in strikes if on > first_answer)
    leaves_off = max(off or 0 for on, off, _ in notes(sounded["played"]) if on >= comes_in)
    between = [on for on, _, _ in answers if comes_in + YIELDS_S * rate < on < leaves_off]
    assert between == []
    cut = [off - comes_in for on, off, _ in answers if off is not None and on < comes_in < off]
    assert all(late <= (0.3 + YIELDS_S) * rate for late in cut)
    assert livemuse.end() == 0

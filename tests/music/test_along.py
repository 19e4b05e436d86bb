"""Playing at the same time: where there is room, when there is company, and never where the player is."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.engine.virtual import Evening
from livemuse.midi.smf import notes_of, read_song
from livemuse.model.improviser import AnyStepper, Improviser
from livemuse.model.shelf import Shelf
from livemuse.music.companion import APART, CALM, GONE_S, HIGHEST, LOWEST, NARROWEST, RECENT_S, Companion
from livemuse.music.context import NOTHING_HEARD
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.hearing.ear import Ear
from livemuse.music.notes import Heard, KeyDown, KeyUp, Note, Pedal, PlannedNote
from livemuse.music.schedule import Action, Play, WakeAt
from livemuse.testing.scripted import ScriptedStepper

HANDEL = Path(__file__).parents[1] / "data" / "handel-air-hwv425.mid"
BUSY = 6.0


def controls(**values: object) -> Controls:
    chosen = Controls().replaced("mode", "duet").replaced("tempo", 120)
    for name, value in values.items():
        chosen = chosen.replaced(name, value)
    return chosen


def companion() -> Companion:
    return Companion(Ear(120))


def strike(one: Companion, at_s: float, *pitches: int, hold_s: float | None = 0.1, **values: object) -> None:
    for pitch in pitches:
        one.hear(KeyDown(at_s, 0, pitch, 80), controls(**values))
    for pitch in pitches if hold_s is not None else ():
        one.hear(KeyUp(at_s + hold_s, 0, pitch), controls(**values))  # type: ignore[operator]


# --- where there is room ---------------------------------------------------------------------------------------------


def test_room_is_more_than_an_octave_from_all_that_is_held_or_was_struck_of_late() -> None:
    one = companion()
    strike(one, 1.0, 60, 64)
    room = one.room(1.5, controls())
    assert room is not None
    assert room.free == frozenset(range(LOWEST, 48)) | frozenset(range(77, HIGHEST + 1))
    assert room.home == (77, HIGHEST)  # there is more of it
    everywhere = one.room(1.0 + RECENT_S, controls())
    assert everywhere is not None
    assert everywhere.free == frozenset(range(LOWEST, HIGHEST + 1))


def test_a_key_that_is_held_and_one_that_rings_under_the_pedal_stay() -> None:
    one = companion()
    one.hear(Pedal(0.9, 0, down=True), controls())
    strike(one, 1.0, 60)
    strike(one, 1.2, 40, hold_s=None)
    free = one.room(100.0, controls())
    assert free is not None
    assert free.free == frozenset(range(73, HIGHEST + 1))  # below 28 there is too little
    one.hear(Pedal(101.0, 0, down=False), controls())
    free = one.room(101.0, controls())
    assert free is not None
    assert min(free.free) == 53


def test_a_stretch_that_is_too_small_is_no_room() -> None:
    one = companion()
    strike(one, 1.0, 48, 80, hold_s=None)  # 61 to 67 lies between: a fifth
    assert one.room(1.0, controls(register="40-80")).free == frozenset(range(61, 68))  # type: ignore[union-attr]
    assert NARROWEST == 7
    assert one.room(1.0, controls(register="40-66")) is None
    assert one.wish(1.0, controls(register="40-66"))[0] == "rest"


def test_it_stays_where_it_is_as_long_as_there_is_room() -> None:
    one = companion()

    def home(at_s: float) -> tuple[int, int]:
        room = one.opened(NOTHING_HEARD, at_s, controls()).room
        assert room is not None
        return room.home

    strike(one, 1.0, 60)
    assert home(1.0) == (73, HIGHEST)
    strike(one, 1.5, 67)  # now there is more room below
    assert home(1.5) == (80, HIGHEST)
    strike(one, 2.0, 88)  # and none above
    assert home(2.0) == (LOWEST, 47)
    strike(one, 2.0 + RECENT_S, 50)  # most of it is above again, and it stays as there is still room
    assert home(2.0 + RECENT_S) == (LOWEST, 37)


# --- when there is company -------------------------------------------------------------------------------------------


def test_it_joins_in_after_a_few_notes_or_two_beats() -> None:
    hasty, slow = companion(), companion()
    for k in range(4):
        assert hasty.wish(1.0 + 0.1 * k, controls())[0] == "rest"
        strike(hasty, 1.0 + 0.1 * k, 60)
    assert hasty.wish(1.3, controls())[0] == "play"
    strike(slow, 1.0, 60)
    assert slow.wish(1.9, controls())[0] == "rest"  # one note alone is no company, however long ago
    assert slow.wish(4.0, controls())[0] == "rest"
    strike(slow, 4.2, 62)
    assert slow.wish(4.2, controls())[0] == "play"


def test_a_chord_is_one_onset() -> None:
    one = companion()
    for k in range(5):
        strike(one, 1.0 + 0.19 * k, 60, 64, 67)
    assert one.wish(1.76, controls(busy=5))[0] == "play"
    strike(one, 1.95, 60, busy=5)
    assert one.wish(1.95, controls(busy=5))[0] == "rest"


def test_a_busy_player_plays_alone_until_a_beat_after_it_is_calm() -> None:
    one = companion()
    for k in range(7):
        strike(one, 1.0 + 0.1 * k, 60)  # the seventh within a second, at 1.6
    assert one.wish(1.5999, controls())[0] == "rest"
    calm_s = 1.0 + 0.1 * 2 + 1.0  # from then on only four, which is 0.7 of 6, were struck in the last second
    wish, change_s = one.wish(1.6, controls())
    assert wish == "rest"
    assert change_s == pytest.approx(calm_s + 0.5)
    assert one.wish(calm_s + 0.49, controls())[0] == "rest"
    assert one.wish(calm_s + 0.51, controls())[0] == "play"
    assert int(CALM * BUSY) == 4


def test_it_comes_to_rest_when_nobody_plays_and_begins_anew() -> None:
    one = companion()
    for k in range(4):
        strike(one, 1.0 + 0.3 * k, 60)
    last_s = 1.9 + 0.1
    assert one.wish(last_s + GONE_S - 0.01, controls())[0] == "play"
    assert one.look(last_s + GONE_S, controls())[0] == "end"
    strike(one, 30.0, 60)
    assert one.wish(30.0, controls())[0] == "rest"


def test_what_was_dismissed_waits_for_a_pause() -> None:
    one = companion()
    for k in range(20):
        strike(one, 1.0 + 0.3 * k, 60)
        if k == 5:
            one.dismiss()
    assert one.wish(6.7, controls())[0] == "rest"
    for k in range(5):
        strike(one, 10.0 + 0.3 * k, 60)
    assert one.wish(11.2, controls())[0] == "play"


def test_what_sounds_where_a_key_is_struck_ends_at_that_moment_and_stays_so() -> None:
    one = companion()
    near, far = PlannedNote(1, 0, 2.0, 72, 1.0, 70), PlannedNote(1, 1, 2.0, 90, 1.0, 70)
    assert one.planned((near, far), ()) == ()
    for note in (near, far):
        assert one.sent(1, note.index, 2.0, controls()) == []
    (ended,) = one.hear(KeyDown(2.4, 0, 61, 80), controls())
    assert isinstance(ended, Play)
    assert [n.pitch for n in ended.shortened] == [72]
    assert ended.shortened[0].end_s == pytest.approx(2.4)
    assert one.planned((), (near,)) == ()  # the improviser, which does not know, cannot make it longer again
    (faded,) = one.fade(2.4, 0.3)
    assert isinstance(faded, Play)
    assert [n.pitch for n in faded.shortened] == [90]
    assert faded.shortened[0].end_s == pytest.approx(2.7)


def test_a_note_that_is_sent_just_as_the_player_comes_there_ends_at_once() -> None:
    one = companion()
    one.planned((PlannedNote(1, 0, 2.0, 61, 1.0, 70),), ())
    strike(one, 1.9999, 60, hold_s=None)
    (ended,) = one.sent(1, 0, 2.0, controls())
    assert isinstance(ended, Play)
    assert ended.shortened[0].duration_s == 0.0


# --- in an evening ---------------------------------------------------------------------------------------------------


def live_through(stepper: AnyStepper, notes: list[Note], **values: object) -> list[PlannedNote]:
    night = Evening(Duet(controls(**values)), Improviser(stepper))
    night.play_notes(notes)
    return [n for n in night.run(max(n.end_s for n in notes) + 20.0) if n.duration_s > 0.0]


def assert_apart(played: list[PlannedNote], notes: list[Note]) -> None:
    """Never a pitch within an octave of one that is held."""
    for mine in played:
        for key in notes:
            if key.onset_s < mine.end_s - 1e-9 and mine.onset_s < key.end_s - 1e-9:
                assert abs(key.pitch - mine.pitch) >= APART, (mine, key)


def onsets_of(notes: list[Note]) -> list[float]:
    found: list[float] = []
    for note in sorted(notes, key=lambda n: n.onset_s):
        if not found or note.onset_s - found[-1] > 0.03:
            found.append(note.onset_s)
    return found


def assert_silent_when_busy(played: list[PlannedNote], notes: list[Note], beat_s: float = 0.5) -> int:
    onsets = onsets_of(notes)
    crowded = [t for k, t in enumerate(onsets) if sum(o > t - 1.0 for o in onsets[: k + 1]) > BUSY]
    for at_s in crowded:
        assert not [n for n in played if at_s < n.onset_s <= at_s + beat_s], at_s
        assert not [n for n in played if n.onset_s <= at_s and n.end_s > at_s + beat_s], at_s
    return len(crowded)


def performance(speed: float, seconds: float) -> list[Note]:
    """What a harpsichordist played, so many times as fast."""
    notes = notes_of(read_song(HANDEL.read_bytes()), pedal=False)
    from_s = notes[0].onset_s
    fast = [Note((n.onset_s - from_s) / speed + 1.0, n.pitch, n.duration_s / speed, n.velocity) for n in notes]
    return [n for n in fast if n.onset_s < seconds]


@pytest.fixture(scope="module")
def concert() -> AnyStepper:
    stepper: AnyStepper = Shelf().load("concert")[0]
    return stepper


def test_beside_a_slow_player_it_plays_and_is_never_where_they_are(concert: AnyStepper) -> None:
    notes = performance(0.5, 40.0)
    played = live_through(concert, notes)
    assert_apart(played, notes)
    assert_silent_when_busy(played, notes)
    beside = [n for n in played if n.onset_s < notes[-1].onset_s]
    assert len(beside) >= 20
    for n in beside:
        lately = [k.pitch for k in notes if -1e-9 < n.onset_s - k.onset_s < RECENT_S]
        assert all(abs(pitch - n.pitch) >= APART for pitch in lately)


def test_beside_a_fast_player_it_is_silent_within_a_beat_and_comes_back_when_they_slow_down(
    concert: AnyStepper,
) -> None:
    slow, fast = performance(0.5, 12.0), performance(3.0, 10.0)
    notes = [
        *slow,
        *(Note(n.onset_s + 12.0, n.pitch, n.duration_s, n.velocity) for n in fast),
        *(Note(n.onset_s + 24.0, n.pitch, n.duration_s, n.velocity) for n in slow),
    ]
    played = live_through(concert, notes)
    assert_apart(played, notes)
    assert assert_silent_when_busy(played, notes) > 10
    for from_s, to_s in ((3.0, 13.0), (27.0, 36.0)):
        assert sum(from_s < n.onset_s < to_s for n in played) >= 3


def test_it_closes_when_the_player_is_gone_and_says_nothing_in_silence() -> None:
    notes = [Note(1.0 + 0.4 * k, 60 + k % 5, 0.3, 80) for k in range(12)]
    night = Evening(Duet(controls()), Improviser(ScriptedStepper()))
    night.play_notes(notes)
    played = night.run(60.0)
    over_s = notes[-1].end_s + GONE_S + 2.0  # a bar
    assert over_s - 2.1 < max(n.end_s for n in played) <= over_s + 1e-3
    assert min(n.onset_s for n in played) >= notes[2].onset_s
    assert night.duet.state == "listening"
    assert night.stage.open_takes == []


@pytest.mark.parametrize(("a_second", "at_least"), [(1, 10), (3, 16), (6, 25), (10, 0)])
def test_a_player_of_any_speed_leaves_it_notes_until_they_are_busy(
    concert: AnyStepper, a_second: int, at_least: int
) -> None:
    gap_s = 1.0 / a_second
    notes = [Note(1.0 + gap_s * k, 60 + (k * 5) % 9, gap_s * 0.8, 80) for k in range(14 * a_second)]
    beside = [n for n in live_through(concert, notes) if n.onset_s < notes[-1].onset_s]
    assert_apart(beside, notes)
    assert at_least <= len(beside)
    assert len(onsets_of([Note(n.onset_s, n.pitch, n.duration_s, 1) for n in beside])) <= 15 + 0.7 * len(notes)
    assert a_second < 10 or len(beside) <= 4


_NOTES = st.lists(
    st.tuples(st.floats(0.02, 1.5), st.integers(30, 96), st.floats(0.05, 4.0)), min_size=1, max_size=40
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(_NOTES, st.sampled_from([0.05, 0.3, 3.0]), st.booleans())
def test_whatever_is_played_it_is_never_there(rows: list[tuple[float, int, float]], last_s: float, pedal: bool) -> None:
    melody = tuple(range(24, 104, 5))
    night = Evening(
        Duet(controls()), Improviser(ScriptedStepper(melody=melody, step_s=0.2, duration_s=last_s, confidence=2.0))
    )
    notes, at_s = [], 1.0
    free_s: dict[int, float] = {}
    for gap_s, pitch, duration_s in rows:
        at_s += gap_s
        if free_s.get(pitch, 0.0) < at_s:  # a key that is down cannot be struck
            notes.append(Note(at_s, pitch, duration_s, 80))
            free_s[pitch] = at_s + duration_s
    if pedal:
        night.hear(Pedal(1.5, 0, down=True))
        night.hear(Pedal(at_s, 0, down=False))
    night.play_notes(notes)
    played = [n for n in night.run(at_s + 60.0) if n.duration_s > 0.0]
    assert_apart(played, notes)
    assert_silent_when_busy(played, notes)
    assert night.stage.open_takes == []


# --- a wake that does nothing ----------------------------------------------------------------------------------------


class OnRecord(Duet):
    """A duet that keeps what it was told and what it did, as a journal does: (method, arguments, actions)."""

    def __init__(self, chosen: Controls) -> None:
        super().__init__(chosen)
        self.record: list[tuple[str, tuple[object, ...], list[Action]]] = []

    def _kept(self, method: str, *told: object) -> list[Action]:
        actions: list[Action] = getattr(Duet, method)(self, *told)
        self.record.append((method, told, [a for a in actions if not isinstance(a, WakeAt)]))
        return actions

    def hear(self, event: Heard) -> list[Action]:
        return self._kept("hear", event)

    def planned(self, *told: object) -> list[Action]:
        return self._kept("planned", *told)

    def sent(self, *told: object) -> list[Action]:
        return self._kept("sent", *told)

    def taken(self, *told: object) -> list[Action]:
        return self._kept("taken", *told)

    def wake(self, now_s: float) -> list[Action]:
        return self._kept("wake", now_s)

    def do(self, action: str, at_s: float) -> list[Action]:
        return self._kept("do", action, at_s)


_GAPS_S = st.sampled_from([0.1, 0.12, 0.3, 0.6, 1.5, 3.0, 6.0, 9.0])
_WIDE = st.one_of(st.integers(24, 50), st.integers(60, 90))
_WHILES = st.lists(st.tuples(_GAPS_S, _WIDE, st.sampled_from([0.05, 0.25, 2.0, 40.0])), min_size=8, max_size=50)


@settings(max_examples=40, deadline=None)
@given(_WHILES, st.sampled_from(["auto", "36-60"]), st.sets(st.integers(8, 49), max_size=2), st.data())
def test_a_wake_that_does_nothing_changes_nothing(
    rows: list[tuple[float, int, float]], register: str, asked: set[int], data: st.DataObject
) -> None:
    chosen = controls(tempo="auto", register=register, busy=4)
    duet = OnRecord(chosen)
    night = Evening(duet, Improviser(ScriptedStepper(melody=tuple(range(24, 104, 7)), step_s=0.4, confidence=2.0)))
    notes, at_s = [], 1.0
    for k, (gap_s, pitch, duration_s) in enumerate(rows):
        at_s += gap_s
        notes.append(Note(at_s, pitch, duration_s, 80))
        if k in asked:
            night.do(at_s + 0.05, data.draw(st.sampled_from(["answer", "stop", "finish"])))
    night.play_notes(notes)
    night.run(at_s + 60.0)
    again = Duet(chosen)
    for method, told, actions in duet.record:
        if method == "wake" and not actions:
            continue
        done: list[Action] = getattr(again, method)(*told)
        assert [a for a in done if not isinstance(a, WakeAt)] == actions, (method, told)


def test_asking_changes_nothing() -> None:
    def lived(*asked_s: float) -> tuple[object, ...]:
        one, ear = companion(), Ear()
        for k, pitch in enumerate((60, 67, 88, 40, 62, 90, 36, 60)):
            strike(one, 1.0 + 0.11 * k, pitch, busy=4)
            ear.hear(KeyDown(1.0 + 0.11 * k, 0, pitch, 80))
            for at_s in asked_s:
                one.wish(1.0 + 0.11 * k + at_s, controls(busy=4))
                one.room(1.0 + 0.11 * k + at_s, controls())
                ear.meant(Controls(), 1.0 + 0.11 * k + at_s)
        return one.wish(2.0, controls(busy=4)), one.room(2.0, controls()), ear.meant(Controls(), 40.0)

    assert lived() == lived(0.0, 0.05) == lived(0.02, 5.0, 100.0)

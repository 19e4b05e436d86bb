"""The piano roll as a picture, without a terminal: where notes stand, and how the window follows the music."""

from hypothesis import given
from hypothesis import strategies as st

from livemuse.control.messages import NoteOff, NoteOn, Planned
from livemuse.tui.roll_picture import HEAD, LOUDNESSES, NOW, PLANNED, SOFTEST, Frame, extent, paint
from livemuse.tui.score import Score


def drawn(frame: Frame, score: Score, now_s: float) -> list[str]:
    """One character a half cell: . empty, | now-line, p P player and l L livemuse (capital: the head), - planned."""
    letters = {NOW: "|", PLANNED: "-"}
    for who, (small, large) in {"player": ("p", "P"), "livemuse": ("l", "L")}.items():
        letters |= {SOFTEST[who] + level: small for level in range(LOUDNESSES)} | {SOFTEST[who] + HEAD: large}
    return ["".join(letters.get(shade, ".") for shade in lane) for lane in paint(frame, score, now_s)]


def test_notes_move_from_the_right_through_the_now_line() -> None:
    score = Score()
    score.note_on(NoteOn("player", 61, 100, 9.65))
    score.note_off(NoteOff("player", 61, 9.85))
    score.note_on(NoteOn("livemuse", 60, 100, 9.95))
    score.plan(Planned(1, ((10.25, 10.45, 61, 90), (10.35, 99.0, 60, 90), (9.95, 10.25, 60, 90))))
    frame = Frame(columns=12, lanes=3, low=60)
    assert drawn(frame, score, 10.05) == [
        "........|...",
        "....Pp..|.--",
        ".......Ll-.-",
    ]
    assert drawn(frame, score, 10.15) == [
        "........|...",
        "...Pp...|--.",
        "......Lll---",
    ]


def test_repeated_notes_are_told_apart_and_a_short_one_is_seen() -> None:
    score = Score()
    for onset_s in (9.25, 9.45, 9.65):
        score.note_on(NoteOn("player", 60, 100, onset_s))
        score.note_off(NoteOff("player", 60, onset_s + 0.2))
    score.note_on(NoteOn("player", 61, 100, 9.66))
    score.note_off(NoteOff("player", 61, 9.67))
    assert drawn(Frame(12, 2, 60), score, 10.05) == ["....P...|...", "PpPpPp..|..."]


def test_louder_is_brighter() -> None:
    score = Score()
    for pitch, velocity in ((60, 1), (61, 127)):
        score.note_on(NoteOn("player", pitch, velocity, 9.5))
    high, low = paint(Frame(12, 2, 60), score, 10.0)
    assert (high[6], low[6]) == (SOFTEST["player"] + LOUDNESSES - 1, SOFTEST["player"])


def test_the_window_glides_after_the_music_and_widens_for_two_hands() -> None:
    frame = Frame(80, 24, low=48)
    assert frame.following(52, 66, most_steps=1) == frame
    higher = frame.following(60, 75, most_steps=1)
    assert (higher.low, higher.pitches_a_lane) == (49, 1)
    wide = frame.following(28, 90, most_steps=1)
    assert wide.pitches_a_lane == 3
    assert 0 <= wide.lane_of(90) < wide.lane_of(28) < wide.lanes
    assert wide.following(60, 72, most_steps=1).pitches_a_lane == 1


pitches = st.integers(0, 127)


@given(pitches, pitches, st.integers(1, 80), st.integers(-10, 130), st.integers(1, 4))
def test_the_music_is_always_reached(one: int, other: int, lanes: int, low: int, scale: int) -> None:
    lowest, highest = sorted((one, other))
    frame = Frame(40, lanes, low, scale)
    for _ in range(300):
        frame = frame.following(lowest, highest, most_steps=1)
    assert 0 <= frame.lane_of(highest) <= frame.lane_of(lowest) < lanes
    assert frame == frame.following(lowest, highest, most_steps=1)


events = st.one_of(
    st.builds(NoteOn, st.sampled_from(["player", "livemuse"]), pitches, st.integers(1, 127), st.floats(-1e12, 1e12)),
    st.builds(NoteOff, st.sampled_from(["player", "livemuse"]), pitches, st.floats(-1e12, 1e12)),
    st.builds(Planned, st.just(1), st.lists(st.tuples(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), pitches,
                                                      st.integers(1, 127)), max_size=5).map(tuple)),
)  # fmt: skip


@given(st.lists(events, max_size=20), st.floats(0, 1e9), st.integers(0, 90), st.integers(0, 40))
def test_whatever_the_engine_tells_is_drawn(told: list[object], now_s: float, columns: int, lanes: int) -> None:
    score = Score()
    for event in told:
        match event:
            case NoteOn():
                score.note_on(event)
            case NoteOff():
                score.note_off(event)
            case Planned():
                score.plan(event)
    picture = paint(Frame(columns, lanes), score, now_s)
    assert len(picture) == lanes
    assert all(len(lane) == columns for lane in picture)
    extent(score, now_s, now_s + 5)
    score.forget_before(now_s)
    score.moves(now_s, now_s - 5)
    score.all_off(now_s)
    assert not score.sounding

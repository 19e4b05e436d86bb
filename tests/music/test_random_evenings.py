"""Whatever happens in an evening: nothing hangs, nothing passes a ceiling, and the same evening is the same again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from livemuse.engine.virtual import Evening
from livemuse.model.improviser import Improviser
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import AllNotesOff, KeyDown, KeyUp, Pedal, PlannedNote
from livemuse.testing.scripted import ScriptedStepper

_CONTROLS = st.sampled_from(
    [
        ("mode", "answer"), ("mode", "continue"), ("mode", "solo"), ("mode", "duet"), ("busy", 1),
        ("channel_upper", 2), ("temperature", 0), ("temperature", 1.5),
        ("density", 4), ("density", 0.25), ("register", "60-62"), ("on_interrupt", "overlap"),
        ("on_interrupt", "ignore"), ("on_interrupt", "yield"), ("wait", 0.1), ("answer_length", "2 s"),
        ("patience", 0), ("patience", 1),
        ("answer_length", "3 notes"), ("max_voices", 1), ("max_notes_per_s", 3), ("key", "Eb dorian"), ("seed", 5),
    ]
)  # fmt: skip
_EVENTS = st.one_of(
    st.tuples(st.just("down"), st.integers(0, 1), st.integers(40, 80)),
    st.tuples(st.just("up"), st.integers(0, 1), st.integers(40, 80)),
    st.tuples(st.just("pedal"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("off"), st.integers(0, 1), st.none()),
    st.tuples(st.just("do"), st.sampled_from(["answer", "later", "stop", "finish", "panic", "tacet"]), st.none()),
    st.tuples(st.just("set"), _CONTROLS, st.none()),
)
_SCRIPTS = st.lists(st.tuples(st.floats(0.001, 2.0), _EVENTS), max_size=40)


def live_through(script: list[tuple[float, tuple[str, object, object]]]) -> tuple[Evening, list[PlannedNote]]:
    night = Evening(Duet(Controls()), Improviser(ScriptedStepper(confidence=1.0, duration_s=3.0)))
    at_s = 0.0
    for gap_s, (kind, first, second) in script:
        at_s += gap_s
        match kind, first, second:
            case "down", int(channel), int(pitch):
                night.hear(KeyDown(at_s, channel, pitch, 70))
            case "up", int(channel), int(pitch):
                night.hear(KeyUp(at_s, channel, pitch))
            case "pedal", int(channel), bool(down):
                night.hear(Pedal(at_s, channel, down))
            case "off", int(channel), _:
                night.hear(AllNotesOff(at_s, channel))
            case "do", str(action), _:
                night.do(at_s, action)
            case "set", (str(name), value), _:
                night.set(at_s, name, value)
    night.set(at_s + 1.0, "mode", "answer")
    night.do(at_s + 2.0, "stop")
    return night, night.run(at_s + 200.0)


@settings(max_examples=150, deadline=None)
@given(_SCRIPTS)
def test_every_evening_ends_in_silence(script: list[tuple[float, tuple[str, object, object]]]) -> None:
    night, played = live_through(script)
    assert night.stage.open_takes == []
    assert night.stage.next_due_s() is None
    assert all(0.0 <= note.duration_s <= 8.0 and note.end_s < night.now_s for note in played)
    assert all(0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 for note in played)


@settings(max_examples=60, deadline=None)
@given(_SCRIPTS)
def test_never_more_than_the_ceilings_allow(script: list[tuple[float, tuple[str, object, object]]]) -> None:
    few = [(0.01, ("set", ("max_voices", 1), None)), (0.01, ("set", ("max_notes_per_s", 3), None))]
    script = [(gap_s, e) for gap_s, e in script if not (e[0] == "set" and str(e[1]).startswith("('max_"))]
    _, played = live_through(few + script)  # type: ignore[operator]
    onsets_s = [note.onset_s for note in played]
    assert all(later - earlier >= 1.0 for earlier, later in zip(onsets_s, onsets_s[3:], strict=False))
    for note in played:
        others = [n for n in played if n is not note and n.onset_s <= note.onset_s < n.end_s - 1e-9]
        assert not others, "one voice, and yet two sounded"


@settings(max_examples=30, deadline=None)
@given(_SCRIPTS)
def test_the_same_evening_again_is_the_same(script: list[tuple[float, tuple[str, object, object]]]) -> None:
    assert live_through(script)[1] == live_through(script)[1]

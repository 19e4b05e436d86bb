"""The table of controls: every value a person may write, and every one that gets a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.errors import ControlError
from livemuse.music.controls import ACTIONS, CONTROLS, Controls, parse_action, parse_control


@pytest.mark.parametrize(
    ("name", "given_value", "kept"),
    [
        ("temperature", "0", 0.0), ("temperature", 2, 2.0), ("top_k", "128", 128), ("top_p", 0.05, 0.05),
        ("key", "eb Dorian", "Eb dorian"), ("key", "OFF", "off"), ("key", "f#", "F# major"),
        ("key", "{c e g a}", "{C E G A}"), ("key", "E spanish", "E phrygian dominant"), ("chords", "Off", "off"),
        ("chords", " Am  F\tC G ", "Am F C G"), ("chords", "Pop in Eb", "pop in Eb"), ("chords", "ii V7 I", "ii V7 I"),
        ("polyphony", "Auto", "auto"), ("polyphony", "3", 3), ("tempo", "100", 100.0),
        ("tempo", "Auto", "auto"), ("key", "AUTO", "auto"), ("chords", " auto", "auto"),
        ("register", "60-84", "60-84"), ("register", "060 - 084", "60-84"), ("register", "auto", "auto"),
        ("wait", "1.5 s", 1.5), ("wait", "auto", "auto"), ("answer_length", "8 s", "8 s"),
        ("answer_length", "1 note", "1 notes"), ("answer_length", "4 BARS", "4 bars"), ("channel_in", "16", 16),
        ("channel_in", "All", "all"), ("seed", 2**63 - 1, 2**63 - 1), ("seed", "007", 7), ("mode", "Solo", "solo"),
    ],
)  # fmt: skip
def test_what_may_be_written(name: str, given_value: object, kept: object) -> None:
    assert parse_control(name, given_value) == kept


@pytest.mark.parametrize(
    ("name", "given_value"),
    [
        ("temperature", 2.01), ("temperature", -0.1), ("temperature", "nan"), ("temperature", "warm"),
        ("temperature", True), ("temperature", None), ("temperature", float("inf")), ("top_k", "1.5"), ("top_k", 129),
        ("top_p", 0), ("key", "H major"), ("key", "C klezmer"), ("key", ""), ("register", "84-60"),
        ("register", "0-128"), ("register", "-1-20"), ("wait", 0), ("answer_length", "0 s"), ("answer_length", "8"),
        ("answer_length", "2.5 notes"), ("answer_length", "nan s"), ("channel_out", 0), ("channel_in", 17),
        ("seed", -1),
        ("seed", "²"), ("seed", 2**64), ("mode", "trio"), ("model", ""), ("model", "a\x1bb"), ("chords", "Am Q"),
        ("chords", ""), ("chords", "| Am:5 |"), ("chords", "pop in H"), ("tempo", 19), ("tempo", "fast"),
        ("top_k", "+-5"), ("loops", "--4"),
        ("program_out", "0x5"), ("answer_length", "0.1 s"),
        ("polyphony", 0), ("polyphony", "many"), ("dynamics", 1.1), ("stay_out", -0.1), ("key", "{C H}"),
        ("imitate", 1.5), ("quantise", 1), ("nonsense", 1),
    ],
)  # fmt: skip
def test_what_gets_a_sentence(name: str, given_value: object) -> None:
    with pytest.raises(ControlError) as refusal:
        parse_control(name, given_value)
    assert refusal.value.what.endswith(".")
    assert refusal.value.remedy.endswith(".")


@pytest.mark.parametrize("name", CONTROLS)
def test_every_default_is_a_value_the_table_accepts(name: str) -> None:
    row = CONTROLS[name]
    assert parse_control(name, row.default) == row.default
    assert row.help.endswith(".")
    for choice in row.choices:
        assert parse_control(name, choice) == choice


@given(st.sampled_from(sorted(CONTROLS)), st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()))
def test_anything_is_kept_or_refused_and_what_is_kept_stays(name: str, value: object) -> None:
    try:
        kept = parse_control(name, value)
    except ControlError:
        return
    assert parse_control(name, kept) == kept


def test_replacing_leaves_the_old_ones_alone() -> None:
    before = Controls()
    after = before.replaced("temperature", 0.25)
    assert (before["temperature"], after["temperature"]) == (CONTROLS["temperature"].default, 0.25)


def test_actions() -> None:
    assert parse_action("panic") == "panic"
    assert all(text.endswith(".") for text in ACTIONS.values())
    with pytest.raises(ControlError):
        parse_action("encore")

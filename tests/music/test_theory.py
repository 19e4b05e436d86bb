"""Keys as musicians write them: every mode by its names, and pitches of one's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.errors import ControlError
from livemuse.music.scales import SCALES, scale_called
from livemuse.music.theory import PITCH_CLASS_NAMES, Key, parse_key, pitch_class_of


def names(text: str) -> str:
    key = parse_key(text)
    return " ".join(PITCH_CLASS_NAMES[(key.tonic + step) % 12] for step in key.steps)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("C", "C D E F G A B"), ("D dorian", "D E F G A B C"), ("E phrygian", "E F G A B C D"),
        ("F lydian", "F G A B C D E"), ("G mixolydian", "G A B C D E F"), ("Am", "A B C D E F G"),
        ("B locrian", "B C D E F G A"), ("A harmonic minor", "A B C D E F Ab"),
        ("B locrian natural 6", "B C D E F Ab A"), ("C ionian #5", "C D E F Ab A B"),
        ("D ukrainian dorian", "D E F Ab A B C"), ("E phrygian dominant", "E F Ab A B C D"),
        ("F lydian #2", "F Ab A B C D E"), ("Ab ultralocrian", "Ab A B C D E F"),
        ("A melodic minor", "A B C D E F# Ab"), ("B dorian b2", "B C D E F# Ab A"),
        ("C lydian augmented", "C D E F# Ab A B"), ("D lydian dominant", "D E F# Ab A B C"),
        ("E mixolydian b6", "E F# Ab A B C D"), ("F# locrian #2", "F# Ab A B C D E"),
        ("G# altered", "Ab A B C D E F#"), ("C pentatonic", "C D E G A"), ("A minor pentatonic", "A C D E G"),
        ("D hirajoshi", "D E F A Bb"), ("C blues", "C Eb F F# G Bb"), ("C major blues", "C D Eb E G A"),
        ("Db whole tone", "Db Eb F G A B"), ("C octatonic", "C D Eb F F# Ab A B"),
        ("C half-whole", "C Db Eb E F# G A Bb"),
    ],
)  # fmt: skip
def test_scales(text: str, notes: str) -> None:
    assert names(text) == notes


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("E spanish", "E phrygian dominant"), ("F overtone", "F lydian dominant"), ("g SUPER-LOCRIAN", "G altered"),
        ("Bb lydian ♭7", "Bb lydian dominant"), ("c aeolian", "C minor"), ("C ionian scale", "C major"),
        ("F♯m", "F# minor"), ("B♭_natural_minor", "Bb minor"), ("Ebb major", "D major"),
        ("C jazz minor", "C melodic minor"),
        ("C diminished", "C octatonic"), ("C locrian sharp 2", "C locrian #2"),
    ],
)  # fmt: skip
def test_other_names(written: str, meant: str) -> None:
    assert str(parse_key(written)) == meant


@pytest.mark.parametrize("written", ["{C E G A}", "{c, e, g, a}", "C E G A", "C,E,G,A", "{C E G A", "{C E E G A}"])
def test_pitches_of_ones_own(written: str) -> None:
    key = parse_key(written)
    assert str(key) == "{C E G A}"
    assert key.pitch_classes == {0, 4, 7, 9}
    assert parse_key(str(key)) == key


def test_the_first_pitch_is_the_tonic() -> None:
    key = parse_key("{Eb D F# C}")
    assert (key.tonic, str(key)) == (3, "{Eb F# C D}")
    assert parse_key("A C E").is_minor
    assert not parse_key("A C# E").is_minor


def test_no_two_scales_are_the_same_and_every_name_leads_to_one() -> None:
    assert len(set(SCALES.values())) == len(SCALES)
    for name, steps in SCALES.items():
        assert scale_called(name) == name
        assert steps[0] == 0
        assert list(steps) == sorted(set(steps))
        for tonic in range(12):
            key = Key(tonic, name)
            assert parse_key(str(key)) == key


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("C klezmer", "no scale called 'klezmer'", "Known: major, dorian"), ("D dorain", "'dorain'", "Near: dorian"),
        ("H major", "'H major' is not a key", "Eb dorian"), ("", "not a key", "{C E G A}"),
        ("{C H}", "no set of pitches", "{C E G A}"), ("{}", "no set of pitches", "{C E G A}"),
        ("Cm dorian", "not a key", "Eb dorian"),
    ],
)  # fmt: skip
def test_what_is_no_key_is_said(text: str, what: str, remedy: str) -> None:
    with pytest.raises(ControlError) as refusal:
        parse_key(text)
    assert what in refusal.value.what
    assert remedy in refusal.value.remedy
    assert len(str(refusal.value)) < 200


@given(st.text(max_size=30))
def test_anything_is_a_key_or_refused(text: str) -> None:
    try:
        key = parse_key(text)
    except ControlError:
        return
    assert parse_key(str(key)) == key
    assert key.tonic in key.pitch_classes


def test_names_of_pitch_classes() -> None:
    assert [pitch_class_of(n) for n in ("C", "e♭", "F##", "Cb", "Bbb", "H", "", "C#b")] == [
        0,
        3,
        7,
        11,
        9,
        None,
        None,
        None,
    ]

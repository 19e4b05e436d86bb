"""Chord symbols, numerals and progressions: what musicians type, and the notes that are meant."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.errors import ControlError
from livemuse.music.chords import Chord, parse_chord
from livemuse.music.numerals import parse_numeral
from livemuse.music.progressions import NAMED, Progression, progression, tidy_progression
from livemuse.music.theory import PITCH_CLASS_NAMES, parse_key


def notes(chord: Chord | None) -> str:
    """The notes of a chord upward from its root."""
    assert chord is not None
    classes = [(chord.root + k) % 12 for k in range(12)]
    return " ".join(PITCH_CLASS_NAMES[c] for c in classes if c in chord.pitch_classes)


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        ("C Cmaj CM Cmajor", "C E G"), ("Cm C- Cmin Cmi c-", "C Eb G"), ("C7", "C E G Bb"),
        ("Cmaj7 CM7 CΔ CΔ7 Cma7 CMaj7 C7M Cmaj7/C", "C E G B"), ("Cm7 C-7 Cmin7 CMi7", "C Eb G Bb"),
        ("Cm(maj7) CmM7 CmΔ C-maj7 Cm7M", "C Eb G B"), ("C° Cdim Co", "C Eb F#"), ("C°7 Cdim7 Co7", "C Eb F# A"),
        ("Cø Cø7 Cm7b5 C-7b5 Cm7(b5) Cm7♭5", "C Eb F# Bb"), ("C+ Caug C(#5)", "C E Ab"),
        ("C+7 C7+ C7#5 Caug7 C7(+5)", "C E Ab Bb"), ("C6", "C E G A"), ("Cm6", "C Eb G A"), ("C6/9 C69", "C D E G A"),
        ("C9", "C D E G Bb"), ("Cmaj9", "C D E G B"), ("Cm9 C-9", "C D Eb G Bb"), ("C11", "C D F G Bb"),
        ("Cm11", "C D Eb F G Bb"), ("C13", "C D E G A Bb"), ("Cm13", "C D Eb F G A Bb"), ("Csus4 Csus C4", "C F G"),
        ("Csus2", "C D G"), ("C7sus4 C7sus", "C F G Bb"), ("C9sus4", "C D F G Bb"), ("Cadd9 C(add9) C2", "C D E G"),
        ("Cmadd9", "C D Eb G"), ("C5", "C G"), ("C7b9 C7-9", "C Db E G Bb"), ("C7#9 C7+9", "C Eb E G Bb"),
        ("C7b9#9", "C Db Eb E G Bb"), ("C7(b9,#11)", "C Db E F# G Bb"), ("C7alt Calt", "C Db Eb E F# Ab Bb"),
        ("Cmaj7#11", "C E F# G B"), ("C13#11", "C D E F# G A Bb"), ("C7b9b13", "C Db E G Ab Bb"), ("C7no3", "C G Bb"),
        ("Cm7add11", "C Eb F G Bb"),
    ],
)  # fmt: skip
def test_symbols(symbols: str, expected: str) -> None:
    for symbol in symbols.split():
        assert notes(parse_chord(symbol)) == expected, symbol


def test_roots_basses_and_no_chord() -> None:
    assert notes(parse_chord("F#m7b5")) == "F# A C E"
    assert notes(parse_chord("B♭maj7")) == "Bb D F A"
    assert notes(parse_chord("bb")) == "Bb D F"
    slash = parse_chord("D/F#")
    assert slash is not None
    assert (slash.root, slash.bass, notes(slash)) == (2, 6, "D F# A")
    assert notes(parse_chord("C/Bb")) == "C E G Bb"
    assert parse_chord("N.C.") is None is parse_chord("nc")


@pytest.mark.parametrize("symbol", ["H", "Cfoo", "C77", "Cmm", "C/", "C/H", "C#b", "", "Cdimaug", "C" * 60, "1", "C8"])
def test_what_is_no_symbol_is_said(symbol: str) -> None:
    with pytest.raises(ControlError, match="is no chord"):
        parse_chord(symbol)


def test_another_root_is_the_same_chord_higher() -> None:
    for suffix in ("", "m7b5", "13#11", "7alt", "6/9", "sus2"):
        plain = parse_chord(f"C{suffix}")
        assert plain is not None
        for root, name in enumerate(PITCH_CLASS_NAMES):
            higher = parse_chord(f"{name}{suffix}")
            assert higher is not None
            assert higher.pitch_classes == {(c + root) % 12 for c in plain.pitch_classes}


@pytest.mark.parametrize(
    ("numeral", "key", "symbol"),
    [
        ("ii7", "C", "Dm7"), ("V7", "Bb", "F7"), ("bVII", "C", "Bb"), ("♭VI", "E", "C"), ("#iv°7", "C", "F#dim7"),
        ("viiø7", "C", "Bm7b5"), ("Imaj7", "Eb", "Ebmaj7"), ("imaj7", "A minor", "AmM7"), ("V/V", "C", "D"),
        ("V7/ii", "C", "A7"), ("vii°7/vi", "C", "G#dim7"), ("iii/iv", "C", "Abm"), ("V65", "C", "G7/B"),
        ("I64", "C", "C/G"), ("I6", "C", "C/E"), ("V42", "C", "G7/F"), ("iiø65", "C", "Dm7b5/F"), ("im6", "C", "Cm6"),
        ("I6/9", "C", "C6/9"), ("III", "A minor", "C"), ("VI", "A minor", "F"), ("bVI", "A minor", "F"),
        ("VII", "A minor", "G"), ("bVII", "A minor", "G"), ("vii°", "A minor", "G#dim"), ("#vii°", "A minor", "G#dim"),
        ("vii°", "A harmonic minor", "G#dim"), ("IV", "D dorian", "G"), ("bII", "A minor", "Bb"),
        ("II", "F lydian", "G"),
        ("IV", "C major pentatonic", "F"), ("VI", "A blues", "F"), ("V7sus4", "C", "Gsus47"), ("VI+", "C", "A+"),
    ],
)  # fmt: skip
def test_numerals(numeral: str, key: str, symbol: str) -> None:
    found, meant = parse_numeral(numeral, parse_key(key)), parse_chord(symbol)
    assert found is not None
    assert meant is not None
    assert (found.root, found.bass, notes(found)) == (meant.root, meant.bass, notes(meant))


def rows(text: str, key: str = "C") -> list[tuple[str, float]]:
    found = progression(text, parse_key(key))
    return [*zip([str(chord) for chord in found.chords], found.starts_beats, strict=True), ("", found.length_beats)]


BARS = [("Am", 0), ("F", 4), ("C", 8), ("G", 12), ("", 16)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Am F C G", BARS), ("| Am | F | C | G |", BARS), ("Am, F, C, G", BARS), ("Am-F-C-G", BARS), ("am f c g", BARS),
        ("Am → F → C → G", BARS), ("vi IV I V", BARS), ("vi-IV-I-V", BARS), ("VI iv i V in A minor", [
            ("F", 0), ("Dm", 4), ("Am", 8), ("E", 12), ("", 16)]),
        ("Am:2 F:2 C G", [("Am", 0), ("F", 2), ("C", 4), ("G", 8), ("", 12)]),
        ("| Am F | C G |", [("Am", 0), ("F", 2), ("C", 4), ("G", 6), ("", 8)]),
        ("| Am:3 F | % | C || G |", [("Am", 0), ("F", 3), ("Am", 4), ("F", 7), ("C", 8), ("G", 12), ("", 16)]),
        ("Am Am F N.C.", [("Am", 0), ("F", 8), ("None", 12), ("", 16)]),
        ("C-7 F-7", [("C-7", 0), ("F-7", 4), ("", 8)]),
        ("ii V I", [("Dm", 0), ("G", 4), ("C", 8), ("", 12)]),
        ("ii-V-I", [("Dm7", 0), ("G7", 4), ("Cmaj7", 8), ("", 16)]),
    ],
)  # fmt: skip
def test_lengths(text: str, expected: list[tuple[str, float]]) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize(
    ("text", "key", "chords"),
    [
        ("pop", "G", "G D Em C"), ("pop", "A minor", "C G Am F"), ("Pop in Eb", "G", "Eb Bb Cm Ab"),
        ("doo-wop", "C", "C Am F G"), ("doo wop", "C", "C Am F G"), ("andalusian", "A minor", "Am G F E"),
        ("andalusian in C", "G", "Cm Bb Ab G"), ("andalusian", "C", "Am G F E"), ("canon", "D", "D A Bm F#m G D G A"),
        ("minor ii-V-i", "A minor", "Bø7 E7b9 Am7"), ("blues in A", "C", "A7 D7 A7 E7 D7 A7 E7"),
        ("rhythm changes", "Bb", "Bb G7 Cm7 F7 Bb G7 Cm7 F7 Fm7 Bb7 Eb E°7 Bb G7 Cm7 F7"),
    ],
)  # fmt: skip
def test_progressions_by_name(text: str, key: str, chords: str) -> None:
    assert " ".join(name for name, _ in rows(text, key)[:-1]) == chords


def test_a_blues_has_twelve_bars() -> None:
    for name in ("blues", "quick blues", "minor blues", "jazz blues"):
        assert progression(name).length_beats == 48
    assert progression("rhythm changes A").length_beats == progression("rhythm changes B").length_beats == 32


@pytest.mark.parametrize("name", NAMED)
def test_every_named_progression_is_the_same_in_every_key(name: str) -> None:
    plain = progression(f"{name} in C")
    for tonic, pitch in enumerate(PITCH_CLASS_NAMES):
        higher = progression(f"{name} in {pitch}")
        assert higher.starts_beats == plain.starts_beats
        for one, other in zip(plain.chords, higher.chords, strict=True):
            assert one is not None
            assert other is not None
            assert other.pitch_classes == {(c + tonic) % 12 for c in one.pitch_classes}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no chord in that"), ("| |", "no chord in that"), ("%", "no chord in that"),
        ("Am F nonsense", "'nonsense'"),
        ("| Am:5 |", "has not four beats"), ("| Am:3 |", "has not four beats"), ("Am:0", "length in 'Am:0'"),
        ("Am:65", "length in 'Am:65'"), ("pop in H", "'H' is not a key"), ("Am " * 200, "too long"),
        ("ii V in C klezmer", "no scale"), ("x" * 2000, "too long"),
    ],
)  # fmt: skip
def test_what_is_no_progression_is_said(text: str, sentence: str) -> None:
    with pytest.raises(ControlError, match=sentence):
        tidy_progression(text)


def test_the_chord_of_a_beat_and_how_long_it_holds() -> None:
    found = progression("C C F C")  # the last C goes on into the first
    told = [(str(span.chord), span.from_beats, span.until_beats) for span in map(found.at, (0, 7.9, 8, 12, 16, 24))]
    assert told == [("C", 0, 8), ("C", 0, 8), ("F", 8, 12), ("C", 12, 24), ("C", 12, 24), ("F", 24, 28)]
    assert progression("Am").at(1e6).until_beats == math.inf
    assert found.at(-3.0) == found.at(0.0)
    assert progression("Am F C G").pitch_classes == parse_key("C").pitch_classes


@given(
    st.lists(st.tuples(st.sampled_from(["Am", "F", "C/E", "G7", "N.C."]), st.integers(1, 9)), min_size=1, max_size=12),
    st.floats(0, 1e4),
)
def test_every_beat_has_one_chord_and_chords_follow_on_each_other(lengths: list[tuple[str, int]], beat: float) -> None:
    found = progression(" ".join(f"{symbol}:{beats}" for symbol, beats in lengths))
    here = found.at(beat)
    assert here.from_beats <= beat + 1e-6
    assert beat < here.until_beats + 1e-6
    written = [symbol for symbol, beats in lengths for _ in range(beats)]
    inside = (math.floor(beat) + 0.5) % len(written)
    assert str(found.at(math.floor(beat) + 0.5).chord) == {"N.C.": "None"}.get(s := written[int(inside)], s)
    if math.isfinite(here.until_beats):
        following = found.at(here.until_beats + 1e-6)
        assert following.chord != here.chord
        assert following.from_beats == pytest.approx(here.until_beats)


@given(st.text(alphabet="AmFCG7b#iIvV/|:-% 24dsun.N°", max_size=30))
def test_anything_is_a_progression_or_refused_and_what_is_kept_stays(text: str) -> None:
    try:
        kept = tidy_progression(text)
    except ControlError:
        return
    assert tidy_progression(kept) == kept
    assert isinstance(progression(kept), Progression)

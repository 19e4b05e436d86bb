"""Mixes of styles as people write them, and as a model understands them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemuse.errors import ControlError
from livemuse.music.controls import parse_control
from livemuse.music.styles import (
    chosen_style,
    find_label,
    mix_text,
    parse_mix,
    resolve,
    settled_style,
    short_mix,
    unheard,
)

LABELS = ("genre:jazz", "genre:art song", "composer:Chopin", "composer:Saint-Saëns", "composer:Bach J. S.", "mood:calm")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("jazz 0.7, Chopin 0.3", "genre:jazz 0.7, composer:Chopin 0.3"),
        ("JAZZ .7 + chopin 30%", "genre:jazz 0.7, composer:Chopin 0.3"),
        ("0.7 jazz; chopin=0.3", "genre:jazz 0.7, composer:Chopin 0.3"),
        ("composer:chopin", "composer:Chopin 1"),
        ("Composer: Chopin: 0.25", "composer:Chopin 0.25"),
        ("saint saens", "composer:Saint-Saëns 1"),
        ("bach", "composer:Bach J. S. 1"),
        ("Art Song 1, jazz 0", "genre:art song 1"),
        ("jazz .2, jazz .9", "genre:jazz 0.9"),
        ("", "none"), (" None ", "none"), ("off", "none"),
    ],
)  # fmt: skip
def test_writing_is_forgiving(written: str, kept: str) -> None:
    assert chosen_style(str(parse_control("style", written)), LABELS, "a model") == kept
    assert chosen_style(kept, LABELS, "a model") == kept


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("jaz", "The model knows no style 'jaz'. Near: genre:jazz."),
        ("chopni 0.5", "The model knows no style 'chopni'. Near: composer:Chopin."),
        ("xylophone", "The model knows no style 'xylophone'. It knows: " + ", ".join(LABELS) + "."),
        ("jazz 1.5", "The weight of jazz cannot be 1.5. It is a number from 0 to 1."),
        ("jazz 200%", "The weight of jazz cannot be 200%. It is a number from 0 to 1."),
        ("jazz, !", "style cannot be '!'. Write it as 'jazz 0.7, Chopin 0.3', or none."),
    ],
)
def test_what_it_does_not_know_gets_one_sentence_and_what_is_near(written: str, sentence: str) -> None:
    with pytest.raises(ControlError) as refusal:
        chosen_style(written, LABELS, "a model")
    assert str(refusal.value) == sentence


def test_a_name_of_two_kinds_needs_its_kind() -> None:
    labels = ("genre:romantic", "mood:romantic")
    with pytest.raises(ControlError, match="more than one style"):
        find_label("Romantic", labels)
    assert find_label("mood:Romantic", labels) == "mood:romantic"


def test_a_model_without_styles_says_so() -> None:
    with pytest.raises(ControlError, match="The model concert has no styles"):
        chosen_style("jazz", (), "concert")
    assert chosen_style("none", (), "concert") == "none"


def test_a_mix_is_kept_when_the_model_is_changed_and_what_is_unknown_is_said() -> None:
    kept = "genre:jazz 0.7, composer:Chopin 0.3"
    assert unheard(kept, ("genre:jazz",), "lead") == "The model lead does not know composer:Chopin, which is left out."
    assert unheard(kept, LABELS, "open") == ""
    assert resolve(parse_mix(kept), ("genre:jazz",)) == ((("genre:jazz", 0.7),), ("composer:Chopin",))
    assert chosen_style("jazz 0.1, composer:Chopin 0.3", ("genre:jazz",), "lead", kept) == (
        "genre:jazz 0.1, composer:Chopin 0.3"
    )
    assert settled_style("chopin .3, Jazz .7", ("genre:jazz",)) == "genre:jazz 0.7, chopin 0.3"


def test_in_few_characters() -> None:
    assert short_mix("genre:jazz 0.7, composer:Chopin 1") == "jazz .7, Chopin"
    assert short_mix("none") == "none"


NAMES = st.text(st.characters(categories=["Ll", "Lu"]), min_size=1, max_size=12).filter(
    lambda name: name.casefold() not in ("none", "off")
)


@given(st.dictionaries(st.builds("{}:{}".format, NAMES, NAMES), st.integers(1, 1000), min_size=1, max_size=12))
def test_what_is_kept_is_read_as_the_same_mix(weights: dict[str, int]) -> None:
    mix = tuple((name, weight / 1000) for name, weight in weights.items())
    assert parse_mix(mix_text(mix)) == mix


@given(st.text(max_size=80))
def test_anything_written_is_kept_as_it_reads_or_refused(text: str) -> None:
    try:
        mix = parse_mix(text)
    except ControlError:
        return
    assert all(0 < weight <= 1 for _, weight in mix)
    resolve(mix, LABELS)

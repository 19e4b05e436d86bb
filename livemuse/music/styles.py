"""Mixes of styles as text: ``genre:jazz 0.7, composer:Chopin 0.3``. What a label is, the model that plays says.

Writing is forgiving (``jazz .7 + chopin 30%``), and a label that a model lacks is answered with those that are near.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from livemuse.errors import ControlError

NO_STYLE: Final = "none"
MOST_LABELS: Final = 16  # in one mix
_LONGEST: Final = 1000  # characters: what a value may have on the control socket
_NOTHING: Final = frozenset({"", NO_STYLE, "off", "no style"})
_AMOUNT: Final = r"(\d{0,6}\.?\d{1,9}|\d{1,6}\.)(%?)"
_AFTER: Final = re.compile(rf"(.*?)\s*[\s=:]\s*{_AMOUNT}", re.ASCII | re.DOTALL)
_BEFORE: Final = re.compile(rf"{_AMOUNT}\s*[\s*]\s*(.*)", re.ASCII | re.DOTALL)
_SEVERAL: Final = 6  # labels named in a refusal

Mix = tuple[tuple[str, float], ...]
"""Labels, or what a person calls them, each with its weight above 0 and up to 1."""


def parse_mix(text: str) -> Mix:
    """The labels and weights in what a person wrote, nothing for ``none``; ControlError.

    A label without a weight weighs 1; of one named twice the last counts; what weighs 0 is left out.
    """
    if text.strip().casefold() in _NOTHING:
        return ()
    weights: dict[str, float] = {}
    for part in re.split(r"[,;+\n]", text[: 2 * _LONGEST]):
        if part.strip():
            name, weight = _one(part.strip())
            weights.pop(name, None)
            weights[name] = weight
    mix = tuple((name, weight) for name, weight in weights.items() if weight > 0.0)
    if len(mix) > MOST_LABELS or len(text) > _LONGEST:
        raise ControlError("That is too long a mix of styles.", f"Mix at most {MOST_LABELS} of them.")
    return mix


def mix_text(mix: Iterable[tuple[str, float]]) -> str:
    """A mix as it is kept: ``genre:jazz 0.7, composer:Chopin 0.3``, or ``none``."""
    return ", ".join(f"{name} {weight:g}" for name, weight in mix) or NO_STYLE


def short_mix(text: str) -> str:
    """A mix as text in few characters: ``jazz .7, Chopin .3``."""
    weights = {name_of(label): f" {weight:g}".replace(" 0.", " .") for label, weight in parse_mix(text)}
    return ", ".join(name + weight.removesuffix(" 1") for name, weight in weights.items()) or NO_STYLE


def name_of(label: str) -> str:
    """A label without its kind: ``jazz`` of ``genre:jazz``."""
    return label.partition(":")[2].strip() or label


def find_label(name: str, labels: Sequence[str]) -> str:
    """The label that is meant by ``name``; ControlError with those that are near where there is none, or several.

    Case, accents, hyphens and the kind before the colon may be left out, and so may words where one label has the rest.
    """
    given = _plain(name)
    for reads in (_plain, lambda label: _plain(name_of(label))):
        found = [label for label in labels if reads(label) == given]
        if found:
            break
    else:
        found = [label for label in labels if given and f" {given} " in f" {_plain(name_of(label))} "]
    if len(found) == 1:
        return found[0]
    if found:
        raise ControlError(f"{name[:60]!r} is more than one style.", f"Write one of: {_some(found)}.")
    import difflib  # late: it is seldom needed, and a console must be there at once

    by_name = {_plain(name_of(label)): label for label in reversed(labels)}
    by_name |= {_plain(label): label for label in labels}
    near = [by_name[close] for close in difflib.get_close_matches(given[:60], by_name, 2 * _SEVERAL, 0.6)]
    near = list(dict.fromkeys(near))
    raise ControlError(
        f"The model knows no style {name[:60]!r}.", f"Near: {_some(near)}." if near else f"It knows: {_some(labels)}."
    )


def resolve(mix: Mix, labels: Sequence[str]) -> tuple[Mix, tuple[str, ...]]:
    """The mix in a model's own labels, and the names in it that the model does not know."""
    known: dict[str, float] = {}
    unknown = []
    for name, weight in mix:
        try:
            known[find_label(name, labels)] = weight
        except ControlError:
            unknown.append(name)
    return tuple(known.items()), tuple(unknown)


def chosen_style(text: str, labels: Sequence[str], model: str, kept: str = NO_STYLE) -> str:
    """What ``text`` means to a model with these labels, as it is kept; ControlError for a label it lacks.

    A label that stands in ``kept`` may stay though this model does not know it: another may again.
    """
    mix = parse_mix(text)
    stay = {name for name, _ in parse_mix(kept)}
    found: dict[str, float] = {}
    for name, weight in mix:
        if name in stay and name not in labels:
            found[name] = weight
        elif not labels:
            raise ControlError(f"The model {model[:60]} has no styles.", "`livemuse models` shows which have some.")
        else:
            found[find_label(name, labels)] = weight
    return mix_text(found.items())


def settled_style(text: str, labels: Sequence[str]) -> str:
    """A mix in a model's own labels as far as it knows them; what it does not know stands last, as it was written."""
    mix = parse_mix(text)
    known, unknown = resolve(mix, labels)
    return mix_text((*known, *((name, weight) for name, weight in mix if name in unknown)))


def unheard(text: str, labels: Sequence[str], model: str) -> str:
    """A sentence on what of a mix a model does not know and so leaves out; empty where it knows all of it."""
    _, unknown = resolve(parse_mix(text), labels)
    if not unknown:
        return ""
    verb = "is" if len(unknown) == 1 else "are"
    return f"The model {model[:60]} does not know {_some(unknown)}, which {verb} left out."


def _one(part: str) -> tuple[str, float]:
    if written := _AFTER.fullmatch(part):
        name, digits, percent = written.groups()
    elif written := _BEFORE.fullmatch(part):
        digits, percent, name = written.groups()
    else:
        name, digits, percent = part, "1", ""
    name = " ".join(name.split())
    weight = round(float(digits) / (100.0 if percent else 1.0), 3)
    if not name or not name.isprintable() or not any(c.isalnum() for c in name):
        raise ControlError(f"style cannot be {part[:60]!r}.", "Write it as 'jazz 0.7, Chopin 0.3', or none.")
    if not 0.0 <= weight <= 1.0:
        raise ControlError(
            f"The weight of {name[:60]} cannot be {digits[:20]}{percent}.", "It is a number from 0 to 1."
        )
    return name, weight


def _plain(text: str) -> str:
    """Without case, accents and hyphens."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(re.sub(r"\s*:\s*", ":", re.sub(r"[-_'’.\s]+", " ", letters)).split())


def _some(labels: Sequence[str]) -> str:
    shown = ", ".join(label[:60] for label in labels[:_SEVERAL])
    return shown + (f" and {len(labels) - _SEVERAL} more" if len(labels) > _SEVERAL else "")

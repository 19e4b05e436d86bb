"""Telling a model what sounds, in the style that is asked for; and telling it anew where another one is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from livemuse.model.conversation import FEED, Ask, Talk, alone
from livemuse.model.free_take import Moment, Words
from livemuse.model.memory import RETOLD_NOTES
from livemuse.model.styles import style_for
from livemuse.music.protocols import Stepper


def begun(stepper: Stepper, mix: str) -> Any:
    """The model's state before the first note, in a mix of styles."""
    return stepper.start(style_for(mix, stepper.labels)) if stepper.labels else stepper.start()


def telling(moment: Moment, words: Words, labels: tuple[str, ...]) -> Talk[tuple[Any, tuple[tuple[Any, Words], ...]]]:
    """The state after one note more, told in the style of the moment; and the last notes so told."""
    if not labels:
        return (yield Ask(FEED, moment.state, words)), ()
    state = yield Ask(FEED, moment.state, words, style_for(moment.mix, labels))
    return state, (*moment.told, (moment.state, words))[-RETOLD_NOTES:]


def told_of(stepper: Stepper, moment: Moment, words: Words) -> Moment:
    """The moment with one note more in its state."""
    state, told = alone(telling(moment, words, stepper.labels), stepper)
    return replace(moment, state=state, told=told)


def in_style(stepper: Stepper, moment: Moment, mix: str) -> Moment:
    """The moment as it is where this mix is asked for: the last notes are told anew, so the next one obeys it."""
    if mix == moment.mix:
        return moment
    if not stepper.labels:
        return replace(moment, mix=mix)
    short = len(moment.told) < RETOLD_NOTES  # all that ever was
    told = replace(moment, mix=mix, told=(), state=begun(stepper, mix) if short else moment.told[0][0])
    for _, words in moment.told:
        told = told_of(stepper, told, words)
    return told

"""The control `style` with a model that knows styles: told with each note, from the next unsounded one on."""

from typing import Any

import numpy as np
import pytest

from livemuse.engine.virtual import Evening
from livemuse.model.improviser import Improviser
from livemuse.model.memory import RETOLD_NOTES
from livemuse.model.shelf import Shelf
from livemuse.model.stepper import OnnxStepper
from livemuse.model.styles import style_for
from livemuse.music.controls import Controls
from livemuse.music.duet import Duet
from livemuse.music.notes import Note, PlannedNote
from tests.model.tiny import tiny_bundle

LABELS = ("genre:jazz", "composer:Chopin", "mood:calm")
JAZZ = "genre:jazz 1"


class Watched:
    """A model that notes down the style that it is told with each note."""

    def __init__(self, stepper: OnnxStepper) -> None:
        self._stepper = stepper
        self.name, self.hash, self.labels = stepper.name, stepper.hash, stepper.labels
        self.told: list[tuple[int, list[float] | None]] = []

    def start(self, style: Any = None) -> Any:
        return self._stepper.start(style)

    def feed(self, state: Any, note: tuple[int, int, int, int], style: Any = None) -> Any:
        self.told.append((note[0], None if style is None else style[0].tolist()))
        return self._stepper.feed(state, note, style)

    def logits(self, state: Any, head: str, drawn: tuple[int, ...]) -> Any:
        return self._stepper.logits(state, head, drawn)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    folder = tmp_path_factory.mktemp("models")
    tiny_bundle(folder / "styled", "performance", LABELS)
    tiny_bundle(folder / "plain", "performance")
    return Shelf(folder, shipped=())


@pytest.fixture
def watched(shelf: Shelf) -> Watched:
    return Watched(shelf.load("styled")[0])


CALL = [Note(k * 0.2, 60 + k % 12, 0.15, 70) for k in range(30)]


def evening(stepper: Any, *changes: tuple[float, str, object], **controls: object) -> list[PlannedNote]:
    chosen = Controls().replaced("answer_length", "16 notes").replaced("wait", 0.5).replaced("candidates", 1)
    for name, value in controls.items():
        chosen = chosen.replaced(name, value)
    night = Evening(Duet(chosen), Improviser(stepper))
    night.play_notes(CALL)
    for change in changes:
        night.set(*change)
    return night.run(120.0)


def test_every_note_of_an_answer_is_told_in_the_style(watched: Watched) -> None:
    notes = evening(watched, style="jazz 0.7, calm 0.25")
    said = [style for _, style in watched.told[-len(notes) :]]
    assert len(notes) == 16
    assert said == [[pytest.approx(0.7), 0.0, 0.25]] * 16


def test_a_style_asked_for_in_an_answer_is_heard_from_its_next_note_on(watched: Watched) -> None:
    quiet = evening(watched)
    turned_s = quiet[6].onset_s + 0.001
    watched.told.clear()
    notes = evening(watched, (turned_s, "style", JAZZ))
    assert [n.pitch for n in notes[:7]] == [n.pitch for n in quiet[:7]]
    assert len(notes) == 16
    first = next(k for k, (_, style) in enumerate(watched.told) if style == [1.0, 0.0, 0.0])
    told_again = [pitch for pitch, _ in watched.told[first : first + RETOLD_NOTES]]
    assert told_again == [n.pitch for n in (*CALL, *notes[:7])][-RETOLD_NOTES:]
    assert all(style == [1.0, 0.0, 0.0] for _, style in watched.told[first:])


def test_the_very_next_note_is_drawn_from_a_state_that_knows_the_style(shelf: Shelf) -> None:
    stepper = shelf.load("styled")[0]
    drawn: list[Any] = []

    class Listening(Watched):
        def logits(self, state: Any, head: str, drawn_before: tuple[int, ...]) -> Any:
            if head == "pitch":
                drawn.append(state)
            return super().logits(state, head, drawn_before)

    evening(Listening(stepper), style="jazz")
    evening(Listening(stepper))
    jazzy, plain = drawn[0], drawn[16]
    assert not np.allclose(jazzy.pitch_logits, plain.pitch_logits)
    assert not np.allclose(jazzy.z, plain.z)


def test_without_styles_a_model_is_asked_as_before(shelf: Shelf) -> None:
    model = Watched(shelf.load("plain")[0])
    with_mix, without = evening(model, style="jazz"), evening(model)
    assert {style is None for _, style in model.told} == {True}
    assert [(n.pitch, n.onset_s) for n in with_mix] == [(n.pitch, n.onset_s) for n in without]


def test_what_a_model_does_not_know_is_left_out() -> None:
    assert style_for("jazz 0.5, genre:polka 1", LABELS).tolist() == [[0.5, 0.0, 0.0]]
    assert style_for("none", LABELS).tolist() == [[0.0, 0.0, 0.0]]


def test_a_model_that_is_chosen_later_is_told_of_the_evening_in_the_style(shelf: Shelf, watched: Watched) -> None:
    player = Improviser(shelf.load("plain")[0])
    night = Evening(Duet(Controls().replaced("style", JAZZ).replaced("wait", 0.5).replaced("candidates", 1)), player)
    night.play_notes(CALL)
    played = night.run(60.0)
    player.change_model(watched)
    assert len(played) > 3
    assert [style for _, style in watched.told] == [[1.0, 0.0, 0.0]] * (len(CALL) + len(played))


def test_an_answer_that_was_never_heard_leaves_no_trace(watched: Watched) -> None:
    """Live, an answer that is called off in time is not even begun: a replay must not depend on it."""
    chosen = Controls().replaced("wait", 0.5).replaced("candidates", 1)
    heard = []
    for withdrawn in (False, True):
        night = Evening(Duet(chosen), Improviser(watched))
        night.play_notes(CALL)
        if withdrawn:  # a style is asked for and an answer made ready in it, and both are taken back
            night.set(CALL[-1].end_s + 0.3, "style", JAZZ)
            night.set(CALL[-1].end_s + 0.35, "style", "none")
        watched.told.clear()
        night.play_notes([Note(CALL[-1].end_s + 0.45, 40, 0.2, 70)])
        night.run(CALL[-1].end_s + 5.0)
        heard.append([style for pitch, style in watched.told if pitch == 40][-1])
    assert heard == [[0.0, 0.0, 0.0]] * 2

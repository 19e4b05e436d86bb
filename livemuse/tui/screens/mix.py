"""The styles of the model that plays, each with a slider: what is moved is heard from the next note on."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from livemuse.errors import ControlError
from livemuse.music.controls import Control
from livemuse.music.styles import MOST_LABELS, mix_text, name_of, parse_mix, resolve, short_mix
from livemuse.tui.widgets.control_row import ControlRow
from livemuse.tui.widgets.slider import Slider
from livemuse.tui.words import plain

_STEP: Final = 0.1
_WIDEST: Final = 24  # cells of a label


class Weight(Slider):
    """How much of one style."""

    def __init__(self, number: int, style: str, weight: float) -> None:
        super().__init__(Control(f"style-{number}", "", "0-1", 0.0, float, low=0.0, high=1.0, step=_STEP))
        self.style_label = style
        self.title = plain(name_of(style))
        self.show(weight)

    @property
    def weight(self) -> float:
        """From 0 to 1."""
        return self._value

    @property
    def label_width(self) -> int:
        """The names of composers need room."""
        return _WIDEST


class MixStyles(ModalScreen[None]):
    """``labels`` are the model's, ``mix`` is the control as it is; ``changed`` is told of every other value of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss(None)", show=False),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("pageup", "step(-8)", show=False, priority=True),
        Binding("pagedown", "step(8)", show=False, priority=True),
        Binding("shift+delete", "clear", show=False),
    ]

    def __init__(self, labels: Sequence[str], mix: str, changed: Callable[[str], None]) -> None:
        super().__init__()
        now = parse_mix(mix)
        known, unknown = resolve(now, labels)
        weights = dict(known)
        self._left_out = tuple((name, weight) for name, weight in now if name in unknown)
        self._changed = changed
        self._weights = [Weight(k, label, weights.get(label, 0.0)) for k, label in enumerate(labels)]
        self._total = Static("", id="words", markup=False)

    def compose(self) -> ComposeResult:
        """The mix so far, then each style under the title of its kind."""
        with Vertical(id="dialog"):
            yield Static("style", id="title", markup=False)
            yield self._total
            with VerticalScroll(id="weights", can_focus=False):
                kind = ""
                for weight in self._weights:
                    of, colon, _ = weight.style_label.partition(":")
                    if colon and of != kind:
                        kind = of
                        yield Static(plain(kind), classes="title", markup=False)
                    yield weight
            keys = "Up Down  Left Right weigh  Del, Shift+Del clear  Esc close"
            yield Static(keys, id="foot", markup=False)

    def on_mount(self) -> None:
        """Start at the first style that is in the mix."""
        first = next((weight for weight in self._weights if weight.weight), self._weights[0])
        first.focus()
        self._show_mix()

    def on_key(self, event: events.Key) -> None:
        """A letter goes to the next style that begins with it."""
        if event.is_printable and event.character and event.character.isalpha():
            here = self._here()
            order = [*self._weights[here + 1 :], *self._weights[: here + 1]]
            letter = event.character.casefold()
            found = next((weight for weight in order if weight.title.casefold().startswith(letter)), None)
            if found is not None:
                found.focus()
            event.stop()

    def action_step(self, lines: int) -> None:
        """To another style."""
        self._weights[min(max(self._here() + lines, 0), len(self._weights) - 1)].focus()

    def action_clear(self) -> None:
        """Nothing of any style."""
        for weight in self._weights:
            weight.show(0.0)
        self._left_out = ()
        self._tell()

    def on_control_row_moved(self, message: ControlRow.Moved) -> None:
        """One was weighed anew."""
        message.stop()
        if sum(weight.weight > 0 for weight in self._weights) + len(self._left_out) > MOST_LABELS:
            self._weights[self._here()].show(0.0)
            self._total.update(f"That is too long a mix; at most {MOST_LABELS} styles.")
            return
        self._tell()

    def on_control_row_opened(self, message: ControlRow.Opened) -> None:
        """Enter on a style: it is as it should be."""
        message.stop()
        self.dismiss(None)

    def _here(self) -> int:
        return next((k for k, weight in enumerate(self._weights) if weight.has_focus), 0)

    @property
    def _mix(self) -> str:
        known = [(weight.style_label, weight.weight) for weight in self._weights if weight.weight > 0]
        return mix_text([*known, *self._left_out])

    def _tell(self) -> None:
        self._changed(self._mix)
        self._show_mix()

    def _show_mix(self) -> None:
        try:
            shown = short_mix(self._mix)
        except ControlError:  # a label that cannot be written as text
            shown = self._mix
        left_out = f"   (unknown to this model: {mix_text(self._left_out)})" if self._left_out else ""
        self._total.update(plain(shown + left_out))

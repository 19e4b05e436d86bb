"""A control that is a number or a word (auto, off, all): arrows go from the word up through the numbers and back."""

from livemuse.music.controls import Control, parse_control
from livemuse.tui.widgets.picker import Picker


class Dial(Picker):
    """The word lies below the lowest number; up from it leads to ``begin``, which is the lowest unless it is set."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        assert control.low is not None
        assert control.high is not None
        self._low, self._high, self._step = control.low, control.high, control.step or 1
        self.begin: float = control.low

    def action_move(self, steps: int) -> None:
        """Some steps up or down; below the lowest number is the word."""
        if not isinstance(self._value, str):
            value = round(self._value + steps * self._step, 6)
        elif steps > 0:
            value = self.begin
        else:
            return
        below = value < self._low
        self._choose(self._row.choices[0] if below else parse_control(self.control, min(value, self._high)))

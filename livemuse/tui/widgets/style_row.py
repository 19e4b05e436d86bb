"""The styles that are mixed, in one line: Enter opens the list in which they are weighed."""

from rich.cells import cell_len

from livemuse.errors import ControlError
from livemuse.music.styles import name_of, parse_mix, short_mix
from livemuse.tui.widgets.picker import Picker
from livemuse.tui.words import plain


class StyleRow(Picker):
    """Shows ``jazz .7, Chopin .3``, or ``jazz +1`` where there is no room."""

    @property
    def label_width(self) -> int:
        """A mix needs the room more."""
        return super().label_width - (5 if self.compact else 3)

    def written(self, room: int) -> str:
        """The mix without the kinds of its labels, or its heaviest one and how many others there are."""
        try:
            mix, shown = parse_mix(str(self._value)), plain(short_mix(str(self._value)))
        except ControlError:  # of an engine that knows more than this console
            return plain(self._value)
        if len(mix) < 2 or cell_len(shown) <= room:
            return shown
        heaviest = max(mix, key=lambda part: part[1])[0]
        return f"{plain(name_of(heaviest))} +{len(mix) - 1}"

"""Finding a control or an action by what is typed of it, with the value it is to have."""

from dataclasses import dataclass

from livemuse.music.controls import ACTIONS, CONTROLS
from livemuse.tui.words import label


@dataclass(frozen=True, slots=True)
class Findable:
    """A control, or an action."""

    name: str
    words: str
    is_action: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """As it may be typed: the name and the label, without what stands between words."""
        return (_squeezed(self.name), _squeezed(label(self.name)))


def everything() -> list[Findable]:
    """Every control, then every action."""
    return [Findable(row.name, row.help) for row in CONTROLS.values()] + [
        Findable(name, help_, is_action=True) for name, help_ in ACTIONS.items()
    ]


def found(query: str, among: list[Findable]) -> tuple[list[Findable], str]:
    """What is meant, likeliest first, and the value that stands after a control's name.

    ``temp`` finds all temperatures, ``temp 0.7`` the first of them and its value, ``loud`` whatever speaks of it.
    """
    words = query.replace("=", " ").split()
    if not words:
        return among, ""
    for count in range(len(words), 0, -1):
        named = _named(_squeezed("".join(words[:count])), among)
        if count < len(words):
            named = [one for one in named if not one.is_action]
        if named:
            return named, " ".join(words[count:])
    told = [one for one in among if all(w.casefold() in f"{one.name} {one.words}".casefold() for w in words)]
    return told, ""


def _named(start: str, among: list[Findable]) -> list[Findable]:
    exact = [one for one in among if start in one.names]
    begin = [one for one in among if any(name.startswith(start) for name in one.names) and one not in exact]
    inside = [one for one in among if any(start in name for name in one.names) and one not in (*exact, *begin)]
    return [*exact, *begin, *inside]


def _squeezed(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())

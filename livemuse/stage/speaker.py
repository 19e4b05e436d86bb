"""Whether the built-in synth sounds: by itself where no MIDI output was chosen, or because it was asked for."""

from collections.abc import Callable
from typing import Any, Final

from livemuse.stage.priority import ordinary
from livemuse.stage.sound import Synth
from livemuse.stage.wires import Wires

WISHES: Final = ("auto", "on", "off")


class Speaker:
    """Starts and ends the built-in synth as the rules say; ``notice`` gets the sentence where it cannot sound."""

    def __init__(self, wires: Wires, wish: str, *, routed: bool, notice: Callable[[str], None]) -> None:
        """``routed``: the player named an interface or an output, and hears livemuse there."""
        self._wires, self._wish, self._routed, self._notice = wires, wish, routed, notice
        self._gain = 1.0
        self._synth: Any = None
        self._told = "off"

    @property
    def state(self) -> str:
        """``on``, ``off``, or ``none`` where there can be no sound."""
        if self._synth is None:
            return "none" if self._wanted else "off"
        return "none" if self._synth.state == "none" else "on"

    @property
    def _wanted(self) -> bool:
        return self._wish == "on" or (self._wish == "auto" and not self._routed)

    def apply(self, wish: str, gain: float, *, routed: bool) -> None:
        """Sound as these wishes say, from now on."""
        if wish != self._wish and self._synth is not None and self._synth.state == "none":
            self.close()  # asked for again: perhaps there is a sound card now
        self._wish, self._routed = wish, routed
        if self._synth is not None and gain != self._gain:
            self._synth.set_gain(gain)
        self._gain = gain
        if self._wanted and self._synth is None:
            self.start()
        elif not self._wanted and self._synth is not None:
            self.close()

    def start(self) -> None:
        """Start the synth if it is wanted; a sentence where it cannot be."""
        if not self._wanted or self._synth is not None:
            return
        with ordinary():
            self._synth = Synth.start(self._wish, self._gain)
        if self._synth is None:
            self._notice(Synth.reason)
        self._wires.set_synth(self._synth)

    def readers(self) -> list[Any]:
        """What becomes readable when the synth has something to say."""
        return [self._synth] if self._synth is not None and self._synth.state != "none" else []

    def changed(self) -> bool:
        """Look what the synth has said; whether ``state`` is another than at the last look."""
        if self._synth is not None and self._synth.state == "none" and self._told != "none" and self._synth.why:
            self._notice(self._synth.why)
        before, self._told = self._told, self.state
        return before != self._told

    def close(self) -> None:
        """End the synth and all it sounds."""
        synth, self._synth = self._synth, None
        self._wires.set_synth(None)
        if synth is not None:
            synth.all_off()
            synth.close()

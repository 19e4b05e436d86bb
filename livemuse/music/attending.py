"""Attending to the player: all who listen to what is played, and what of it is not handed on yet."""

from livemuse.music.companion import Companion
from livemuse.music.context import Context
from livemuse.music.controls import Controls
from livemuse.music.hearing.ear import Ear
from livemuse.music.notes import Heard
from livemuse.music.phrases import Listener
from livemuse.music.schedule import Action, Listen
from livemuse.music.take import Take
from livemuse.music.turntaking import TurnTaking


class Attending:
    """The part of the duet that hears: phrases, turns, music, and where there is room beside the player."""

    def __init__(self, controls: Controls) -> None:
        self.controls = controls
        self.listener = Listener()
        self.turns = TurnTaking(self.listener)
        self.ear = Ear(controls["tempo"])
        self.companion = Companion(self.ear)
        self._call_began_s: float | None = None

    @property
    def wait_s(self) -> float:
        """The silence that ends a phrase now."""
        wait = self.controls["wait"]
        return self.turns.wait_s(self.controls.number("patience")) if isinstance(wait, str) else float(wait)

    @property
    def _along(self) -> bool:
        """Whether both play at the same time."""
        return self.controls["mode"] == "duet"

    @property
    def _endless(self) -> bool:
        """Whether what livemuse plays has no end of its own."""
        return self.controls["mode"] in ("continue", "solo", "duet")

    @property
    def _asks(self) -> bool:
        """Whether the network is to say what it makes of this silence."""
        return self.controls["wait"] == "auto" and not self.turns.has_word

    def _attend(self, event: Heard) -> None:
        if self.listener.hear(event):
            self.ear.hear(event)

    def _let_go(self, at_s: float) -> None:
        """The keyboard is gone: every key and pedal counts as released."""
        self.listener.let_go(at_s)
        self.ear.let_go(at_s)
        self.companion.let_go(at_s)

    def _forget_call(self, at_s: float) -> None:
        """Drop the phrase and all that is held, as after a panic."""
        self.listener.forget()
        self.ear.let_go(at_s)
        self.companion.forget()
        self._call_began_s = None

    def _drop_call(self, at_s: float) -> list[Action]:
        """What was played gets no answer, but was heard."""
        notes = tuple(self.listener.tail(at_s))
        self.listener.consumed(len(notes))
        self.listener.phrase_over()
        self._call_began_s = None
        return [Listen(notes)] if notes else []

    def _listen(self) -> list[Action]:
        notes = tuple(self.listener.settled())
        return [Listen(notes)] if notes else []

    def _meant(self, take: Take) -> tuple[Controls, Context]:
        """What the controls mean for a take that begins, and what else that is heard it may go by."""
        at_s = take.start_s
        if take.endless and self.controls["chords"] == "auto":  # they are heard anew while the player goes on
            take.first_beat_s = at_s
        context = self.companion.opened(self.ear.context(at_s, self.listener.held), at_s, self.controls)
        meant = self.ear.meant(self.controls, at_s, take.first_beat_s)
        if self.controls["tempo"] == "auto":
            take.keep_place(meant.number("tempo"), context.beats)
        return meant, context

    def _begins_s(self, over_s: float, now_s: float) -> float:
        return self.ear.entry_s(max(over_s, now_s), self.controls.text("start_on"))

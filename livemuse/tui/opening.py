"""What opens over the playing screen: lists to choose from, and pages to read. Each is imported when it is asked for:
the console must be there at once.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from livemuse.control import messages as m
from livemuse.errors import LinkError
from livemuse.music.controls import CONTROLS, parse_control
from livemuse.tui.choices import OWN_PORT, Value, model_choices, port_choices, session_choices
from livemuse.tui.widgets.controls_panel import style_labels
from livemuse.tui.words import label, plain

if TYPE_CHECKING:
    from livemuse.tui.app import Console


class Opening:
    """Opens them for a console, and does what is chosen there."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    # --- pages -----------------------------------------------------------------------------------------------

    def show_help(self) -> None:
        """How to play, every key, every control."""
        from livemuse.tui.pages import help_sections
        from livemuse.tui.screens.page import Page

        self._console.push_screen(Page("livemuse: play, and it answers", help_sections))

    def show_state(self, trouble: Callable[[], str]) -> None:
        """How things are."""
        from livemuse.tui.pages import state_sections
        from livemuse.tui.screens.page import Page

        self._console.push_screen(Page("how things are", lambda: state_sections(self._console.state, trouble())))

    def show_heard(self) -> None:
        """All that is heard of the player."""
        from livemuse.tui.pages import heard_sections
        from livemuse.tui.screens.page import Page

        self._console.push_screen(Page("what is heard of you", lambda: heard_sections(self._console.state)))

    # --- lists -----------------------------------------------------------------------------------------------

    def find(self) -> None:
        """Find a control or an action by its name."""
        from livemuse.tui.screens.find import DO, Find, Found

        panel = self._console.playing.controls

        def chosen(found: Found | None) -> None:
            if found is None:
                return
            name, value = found
            if name.startswith(DO):
                self._console.action_do(name.removeprefix(DO))
                return
            panel.reach(panel.rows[name])
            if value is not None:
                self._change(name, value)

        self._console.push_screen(Find(self._console.controls, lambda name: panel.rows[name].words), chosen)

    def choose(self, name: str) -> None:
        """Choose the value of a control, or a port."""
        if name in ("midi_in", "midi_out"):
            self._console.run_worker(self._choose_port(name.removeprefix("midi_")))
        elif name == "model":
            self._console.run_worker(self._choose_model())
        elif name == "style":
            self._mix_styles()
        else:
            self._choose_value(name, [(choice, choice) for choice in CONTROLS[name].choices])

    async def choose_session(self) -> None:
        """Choose the session whose motifs are to be remembered."""
        choices = session_choices(await self._console.asking.answer(m.Sessions()))
        if not self._console.on_top:
            return
        if not choices:
            self._console.playing.hint.tell(
                "There is no earlier session yet; `livemuse ctl remember FILE` takes a file."
            )
            return
        words = "livemuse remembers what you played there, and may take it up; `forget` clears it."
        self._list("remember a session", words, choices, None, self._remember)

    def _remember(self, session: Value) -> None:
        self._console.asking.ask(m.Remember(str(session)))

    def _choose_value(self, name: str, choices: list[tuple[Value, str]]) -> None:
        from livemuse.tui.screens.choose import Choose

        def chosen(value: Value | None) -> None:
            if value is not None:
                self._change(name, value)

        row = CONTROLS[name]
        words, current = f"{row.help} ({row.values})", self._console.controls[name]
        screen = Choose(label(name), words, choices, current, lambda text: parse_control(name, text))
        self._console.push_screen(screen, chosen)

    def _mix_styles(self) -> None:
        from livemuse.tui.screens.mix import MixStyles

        labels = style_labels(self._console.state.model) if self._console.state is not None else []
        if labels:
            mix = self._console.controls.text("style")
            self._console.push_screen(MixStyles(labels, mix, lambda mix: self._change("style", mix)))

    def _change(self, name: str, value: Value) -> None:
        self._console.playing.show_controls({name: value})
        self._console.asking.set(name, value)

    async def _choose_model(self) -> None:
        choices = model_choices(await self._console.asking.answer(m.Models()))
        if self._console.on_top:
            self._choose_value("model", choices)

    async def _choose_port(self, direction: str) -> None:
        answer = await self._console.asking.answer(m.Ports())
        if answer is None or not self._console.on_top:
            return
        try:
            ports = m.read_ports(answer)
        except LinkError as error:
            self._console.playing.hint.tell(str(error))
            return
        words = "Your keyboard plays into this port." if direction == "in" else "livemuse plays to this port."
        title = f"MIDI {direction} ({plain(ports.api)})"
        current = ports.chosen.get(direction) or OWN_PORT

        def choose(port: Value) -> None:
            self._console.asking.ask(m.Choose(direction, str(port) or None))

        self._list(title, words, port_choices(ports, direction), current, choose)

    def _list(
        self,
        title: str,
        words: str,
        choices: list[tuple[Value, str]],
        current: Value | None,
        chosen: Callable[[Value], None],
    ) -> None:
        from livemuse.tui.screens.choose import Choose

        self._console.push_screen(
            Choose(title, words, choices, current), lambda value: None if value is None else chosen(value)
        )

"""The ONE table of controls: it serves the console, the settings file, ``livemuse ctl`` and the engine.

Rules for whoever edits this file. A control is one row of ``CONTROLS``; nothing else in livemuse lists their names.
Values are canonical and plain (int, float or text), so that they can be written to a journal and compared.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from livemuse.errors import ControlError
from livemuse.music.instruments import PROGRAMS
from livemuse.music.progressions import NAMED, tidy_progression
from livemuse.music.styles import NO_STYLE, mix_text, parse_mix
from livemuse.music.theory import parse_key

Value = int | float | str
DEFAULT_MODEL: Final = "concert"
TEMPO_BPM: Final = 120.0  # until one is set or heard
GRID_FAMILIES: Final = ("melody", "pianoroll")  # of models that count sixteenths instead of seconds
GROUPS: Final = {
    "music": "what it plays",
    "harmony": "key, chords and time",
    "phrase": "the shape of an answer",
    "turns": "who plays when",
    "routing": "where it goes",
    "voices": "a channel for each voice",
    "ceilings": "never more than",
}
"""The groups of controls, in the order in which they are shown, each with its heading."""


@dataclass(frozen=True, slots=True)
class Control:
    """One thing a musician can set: its name, what it may be, what it starts as, and a line of help."""

    name: str
    help: str
    values: str  # as a person reads them
    default: Value
    parse: Callable[[str], Value]
    group: str = "music"  # one of GROUPS
    unit: str = ""
    low: float | None = None  # for sliders, and for dials, which have a word in ``choices`` too
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()  # for pickers
    on_grid: str = ""  # the line of help where the model that plays is of a family on a grid, if it is another
    idle: Mapping[str, str] = field(default_factory=dict)  # family -> why it changes nothing there

    def help_in(self, family: str) -> str:
        """The line of help that is true of models of a family."""
        return self.on_grid if self.on_grid and family in GRID_FAMILIES else self.help

    def idle_in(self, family: str) -> str:
        """Why it changes nothing with models of a family, in a few words; empty where it does."""
        return self.idle.get(family, "")


_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")


def _number(name: str, low: float, high: float) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ControlError(f"{name} cannot be {text!r}.", f"It is a number from {low:g} to {high:g}.")
        return value

    return parse


def _integer(name: str, low: int, high: int) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        value = int(text) if _WHOLE.fullmatch(text.strip()) else low - 1
        if not low <= value <= high:
            raise ControlError(f"{name} cannot be {text!r}.", f"It is a whole number from {low} to {high}.")
        return value

    return parse


def _choice(name: str, choices: tuple[str, ...]) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        if text.strip().lower() not in choices:
            raise ControlError(f"{name} cannot be {text!r}.", "It is one of: " + ", ".join(choices) + ".")
        return text.strip().lower()

    return parse


def _key(text: str) -> Value:
    word = text.strip().lower()
    return word if word in ("off", "auto") else str(parse_key(text))


def _chords(text: str) -> Value:
    word = text.strip().lower()
    return word if word in ("off", "auto") else tidy_progression(text)


def _tempo(text: str) -> Value:
    return "auto" if text.strip().lower() == "auto" else _number("tempo", 20, 300)(text)


def _polyphony(text: str) -> Value:
    return "auto" if text.strip().lower() == "auto" else _integer("polyphony", 1, 16)(text)


def _loops(text: str) -> Value:
    return "off" if text.strip().lower() == "off" else _integer("loops", 2, 16)(text)


def _register(text: str) -> Value:
    if text.strip().lower() == "auto":
        return "auto"
    low, _, high = text.replace(" ", "").partition("-")
    if low.isascii() and low.isdigit() and high.isascii() and high.isdigit() and 0 <= int(low) < int(high) <= 127:
        return f"{int(low)}-{int(high)}"
    raise ControlError(f"register cannot be {text!r}.", "Write the lowest and highest pitch, as 48-84, or auto.")


def _wait(text: str) -> Value:
    if text.strip().lower() == "auto":
        return "auto"
    return _number("wait", 0.05, 30.0)(text.strip().removesuffix("s").strip())


_LENGTH_UNITS: Final = {"s": 120.0, "notes": 2000.0, "beats": 256.0, "bars": 64.0}  # the longest answer in each unit


_SHORTEST_ANSWER_S: Final = 0.3


def _answer_length(text: str) -> Value:
    if text.strip().lower() == "auto":
        return "auto"
    number, _, unit = text.strip().lower().partition(" ")
    unit = {"note": "notes", "beat": "beats", "bar": "bars", "seconds": "s"}.get(unit.strip(), unit.strip())
    try:
        amount = float(number)
    except ValueError:
        amount = 0.0
    whole = unit == "s" or amount == int(amount) if 0 < amount < 1e6 else False
    if unit not in _LENGTH_UNITS or not _SHORTEST_ANSWER_S <= amount <= _LENGTH_UNITS[unit] or not whole:
        raise ControlError(
            f"answer_length cannot be {text!r}.", "Write '8 s', '16 notes', '8 beats', '4 bars' or 'auto'."
        )
    return f"{amount:g} {unit}"


def _program(name: str) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        word = " ".join(text.lower().split())
        if word == "off" or word in PROGRAMS:
            return word
        if _WHOLE.fullmatch(word) and 1 <= int(word) <= len(PROGRAMS):
            return PROGRAMS[int(word) - 1]
        near = [sound for sound in PROGRAMS if word and word in sound][:6]
        raise ControlError(
            f"{name} cannot be {text[:40]!r}.",
            f"Did you mean {', '.join(near)}?"
            if near
            else "It is off, a number from 1 to 128, or a General MIDI name.",
        )

    return parse


def program_number(program: str) -> int | None:
    """The General MIDI number (0-127) of the value of a `program_...` control; None where it is off."""
    return None if program == "off" else PROGRAMS.index(program)


def _voice_channel(name: str) -> Callable[[str], Value]:
    return lambda text: "off" if text.strip().lower() == "off" else _integer(name, 1, 16)(text)


def _channel_in(text: str) -> Value:
    return "all" if text.strip().lower() == "all" else _integer("channel_in", 1, 16)(text)


def _style(text: str) -> Value:
    return mix_text(parse_mix(text))


def _model(text: str) -> Value:
    if not text.strip() or len(text) > 200 or any(ord(c) < 32 for c in text):
        raise ControlError(f"{text[:40]!r} is not the name of a model.", "See `livemuse models`.")
    return text.strip()


CONTOURS: Final = ("off", "auto", "arch", "rise", "fall")
MODES: Final = ("answer", "continue", "solo", "duet")
KEY_CHOICES: Final = ("auto", "off", *(f"{t} {s}" for s in ("major", "minor") for t in
                               ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")))  # fmt: skip


def _slider(  # noqa: PLR0913 - a row of the table
    name: str, default: float, low: float, high: float, step: float, group: str, help_: str, unit: str = ""
) -> Control:
    return Control(name, help_, f"{low:g}-{high:g}", default, _number(name, low, high), group, unit, low, high, step)


def _counter(  # noqa: PLR0913 - a row of the table
    name: str, default: int, low: int, high: int, group: str, help_: str, unit: str = ""
) -> Control:
    return Control(name, help_, f"{low}-{high}", default, _integer(name, low, high), group, unit, low, high, 1)


def _picker(name: str, default: str, choices: tuple[str, ...], group: str, help_: str) -> Control:
    return Control(name, help_, "|".join(choices), default, _choice(name, choices), group, choices=choices)


def _on_grid(row: Control, help_: str = "", idle: str = "", families: tuple[str, ...] = GRID_FAMILIES) -> Control:
    return replace(row, on_grid=help_, idle=dict.fromkeys(families, idle) if idle else {})


CONTROLS: Final[dict[str, Control]] = {
    row.name: row
    for row in (
        _slider("temperature", 0.9, 0, 2, 0.05, "music", "How daring each note is; 0 plays the most likely one."),
        _slider("temperature_pitch", 1.0, 0, 2, 0.05, "music", "Factor on temperature for pitches."),
        _on_grid(_slider("temperature_time", 1.0, 0, 2, 0.05, "music",
                         "Factor on temperature for rhythm and note lengths."),
                 "Factor on temperature for what begins, lasts or rests in each sixteenth."),
        _on_grid(_slider("temperature_velocity", 1.0, 0, 2, 0.05, "music", "Factor on temperature for loudness."),
                 idle="as loud as you"),
        _on_grid(_counter("top_k", 0, 0, 128, "music", "Draw from the k likeliest values only; 0 is off."),
                 "Draw from the k likeliest pitches only; 0 is off."),
        _on_grid(_slider("top_p", 0.95, 0.05, 1, 0.05, "music",
                         "Draw from the likeliest values that share this probability."),
                 "Draw from the likeliest pitches that share this probability."),
        Control("style", "What it plays like: a mix of the model's styles, each weighing 0 to 1.",
                "jazz 0.7, Chopin 0.3; or none", NO_STYLE, _style),
        Control("register", "Lowest and highest pitch, as MIDI numbers; auto stays near you.", "low-high or auto",
                "auto", _register),
        _on_grid(_slider("density", 1.0, 0.25, 4, 0.05, "music",
                         "How busy: 2 plays twice as fast as the model would."),
                 "How busy: at 2 notes begin twice as readily; the tempo stays."),
        _on_grid(_slider("velocity", 1.0, 0.25, 2, 0.05, "music", "How loud: a factor on every velocity."),
                 "How loud: a factor on how loud you played."),
        _on_grid(_slider("dynamics", 0, 0, 1, 0.05, "music", "0 is as loud as the model likes, 1 as loud as you."),
                 idle="as loud as you"),
        _on_grid(Control("polyphony", "Most notes that sound together, about; auto leaves it to the model.",
                         "auto or 1-16", "auto", _polyphony, low=1, high=16, step=1, choices=("auto",)),
                 idle="one voice only", families=("melody",)),
        _slider("stay_out", 0, 0, 1, 0.05, "music", "0 plays anywhere, 1 never where your hands are."),
        Control("model", "The model that plays.", "a name from `livemuse models`", DEFAULT_MODEL, _model),
        _counter("candidates", 8, 1, 16, "music", "So many answers are tried, and the best is played."),
        _counter("seed", 0, 0, 2**63 - 1, "music", "The same seed gives the same answer to the same call."),
        Control("key", "The scale livemuse plays in; auto is the one it hears.",
                "auto, off, tonic and scale, or {C E G A}", "auto", _key, "harmony",
                choices=KEY_CHOICES),
        _slider("key_strength", 0.9, 0, 1, 0.05, "harmony", "0 ignores the key, 1 never leaves it."),
        Control("chords", "The chords it plays over; the first begins with its first note.",
                "off, auto, Am F C G, ii V7 I, or a name", "off", _chords, "harmony",
                choices=("off", "auto", *NAMED)),
        _slider("chords_strength", 0.7, 0, 1, 0.05, "harmony", "0 ignores the chords, 1 strikes their notes alone."),
        Control("tempo", "Beats a minute; auto is the tempo it hears.", "auto, or 20-300", "auto", _tempo, "harmony",
                "bpm", 20, 300, 1, ("auto",)),
        _picker("start_on", "beat", ("beat", "bar", "any"), "harmony",
                "Where an answer begins while a beat is clear: on a beat, on a bar, anywhere."),
        _slider("repetition", 0.7, 0, 1, 0.05, "phrase", "How freely a pitch just played may come again."),
        Control("loops", "How many times in a row a figure of notes may stand.", "off, or 2-16", 4, _loops, "phrase",
                low=2, high=16, step=1, choices=("off",)),
        _on_grid(_slider("imitate", 0.25, 0, 1, 0.05, "phrase",
                         "How much it takes up what you played: 0 is the model alone, 1 your own motifs."),
                 idle="the model plays alone"),
        Control("answer_length", "How long an answer is.", "auto, 8 s, 16 notes, 8 beats, 4 bars", "auto",
                _answer_length, "phrase"),
        _picker("contour", "auto", CONTOURS, "phrase",
                "Where an answer goes: auto is an arch, but a little one, as phrases have it."),
        _slider("phrasing", 0.5, 0, 1, 0.05, "phrase",
                "How much daring follows the phrase: near you, then free, calm at the end."),
        _picker("cadence", "on", ("on", "off"), "phrase",
                "Close an answer on the tonic triad, or the chord of the moment, on the beat."),
        _picker("mode", "answer", MODES, "turns", "Who plays when."),
        Control("wait", "Silence that ends your phrase.", "auto, or seconds", "auto", _wait, "turns", "s",
                0.1, 6.0, 0.1, ("auto",)),
        _slider("patience", 0.5, 0, 1, 0.05, "turns",
                "How sure wait=auto must be that you have finished: 0 is hasty, 1 leaves time."),
        _slider("busy", 6, 0.5, 20, 0.5, "turns", "In mode duet: with more onsets a second than this you play alone.",
                "notes/s"),
        _picker("on_interrupt", "yield", ("yield", "overlap", "ignore"), "turns",
                "What livemuse does when you come back in."),
        _picker("thru", "auto", ("auto", "on", "off"), "routing",
                "Send what you play to the MIDI output too; auto: to the built-in synth only."),
        Control("channel_in", "The channel livemuse listens to.", "all or 1-16", "all", _channel_in, "routing",
                low=1, high=16, step=1, choices=("all",)),
        _counter("channel_out", 1, 1, 16, "routing", "The channel livemuse plays on."),
        *(Control(f"channel_{voice}", f"The channel of the {voice} voice; off is channel_out.", "off or 1-16", "off",
                  _voice_channel(f"channel_{voice}"), "voices", low=1, high=16, step=1, choices=("off",))
          for voice in ("upper", "middle", "lower")),
        *(Control(f"program_{voice}", f"The sound of {whose}: a General MIDI name or number.", "off, 1-128, or a name",
                  "off", _program(f"program_{voice}"), group, choices=("off", *PROGRAMS))
          for voice, whose, group in (
              ("out", "what livemuse plays", "routing"), ("upper", "the upper voice", "voices"),
              ("middle", "the middle voice", "voices"), ("lower", "the lower voice", "voices"))),
        _slider("max_notes_per_s", 24, 1, 60, 1, "ceilings", "Never more notes than this in any second.", "notes/s"),
        _on_grid(_counter("max_voices", 10, 1, 32, "ceilings", "Never more notes than this at once.", "notes"),
                 idle="one voice only", families=("melody",)),
        _counter("max_velocity", 127, 1, 127, "ceilings", "Never louder than this."),
        _slider("max_note_s", 8.0, 0.05, 20, 0.25, "ceilings", "No note longer than this.", "s"),
    )
}  # fmt: skip

ACTIONS: Final[dict[str, str]] = {
    "answer": "Answer now, without waiting for silence.",
    "tap": "A beat is now: tap the tempo.",
    "lock": "Stay in the key that is heard; again to follow it.",
    "another": "Another answer to the same call, at once: the next best.",
    "keep": "Mark this answer in the recording.",
    "later": "Not yet: put off the answer that waits or has just begun, and wait longer from now on.",
    "stop": "Stop playing; what sounds ends within 0.3 s.",
    "finish": "Close with a cadence within a bar, then tacet.",
    "forget": "Forget what you played up to now: no motif of it comes back.",
    "tacet": "Listen and never play; again to play.",
    "panic": "End every note at once.",
    "save": "Write the session's MIDI file up to now.",
    "shutdown": "End the session and the engine.",
}


class Controls(Mapping[str, Value]):
    """A value for every control; never changed, only replaced."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value] | None = None) -> None:
        self._values = {name: row.default for name, row in CONTROLS.items()} | dict(values or {})

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def number(self, name: str) -> float:
        """The value of a numeric control."""
        value = self._values[name]
        assert not isinstance(value, str)
        return float(value)

    def text(self, name: str) -> str:
        """The value of a control as text."""
        return str(self._values[name])

    def replaced(self, name: str, value: object) -> "Controls":
        """These controls with one changed; ControlError for an unknown name or a value out of range."""
        return Controls(self._values | {name: parse_control(name, value)})


def parse_control(name: str, value: object) -> Value:
    """The canonical value of control ``name`` for what a person, a file or a socket gave."""
    row = CONTROLS.get(name)
    if row is None:
        raise ControlError(f"There is no control called {name[:60]!r}.", "Known: " + ", ".join(CONTROLS) + ".")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ControlError(f"{name} cannot be {value!r:.60}.", f"It is {row.values}.")
    return row.parse(value if isinstance(value, str) else f"{value:.12g}" if isinstance(value, float) else str(value))


def parse_action(name: str) -> str:
    """``name`` if it is an action; ControlError otherwise."""
    if name not in ACTIONS:
        raise ControlError(f"There is no action called {name[:60]!r}.", "Known: " + ", ".join(ACTIONS) + ".")
    return name

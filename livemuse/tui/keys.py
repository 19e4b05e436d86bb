"""The ONE table of the console's keys: it makes the bindings, the bottom line and the help."""

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Key:
    """Keys that do the same, how they are shown, what they do in a word and in a sentence."""

    keys: str
    shown: str
    word: str
    action: str
    help: str
    everywhere: bool = False  # also while a list or a text field is open


KEYS: Final = (
    Key("f1,question_mark", "F1", "help", "help", "This page (also ?)."),
    Key("space,f2", "Space", "answer", "do('answer')", "Let livemuse answer now, not waiting for silence (also F2)."),
    Key("backspace,f3", "Bksp", "stop", "do('stop')", "Stop livemuse; what sounds ends within 0.3 s (also F3)."),
    Key("ctrl+l", "^L", "later", "do('later')", "Not yet: put the answer off, and wait longer from now on."),
    Key("ctrl+f", "^F", "finish", "do('finish')", "Let livemuse close with a cadence within a bar, then only listen."),
    Key("ctrl+n", "^N", "another", "do('another')", "Swap what it plays for the next best answer."),
    Key("ctrl+y", "^Y", "keep", "do('keep')", "Mark this answer as a good one in the recording."),
    Key("1", "1", "tap", "do('tap')", "Tap the beat: on each beat, and livemuse follows it."),
    Key("ctrl+k", "^K", "lock", "do('lock')", "Lock the key that is heard; again to let it move."),
    Key("ctrl+e", "^E", "forget", "do('forget')", "Forget what you played so far: no motif of it comes back."),
    Key("ctrl+r", "^R", "remember", "remember", "Remember the motifs of an earlier session."),
    Key("f4", "F4", "tacet", "do('tacet')", "Let livemuse listen and never play; again to let it play."),
    Key("escape", "Esc", "PANIC", "panic", "End every note at once."),
    Key("f9,ctrl+p", "F9", "panic", "panic", "Panic from anywhere, lists and text fields too (also Ctrl+P).", True),
    Key("ctrl+o", "^O", "heard", "heard", "All that is heard of you: key, chords, tempo, touch."),
    Key(
        "ctrl+g,ctrl+underscore",
        "^G",
        "find",
        "find",
        "Find a control or an action by its name, and write its value (also Ctrl+/).",
    ),
    Key("f5", "F5", "mode", "open('mode')", "Choose who plays when."),
    Key("f6", "F6", "key", "open('key')", "Choose the scale livemuse plays in."),
    Key("f7", "F7", "model", "open('model')", "Choose the model."),
    Key("f8", "F8", "MIDI in", "open('midi_in')", "Choose the MIDI port you play into."),
    Key("f12", "F12", "out", "open('midi_out')", "Choose the MIDI port livemuse plays to."),
    Key("f10,ctrl+t", "F10", "state", "state", "Latency, model and its terms, session, ports, notices (also Ctrl+T)."),
    Key("ctrl+s", "^S", "save", "do('save')", "Write the session's MIDI file up to now."),
    Key("ctrl+d", "^D", "detach", "detach", "Close the console, leave the engine playing; `livemuse attach` returns."),
    Key("ctrl+q,ctrl+c", "^Q", "quit", "quit", "Close the console, and the engine it started.", True),
    Key("left_square_bracket", "[", "octave", "octave(-1)", "Computer keys an octave lower."),
    Key("right_square_bracket", "]", "octave", "octave(1)", "Computer keys an octave higher."),
    Key("minus", "-", "softer", "velocity(-1)", "Computer keys softer."),
    Key("equals_sign,plus", "=", "louder", "velocity(1)", "Computer keys louder."),
    Key("up", "Up", "control", "step(-1)", "To the control above (Tab and Shift+Tab too)."),
    Key("down", "Down", "control", "step(1)", "To the control below."),
    Key("pageup", "PgUp", "group", "group(-1)", "To the first control of the group before."),
    Key("pagedown", "PgDn", "group", "group(1)", "To the first control of the next group."),
    Key("home", "Home", "first", "end(-1)", "To the first control."),
    Key("end", "End", "last", "end(1)", "To the last control."),
)
# in the order in which they give way to a narrow terminal, the last first
ON_THE_LINE: Final = (
    "help", "do('answer')", "do('stop')", "panic", "do('tacet')", "find", "quit", "do('later')", "do('another')",
    "do('keep')", "do('tap')", "do('lock')", "do('finish')", "detach", "open('mode')", "open('key')",
    "open('model')", "open('midi_in')", "open('midi_out')", "heard", "state", "remember", "do('forget')", "do('save')",
)  # fmt: skip
ON_CONTROLS: Final = (
    ("Left, Right", "Move the control with the focus; Shift moves it five steps, Delete puts it back."),
    ("Enter", "Choose its value from a list, or write it."),
    ("Mouse", "Drag a slider, turn the wheel over it, click a choice, click a piano key."),
)


def bindings(everywhere: bool) -> list[Binding]:
    """The bindings of the app (those that work everywhere) or of the playing screen."""
    return [
        Binding(key.keys, f"app.{key.action}", key.word, show=False, priority=everywhere)
        for key in KEYS
        if key.everywhere == everywhere
    ]


def bottom_line() -> tuple[tuple[str, str, str], ...]:
    """(key, word, action) for the bottom line."""
    first: dict[str, tuple[str, str, str]] = {}
    for key in KEYS:
        first.setdefault(key.action, (key.shown, key.word, key.action))
    return tuple(first[action] for action in ON_THE_LINE if action in first)

"""Every control, wherever it is to be had: on the console, in the settings; and turned while livemuse plays."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from livemuse.engine.virtual import Evening
from livemuse.errors import ControlError
from livemuse.music.controls import CONTROLS, GROUPS, Controls, Value, parse_control
from livemuse.music.duet import Duet
from livemuse.music.motifs import MotifMemory
from livemuse.music.notes import Note, PlannedNote
from livemuse.music.schedule import Chosen, Extension, Plan
from livemuse.settings import Settings, read_settings, template
from livemuse.tui.widgets.controls_panel import groups

ROUTING = ("thru", "channel_in")  # what is heard and passed on; the notes ahead stay as they are
OTHERS: dict[str, Value] = {  # where the table does not say what else it may be
    "style": "jazz 0.5", "key": "Eb dorian", "chords": "Am F C G", "tempo": 90.0, "register": "60-84", "wait": 1.0,
    "answer_length": "5 s", "polyphony": 2, "model": "open", "channel_in": 2, "loops": 2,
    "channel_upper": 2, "channel_middle": 3, "channel_lower": 4,
}  # fmt: skip


def another(name: str) -> Value:
    """A value that the control does not start with."""
    row = CONTROLS[name]
    if name in OTHERS:
        return OTHERS[name]
    if row.choices:
        return next(choice for choice in reversed(row.choices) if choice != row.default)
    assert row.low is not None, f"give {name} another value in OTHERS"
    assert row.high is not None
    return parse_control(name, row.low if row.default != row.low else row.high)


class Scale:
    """A partner that plays a note every tenth of a second, and keeps every plan it was given."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self._made: dict[int, list[PlannedNote]] = {}

    def listen(self, notes: Sequence[Note]) -> None: ...

    def expect(self, tail: Sequence[Note]) -> tuple[float, ...]:
        return ()

    def begin(self, plan: Plan) -> None:
        self.plans.append(plan)
        self._made[plan.take] = []

    def extend(self, take_id: int, until_s: float, most: int = 64) -> Extension:
        plan, made = self.plans[-1], self._made[take_id]
        start_s = plan.not_before_s + (0.0 if plan.start_s is not None else 0.1)
        new = []
        while (not made or made[-1].onset_s <= until_s) and start_s + 0.1 * len(made) < plan.end_s:
            onset_s, index = start_s + 0.1 * len(made), plan.first_index + len(made)
            made.append(PlannedNote(take_id, index, onset_s, 60 + index % 12, 0.1, 70))
            new.append(made[-1])
        return Extension(take_id, tuple(new), (), start_s + 0.1 * len(made) >= plan.end_s)

    def roll(self, plan: Plan) -> None: ...

    def roll_on(self) -> bool:
        return False

    def choose(self, plan: Plan) -> Chosen | None:
        return None

    def settle(self, take_id: int, last_index: int | None) -> None: ...

    def discard(self, turn: int, at_s: float) -> None: ...

    def remember(self, earlier: MotifMemory | None, at_s: float) -> None: ...


def turned(name: str, value: Value, at_s: float) -> tuple[Scale, list[PlannedNote], Duet]:
    """An evening in which a call is answered from 2 to 7 s, and a control is turned meanwhile; until 6 s."""
    partner = Scale()
    duet = Duet(Controls({"wait": 0.5, "answer_length": "5 s", "start_on": "any", "key": "off"}))
    night = Evening(duet, partner)
    night.play_notes([Note(1.0, 60, 0.2, 80), Note(1.3, 64, 0.2, 80)])
    night.set(at_s, name, value)
    return partner, night.run(6.0), duet


@pytest.mark.parametrize("name", [name for name in CONTROLS if name not in (*ROUTING, "mode")])
def test_a_control_changes_the_next_unsounded_note(name: str) -> None:
    value = another(name) if name not in ("wait", "answer_length") else {"wait": 2.0, "answer_length": "6 s"}[name]
    partner, played, duet = turned(name, value, 3.04)
    before = [note for note in played if note.onset_s < 3.04]
    after = [note for note in played if note.onset_s > 3.04]
    assert [note.index for note in before] == list(range(11))  # at 2.0, 2.1 ... 3.0: these stay as they were
    assert duet.controls[name] == value
    assert len(partner.plans) == 2
    made_before, made_again = partner.plans
    assert (made_again.turn, made_again.revision) == (made_before.turn, made_before.revision + 1)
    assert (made_again.first_index, made_again.not_before_s) == (11, 3.04)
    assert (made_before.controls[name], made_again.controls[name]) == (Controls({"wait": 0.5, "answer_length": "5 s",
            "start_on": "any", "key": "off", "tempo": 120.0})[name], value)  # fmt: skip
    assert {note.take for note in before} == {made_before.take}
    assert {note.take for note in after} == {made_again.take}
    assert [note.index for note in after] == list(range(11, 11 + len(after)))
    assert after[0].onset_s < 3.2


@pytest.mark.parametrize("name", ROUTING)
def test_what_is_routed_otherwise_leaves_the_notes_ahead(name: str) -> None:
    partner, played, _ = turned(name, another(name), 3.04)
    assert len(partner.plans) == 1
    assert [note.index for note in played] == list(range(len(played)))
    assert len(played) > 35


def test_another_mode_ends_the_answer_and_begins_at_once() -> None:
    partner, played, duet = turned("mode", "solo", 3.04)
    assert [plan.turn for plan in partner.plans] == [1, 2]
    assert duet.state == "playing"
    assert partner.plans[1].not_before_s == 3.04
    assert {note.take for note in played if note.onset_s > 3.04} == {partner.plans[1].take}


@pytest.mark.parametrize("name", [name for name in CONTROLS if name not in (*ROUTING, "mode", "wait")])
def test_a_control_turned_while_an_answer_waits_holds_from_its_first_note(name: str) -> None:
    value = another(name) if name != "answer_length" else "6 s"
    partner, played, _ = turned(name, value, 1.9)
    assert partner.plans[-1].controls[name] == value
    assert {note.take for note in played} == {partner.plans[-1].take}
    assert played[0].onset_s == 2.0


# --- where they are to be had ------------------------------------------------------------------------------------


def test_every_control_is_on_the_console_once_under_a_heading() -> None:
    listed = [row.name for _, rows in groups() for row in rows]
    assert sorted(listed) == sorted(CONTROLS)
    assert {row.group for row in CONTROLS.values()} <= set(GROUPS)


def test_the_settings_file_has_every_control_with_its_help_and_sets_none(tmp_path: Path) -> None:
    file = tmp_path / "livemuse.toml"
    file.write_text(template())
    assert read_settings(file) == Settings()
    lines = template().splitlines()
    for row in CONTROLS.values():
        assert any(line.startswith(f"# {row.help} (") for line in lines), row.name
    known = tomllib.loads("\n".join(line.removeprefix("# ") for line in lines[lines.index("[controls]") :]
                                    if line.removeprefix("# ").split(" = ")[0] in CONTROLS))  # fmt: skip
    assert Controls(known) == Controls()
    assert list(known) == [row.name for group in GROUPS for row in CONTROLS.values() if row.group == group]


def test_every_entry_of_the_settings_file_may_be_set(tmp_path: Path) -> None:
    file = tmp_path / "livemuse.toml"
    head, controls = template().split("[controls]")
    entries = [line.removeprefix("# ") for line in head.splitlines() if " = " in line]
    values = [f"{name} = {json.dumps(another(name))}" for name in CONTROLS]
    file.write_text("\n".join(["[daemon]", *entries, "[controls]", *values]))
    settings = read_settings(file)
    assert dict(settings.controls) == {name: another(name) if name != "style" else "jazz 0.5" for name in CONTROLS}
    assert (settings.port_in, settings.remember, len(settings.entries)) == ("Keystation", "last", 2)
    assert all(f"# {name} = " in controls for name in CONTROLS)


@pytest.mark.parametrize("name", CONTROLS)
def test_what_it_cannot_be_is_refused_and_changes_nothing(name: str) -> None:
    controls = Controls()
    with pytest.raises(ControlError):
        controls.replaced(name, "\x00no such thing\x00")
    assert controls == Controls()

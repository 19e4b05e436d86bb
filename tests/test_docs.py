"""The docs say what the program does: every control and action is there, and every link leads somewhere."""

import argparse
import contextlib
import importlib.util
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from livemuse.cli import main
from livemuse.errors import FileError
from livemuse.music.controls import ACTIONS, CONTROLS
from livemuse.settings import Settings, with_setting
from livemuse.tui.keys import KEYS
from training.__main__ import _parser

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*/MODEL.md")])


def test_the_tables_of_controls_and_actions_are_those_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("control_tables", ROOT / "scripts/control_tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    page = (ROOT / "docs/controls.md").read_text(encoding="utf-8")
    assert page == tables.page_with_tables(page), "run `make docs`"


@pytest.mark.parametrize("name", [*CONTROLS, *ACTIONS])
def test_every_control_and_action_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs/controls.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_figure_is_still_to_be_filled_in(page: Path) -> None:
    assert "TODO" not in page.read_text(encoding="utf-8")


def test_every_key_of_an_action_is_on_the_page_of_the_console() -> None:
    page = (ROOT / "docs/console.md").read_text(encoding="utf-8")
    for key in KEYS:
        action = key.action.removeprefix("do('").removesuffix("')")
        if action in ACTIONS and action not in ("panic", "save"):
            shown = {"Bksp": "Backspace"}.get(key.shown, key.shown.replace("^", "Ctrl+"))
            assert f"| {shown} | `{action}` |" in page


def test_every_command_and_option_is_documented() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    ([a-z]+) ", help_of(), re.MULTILINE)
    assert len(commands) > 10
    missing = [name for name in commands if f"| `livemuse {name}` |" not in page]
    options = {option for name in ["", *commands] for option in re.findall(r"--[a-z]+", help_of(*name.split()))}
    assert missing + sorted(option for option in options - {"--help", "--version"} if option not in page) == []


def test_every_command_and_option_of_training_is_documented() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in ROOT.glob("docs/training*/**/*.md"))
    pages += (ROOT / "docs/training.md").read_text(encoding="utf-8")
    missing = []
    for name, options in commands_of(_parser()):
        if f"python -m training {name}" not in pages:
            missing.append(name)
        missing += [f"{name} {option}" for option in options if f"{option}" not in pages]
    assert missing == []


def commands_of(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each command of a parser and its long options, commands of commands too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                said = f"{path} {name}".strip()
                found = [o for a in command._actions for o in a.option_strings if o.startswith("--") and o != "--help"]
                yield said, found
                yield from commands_of(command, said)


def help_of(*command: str) -> str:
    """What ``livemuse COMMAND -h`` prints."""
    told = io.StringIO()
    with pytest.raises(SystemExit), contextlib.redirect_stdout(told):
        main([*command, "-h"])
    return told.getvalue()


def test_the_readme_shows_both_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make play" in readme
    assert "make test" in readme


def test_every_entry_of_the_settings_file_is_documented() -> None:
    with pytest.raises(FileError) as refusal:
        with_setting(Settings(), "no such entry", "x")
    known = refusal.value.remedy.removeprefix("Known: ").rstrip(".").split(", ")
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert [name for name in known if f"| `{name}` |" not in page] == []

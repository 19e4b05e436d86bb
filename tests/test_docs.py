"""The docs say what the program does: every control and action is there, and every link leads somewhere."""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

from livemuse.cli import main
from livemuse.errors import FileError
from livemuse.music.controls import ACTIONS, CONTROLS
from livemuse.settings import Settings, with_setting

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/*/MODEL.md")])


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


def test_every_command_and_option_is_documented() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    ([a-z]+) ", help_of(), re.MULTILINE)
    assert len(commands) > 10
    missing = [name for name in commands if f"| `livemuse {name}` |" not in page]
    options = {option for name in ["", *commands] for option in re.findall(r"--[a-z]+", help_of(*name.split()))}
    assert missing + sorted(option for option in options - {"--help", "--version"} if option not in page) == []


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

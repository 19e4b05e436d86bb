"""docs/protocol.md lists every message with every field."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from livemuse.control.heard import HeardNow
from livemuse.control.messages import EVENTS, PROTOCOL, REQUESTS

PAGE = (Path(__file__).parents[2] / "docs/protocol.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, set[str]]:
    """The names in the first column of a section's table, each with the fields named in the second."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found: dict[str, set[str]] = {}
    name = ""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") or line.startswith("| |"):
            name = cells[0].strip("`") or name
            found.setdefault(name, set()).update(re.findall(r"`(\w+)`", cells[1]))
    return found


@pytest.mark.parametrize(("heading", "table"), [("Requests", REQUESTS), ("Events", EVENTS)])
def test_every_message_is_listed_with_its_fields(
    heading: str, table: dict[str, tuple[type, dict[str, object]]]
) -> None:
    assert rows(heading) == {name: set(shapes) for name, (_, shapes) in table.items()}


def test_the_version_is_the_one_spoken() -> None:
    assert f"this protocol's ({PROTOCOL})" in PAGE


def test_all_that_is_heard_is_listed() -> None:
    section = PAGE.split("\n## What is heard\n")[1]
    listed = [name for line in section.splitlines() if line.startswith("| `")
              for name in re.findall(r"`(\w+)`", line.split("|")[1])]  # fmt: skip
    assert listed == [field.name for field in fields(HeardNow)]

"""Writes the tables of docs/controls.md from the one table of controls; ``make docs`` runs it, a test compares.

python scripts/control_tables.py          rewrites docs/controls.md between its marks
"""

import sys
from pathlib import Path
from typing import Final

from livemuse.music.controls import ACTIONS, CONTROLS, GROUPS, Control

PAGE: Final = Path(__file__).parents[1] / "docs/controls.md"


def _cell(text: object) -> str:
    return str(text).replace("|", ", ")


def _row(control: Control) -> str:
    default = f"{control.default:g}" if isinstance(control.default, float) else str(control.default)
    values = _cell(control.values) + (f" ({control.unit})" if control.unit else "")
    return f"| `{control.name}` | {values} | {default} | {_cell(control.help)} |"


def control_tables() -> str:
    """One table of controls a group, in the order of the console."""
    lines: list[str] = []
    for group, title in GROUPS.items():
        lines += [f"### {title.capitalize()}", "", "| control | values | starts as | |", "|---|---|---|---|"]
        lines += [_row(control) for control in CONTROLS.values() if control.group == group]
        lines.append("")
    return "\n".join(lines)


def action_table() -> str:
    """The table of actions."""
    rows = [f"| `{name}` | {_cell(help_)} |" for name, help_ in ACTIONS.items()]
    return "\n".join(["| action | |", "|---|---|", *rows, ""])


def page_with_tables(page: str) -> str:
    """``page`` with what stands between its marks written anew."""
    for name, table in (("controls", control_tables()), ("actions", action_table())):
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        if not start or not end:
            raise ValueError(f"the page has no marks for {name}")
        page = before + start + table + end + after
    return page


def main() -> None:
    """Write the page."""
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")


if __name__ == "__main__":
    main()

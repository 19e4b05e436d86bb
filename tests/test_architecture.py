"""What the import graph cannot see: what a fresh process really loads, and how long files and functions are."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for folder in ("livemuse", "training", "tests", "scripts") for path in (ROOT / folder).rglob("*.py")
)
LONGEST_FILE, LONGEST_FUNCTION = 400, 50  # lines; a function's docstring does not count


def modules_loaded_by(code: str) -> set[str]:
    """The modules that are loaded after ``code`` ran in a fresh Python."""
    listing = "\nimport sys\nsys.stderr.write('LOADED ' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + listing], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stderr.rpartition("LOADED ")[2].split())


VERSION = """
import sys
sys.argv = ["livemuse", "--version"]
from livemuse.cli import main
try:
    main()
except SystemExit:
    pass
"""


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        pytest.param(
            VERSION,
            {"numpy", "onnxruntime", "textual", "rtmidi", "mido", "asyncio", "pretty_midi", "PIL"},
            id="--version",
        ),
        pytest.param(
            "import livemuse.tui.app",
            {
                "numpy",
                "onnxruntime",
                "rtmidi",
                "livemuse.engine",
                "livemuse.stage",
                "livemuse.model",
                "livemuse.recording",
            },
            id="console",
        ),
        pytest.param(
            "import livemuse.stage.__main__", {"numpy", "asyncio", "onnxruntime", "textual", "pretty_midi"}, id="stage"
        ),
        pytest.param("import livemuse.daemon", {"tensorflow", "keras", "training", "textual", "onnx"}, id="engine"),
    ],
)
def test_a_process_loads_only_what_it_needs(code: str, heavy: set[str]) -> None:
    loaded = modules_loaded_by(code)
    assert loaded & heavy == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short_enough_to_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    long = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            if (node.end_lineno or 0) - first.lineno + 1 - lines_of_text(node) > LONGEST_FUNCTION:
                long.append(node.name)
    assert long == []


def lines_of_text(function: ast.AST) -> int:
    """How many lines more than one the longest text in ``function`` has: a page of prose is no code."""
    texts = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr | ast.Constant)]
    return max((((text.end_lineno or 0) - text.lineno) for text in texts), default=0)


def test_styles_of_the_console_are_short_enough_to_read() -> None:
    long = [path.name for path in ROOT.glob("livemuse/**/*.tcss") if len(path.read_text().splitlines()) > LONGEST_FILE]
    assert long == []


def test_no_test_sleeps_unless_it_waits_for_another_process() -> None:
    # real ports, sound cards and other processes take the time they take
    patient = ("tests/live/", "tests/stage/", "tests/training/test_prepare_cluster.py", "tests/training/test_loop.py")
    sleeping = [
        name
        for path in SOURCES
        if (name := path.relative_to(ROOT).as_posix()).startswith("tests/") and not name.startswith(patient)
        if "time.sleep" + "(" in path.read_text(encoding="utf-8")
    ]
    assert sleeping == []

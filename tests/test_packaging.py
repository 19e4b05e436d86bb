"""The program as it is installed: its entry point, its models, its locks."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import livemuse

ROOT = Path(__file__).parents[1]


def test_the_entry_point_is_installed_and_prints_the_version() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("livemuse"), "--version"], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"livemuse {livemuse.__version__}")


def test_the_locks_name_no_hosts_and_hold_a_hash_for_every_package() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert not re.search(r"https?://|file:", text), lock.name
        pins = re.findall(r"^[A-Za-z0-9_.-]+==[^ ]+.*(?:\n .*)*", text, re.MULTILINE)
        assert pins, lock.name
        assert [pin for pin in pins if "--hash=sha256:" not in pin] == [], lock.name


def pinned(lock: str) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE))


def test_the_live_lock_holds_every_live_dependency_and_no_tensorflow() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[ <>=!;\[]", line)[0].lower().replace("_", "-") for line in project["dependencies"]}
    live = {name.lower().replace("_", "-") for name in pinned("live.lock")}
    assert wanted <= live
    assert live & {"tensorflow", "tensorflow-cpu", "keras", "onnx", "tf2onnx", "pytest", "mypy"} == set()


def test_what_playing_uses_is_the_same_in_both_locks() -> None:
    def versions(lock: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, version in re.findall(r"^([a-z0-9_.-]+)==([^ ]+)", (ROOT / "requirements" / lock).read_text(), re.M):
            found.setdefault(name, []).append(version)
        return found

    live, dev = versions("live.lock"), versions("dev.lock")
    assert {name: version for name, version in live.items() if dev.get(name) != version} == {}

"""The benchmark's arithmetic, and a short run of it for real."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from livemuse.bench import run
from livemuse.bench.figures import Figures, Idle, SideBySide, Spread, Thru
from livemuse.bench.measure import every_kind
from livemuse.errors import ControlError


def test_a_spread_is_in_milliseconds_at_nearest_ranks() -> None:
    assert Spread.of(number / 1000 for number in range(101)) == Spread(50.0, 99.0, 101)
    assert Spread.of([]) == Spread(0.0, 0.0, 0)
    assert Spread.of_meter({"p50": None, "p99": None, "n": 0}) == Spread(0.0, 0.0, 0)


def test_figures_are_read_by_people_and_programs() -> None:
    sides = SideBySide(Spread(0.5, 1.25, 10), Spread(0.25, 1.5, 10))
    figures = Figures(Thru(sides, sides, 0, 1), sides, Spread(1, 2, 3), Spread(4, 5, 6), Idle(1.5, 0.5, 20.0), ("Hm.",))
    as_json = json.loads(json.dumps(figures.json()))
    assert as_json["lateness"]["more_p50_ms"] == 0.25
    assert as_json["thru"]["round_trip"]["more_p99_ms"] == -0.25
    assert as_json["decide_to_first"] == {"p50_ms": 4, "p99_ms": 5, "n": 6}
    text = "\n".join(figures.lines())
    assert "0 lost, 1 altered" in text
    assert "idle: 1.50 % of a core, bare 0.50 %" in text
    assert text.endswith("Hm.")
    assert Figures(missing=("No jackd.",)).lines()[-1] == "No jackd."


@pytest.mark.parametrize("word", ["speed", "thru:x", "thru:0", "idle:99"])
def test_a_figure_that_is_none(word: str) -> None:
    with pytest.raises(ControlError):
        run([word])


def test_messages_of_every_kind_leave_livemuses_channel_alone() -> None:
    messages = every_kind(500)
    assert messages == every_kind(500)
    assert {data[0] >> 4 for data in messages} == set(range(8, 16))
    assert all(data[0] >= 0xF0 or data[0] & 0x0F != 15 for data in messages)


@pytest.mark.live
@pytest.mark.skipif(not shutil.which("jackd"), reason="the live tier needs a JACK server: install jackd2")
def test_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lateness:0.05", "thru:0.02"], as_json=True) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["missing"] == []
    assert figures["thru"]["lost"] == figures["thru"]["altered"] == 0
    assert figures["lateness"]["livemuse"]["n"] == 100
    assert figures["idle"] is None


def processes_of(server: str) -> list[str]:
    """The command lines of all that run on a benchmark's own JACK server, and of that server."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
        except OSError:
            continue
        if server.encode() in told:
            found.append(told[:80].decode(errors="replace"))
    return found


@pytest.mark.live
@pytest.mark.skipif(not shutil.which("jackd"), reason="the live tier needs a JACK server: install jackd2")
def test_ended_by_a_signal_it_ends_what_it_started() -> None:
    command = [sys.executable, "-m", "livemuse", "bench", "lateness"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as bench:
        assert bench.stderr is not None
        assert bench.stderr.readline().startswith("measuring")
        server = f"livemuse-bench-{bench.pid}"
        assert processes_of(server)
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(20) == 128 + signal.SIGTERM
    assert processes_of(server) == []

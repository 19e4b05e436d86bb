"""The measurements: each runs livemuse and a bare program at the same time, on the same JACK server."""

import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from livemuse.bench.figures import Figures, Idle, SideBySide, Spread, Thru
from livemuse.bench.programs import BenchError, Musician, Program, Studio
from livemuse.bench.stagetalk import LoneStage
from livemuse.control.client import ask
from livemuse.control.messages import Action, Status
from livemuse.errors import LivemuseError

FIGURES: Final = {
    "thru": "thru, while livemuse plays",
    "lateness": "how late an answer's notes are",
    "decide_to_first": "the time from decision to first note",
    "idle": "what doing nothing costs",
}
MESSAGES: Final = 2000
NOTES: Final = 2000
TURNS: Final = 200
IDLE_S: Final = 20.0
SETTLE_S: Final = 2.0  # until what a program does at its start is done
OURS, BARE = 0, 1


def measure(shares: Mapping[str, float], say: Callable[[str], None]) -> Figures:
    """Measure what is named, as far as this machine allows; a share of 1.0 is the full number of measurements.
    ``say`` is told what is being measured."""
    with tempfile.TemporaryDirectory(prefix="lm-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o700)
        studio = Studio(Path(folder))
        with closing(studio):
            try:
                studio.open()
                taken: dict[str, Any] = {}
                for name in [name for name in FIGURES if name in shares]:
                    say(FIGURES[name])
                    taken |= _MEASURES[name](studio, shares[name])
            except LivemuseError as error:
                return Figures(missing=(str(error),))
            return Figures(**taken)


def measure_thru(studio: Studio, share: float) -> dict[str, Any]:
    """Messages of every kind through livemuse while it plays solo, and through the bare echo in turn; and
    how late livemuse's own notes were meanwhile."""
    count = max(int(MESSAGES * share), 20)
    with ExitStack() as leaving:
        bare = leaving.enter_context(closing(studio.bare("echo", "bench-bare")))
        settings = ("thru=on", "mode=solo", "channel_out=16", "channel_in=16", "on_interrupt=ignore")
        ours = leaving.enter_context(closing(studio.daemon("bench-ours", *settings)))
        musician = leaving.enter_context(closing(Musician(studio.server, ("bench-ours", "bench-bare"))))
        ask(_socket(ours), Action("answer"))
        time.sleep(SETTLE_S)
        musician.play(every_kind(count), 0.003)
        status = ask(_socket(ours), Status())
        bare.write("end")
        echoed_s = json.loads(bare.read(10.0))
        sides = [_returned(musician, program) for program in (OURS, BARE)]
        meters = status["latency_ms"]
        thru = Thru(
            callback=SideBySide(Spread.of_meter(meters["thru"]), Spread.of(echoed_s)),
            round_trip=SideBySide(Spread.of(sides[OURS][0]), Spread.of(sides[BARE][0])),
            lost=sides[OURS][1],
            altered=sides[OURS][2],
        )
        return {"thru": thru, "lateness_playing": Spread.of_meter(meters["lateness"])}


def measure_lateness(studio: Studio, share: float) -> dict[str, Any]:
    """Notes of an answer from the stage, and as many from a bare deadline loop, due in turn."""
    count = max(int(NOTES * share), 20)
    with ExitStack() as leaving:
        bare = leaving.enter_context(closing(studio.bare("loop", "bench-loop")))
        stage = leaving.enter_context(closing(LoneStage(studio, "bench-stage")))
        time.sleep(SETTLE_S)
        chance, at_s = random.Random(1), time.monotonic() + 0.5
        due: tuple[list[float], list[float]] = ([], [])
        for number in range(4 * count):  # a note is a message on and a message off
            due[number % 2].append(at_s)
            at_s += chance.uniform(0.001, 0.004)
        bare.write(json.dumps(due[BARE]))
        sent = stage.play(due[OURS])
        loop = json.loads(bare.read(10 + 0.02 * count))
        ours = Spread.of(note.at_s - note.due_s for note in sent)
        return {"lateness": SideBySide(ours, Spread.of(sent_s - due_s for due_s, sent_s in loop[0::2]))}


def measure_decide_to_first(studio: Studio, share: float) -> dict[str, Any]:
    """Short phrases, each answered; from the moment an answer is decided to the return of its first note's send."""
    with ExitStack() as leaving:
        ours = leaving.enter_context(closing(studio.daemon("bench-ours", "wait=0.1", "answer_length=1 s")))
        musician = leaving.enter_context(closing(Musician(studio.server, ("bench-ours",))))
        time.sleep(SETTLE_S)
        for turn in range(max(int(TURNS * share), 3)):
            pitches = [48 + (turn * 5 + step * 4) % 30 for step in range(4)]
            musician.play([bytes((kind, p, 70)) for p in pitches for kind in (0x90, 0x80)], 0.03)
        time.sleep(0.5)
        meter = ask(_socket(ours), Status())["latency_ms"]["decide_to_first"]
        return {"decide_to_first": Spread.of_meter(meter)}


def measure_idle(studio: Studio, share: float) -> dict[str, Any]:
    """Nothing played, nobody watching; BenchError where the system does not say what a process costs."""
    if not Path("/proc/self/schedstat").exists():
        raise BenchError("This system does not say what an idle process costs.")
    with ExitStack() as leaving:
        bare = leaving.enter_context(closing(studio.bare("idle", "bench-idle")))
        ours = leaving.enter_context(closing(studio.daemon("bench-ours")))
        pids = [ours.pid, json.loads(ours.ready)["stage_pid"]]
        time.sleep(SETTLE_S)
        before = [sum(map(cpu_s, pids)), cpu_s(bare.pid)]
        began_s = time.monotonic()
        time.sleep(max(IDLE_S * share, 1.0))
        passed_s = time.monotonic() - began_s
        after = [sum(map(cpu_s, pids)), cpu_s(bare.pid)]
        percent = [round(100 * (late - early) / passed_s, 3) for early, late in zip(before, after, strict=True)]
        return {"idle": Idle(percent[OURS], percent[BARE], round(passed_s, 1))}


def cpu_s(pid: int) -> float:
    """Processor seconds that the threads a process has now have used."""
    nanoseconds = 0  # of each thread; finer than the clock ticks of /proc/PID/stat
    for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        nanoseconds += int(stat.read_text().split()[0])
    return nanoseconds / 1e9


def every_kind(count: int, seed: int = 1) -> list[bytes]:
    """Messages of every kind on channels 1-15, in a mixed order that is the same every time."""
    chance = random.Random(seed)

    def values(many: int) -> list[int]:
        return [chance.randrange(128) for _ in range(many)]

    kinds: list[Callable[[int], Sequence[int]]] = [
        lambda ch: [0x90 | ch, *values(2)],
        lambda ch: [0x80 | ch, *values(2)],
        lambda ch: [0xA0 | ch, *values(2)],
        lambda ch: [0xB0 | ch, chance.choice((1, 7, 11, 64, 66, 67, 74)), *values(1)],
        lambda ch: [0xC0 | ch, *values(1)],
        lambda ch: [0xD0 | ch, *values(1)],
        lambda ch: [0xE0 | ch, *values(2)],
        lambda ch: [0xF0, 0x7D, *values(ch * 4), 0xF7],
        lambda ch: [chance.choice((0xF8, 0xFA, 0xFC, 0xFE))],
    ]
    return [bytes(chance.choice(kinds)(chance.randrange(15))) for _ in range(count)]


def _socket(daemon: Program) -> Path:
    return Path(json.loads(daemon.ready)["socket"])


def _returned(musician: Musician, program: int) -> tuple[list[float], int, int]:
    """Seconds there and back of each message, how many never came, how many came otherwise than they went."""
    played = musician.played[program]
    heard = [(frame, data) for frame, data in musician.heard[program] if data[0] >= 0xF0 or data[0] & 0x0F != 15]
    pairs = [(went, back) for (went, sent), (back, came) in zip(played, heard, strict=False) if sent == came]
    took = [musician.seconds(back - went) for went, back in pairs]
    lost = max(len(played) - len(heard), 0)
    return took, lost, max(len(played) - lost - len(took), 0)


_MEASURES: Final[dict[str, Callable[[Studio, float], dict[str, Any]]]] = {
    "thru": measure_thru,
    "lateness": measure_lateness,
    "decide_to_first": measure_decide_to_first,
    "idle": measure_idle,
}

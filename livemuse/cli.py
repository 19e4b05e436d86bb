"""The command line: parses and prints, nothing else. Every part is imported by the command that needs it.

stdout is data, stderr is talk; exit 0 done, 1 something a person can put right (two sentences), 2 misuse.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from livemuse import __version__
from livemuse import options as option
from livemuse.errors import LivemuseError

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the program's entry point."""
    for name in ("stdout", "stderr"):  # closed by whoever started us
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the program runs
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(given)
        sys.stdout.flush()
    except LivemuseError as error:
        sys.stderr.write(
            f"livemuse: {_one_line(error.what)}\n" + (f"{_one_line(error.remedy)}\n" if error.remedy else "")
        )
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output left, as `head` does
        _let_stdout_go()
        return 0
    except OSError as error:  # a full disk behind stdout, a folder taken away
        _let_stdout_go()
        sys.stderr.write(f"livemuse: The system refused: {_one_line(str(error))}.\n")
        return 1
    return code


def _run(given: list[str]) -> int:
    if given == ["--version"]:  # before anything is imported: it answers at once
        _say(f"livemuse {__version__}")
        return 0
    options = _parser().parse_args(given)
    code: int = options.command(options)
    return code


def _let_stdout_go() -> None:
    """What could not be written must not be tried again when Python ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(text: str) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= 600 else printable[:600] + "…"


# --- what may be asked -------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livemuse", description="Play a keyboard, and it answers. Without a command: the console.",
        epilog="example: livemuse --in Keystation --map cc:67=answer", allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"livemuse {__version__}")
    option.engine_options(parser)
    parser.set_defaults(command=_console)
    commands = parser.add_subparsers(metavar="COMMAND")

    def add(name: str, command: Command, summary: str, example: str, *, json_: bool = False) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name, help=summary, description=summary, epilog=f"example: {example}", allow_abbrev=False
        )
        one.set_defaults(command=command)
        if json_:
            one.add_argument("--json", action="store_true", help="print one JSON value")
        return one

    option.engine_options(
        add("daemon", _daemon, "Run the engine without a console.", "livemuse daemon --api jack --seed 7")
    )
    option.name_option(add("attach", _attach, "Open the console of a running engine.", "livemuse attach"))
    option.ctl_options(add("ctl", _ctl, "Steer a running engine.", "livemuse ctl set temperature 0.6", json_=True))
    ports = add("ports", _ports, "The MIDI ports of this machine.", "livemuse ports --json", json_=True)
    ports.add_argument("--api", default="auto", help="auto, alsa, jack, core or winmm")
    add("settings", _settings, "A settings file with everything in it.", "livemuse settings > livemuse.toml")
    add("models", _models, "The models there are.", "livemuse models", json_=True)
    example = "livemuse answer CALL.mid -o A.mid --seconds 8"
    option.answer_options(add("answer", _answer, "Answer a MIDI file with a MIDI file.", example, json_=True))
    demo = add("demo", _demo, "A built-in phrase, answered: no keyboard needed.", "livemuse demo --json", json_=True)
    option.engine_options(demo)
    render = add("render", _render, "Hear or see a MIDI file.", "livemuse render SESSION.mid -o SESSION.png")
    render.add_argument("file", type=Path, metavar="FILE.mid")
    render.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.wav|OUT.png")
    sessions = add("sessions", _sessions, "The recorded sessions.", "livemuse sessions recover", json_=True)
    sessions.add_argument("action", nargs="?", choices=("list", "recover"), default="list")
    sessions.add_argument("--record", type=Path, metavar="DIR", help="the folder of the sessions")
    add("doctor", _doctor, "What this machine can do, and what to do about it.", "livemuse doctor", json_=True)
    bench = add("bench", _bench, "How late livemuse is on this machine.", "livemuse bench --json", json_=True)
    bench.add_argument("what", nargs="*", help="figures to take; all without")
    return parser


# --- the commands ------------------------------------------------------------------------------------------------


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _data(value: Any) -> None:
    import json

    _say(json.dumps(value, ensure_ascii=False))


def _talk(text: str) -> None:
    sys.stderr.write(text + "\n")


def _daemon(options: argparse.Namespace) -> int:
    import asyncio

    from livemuse.daemon import run_daemon

    asyncio.run(run_daemon(option.settings_of(options)))
    return 0


def _console(options: argparse.Namespace) -> int:
    from livemuse.launch import open_console

    return open_console(option.settings_of(options), option.engine_arguments(options))


def _attach(options: argparse.Namespace) -> int:
    from livemuse.launch import attach

    return attach(option.engine_name(options))


def _ctl(options: argparse.Namespace) -> int:
    from livemuse.ctl import MISUSE, run_ctl, usage

    if usage(options.what, options.arguments) is not None:
        _talk(f"livemuse ctl: {usage(options.what, options.arguments)}")
        return MISUSE
    return run_ctl(option.engine_name(options), options.what, options.arguments, as_json=options.json)


def _ports(options: argparse.Namespace) -> int:
    from livemuse.doctor import list_ports

    found = list_ports(options.api)
    if options.json:
        _data(found)
    else:
        for port in found:
            _say(f"{port['direction']:<4}{port['api']:<6}{port['name']}")
        if not found:
            _talk("No MIDI ports were found; `livemuse doctor` says why.")
    return 0


def _settings(options: argparse.Namespace) -> int:
    from livemuse.settings import template

    _say(template())
    return 0


def _models(options: argparse.Namespace) -> int:
    from livemuse.model.shelf import Shelf
    from livemuse.settings import data_folder

    models = Shelf(data_folder() / "models").models()
    if options.json:
        _data(models)
        return 0
    for model in models:
        nats = (
            f"{model['held_out_nats']:.2f} nats {_a(model['held_out_unit'])}"
            if model["held_out_nats"] is not None
            else "not evaluated"
        )
        terms = model["problem"] or f"{model['use']:<16}{model['terms']}"
        _say(f"{model['name']:<12}{model['family']:<13}{nats:<20}  {terms}")
        if model["styles"]:
            _say(f"{'':<12}styles: {', '.join(model['styles'])}")
    return 0


def _a(unit: str) -> str:
    return f"{'an' if unit[:1] in 'aeiou' else 'a'} {unit}"


def _answer(options: argparse.Namespace) -> int:
    from livemuse.model.shelf import Shelf
    from livemuse.model.terms import first_told
    from livemuse.music.controls import Controls
    from livemuse.music.styles import chosen_style
    from livemuse.offline import answer_file
    from livemuse.settings import data_folder

    controls = option.controls_of(options, Controls())
    for amount, unit in ((options.seconds, "s"), (options.notes, "notes"), (options.bars, "bars")):
        controls = controls if amount is None else controls.replaced("answer_length", f"{amount} {unit}")
    stepper, facts = Shelf(data_folder() / "models").load(controls.text("model"))
    style = chosen_style(controls.text("style"), facts["styles"], facts["name"])
    controls = controls.replaced("style", style)
    done = answer_file(options.call, options.output, stepper, controls)
    if told := first_told(data_folder(), facts["name"], facts["terms"]):
        _talk(told)
    if options.json:
        _data(done)
    else:
        _talk(
            f"{done['notes_answered']} notes in {done['seconds']:.1f} s answer {done['notes_heard']}: {done['answer']}"
        )
    return 0


def _demo(options: argparse.Namespace) -> int:
    import asyncio

    from livemuse.demo import run_demo

    done = asyncio.run(run_demo(option.settings_of(options)))
    if options.json:
        _data(done)
    else:
        _say(f"heard {done['heard']} notes, answered with {done['answered']}")
        _say(f"first note {done['decide_to_first_ms']} ms after the decision; session: {done['session']}")
    return 0


def _render(options: argparse.Namespace) -> int:
    from livemuse.render import render

    _talk(render(options.file, options.output))
    return 0


def _sessions(options: argparse.Namespace) -> int:
    from livemuse.recording.sessions import list_sessions, recover
    from livemuse.settings import read_settings

    folder = options.record or read_settings().sessions_folder
    if options.action == "list":
        found = list_sessions(folder)
        if options.json:
            rows = [{"name": s.name, "path": os.fspath(s.path), "bytes": s.size_bytes, "state": s.state,
                     "kept": list(s.kept)} for s in found]  # fmt: skip
            _data(rows)
        for session in [] if options.json else found:
            kept = ", ".join(str(turn) for turn in session.kept)
            marked = f"  (kept: turn {kept})" if kept else ""
            _say(f"{session.name:<24}{session.state:<11}{session.path}{marked}")
        return 0
    outcomes = recover(folder)
    rows = [
        {
            "name": o.journal.stem,
            "path": None if o.path is None else os.fspath(o.path),
            "notes": o.notes,
            "problem": o.problem,
        }
        for o in outcomes
    ]
    if options.json:
        _data(rows)
    else:
        for row in rows:
            _say(f"{row['name']}: " + (f"{row['notes']} notes in {row['path']}" if row["path"] else "not recovered"))
            if row["problem"]:
                _talk(str(row["problem"]))
        if not rows:
            _talk(f"No session in {folder} was cut off.")
    return 1 if any(row["path"] is None for row in rows) else 0


def _doctor(options: argparse.Namespace) -> int:
    from livemuse.doctor import examine

    findings = examine()
    if options.json:
        _data([{"name": f.name, "good": f.good, "what": f.what, "remedy": f.remedy} for f in findings])
    else:
        for finding in findings:
            _say(f"{'ok  ' if finding.good else '--  '}{finding.what}")
            if not finding.good and finding.remedy:
                _say(f"    {finding.remedy}")
    needed = ("python", "settings", "sessions", "models")
    return 1 if any(not finding.good and finding.name in needed for finding in findings) else 0


def _bench(options: argparse.Namespace) -> int:
    from livemuse.bench import run

    return run(options.what, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())

"""The options of the command line: what may be given, and the settings made of it."""

import argparse
from pathlib import Path
from typing import Any


def name_option(parser: argparse.ArgumentParser) -> None:
    """Which engine is meant."""
    parser.add_argument("--name", default=argparse.SUPPRESS, help="which engine, where several live side by side")


def control_options(parser: argparse.ArgumentParser) -> None:
    """``--set``, ``--seed`` and ``--model``."""
    parser.add_argument(
        "--set", action=_Setting, dest="sets", metavar="NAME=VALUE", default=[], help="give a control a value"
    )
    parser.add_argument("--seed", action=_Setting, dest="sets", metavar="N", help="the same seed, the same answers")
    parser.add_argument("--model", action=_Setting, dest="sets", metavar="M", help="the model that plays")


class _Setting(argparse.Action):
    """--set NAME=VALUE, and --seed N for --set seed=N; kept in the order given, so that the last one wins."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        name, equals, value = values.partition("=") if option == "--set" else ((option or "")[2:], "=", values)
        if not equals:
            parser.error(f"--set needs NAME=VALUE, not {values!r}")
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), (name.strip(), value.strip())])


def engine_options(parser: argparse.ArgumentParser) -> None:
    """All that an engine may be started with."""
    name_option(parser)
    parser.add_argument("--api", help="auto, alsa, jack, core or winmm")
    parser.add_argument("--in", dest="port_in", metavar="P", help="part of the name of the MIDI input")
    parser.add_argument("--out", dest="port_out", metavar="P", help="part of the name of the MIDI output")
    parser.add_argument("--sound", choices=("auto", "on", "off"), help="the built-in synth")
    parser.add_argument("--record", type=Path, metavar="DIR", help="where sessions go")
    parser.add_argument("--remember", metavar="SESSION", help="whose motifs it knows: a session, a MIDI file, or last")
    parser.add_argument(
        "--map", action="append", default=[], metavar="cc:67=answer", help="a pedal, pad or key that acts"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="another settings file")
    control_options(parser)


def ctl_options(parser: argparse.ArgumentParser) -> None:
    """What may be asked of a running engine."""
    name_option(parser)
    parser.add_argument("what", choices=("get", "set", "do", "heard", "remember", "status", "watch"))
    parser.add_argument("arguments", nargs="*", metavar="NAME [VALUE]")


def answer_options(parser: argparse.ArgumentParser) -> None:
    """A call, an answer, and how long it is to be."""
    parser.add_argument("call", type=Path, metavar="CALL.mid")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="ANSWER.mid")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", metavar="S")
    length.add_argument("--notes", metavar="N")
    length.add_argument("--bars", metavar="B", help="bars of four beats in the tempo of the file")
    control_options(parser)


def settings_of(options: argparse.Namespace) -> Any:
    """The settings file's settings with what was given on the command line."""
    from dataclasses import replace

    from livemuse.settings import read_settings, with_setting

    settings = read_settings(options.settings)
    for setting in ("name", "api", "sound"):
        value = getattr(options, setting, None)
        settings = settings if value is None else with_setting(settings, setting, value)
    given = (("in", options.port_in), ("out", options.port_out), ("remember", options.remember))
    for setting, value in (*given, ("map", options.map or None)):
        settings = settings if value is None else with_setting(settings, setting, value)
    if options.record is not None:
        settings = replace(settings, record=options.record)
    return replace(settings, controls=controls_of(options, settings.controls))


def controls_of(options: argparse.Namespace, controls: Any) -> Any:
    """``controls`` with those that were given on the command line."""
    for name, value in options.sets:
        controls = controls.replaced(name, value)
    return controls


def engine_arguments(options: argparse.Namespace) -> list[str]:
    """The options of bare ``livemuse``, for the engine it starts."""
    given: list[str] = []
    for option, value in (
        ("--name", getattr(options, "name", None)), ("--api", options.api), ("--in", options.port_in),
        ("--out", options.port_out), ("--sound", options.sound), ("--record", options.record),
        ("--settings", options.settings), ("--remember", options.remember),
    ):  # fmt: skip
        given += [] if value is None else [f"{option}={value}"]
    given += [f"--map={entry}" for entry in options.map]
    return given + [f"--set={name}={value}" for name, value in options.sets]


def engine_name(options: argparse.Namespace) -> str:
    """The engine that was named, here or in the settings file."""
    from livemuse.settings import read_settings

    given = getattr(options, "name", None)
    return str(given) if given is not None else read_settings().name

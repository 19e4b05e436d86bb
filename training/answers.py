"""Answers to calls from pieces the model has never seen: are they whole, do they fit their call, are they its echo?

    python -m training answers models/concert --data NOTES_DIR
    python -m training answers models/concert --data NOTES_DIR --pieces 50 --set temperature=1.0 --json
    python -m training answers models/concert --data NOTES_DIR --baseline all --run ancestors

A call is 20 s from the middle of a validation piece; what the pianist played next, for 8 s, is the true continuation.
Every answer is made by the code of `livemuse answer`, and is the same, note for note. The baselines answer the same
calls for as long, and are judged alike, by the same judge.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from livemuse.music.notes import Note
from training.corpus import load_corpus
from training.evaluate import performance_bundle
from training.figures.copying import pitches_of_corpus
from training.figures.judging import Judge, fits
from training.figures.likeness import likeness, overlap_difference, register, runs_of
from training.figures.playing import (
    ANSWER_S,
    SEED,
    Turn,
    answered,
    choose_turns,
    controls_of,
    excerpt,
    improvise,
    load_stepper,
    whole_pieces,
)


@dataclass(frozen=True, slots=True)
class Wholeness:
    """Whether the answers are whole, over all of them."""

    answers: int
    fewest_notes: int
    fewest_pitches: int
    latest_first_onset_s: float
    longest_hole_s: float  # without any sound, before the last note
    latest_end_s: float


def hole_s(notes: Sequence[Note]) -> float:
    """The longest silence up to the last onset."""
    longest_s, sounding_until_s = 0.0, 0.0
    for note in notes:
        longest_s = max(longest_s, note.onset_s - sounding_until_s)
        sounding_until_s = max(sounding_until_s, note.end_s)
    return longest_s


def wholeness(turns: Sequence[Turn]) -> Wholeness:
    """How many notes the poorest answer has, the longest hole in any, and so on."""
    return Wholeness(
        answers=len(turns),
        fewest_notes=min(len(t.answer) for t in turns),
        fewest_pitches=min(len({n.pitch for n in t.answer}) for t in turns),
        latest_first_onset_s=max(t.answer[0].onset_s for t in turns),
        longest_hole_s=max(hole_s(t.answer) for t in turns),
        latest_end_s=max(n.end_s for t in turns for n in t.answer),
    )


def judge(judge_: Judge, turns: Sequence[Turn], training: Any, all_performances: bool = True) -> dict[str, Any]:
    """All figures of some answered turns; ``training`` are the pitches answers may be copied from, or None.

    ValueError where no call was answered.
    """
    if not turns:
        raise ValueError("no call was answered: the pieces are too short, or the model plays nothing")
    sides = ("answer", "pianist") if all_performances else ("answer",)
    found = fits(judge_, turns, all_performances)
    return {
        "whole": asdict(wholeness(turns)),
        "likeness": likeness(turns),
        "fit": {name: {kind: asdict(g) for kind, g in row.items()} for name, row in found.items()},
        "runs": {side: runs_of(turns, side, training) for side in sides},
        "register": {side: register(turns, side) for side in sides},
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """What `python -m training answers` was asked for."""

    model: Path
    data: Path
    pieces: int = 50
    settings: tuple[str, ...] = ()
    seed: int = 0  # of the choice of pieces
    whole: int = 0  # whole pieces as calls, for the register
    copying: bool = True
    judge: Path | None = None  # the model that says how likely a note is; the one that plays where none is named
    split: str = "validation"  # where the calls are from
    baselines: tuple[str, ...] = ()  # names or numbers, or "all"
    ancestors: Path | None = None  # where `baselines` has kept them


def answers(asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    """Answer so many calls and judge the answers."""
    stepper, controls = load_stepper(asked.model), controls_of(asked.settings)
    baselines_of(asked)  # one that is not there is told before anything is played
    corpus = load_corpus(asked.data, asked.split)
    turns = choose_turns(corpus, asked.pieces, asked.seed)
    done = answered(turns, lambda turn: improvise(stepper, turn.call, controls), say)
    training = pitches_of_corpus(load_corpus(asked.data, "train")) if asked.copying else None
    judging = Judge(performance_bundle(asked.judge or asked.model))
    found = {
        "model": stepper.name,
        "settings": list(asked.settings),
        "pieces": len(turns),
        "seed": asked.seed,
        "answer_seed": SEED,
        "unanswered": len(turns) - len(done),
        **judge(judging, done, training),
    }
    if asked.baselines:
        found["baselines"] = ancestors_of(asked, done, turns, lambda t: judge(judging, t, training, False), say)
    if asked.whole:
        whole = whole_pieces(corpus, asked.whole, asked.seed)
        whole = answered(whole, lambda turn: improvise(stepper, turn.call, controls), say)
        found["register"]["answer_to_whole_pieces"] = {"answers": len(whole), **register(whole)}
    return found


def baselines_of(asked: Asked) -> list[str]:
    """The names of the baselines that answer too; ValueError for one that is unknown or not trained."""
    from training.baselines.answer import number_of
    from training.baselines.table import NAMES

    if not asked.baselines:
        return []
    if asked.ancestors is None:
        raise ValueError("--baseline needs --run: the folder where `python -m training baselines` has kept them")
    here = [name for _, name in sorted(NAMES.items()) if (asked.ancestors / f"{name}.npz").is_file()]
    named = here if "all" in asked.baselines else [NAMES[number_of(name)] for name in asked.baselines]
    for name in named or [""]:
        if name not in here:
            raise ValueError(f"{asked.ancestors} holds no trained {name or 'baseline'}: "
                             "run `python -m training baselines` first")  # fmt: skip
    return list(dict.fromkeys(named))


def ancestors_of(
    asked: Asked, done: Sequence[Turn], turns: Sequence[Turn], judged: Callable[..., Any], say: Callable[[str], None]
) -> dict[str, Any]:
    """The figures of each baseline that answers the same calls for as long, and how far ours overlap more."""
    from training.baselines.answer import load_player, number_of

    found: dict[str, Any] = {}
    for name in baselines_of(asked):
        assert asked.ancestors is not None
        player = load_player(number_of(name), asked.ancestors)
        say(f"{name} answers")
        theirs = answered(turns, lambda turn, p=player: excerpt(p(turn.call, ANSWER_S, SEED), 0.0, ANSWER_S), say)  # type: ignore[misc]
        found[name] = {"unanswered": len(turns) - len(theirs)}
        if theirs:
            found[name] |= judged(theirs) | {"overlap_difference": overlap_difference(done, theirs)}
    return found


def table(found: dict[str, Any]) -> str:
    """The figures as a person reads them."""
    lines = [f"{name.replace('_', ' '):<30}{_figure(value)}" for name, value in found["whole"].items()]
    lines += ["", f"{'overlap with the pianists':<30}" + _pairs(found["likeness"]["overlap"])]
    lines += [f"{side:<30}" + _pairs(found["likeness"][side]) for side in ("answer", "pianist")]
    lines += ["", f"{'fit':<22}{'own':>8}{'others':>8}{'gain':>8}  {'95 %':<18}better"]
    for side, row in found["fit"].items():
        for kind, g in row.items():
            interval = f"{g['low']:.3f} to {g['high']:.3f}"
            name = f"{side} {kind.replace('_', ' ')}"
            lines.append(
                f"{name:<22}{g['own']:>8.3f}{g['others']:>8.3f}{g['gain']:>8.3f}  {interval:<18}{g['share_better']:.0%}"
            )
    lines.append("")
    for side, row in found["runs"].items():
        lines += [f"{side + ', run shared with ' + where:<36}" + _pairs(values) for where, values in row.items()]
    for side, values in found["register"].items():
        lines.append(f"{side.replace('_', ' ') + ', register':<36}" + _pairs(values))
    if "baselines" in found:
        lines += ["", contest(found)]
    return "\n".join(lines)


CONTEST: Final = {
    "answers": "calls that were answered",
    "overlap": "all answers with all true continuations: the mean of six overlapping areas",
    "ours more": "by how much our overlap is larger on the same calls, and the 95 % interval",
    "continuation": "each with its own true continuation",
    "gain": "nats a note by which it fits its own call better than shuffled calls, and the 95 % interval",
    "run_call": "longest run of pitches shared with the call: median, nine in ten",
    "run_training": "longest run that stands in the training set: median, longest",
}
"""What the columns are of the table of everybody who answered."""


def contest(found: dict[str, Any]) -> str:
    """Ours, the baselines and the pianists in one table."""
    lines = [f"{name}: {words}" for name, words in CONTEST.items()]
    columns = f"{'answers':>8}{'overlap':>9}  {'ours more':<24}{'continuation':>12}{'gain':>8}  {'95 %':<17}"
    lines.append(f"{'':<20}{columns}{'run_call':>10}{'run_training':>14}")
    everybody = {found["model"]: found, **found["baselines"]}
    for name, one in everybody.items():
        lines.append(_entrant(name, one, "answer") if "fit" in one else f"{name:<20}{'no answer':>10}")
    return "\n".join([*lines, _entrant("pianists", found, "pianist")])


def _entrant(name: str, one: dict[str, Any], side: str) -> str:
    fit, runs, real = one["fit"][side], one["runs"][side], side == "pianist"
    nats = fit["nats"]
    interval = f"{nats['low']:.3f} to {nats['high']:.3f}"
    likeness = "-" if real else f"{one['likeness']['overlap']['mean']:.3f}"
    gap = one.get("overlap_difference")
    more = f"{gap['mean']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})" if gap else "-"
    continuation = "-" if real else f"{fit['continuation']['own']:.3f}"
    call = f"{runs['call']['median']:.1f} {runs['call']['p90']:.1f}"
    copied = f"{runs['training']['median']:.1f} {runs['training']['longest']:.0f}" if "training" in runs else "-"
    begin = f"{name:<20}{one['whole']['answers']:>8}{likeness:>9}  {more:<24}{continuation:>12}"
    return f"{begin}{nats['gain']:>8.3f}  {interval:<17}{call:>10}{copied:>14}"


def _figure(value: Any) -> str:
    return "none" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_figure(value)}" for name, value in values.items())


def as_json(found: dict[str, Any]) -> str:
    """The figures as one JSON object."""
    return json.dumps(found)

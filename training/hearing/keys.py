"""How often the key heard is the one that a piece states, after so many notes and at the end; beside music21.

The measure is the share that is exactly right, and beside it the weighted score of MIREX as mir_eval computes it: 1
for the key itself, 0.5 for the one a fifth above, 0.3 for the relative, 0.2 for the parallel. The key of the piece so
far (`KeyHearing.home`) is what a title states; the key of the moment is told beside it, as `now`.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from livemuse.music.hearing.key import KeyHearing
from livemuse.music.theory import Key
from training.hearing.pieces import KeyedPiece
from training.hearing.titles import Mode, Stated

LENGTHS: Final = (10, 20, 40)
END: Final = "end"
AFTER: Final = (*(str(count) for count in LENGTHS), END)
HEARERS: Final = ("livemuse", "now", "music21")
SURE: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
CLOSE: Final = 6  # of seven notes: the relative, and the keys a fifth away
Found = dict[str, Stated]
"""The key after `10`, `20`, `40` notes and at the `end`."""


class Sure(NamedTuple):
    """How sure livemuse was at some length, and how near it was: right, and with at least CLOSE notes in common."""

    confidence: float
    right: bool
    close: bool


def mirex_score(heard: Stated, stated: Stated) -> float:
    """1, 0.5, 0.3, 0.2 or 0: how near the key heard is to the one stated."""
    if heard == stated:
        return 1.0
    up = (heard.tonic - stated.tonic) % 12
    if heard.mode == stated.mode:
        return 0.5 if up == 7 else 0.0
    if up == (9 if stated.mode == "major" else 3):
        return 0.3
    return 0.2 if up == 0 else 0.0


def heard_keys(piece: KeyedPiece) -> tuple[Found, Found, list[Sure]]:
    """What livemuse hears, however unsure: the key of the piece so far, the key of the moment, and how sure that is."""
    hearing = KeyHearing()
    home, now, sure = {}, {}, []
    for count, (pitch, onset_s) in enumerate(zip(piece.pitches, piece.onsets_s, strict=True), 1):
        hearing.hear(onset_s, pitch)
        if count in LENGTHS or count == len(piece.pitches):
            home[str(count)], now[str(count)] = _stated(hearing.home), _stated(hearing.plain)
            sure.append(_sure(hearing, piece.key))
    last = str(len(piece.pitches))
    by_home, by_now = ({after: found.get(after, found[last]) for after in AFTER} for found in (home, now))
    return by_home, by_now, sure


def _sure(hearing: KeyHearing, stated: Stated) -> Sure:
    heard = _stated(hearing.plain)
    shared = Key(heard.tonic, heard.mode).pitch_classes & Key(stated.tonic, stated.mode).pitch_classes
    return Sure(hearing.confidence, heard == stated, len(shared) >= CLOSE)


def _stated(key: Key | None) -> Stated:
    assert key is not None
    mode: Mode = "major" if key.scale == "major" else "minor"
    return Stated(key.tonic, mode)


def music21_keys(piece: KeyedPiece) -> Found:
    """What Krumhansl-Schmuckler hears by music21 in the same notes, each with the length it sounds."""
    found = {str(n): music21_key(piece.pitches[:n], piece.durations_s[:n]) for n in LENGTHS}
    lengths_s: dict[int, float] = defaultdict(float)  # it weighs by length alone: one long note each is the same
    for pitch, duration_s in zip(piece.pitches, piece.durations_s, strict=True):
        lengths_s[60 + pitch % 12] += duration_s
    return found | {END: music21_key(list(lengths_s), list(lengths_s.values()))}


def music21_key(pitches: Sequence[int], durations_s: Sequence[float]) -> Stated:
    """`analyze('KrumhanslSchmuckler')` of these notes; ValueError where music21 is not installed."""
    try:
        from music21 import note, stream
    except ImportError:
        raise ValueError("The comparison needs music21 (`pip install music21`); --alone leaves it out.") from None
    notes: stream.Stream[note.Note] = stream.Stream()
    for pitch, duration_s in zip(pitches, durations_s, strict=True):
        one = note.Note(pitch)
        one.duration.quarterLength = duration_s
        notes.insert(0, one)
    key = notes.analyze("KrumhanslSchmuckler")
    return Stated(key.tonic.pitchClass, "major" if key.mode == "major" else "minor")


def cost_us(pieces: Sequence[KeyedPiece], notes: int = 20_000) -> tuple[float, float]:
    """Microseconds that hearing a note costs here, over the first notes of these pieces: median and 99th percentile."""
    flat = [(pitch, onset_s) for piece in pieces for pitch, onset_s in zip(piece.pitches, piece.onsets_s, strict=True)]
    hearing, took_s = KeyHearing(), []
    for pitch, onset_s in flat[:notes]:
        began_s = time.thread_time()
        hearing.hear(onset_s, pitch)
        took_s.append(time.thread_time() - began_s)
    return statistics.median(took_s) * 1e6, sorted(took_s)[int(0.99 * len(took_s))] * 1e6


Row = tuple[KeyedPiece, dict[str, Found]]


def measure(pieces: Iterable[KeyedPiece], beside: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Shares right by source and split; with MIREX scores, with each composition counted once, and by confidence."""
    rows: list[Row] = []
    sure: list[Sure] = []
    for piece in pieces:
        home, now, how_sure = heard_keys(piece)
        rows.append((piece, {"livemuse": home, "now": now} | ({"music21": music21_keys(piece)} if beside else {})))
        sure += how_sure
        if len(rows) % 100 == 0:
            say(f"{len(rows)} pieces heard")
    if not rows:
        raise ValueError("None of these pieces states its key.")
    groups: dict[str, list[Row]] = defaultdict(list)
    splits = {piece.split for piece, _ in rows}
    for row in rows:
        source, split = f"{row[0].source}, {row[0].said_by}", row[0].split
        for name in ("all", source, *((f"all, {split}", f"{source}, {split}") if len(splits) > 1 else ())):
            groups[name].append(row)
    median_us, p99_us = cost_us([piece for piece, _ in rows[:20]])
    return {
        "pieces": len(rows),
        "cost_us": {"median": round(median_us, 1), "p99": round(p99_us, 1)},
        "groups": {name: _group(groups[name]) for name in sorted(groups)},
        "sure": _by_confidence(sure),
    }


def _by_confidence(sure: Sequence[Sure]) -> list[dict[str, float]]:
    """Of the keys of the moment heard with at least so much confidence, and up to the next step of it."""
    found = []
    for least, next_one in zip(SURE, (*SURE[1:], 1.1), strict=True):
        above = [one for one in sure if one.confidence >= least]
        here = [one for one in above if one.confidence < next_one]
        found.append(
            {
                "from": least,
                "right": _share([one.right for one in here]),
                "share_above": len(above) / len(sure),
                "right_above": _share([one.right for one in above]),
                "close_above": _share([one.close for one in above]),
            }
        )
    return found


def _share(which: Sequence[bool]) -> float:
    return sum(which) / len(which) if which else 0.0


def _group(rows: Sequence[Row]) -> dict[str, Any]:
    times: dict[str, int] = defaultdict(int)
    for piece, _ in rows:
        times[piece.composition] += 1
    found: dict[str, Any] = {"pieces": len(rows), "compositions": len(times)}
    for hearer in rows[0][1]:
        shares: dict[str, dict[str, float]] = {}
        for after in AFTER:
            scores = [
                (mirex_score(keys[hearer][after], piece.key), 1 / times[piece.composition]) for piece, keys in rows
            ]
            shares[after] = {
                "exact": sum(score == 1.0 for score, _ in scores) / len(rows),
                "mirex": sum(score for score, _ in scores) / len(rows),
                "exact_by_composition": sum(once for score, once in scores if score == 1.0) / len(times),
            }
        found[hearer] = shares
    return found


def table(found: dict[str, Any]) -> str:
    """Lines for a person: shares in percent, exact and (MIREX), after 10, 20, 40 notes and at the end; and how sure."""
    lines = [f"{'':40}{'pieces':>7}  {'':9}" + "".join(f"{name:>15}" for name in AFTER)]
    for name, group in found["groups"].items():
        for hearer in HEARERS:
            if hearer in group:
                first = f"{name:40}{group['pieces']:7}  " if hearer == "livemuse" else " " * 49
                lines.append(f"{first}{hearer:9}" + "".join(_cell(group[hearer][after]) for after in AFTER))
    lines += ["", "confidence now   right   at least so sure: of all   right   or 6 of its 7 notes"]
    for row in found["sure"]:
        percents = (100 * row[name] for name in ("right", "share_above", "right_above", "close_above"))
        lines.append("from {:.1f}{:14.1f}{:27.1f}{:8.1f}{:22.1f}".format(row["from"], *percents))
    cost = found["cost_us"]
    lines.append(f"\na note costs {cost['median']:.1f} microseconds, 99 in 100 less than {cost['p99']:.1f}")
    return "\n".join(lines)


def _cell(share: dict[str, float]) -> str:
    return f"{100 * share['exact']:8.1f} ({100 * share['mirex']:4.1f})"

"""How often the key heard is the one that a piece states, after so many notes and at the end; beside music21.

The measure is the share that is exactly right, and beside it the weighted score of MIREX as mir_eval computes it: 1
for the key itself, 0.5 for the one a fifth above, 0.3 for the relative, 0.2 for the parallel.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from livemuse.music.hearing.key import KeyHearing
from livemuse.music.theory import Key
from training.hearing.pieces import KeyedPiece
from training.hearing.titles import Mode, Stated

LENGTHS: Final = (10, 20, 40)
END: Final = "end"
HOME: Final = "home"
Found = dict[str, Stated]
"""The key after `10`, `20`, `40` notes and at the `end`; of livemuse's also `home`, the key of all there was."""


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


def heard_keys(piece: KeyedPiece) -> Found:
    """What livemuse hears: the likeliest key however unsure, told note by note."""
    hearing, found = KeyHearing(), {}
    for count, (pitch, onset_s) in enumerate(zip(piece.pitches, piece.onsets_s, strict=True), 1):
        hearing.hear(onset_s, pitch)
        if count in LENGTHS:
            found[str(count)] = _stated(hearing.plain)
    last = _stated(hearing.plain)
    return {str(n): found.get(str(n), last) for n in LENGTHS} | {END: last, HOME: _stated(hearing.home)}


def _stated(key: Key | None) -> Stated:
    assert key is not None
    mode: Mode = "major" if key.scale == "major" else "minor"
    return Stated(key.tonic, mode)


def music21_keys(piece: KeyedPiece) -> Found:
    """What Krumhansl-Schmuckler hears by music21 in the same notes, each with the length it sounds."""
    found = {str(n): music21_key(piece.pitches[:n], piece.durations_s[:n]) for n in LENGTHS}
    lengths_s: dict[int, float] = defaultdict(
        float
    )  # it weighs pitch classes by length: one long note each is the same
    for pitch, duration_s in zip(piece.pitches, piece.durations_s, strict=True):
        lengths_s[60 + pitch % 12] += duration_s
    return found | {END: music21_key(list(lengths_s), list(lengths_s.values()))}


def music21_key(pitches: Sequence[int], durations_s: Sequence[float]) -> Stated:
    """`analyze('KrumhanslSchmuckler')` of these notes; ValueError where music21 is not installed."""
    try:
        from music21 import note, stream
    except ImportError:
        raise ValueError("The comparison needs music21: `pip install music21`, or leave it out with --alone.") from None
    notes: stream.Stream[note.Note] = stream.Stream()
    for pitch, duration_s in zip(pitches, durations_s, strict=True):
        one = note.Note(pitch)
        one.duration.quarterLength = duration_s
        notes.insert(0, one)
    key = notes.analyze("KrumhanslSchmuckler")
    return Stated(key.tonic.pitchClass, "major" if key.mode == "major" else "minor")


def cost_us(pieces: Sequence[KeyedPiece], notes: int = 20_000) -> float:
    """Microseconds that hearing a note costs here, over the first notes of these pieces; the least of three tries."""
    flat = [(pitch, onset_s) for piece in pieces for pitch, onset_s in zip(piece.pitches, piece.onsets_s, strict=True)]
    tries = []
    for _ in range(3):
        hearing, began_s = KeyHearing(), time.process_time()
        for pitch, onset_s in flat[:notes]:
            hearing.hear(onset_s, pitch)
        tries.append((time.process_time() - began_s) / max(len(flat[:notes]), 1))
    return min(tries) * 1e6


def measure(pieces: Iterable[KeyedPiece], beside: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Shares right by who states the key and by split; with MIREX scores, and with each composition counted once."""
    kept, rows = [], []
    for piece in pieces:
        kept.append(piece)
        hearers = {"livemuse": heard_keys(piece)} | ({"music21": music21_keys(piece)} if beside else {})
        rows.append((piece, hearers))
        if len(kept) % 100 == 0:
            say(f"{len(kept)} pieces heard")
    if not kept:
        raise ValueError("None of these pieces states its key.")
    groups: dict[str, list[tuple[KeyedPiece, dict[str, Found]]]] = defaultdict(list)
    for row in rows:
        said_by, split = row[0].said_by, row[0].split
        for name in ("all", said_by, *((split, f"{said_by} {split}") if split else ())):
            groups[name].append(row)
    found = {name: _group(groups[name]) for name in sorted(groups)}
    return {"pieces": len(kept), "cost_us": round(cost_us(kept[:20]), 1), "groups": found}


def _group(rows: Sequence[tuple[KeyedPiece, dict[str, Found]]]) -> dict[str, Any]:
    times: dict[str, int] = defaultdict(int)
    for piece, _ in rows:
        times[piece.composition] += 1
    found: dict[str, Any] = {"pieces": len(rows), "compositions": len(times)}
    for hearer in rows[0][1]:
        shares: dict[str, dict[str, float]] = {}
        for after in rows[0][1][hearer]:
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
    """Lines for a person: shares in percent, exact and (MIREX), after 10, 20, 40 notes and at the end."""
    columns = [*(str(n) for n in LENGTHS), END, HOME]
    head = f"{'':24}{'pieces':>7}  {'':9}" + "".join(f"{name:>15}" for name in columns)
    lines = [head]
    for name, group in found["groups"].items():
        for hearer in ("livemuse", "music21"):
            if hearer in group:
                first = f"{name:24}{group['pieces']:7}  " if hearer == "livemuse" else " " * 33
                lines.append(f"{first}{hearer:9}" + "".join(_cell(group[hearer].get(column)) for column in columns))
    lines.append(f"a note costs {found['cost_us']:.1f} microseconds")
    return "\n".join(lines)


def _cell(share: dict[str, float] | None) -> str:
    return f"{100 * share['exact']:8.1f} ({100 * share['mirex']:4.1f})" if share else " " * 15
